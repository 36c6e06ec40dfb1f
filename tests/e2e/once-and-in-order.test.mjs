// A send happens once however often it is repeated, and to whichever server, and everyone sees the same order.

import assert from 'node:assert/strict'
import { assertGapless } from './load.mjs'
import { scenario } from './scenario.mjs'

/** All answers are one and the same 201; returns its data. */
function oneAnswer(answers) {
  for (const { status, body } of answers) {
    assert.equal(status, 201, JSON.stringify(body))
    assert.deepEqual(body, answers[0].body)
  }
  return answers[0].body.data
}

const shared = { on: ['postgres'] } // several servers on one database

const times = (count, act) => Promise.all(Array.from({ length: count }, (_, n) => act(n)))

scenario('20 parallel sends with one client_message_id are one message with one answer', async ({ customer, agent }) => {
  const jane = customer('Jane')
  const id = await jane.openConversation()
  const phone = await jane.join(id)

  const fields = { conversation_id: id, client_message_id: 'tapped-twenty-times' }
  const { message } = oneAnswer(await times(20, () => jane.send('Once', fields)))
  assert.equal(message.seq, 2)

  const byHeader = { conversation_id: id, headers: { 'idempotency-key': 'tapped-twenty-times' } }
  assert.equal(oneAnswer([await jane.send('Once', byHeader)]).message.id, message.id, 'the header names it as well')

  assert.equal((await agent('Sarah').reply(id, 'Got it')).body.data.seq, 3)
  await phone.waitFor('new_message', { message: { message: 'Got it' } })
  assert.equal(phone.all('new_message', { message: { message: 'Once' } }).length, 1)
  const history = await jane.history(id)
  assert.deepEqual(history.map(({ message }) => message), ['Hello?', 'Once', 'Got it'])
})

scenario('20 parallel first messages with one client_message_id make one conversation', async ({ customer, agent }) => {
  const jane = customer('Jane')
  const lobby = await agent('Sarah').connect()

  const { conversation } = oneAnswer(await times(20, () => jane.send('Hello?', { client_message_id: 'first-of-all' })))
  assert.equal((await jane.list()).body.data.total, 1)
  assert.deepEqual((await jane.history(conversation.id)).map(({ message }) => message), ['Hello?'])

  // Heard after everything that the first messages caused.
  await jane.send('Hello again?', { conversation_id: conversation.id })
  await lobby.waitFor('conversation_updated', { conversation_id: conversation.id, message: { preview: 'Hello again?' } })
  assert.equal(lobby.all('conversation_created', { id: conversation.id }).length, 1)
})

scenario('a client_message_id is refused with another text', async ({ customer }) => {
  const jane = customer('Jane')
  const id = await jane.openConversation()
  const fields = { conversation_id: id, client_message_id: 'one' }
  assert.equal((await jane.send('This', fields)).status, 201)
  const other = await jane.send('That', fields)
  assert.equal(other.status, 409)
  assert.equal(other.body.message, 'client_message_id was already used for another message')
})

scenario('of 200 parallel sends, listeners and the database agree on one order without gaps', async ({ customer, agent }) => {
  const jane = customer('Jane')
  const id = await jane.openConversation()
  const listeners = [await jane.join(id), await agent('Sarah').join(id), await agent('Mike').join(id)]

  const answers = await times(200, (n) => jane.send(`message ${n}`, { conversation_id: id }))
  for (const { status, body } of answers) assert.equal(status, 201, JSON.stringify(body))
  const history = await jane.history(id)
  assert.equal(history.length, 201)
  assertGapless(history)

  const inOrder = history.slice(1).map(({ id, seq, message }) => ({ id, seq, message }))
  for (const listener of listeners) {
    await listener.waitFor('new_message', { conversation_id: id }, 200)
    const received = listener.all('new_message').map(({ message: { id, seq, message } }) => ({ id, seq, message }))
    assert.deepEqual(received, inOrder)
  }
  const answered = answers.map(({ body }) => body.data.message).sort((one, other) => one.seq - other.seq)
  assert.deepEqual(answered.map(({ id, seq, message }) => ({ id, seq, message })), inOrder)
})

