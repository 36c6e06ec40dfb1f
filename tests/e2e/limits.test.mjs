// Rate limits of sockets, and what happens beyond them.

import assert from 'node:assert/strict'
import { joinConversation } from './people.mjs'
import { scenario } from './scenario.mjs'
import { eventually } from './waiting.mjs'

const EVENTS = 10
const settings = {
  SWITCHBOARD__LIMITS__ENABLED: 'true',
  SWITCHBOARD__LIMITS__SOCKET_EVENTS_PER_SECOND: String(EVENTS),
}
const REFUSED = {
  success: false,
  error: { code: 'RATE_LIMITED', message: 'Too many requests. Please wait a moment and try again.' },
}

scenario('an event beyond the limit of its socket is refused in the ack and has no effect, and the socket stays connected', async ({ customer, agent }) => {
  const jane = customer('Jane')
  const id = await jane.openConversation()
  const witness = await agent('Sarah').join(id)
  const phone = await jane.join(id)

  // More than a second allows, and far fewer than ten times as many.
  const acks = await Promise.all(Array.from({ length: 5 * EVENTS }, () => phone.emitWithAck('typing', { conversation_id: id })))
  const taken = acks.filter(({ success }) => success).length
  const refused = acks.filter(({ success }) => !success)
  assert(taken >= EVENTS - 1, `${taken} were taken`) // joining was one
  assert(refused.length > 0)
  for (const ack of refused) assert.deepEqual(ack, REFUSED)

  // It is the socket that is limited: her other one, and Sarah's, are not.
  const tablet = await jane.connect()
  await joinConversation(tablet, id)
  await eventually(async () => (await phone.emitWithAck('stop_typing', { conversation_id: id })).success, () => 'events of the phone to be accepted again')
  await witness.waitFor('stop_typing')
  assert.equal(witness.all('typing').length, taken)
  assert.equal(phone.all('disconnect').length, 0)
}, { on: ['sqlite'], settings })

scenario('a socket that floods is disconnected and does not reconnect by itself; others stay connected', async ({ customer }) => {
  const jane = customer('Jane')
  const id = await jane.openConversation()
  const other = await customer('John').connect()
  const phone = await jane.connect({ reconnection: true, reconnectionDelay: 10 })
  for (let n = 0; n < 100 * EVENTS; n++) phone.emit('typing', { conversation_id: id })
  assert.equal(await phone.waitFor('disconnect'), 'io server disconnect')
  await other.roundTrip()
  assert.equal(other.all('disconnect').length, 0)
  assert.equal(phone.all('connect').length, 1)
}, { on: ['sqlite'], settings })

scenario('the stock client is refused when it connects too often, and admitted after it has waited', async ({ customer }) => {
  const jane = customer('Jane')
  const eager = Array.from({ length: 12 }, () => jane.openSocket({ transports: ['polling'] }))
  await eventually(() => eager.every((client) => client.received.length > 0), () => 'every client to receive something')
  const refused = eager.filter((client) => client.all('connect_error').length > 0)
  assert(refused.length > 0 && refused.length < eager.length, `${refused.length} were refused`)

  const patient = jane.openSocket({ transports: ['polling'], reconnection: true, reconnectionDelay: 100 })
  await patient.waitFor('connect')
}, { on: ['sqlite'], settings: { ...settings, SWITCHBOARD__LIMITS__HANDSHAKES_PER_SECOND: '2' } })

scenario('limits are off in development', async ({ customer }) => {
  const jane = customer('Jane')
  const id = await jane.openConversation()
  const phone = await jane.join(id)
  const acks = await Promise.all(Array.from({ length: 300 }, () => phone.emitWithAck('typing', { conversation_id: id })))
  assert(acks.every(({ success }) => success))
  const answers = await Promise.all(Array.from({ length: 60 }, (_, n) => jane.send(`message ${n}`, { conversation_id: id })))
  assert.deepEqual([...new Set(answers.map(({ status }) => status))], [201])
  assert.equal((await jane.history(id)).length, 61)
}, { on: ['sqlite'] })
