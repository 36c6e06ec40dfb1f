// The database hangs: it neither answers nor breaks the connection. That is the worst way for it to fail.

import assert from 'node:assert/strict'
import { request } from './clients.mjs'
import { assertKept, Load } from './load.mjs'
import { scenario } from './scenario.mjs'

const REQUEST_TIMEOUT_MS = 3_000
/** For this machine to get round to it. */
const SLACK_MS = 2_500

const settings = {
  SWITCHBOARD__DATABASE__TIMEOUT_MS: '1500',
  SWITCHBOARD__SERVER__REQUEST_TIMEOUT_MS: String(REQUEST_TIMEOUT_MS),
}

scenario(
  'while PostgreSQL hangs sends get 503 in time and nothing is shown, then it goes on as before',
  async ({ server, database, customer, agent }) => {
    const sarah = agent('Sarah')
    const conversations = []
    for (const name of ['Jane', 'John']) {
      const one = customer(name)
      const conversationId = await one.opens()
      conversations.push({ customer: one, conversationId, listener: await sarah.join(conversationId) })
    }
    const health = (what) => request(server.url, undefined, 'GET', `/health/${what}`)

    const load = new Load(conversations)
    await load.acknowledges(100)
    await database.pause()
    await load.refuses(20)
    assert.equal((await health('live')).status, 200)
    assert.equal((await health('ready')).status, 503)
    await database.resume()
    await load.acknowledges(100)
    await load.end()
    assert.equal((await health('ready')).status, 200)
    assert.deepEqual(load.unanswered, [], 'every send got an answer')

    for (const { headers, body, milliseconds } of load.refused) {
      assert(milliseconds < REQUEST_TIMEOUT_MS + SLACK_MS, `503 came after ${milliseconds} ms`)
      assert.match(headers.get('retry-after') ?? 'none', /^\d+$/)
      assert.deepEqual([body.success, body.statusCode, body.code], [false, 503, 'UNAVAILABLE'])
    }

    for (const { customer, conversationId, listener } of conversations) {
      const history = await customer.history(conversationId)
      assertKept(history, load.acknowledged.filter((one) => one.conversationId === conversationId))

      // Shown is what is stored: all of it, once, in its order.
      await listener.hears('new_message', {}, history.length - 1)
      assert.deepEqual(
        listener.all('new_message').map(({ message }) => message.id),
        history.slice(1).map((message) => message.id),
      )
    }
  },
  { on: ['a PostgreSQL of its own'], settings },
)
