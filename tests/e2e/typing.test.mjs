// Typing indicators end (additions.md, 3).

import assert from 'node:assert/strict'
import { joinConversation } from './people.mjs'
import { scenario } from './scenario.mjs'

const CLOSED = { success: false, error: { code: 'CONVERSATION_CLOSED', message: 'This conversation has been closed' } }
const SUCCESS = { success: true }
const TIMEOUT = 1
const short = { settings: { SWITCHBOARD__REALTIME__TYPING_TIMEOUT_SECONDS: String(TIMEOUT) }, on: ['sqlite'] }

/** The names of the events received so far that matter here, in order. */
const lately = (client) =>
  client.received.map(({ event }) => event).filter((event) => /typing$|^new_message$|^conversation_closed$/.test(event))

scenario('a typist who disconnects or leaves the room has stopped at once', async ({ customer, agent }) => {
  const jane = customer('Jane')
  const id = await jane.openConversation()
  const ticket = await jane.createTicket({ subject: 'Card', description: 'It is blocked' })
  const witness = await agent('Sarah').join(id)
  assert.deepEqual(await witness.emitWithAck('join_ticket', { ticket_id: ticket.id }), SUCCESS)
  const inConversation = { conversation_id: id, user_id: 'jane', is_admin: false }
  const inTicket = { ticket_id: ticket.id, user_id: 'jane', is_admin: false }

  const phone = await jane.join(id)
  phone.emit('typing', { conversation_id: id })
  assert.deepEqual(await witness.waitFor('typing'), inConversation)
  await phone.emitWithAck('leave_conversation', { conversation_id: id })
  assert.deepEqual(await witness.waitFor('stop_typing'), inConversation)

  await phone.emitWithAck('join_ticket', { ticket_id: ticket.id })
  phone.emit('typing', { ticket_id: ticket.id })
  await witness.waitFor('typing', inTicket)
  await phone.emitWithAck('leave_ticket', { ticket_id: ticket.id })
  await witness.waitFor('stop_typing', inTicket)

  await joinConversation(phone, id)
  phone.emit('typing', { conversation_id: id })
  await witness.waitFor('typing', inConversation, 2)
  phone.close()
  await witness.waitFor('stop_typing', inConversation, 2)

  // A connection that breaks.
  const tablet = await jane.join(id)
  tablet.emit('typing', { conversation_id: id })
  await witness.waitFor('typing', inConversation, 3)
  tablet.socket.io.engine.close()
  await witness.waitFor('stop_typing', inConversation, 3)
  assert.equal(lately(witness).filter((event) => event === 'stop_typing').length, 4, 'each is announced once')
})

scenario('a ticket that is left ends what is typed in its conversation, which the socket joined by it', async ({ customer, agent }) => {
  const [jane, sarah] = [customer('Jane'), agent('Sarah')]
  const id = await jane.openConversation()
  const ticket = await sarah.createTicket(id, { subject: 'Card', description: 'It is blocked' })
  const witness = await sarah.join(id)
  const phone = await jane.connect()
  await phone.emitWithAck('join_ticket', { ticket_id: ticket.id })
  phone.emit('typing', { conversation_id: id })
  await witness.waitFor('typing')
  await phone.emitWithAck('leave_ticket', { ticket_id: ticket.id })
  await witness.waitFor('stop_typing', { conversation_id: id, user_id: 'jane' })
}, { on: ['sqlite'] })

scenario('a typist who is silent has stopped, and repeating restarts the time', async ({ customer, agent }) => {
  const jane = customer('Jane')
  const id = await jane.openConversation()
  const witness = await agent('Sarah').join(id)
  const phone = await jane.join(id)
  const started = performance.now()
  while (performance.now() - started < 2.5 * TIMEOUT * 1000) {
    assert.deepEqual(await phone.emitWithAck('typing', { conversation_id: id }), SUCCESS)
  }
  await witness.roundTrip()
  assert.equal(witness.all('stop_typing').length, 0)
  const repeated = performance.now()
  await witness.waitFor('stop_typing', { conversation_id: id, user_id: 'jane' })
  assert(performance.now() - repeated < 30_000, 'it ended by silence')

  // The end is announced once, and typing can begin again.
  phone.emit('typing', { conversation_id: id })
  await witness.waitFor('stop_typing', {}, 2)
  assert.deepEqual(lately(witness).slice(-3), ['stop_typing', 'typing', 'stop_typing'])
}, short)