scenario(
  '20 parallel sends with one client_message_id over two servers are one message with one answer',
  async ({ customer, agent, anotherServer }) => {
    const other = await anotherServer()
    const janes = [customer('Jane'), customer('Jane', other)]
    const id = await janes[0].openConversation()
    const phones = [await janes[0].join(id), await janes[1].join(id)]

    const fields = { conversation_id: id, client_message_id: 'tapped-twenty-times' }
    const { message } = oneAnswer(await times(20, (n) => janes[n % 2].send('Once', fields)))
    assert.equal(message.seq, 2)

    for (const jane of janes) {
      assert.deepEqual((await jane.history(id)).map(({ id, message }) => [id, message]).slice(1), [[message.id, 'Once']])
    }
    for (const [n, jane] of janes.entries()) {
      // Who joined there receives the reply that is made there, and what another server stored in front of it.
      const sarah = agent('Sarah', jane.server)
      assert.equal((await sarah.reply(id, `Got it ${n}`)).status, 201)
      await phones[n].waitFor('new_message', { message: { message: `Got it ${n}` } })
    }
    for (const phone of phones) {
      assert.equal(phone.all('new_message', { message: { id: message.id } }).length, 1, 'announced by each server, once')
    }
  },
  shared,
)

scenario(
  '20 parallel first messages with one client_message_id over two servers make one conversation',
  async ({ customer, agent, anotherServer }) => {
    const other = await anotherServer()
    const janes = [customer('Jane'), customer('Jane', other)]
    const lobbies = [await agent('Sarah').connect(), await agent('Mike', other).connect()]

    const { conversation } = oneAnswer(await times(20, (n) => janes[n % 2].send('Hello?', { client_message_id: 'first-of-all' })))

    for (const jane of janes) {
      assert.equal((await jane.list()).body.data.total, 1)
      assert.deepEqual((await jane.history(conversation.id)).map(({ message }) => message), ['Hello?'])
    }
    for (const [n, jane] of janes.entries()) {
      // Heard on each server after everything that the first messages caused there.
      await jane.send(`Hello from ${n}?`, { conversation_id: conversation.id })
      await lobbies[n].waitFor('conversation_updated', { conversation_id: conversation.id, message: { preview: `Hello from ${n}?` } })
    }
    const announced = lobbies.flatMap((lobby) => lobby.all('conversation_created', { id: conversation.id }))
    assert.equal(announced.length, 1, 'announced by the server that stored it, once')
  },
  shared,
)

scenario(
  'of 200 parallel sends over two servers, all have one order without gaps, and each server publishes all of them',
  async ({ customer, agent, anotherServer }) => {
    const other = await anotherServer()
    const janes = [customer('Jane'), customer('Jane', other)]
    const id = await janes[0].openConversation()
    const listeners = []
    for (const [n, jane] of janes.entries()) {
      listeners.push([await jane.join(id), await agent(`Agent${n}`, jane.server).join(id)])
    }

    const answers = await times(200, (n) => janes[n % 2].send(`message ${n}`, { conversation_id: id }))
    for (const { status, body } of answers) assert.equal(status, 201, JSON.stringify(body))
    // Each server tells what the other stored at the latest when something is asked of it.
    const last = []
    for (const jane of [...janes, janes[0]]) last.push(await jane.send('the last one here', { conversation_id: id }))
    answers.push(...last)
    const histories = [await janes[0].history(id), await janes[1].history(id)]
    assert.deepEqual(histories[0], histories[1])
    assert.equal(histories[0].length, 204)
    assertGapless(histories[0])

    const inOrder = histories[0].slice(1).map(({ id, seq, message }) => ({ id, seq, message }))
    const answered = answers.map(({ body }) => body.data.message).sort((one, other) => one.seq - other.seq)
    assert.deepEqual(answered.map(({ id, seq, message }) => ({ id, seq, message })), inOrder)

    for (const [n, count] of [[0, 203], [1, 202]]) {
      for (const listener of listeners[n]) {
        await listener.waitFor('new_message', { conversation_id: id }, count)
        const received = listener.all('new_message').map(({ message: { id, seq, message } }) => ({ id, seq, message }))
        assert.deepEqual(received, inOrder.slice(0, count))
      }
    }
  },
  shared,
)
