// How much a socket may ask, and what happens to one that asks more.

import assert from 'node:assert/strict'
import { joined } from './people.mjs'
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

scenario('an event beyond the limit of its socket is refused in the ack, nothing of it happens, and the socket lives on', async ({ customer, agent }) => {
  const jane = customer('Jane')
  const id = await jane.opens()
  const witness = await agent('Sarah').join(id)
  const phone = await jane.join(id)

  // Some more than a second allows, far from ten times as many.
  const acks = await Promise.all(Array.from({ length: 5 * EVENTS }, () => phone.ask('typing', { conversation_id: id })))
  const taken = acks.filter(({ success }) => success).length
  const refused = acks.filter(({ success }) => !success)
  assert(taken >= EVENTS - 1, `${taken} were taken`) // joining was one
  assert(refused.length > 0)
  for (const ack of refused) assert.deepEqual(ack, REFUSED)

  // It is the socket that is limited: her other one, and Sarah's, are not.
  const tablet = await jane.connect()
  await joined(tablet, id)
  await eventually(async () => (await phone.ask('stop_typing', { conversation_id: id })).success, () => 'the phone to be heard again')
  await witness.hears('stop_typing')
  assert.equal(witness.all('typing').length, taken)
  assert.equal(phone.all('disconnect').length, 0)
}, { on: ['sqlite'], settings })

scenario('a socket that floods is put out and does not come back by itself; others stay', async ({ customer }) => {
  const jane = customer('Jane')
  const id = await jane.opens()
  const other = await customer('John').connect()
  const phone = await jane.connect({ reconnection: true, reconnectionDelay: 10 })
  for (let n = 0; n < 100 * EVENTS; n++) phone.tell('typing', { conversation_id: id })
  assert.equal(await phone.hears('disconnect'), 'io server disconnect')
  await other.roundTrip()
  assert.equal(other.all('disconnect').length, 0)
  assert.equal(phone.all('connect').length, 1)
}, { on: ['sqlite'], settings })

scenario('the stock client that knocks too often is refused, and comes in when it waits', async ({ customer }) => {
  const jane = customer('Jane')
  const eager = Array.from({ length: 12 }, () => jane.knock({ transports: ['polling'] }))
  await eventually(() => eager.every((client) => client.heard.length > 0), () => 'everybody to hear something')
  const refused = eager.filter((client) => client.all('connect_error').length > 0)
  assert(refused.length > 0 && refused.length < eager.length, `${refused.length} were refused`)

  const patient = jane.knock({ transports: ['polling'], reconnection: true, reconnectionDelay: 100 })
  await patient.hears('connect')
}, { on: ['sqlite'], settings: { ...settings, SWITCHBOARD__LIMITS__HANDSHAKES_PER_SECOND: '2' } })

scenario('limits are off in development', async ({ customer }) => {
  const jane = customer('Jane')
  const id = await jane.opens()
  const phone = await jane.join(id)
  const acks = await Promise.all(Array.from({ length: 300 }, () => phone.ask('typing', { conversation_id: id })))
  assert(acks.every(({ success }) => success))
  const answers = await Promise.all(Array.from({ length: 60 }, (_, n) => jane.send(`message ${n}`, { conversation_id: id })))
  assert.deepEqual([...new Set(answers.map(({ status }) => status))], [201])
  assert.equal((await jane.history(id)).length, 61)
}, { on: ['sqlite'] })
