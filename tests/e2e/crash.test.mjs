// A power cut: what was acknowledged is there.

import assert from 'node:assert/strict'
import { assertKept, Load, say } from './load.mjs'
import { scenario } from './scenario.mjs'

scenario('kill -9 under load loses nothing that was acknowledged, and doubles nothing', async ({ server, customer }) => {
  const conversations = []
  for (const name of ['Jane', 'John', 'Joan']) {
    const one = customer(name)
    conversations.push({ customer: one, conversationId: await one.opens() })
  }

  const load = new Load(conversations)
  await load.acknowledges(300)
  await server.kill()
  await load.end()
  await server.start()

  for (const { customer, conversationId } of conversations) {
    const here = (one) => one.conversationId === conversationId
    const acknowledged = load.acknowledged.filter(here)
    assertKept(await customer.history(conversationId), acknowledged)

    // The apps send again what got no answer. A few that had one as well: they get it once more.
    for (const { key, message } of acknowledged.slice(-5)) {
      const { status, body } = await say(customer, conversationId, key)
      assert.deepEqual([status, body.data?.message], [201, message])
    }
    for (const { key } of load.unanswered.filter(here)) {
      const { status, body } = await say(customer, conversationId, key)
      assert.equal(status, 201, JSON.stringify(body))
      acknowledged.push({ key, message: body.data.message })
    }
    const history = await customer.history(conversationId)
    assertKept(history, acknowledged)
    assert.equal(history.length, 1 + acknowledged.length)
  }
})
