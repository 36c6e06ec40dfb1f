// Rooms, order, namespaces and reconnection of sockets.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { joinConversation } from './people.mjs'
import { scenario } from './scenario.mjs'
import { PATIENCE } from './waiting.mjs'

/** server.drain_timeout_ms. A server that needs all of it has not drained, it has given up. */
const DRAINED_WITHIN = 10_000

scenario('a socket that joined twice receives each message once, and none after it left', async ({ customer, agent }) => {
  const jane = customer('Jane')
  const id = await jane.openConversation('one')
  const sarah = agent('Sarah')
  const witness = await sarah.join(id)
  const phone = await jane.join(id)
  await joinConversation(phone, id)

  // Of a reply a customer receives `new_message` in the room, then `conversation_updated` everywhere.
  const updatedBy = (preview) => phone.waitFor('conversation_updated', { event: 'new_reply', message: { preview } })
  await sarah.reply(id, 'two')
  await updatedBy('two')
  assert.equal(phone.all('new_message').length, 1)

  for (const round of ['leaves', 'leaves again']) {
    assert.deepEqual(await phone.emitWithAck('leave_conversation', { conversation_id: id }), { success: true }, round)
  }
  await sarah.reply(id, 'three')
  await updatedBy('three') // hers all the same
  assert.equal(phone.all('new_message').length, 1)

  await joinConversation(phone, id)
  await sarah.reply(id, 'four')
  await updatedBy('four')
  assert.deepEqual(phone.all('new_message').map(({ message }) => message.message), ['two', 'four'])
  await witness.waitFor('new_message', { message: { message: 'four' } })
  assert.deepEqual(witness.all('new_message').map(({ message }) => message.message), ['two', 'three', 'four'])
})

scenario('typing from a socket that has not joined is refused and not relayed', async ({ customer, agent }) => {
  const jane = customer('Jane')
  const id = await jane.openConversation()
  const witness = await agent('Sarah').join(id)
  const phone = await jane.connect()

  for (const event of ['typing', 'stop_typing']) {
    const ack = await phone.emitWithAck(event, { conversation_id: id })
    assert.equal(ack.success, false)
    assert.deepEqual([typeof ack.error.code, typeof ack.error.message], ['string', 'string'])
  }
  await joinConversation(phone, id)
  for (const event of ['stop_typing', 'typing']) {
    assert.deepEqual(await phone.emitWithAck(event, { conversation_id: id }), { success: true })
  }
  await witness.waitFor('typing')
  const relayed = witness.received.map(({ event }) => event).filter((event) => event.endsWith('typing'))
  assert.deepEqual(relayed, ['stop_typing', 'typing'])
})

scenario('an invalid payload is refused in the ack and the socket stays connected', async ({ customer }) => {
  const jane = customer('Jane')
  const id = await jane.openConversation()
  const phone = await jane.connect()
  for (const payload of [null, 'a string', [], {}, { conversation_id: 7 }, { conversation_id: 'no-such-conversation' }]) {
    const ack = await phone.emitWithAck('join_conversation', payload)
    assert.equal(ack.success, false, JSON.stringify(payload))
    assert.equal(typeof ack.error.code, 'string', JSON.stringify(payload))
  }
  await joinConversation(phone, id)
})

scenario('the events of one socket are handled in their order', async ({ customer, agent }) => {
  const jane = customer('Jane')
  const id = await jane.openConversation()
  const witness = await agent('Sarah').join(id)
  const phone = await jane.connect()
  const conversation = { conversation_id: id }

  const rounds = 20
  for (let round = 1; round <= rounds; round++) {
    phone.emit('join_conversation', conversation)
    phone.emit('typing', conversation)
    phone.emit('leave_conversation', conversation)
    phone.emit('stop_typing', conversation) // has left: refused
  }
  phone.emit('join_conversation', conversation)
  phone.emit('stop_typing', conversation)
  // Leaving ends the typing (additions.md, 3).
  await witness.waitFor('stop_typing', {}, rounds + 1)
  assert.deepEqual(
    witness.received.map(({ event }) => event).filter((event) => event.endsWith('typing')),
    [...Array(rounds).fill(['typing', 'stop_typing']).flat(), 'stop_typing'],
  )
})

scenario('namespaces share a connection, and an unknown one leaves the others alone', async ({ customer }) => {
  const jane = customer('Jane')
  const id = await jane.openConversation()
  const phone = await jane.connect()
  const manager = phone.socket.io // the connection below it
  const engine = manager.engine.id

  const unknown = manager.socket('/nowhere', { auth: { token: jane.token } })
  const [error] = await once(unknown, 'connect_error', { signal: AbortSignal.timeout(PATIENCE) })
  assert.equal(error.message, 'Invalid namespace')

  await joinConversation(phone, id)
  assert.equal(manager.engine.id, engine)
  assert.equal(phone.all('disconnect').length, 0)
})

scenario('a client reconnects by itself after a restart, joins again and receives new messages', async ({ server, customer, agent }) => {
  const jane = customer('Jane')
  const id = await jane.openConversation('before')
  const phone = jane.openSocket({ reconnection: true, reconnectionDelay: 20, reconnectionDelayMax: 100 })
  // As the apps do it, see support-user.md: join on every connect.
  phone.socket.on('connect', () => phone.emit('join_conversation', { conversation_id: id }))
  await phone.waitFor('connect')

  await server.stop()
  const connects = phone.all('connect').length
  await server.start()
  await phone.waitFor('connect', {}, connects + 1)
  await phone.roundTrip() // `join_conversation` was sent before it, and is handled before it
  assert.equal((await agent('Sarah').reply(id, 'after')).status, 201)
  await phone.waitFor('new_message', { message: { message: 'after', seq: 2 } })
})

scenario('SIGTERM closes sockets so that clients reconnect elsewhere, and the server exits with 0', async ({ server, customer, agent }) => {
  const jane = customer('Jane')
  const id = await jane.openConversation()
  const clients = [await jane.join(id), await jane.connect(), await agent('Sarah').join(id)]

  const took = await server.stop()
  assert(took < DRAINED_WITHIN, `it took ${took} ms`)
  for (const client of clients) {
    // Any other reason, and the stock client would not reconnect.
    await client.waitFor('disconnect', (reason) => reason === 'transport close')
  }

  await server.start()
  assert.deepEqual((await jane.history(id)).map((message) => message.message), ['Hello?'])
})