scenario('a message ends what its author types, over REST and over the socket', async ({ customer, agent }) => {
  const [jane, sarah, mike] = [customer('Jane'), agent('Sarah'), agent('Mike')]
  const id = await jane.openConversation()
  const desk = await sarah.join(id)
  const [phone, tablet] = [await jane.join(id), await jane.join(id)]
  const witness = await mike.join(id)

  for (const client of [phone, tablet]) client.emit('typing', { conversation_id: id })
  desk.emit('typing', { conversation_id: id })
  await witness.waitFor('typing', {}, 3)
  assert.equal((await jane.send('one', { conversation_id: id })).status, 201)
  await witness.waitFor('new_message', { message: { message: 'one' } })
  assert.deepEqual(lately(witness), ['typing', 'typing', 'typing', 'stop_typing', 'stop_typing', 'new_message'])
  assert.equal(witness.all('stop_typing', { user_id: 'jane' }).length, 2)

  phone.emit('typing', { conversation_id: id })
  await witness.waitFor('typing', { user_id: 'jane' }, 3)
  await phone.emitWithAck('send_message', { conversation_id: id, message: 'two' })
  await witness.waitFor('new_message', { message: { message: 'two' } })
  assert.equal(witness.all('stop_typing', { user_id: 'jane' }).length, 3)

  await sarah.note(id, 'a note is a message too')
  await witness.waitFor('stop_typing', { user_id: 'sarah' })
  await phone.waitFor('stop_typing', { user_id: 'sarah' })
})

scenario('closing ends typing, and it is refused in what is closed', async ({ customer, agent }) => {
  const [jane, sarah] = [customer('Jane'), agent('Sarah')]
  const id = await jane.openConversation()
  const ticket = await sarah.createTicket(id, { subject: 'Card', description: 'It is blocked' })
  const witness = await sarah.join(id)
  const phone = await jane.join(id)
  for (const client of [witness, phone]) await client.emitWithAck('join_ticket', { ticket_id: ticket.id })
  for (const place of [{ conversation_id: id }, { ticket_id: ticket.id }]) {
    phone.emit('typing', place)
    await witness.waitFor('typing', place)
  }
  assert.equal((await sarah.closeConversation(id)).status, 201)
  await witness.waitFor('conversation_closed')
  assert.deepEqual(lately(witness), ['typing', 'typing', 'stop_typing', 'stop_typing', 'conversation_closed'])

  for (const place of [{ conversation_id: id }, { ticket_id: ticket.id }]) {
    for (const event of ['typing', 'stop_typing']) {
      assert.deepEqual(await phone.emitWithAck(event, place), CLOSED)
      assert.deepEqual(await witness.emitWithAck(event, place), CLOSED)
    }
  }
  for (const client of [witness, phone]) await client.roundTrip()
  assert.equal(witness.all('stop_typing').length, 2)
  assert.equal(witness.all('typing').length, 2)
  assert.equal(phone.all('typing').length, 0)
})

