// A power cut: what was acknowledged is stored, and so is every event that was published.

import assert from 'node:assert/strict'
import { assertKept, Load, say } from './load.mjs'
import { scenario } from './scenario.mjs'

scenario('kill -9 under load loses nothing that was acknowledged, and doubles nothing', async ({ server, customer }) => {
  const conversations = []
  for (const name of ['Jane', 'John', 'Joan']) {
    const one = customer(name)
    conversations.push({ customer: one, conversationId: await one.openConversation() })
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

scenario('no client was shown what kill -9 under load loses', async ({ server, customer, agent }) => {
  const sarah = agent('Sarah')
  const lobby = await agent('Lisa').connect() // joins no conversation: receives what `admins` receives
  const conversations = []
  for (const name of ['Jane', 'John', 'Joan']) {
    const one = customer(name)
    const conversationId = await one.openConversation()
    const listeners = [await one.join(conversationId), await sarah.join(conversationId)]
    conversations.push({ customer: one, conversationId, listeners })
  }
  const newcomer = customer('Nick')

  const load = new Load(conversations)
  const opened = openUntilKilled(newcomer)
  await load.acknowledges(300)
  await lobby.waitFor('conversation_created', { user_id: newcomer.sub }, 20)
  await server.kill()
  await load.end()
  const everyone = [lobby, ...conversations.flatMap(({ listeners }) => listeners)]
  for (const one of everyone) await one.waitFor('disconnect') // after every event that arrived
  await server.start()

  for (const { customer, conversationId, listeners } of conversations) {
    const stored = (await customer.history(conversationId)).slice(1).map(shown)
    for (const listener of listeners) {
      const received = listener.all('new_message').map(({ message }) => shown(message))
      assert(received.length > 0, 'nothing was received, nothing is proved')
      assert.deepEqual(received, stored.slice(0, received.length))
    }
    const updates = lobby.all('conversation_updated', { conversation_id: conversationId }).map(({ event, message }) => [event, message.id])
    assert.deepEqual(updates, stored.slice(0, updates.length).map(({ id }) => ['new_user_message', id]))
  }

  const created = lobby.all('conversation_created', { user_id: newcomer.sub })
  const acknowledged = [...new Set([...created.map(({ id, first_message }) => [id, first_message]), ...(await opened)].map(JSON.stringify))]
  for (const [id, text] of acknowledged.map(JSON.parse)) {
    assert.deepEqual((await newcomer.history(id)).map(({ seq, message }) => [seq, message]), [[1, text]])
  }
  assert.equal(new Set(created.map(({ id }) => id)).size, created.length, 'a conversation was announced twice')
})

/** Opens conversations until the server is killed. Returns [id, first message] of each acknowledged one. */
async function openUntilKilled(customer) {
  const opened = []
  for (let n = 1; ; n++) {
    const text = `opening ${n}`
    const answer = await customer.send(text).catch(() => null)
    if (answer === null) return opened
    assert.equal(answer.status, 201, JSON.stringify(answer.body))
    opened.push([answer.body.data.conversation.id, text])
  }
}

const shown = ({ id, seq, message, is_from_user, sender_name }) => ({ id, seq, message, is_from_user, sender_name })
