// Failures of the database. It hangs: it neither answers nor breaks the connection. Or it crashes in the middle of commits
// whose outcome is then unknown.

import assert from 'node:assert/strict'
import { request } from './clients.mjs'
import { assertKept, Load } from './load.mjs'
import { scenario } from './scenario.mjs'
import { eventually } from './waiting.mjs'

const REQUEST_TIMEOUT_MS = 3_000
/** Allowance for a busy machine. */
const SLACK_MS = 2_500

const on = ['a PostgreSQL of its own']
const settings = {
  SWITCHBOARD__DATABASE__TIMEOUT_MS: '1500',
  SWITCHBOARD__SERVER__REQUEST_TIMEOUT_MS: String(REQUEST_TIMEOUT_MS),
}

/** The server caches the readiness of its database for a short time. */
const becomesReady = (server) => eventually(async () => (await health(server, 'ready')).status === 200, () => 'the server to be ready')
const health = (server, what) => request(server.url, undefined, 'GET', `/health/${what}`)

scenario(
  'while PostgreSQL hangs, sends get 503 in time and no event is published; afterwards the server recovers',
  async ({ server, database, customer, agent }) => {
    const conversations = await overheard({ customer, agent })

    const load = new Load(conversations)
    await load.acknowledges(100)
    await database.pause()
    await load.refuses(20)
    assert.equal((await health(server, 'live')).status, 200)
    assert.equal((await health(server, 'ready')).status, 503)
    // Apps end the session on a 401: only a bad token is one.
    const mine = '/api/v1/support/conversations'
    assert.equal((await conversations[0].customer.get(mine)).status, 503)
    assert.equal((await request(server.url, 'bad', 'GET', mine)).status, 401)
    await database.resume()
    await load.acknowledges(100)
    await load.end()
    await becomesReady(server)
    assert.deepEqual(load.unanswered, [], 'every send got an answer')

    assertRefusedInTime(load)
    for (const conversation of conversations) await assertShownIsStored(conversation, load)
  },
  { on, settings },
)

scenario(
  'after PostgreSQL crashed under load, the server recovers and every client was shown exactly what is stored',
  async ({ server, database, customer, agent }) => {
    const conversations = await overheard({ customer, agent })

    const load = new Load(conversations, { named: false })
    await crashesUnder(load, database)
    await becomesReady(server)

    assertRefusedInTime(load)
    const refused = new Set(load.refused.map(({ key }) => key))
    let stored = 0
    for (const conversation of conversations) {
      const history = await assertShownIsStored(conversation, load)
      stored += history.filter(({ message }) => refused.has(message)).length
    }
    assert(stored > 0, 'no commit was stored whose answer got lost, nothing is proved')
  },
  { on, settings },
)

scenario(
  'sends with a client_message_id that are repeated until PostgreSQL is back are stored once each',
  async ({ database, customer, agent }) => {
    const conversations = await overheard({ customer, agent })

    const load = new Load(conversations)
    await crashesUnder(load, database)
    assert(load.refused.length > 0, 'nothing was repeated, nothing is proved')

    for (const conversation of conversations) {
      const history = await assertShownIsStored(conversation, load)
      const acknowledged = load.acknowledged.filter(({ conversationId }) => conversationId === conversation.conversationId)
      assert.equal(history.length, 1 + acknowledged.length, 'more is stored than was sent')
    }
  },
  { on, settings },
)

/** Conversations in which the customer and an agent listen; one more agent receives of all of them. */
async function overheard({ customer, agent }) {
  const sarah = agent('Sarah')
  const lobby = await agent('Lisa').connect()
  const conversations = []
  for (const name of ['Jane', 'John']) {
    const one = customer(name)
    const conversationId = await one.openConversation()
    const listeners = [await one.join(conversationId), await sarah.join(conversationId)]
    conversations.push({ customer: one, conversationId, listeners, lobby })
  }
  return conversations
}

/** Three crashes at any point, and one while commits are stored but not answered. */
async function crashesUnder(load, database) {
  await load.acknowledges(50)
  for (let crash = 1; crash <= 3; crash++) {
    await database.crash()
    await load.acknowledges(50)
  }
  await database.holdAnswers()
  await database.crash()
  await load.acknowledges(50)
  await load.end()
  assert.deepEqual(load.unanswered, [], 'every send got an answer')
}

function assertRefusedInTime(load) {
  assert(load.refused.length > 0, 'nothing was refused, nothing is proved')
  for (const { headers, body, milliseconds } of load.refused) {
    assert(milliseconds < REQUEST_TIMEOUT_MS + SLACK_MS, `503 came after ${milliseconds} ms`)
    assert.match(headers.get('retry-after') ?? 'none', /^\d+$/)
    assert.deepEqual([body.success, body.statusCode, body.code], [false, 503, 'UNAVAILABLE'])
  }
}

/** What was acknowledged is stored, and listeners were shown all of it, once, in order. Returns the history. */
async function assertShownIsStored({ customer, conversationId, listeners, lobby }, load) {
  const last = await customer.send('the last one', { conversation_id: conversationId })
  assert.equal(last.status, 201, JSON.stringify(last.body))
  const history = await customer.history(conversationId)
  assertKept(history, load.acknowledged.filter((one) => one.conversationId === conversationId))

  const stored = history.slice(1).map(({ id, seq, message }) => ({ id, seq, message }))
  const { id } = stored.at(-1)
  for (const listener of listeners) {
    await listener.waitFor('new_message', { message: { id } })
    const received = listener.all('new_message').map(({ message: { id, seq, message } }) => ({ id, seq, message }))
    assert.deepEqual(received, stored)
  }
  await lobby.waitFor('conversation_updated', { message: { id } })
  assert.deepEqual(
    lobby.all('conversation_updated', { conversation_id: conversationId }).map(({ message }) => message.id),
    stored.map((message) => message.id),
  )
  return history.slice(0, -1) // without the last one
}