scenario('an agent who types a note is seen by agents only', async ({ customer, agent }) => {
  const [jane, sarah, mike] = [customer('Jane'), agent('Sarah'), agent('Mike')]
  const id = await jane.openConversation()
  const [phone, desk, witness] = [await jane.join(id), await sarah.join(id), await mike.join(id)]
  const note = { conversation_id: id, is_internal: true }
  const seen = { conversation_id: id, user_id: 'sarah', is_admin: true }

  await desk.emitWithAck('typing', note)
  assert.deepEqual(await witness.waitFor('typing'), seen)
  // It ends for those who saw it begin, also without the word.
  await desk.emitWithAck('stop_typing', { conversation_id: id })
  assert.deepEqual(await witness.waitFor('stop_typing'), seen)
  await desk.emitWithAck('stop_typing', note)
  await witness.waitFor('stop_typing', {}, 2)
  await phone.roundTrip()
  assert.deepEqual(lately(phone), [])

  // From a reply to a note: for the customer it has ended.
  await desk.emitWithAck('typing', { conversation_id: id })
  assert.deepEqual(await phone.waitFor('typing'), seen)
  await desk.emitWithAck('typing', note)
  assert.deepEqual(await phone.waitFor('stop_typing'), seen)
  await witness.waitFor('typing', {}, 3)
  desk.close()
  await witness.waitFor('stop_typing', {}, 4)
  await phone.roundTrip()
  assert.deepEqual(lately(phone), ['typing', 'stop_typing'])

  // From a customer it is ignored.
  await phone.emitWithAck('typing', note)
  assert.deepEqual(await witness.waitFor('typing', { user_id: 'jane' }), { conversation_id: id, user_id: 'jane', is_admin: false })
})

scenario('typing ends between the help center and the agents', async ({ helpCenterUser, agent }) => {
  const [john, sarah] = [helpCenterUser('John'), agent('Sarah')]
  const phone = await john.connectHelpCenter()
  const { message } = await phone.send('Hello?')
  const id = message.conversationId
  const place = { conversation_id: id }
  const desk = await sarah.join(id)
  const byCustomer = { conversation_id: id, user_id: 'john', is_admin: false }

  const tablet = await john.connectHelpCenter()
  tablet.emit('help_center:typing', { isTyping: true })
  assert.deepEqual(await desk.waitFor('typing'), byCustomer)
  tablet.close()
  assert.deepEqual(await desk.waitFor('stop_typing'), byCustomer)

  phone.emit('help_center:typing', { isTyping: true })
  await desk.waitFor('typing', {}, 2)
  await john.sendOverRest('Anyone?')
  await desk.waitFor('stop_typing', {}, 2)
  await desk.waitFor('new_message', { message: { message: 'Anyone?' } })
  assert(lately(desk).lastIndexOf('stop_typing') < lately(desk).lastIndexOf('new_message'))

  desk.emit('typing', place)
  await phone.waitFor('help_center:typing', { isTyping: true, sender: 'support' })
  desk.close()
  assert.deepEqual(await phone.waitFor('help_center:typing', { isTyping: false }), { isTyping: false, sender: 'support' })

  const other = await sarah.join(id)
  await other.emitWithAck('typing', { ...place, is_internal: true })
  await other.emitWithAck('typing', place)
  await phone.waitFor('help_center:typing', { isTyping: true }, 2)
  await sarah.closeConversation(id)
  await phone.waitFor('help_center:typing', { isTyping: false }, 2)
  assert.equal(phone.all('help_center:typing').length, 4)

  // Refused, which an app that asks for no ack does not notice.
  const { error } = await phone.emitWithAck('help_center:typing', { isTyping: true })
  assert.equal(error.code, 'CONVERSATION_CLOSED')
  phone.emit('help_center:typing', { isTyping: true })
  await phone.roundTrip()
  await other.roundTrip()
  assert.equal(phone.all('help_center:error').length, 0)
  assert.equal(other.all('typing').length, 0)
})

scenario('a customer who is silent in the help center has stopped, and so has an agent', async ({ helpCenterUser, agent }) => {
  const [john, sarah] = [helpCenterUser('John'), agent('Sarah')]
  const phone = await john.connectHelpCenter()
  const { message } = await phone.send('Hello?')
  const desk = await sarah.join(message.conversationId)
  phone.emit('help_center:typing', { isTyping: true })
  desk.emit('typing', { conversation_id: message.conversationId })
  await phone.waitFor('help_center:typing', { isTyping: true })
  await phone.waitFor('help_center:typing', { isTyping: false })
  await desk.waitFor('stop_typing', { user_id: 'john' })
}, short)
