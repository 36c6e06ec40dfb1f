// One session with every kind of event. Each event is validated against docs/asyncapi.json when it is received
// (clients.mjs); here the set of events is compared with the documented one, each in all its forms.

import assert from 'node:assert/strict'
import { checkEvent, clientEvents, serverEvents } from './documented.mjs'
import { scenario } from './scenario.mjs'
import { eventually } from './waiting.mjs'

const DESK = '/api/v1/unified-admin/support'

/** What an event tells apart by its `event`, and of whom it is. */
const form = ({ event, payload }) => (payload?.event ? `${event} ${payload.event}` : event)

scenario('a session emits every documented event and no other', async ({ server, customer, agent }) => {
  const [jane, sarah, mike, mallory] = [customer('Jane'), agent('Sarah'), agent('Mike'), customer('Mallory')]
  const lobby = await sarah.connect()
  const other = await mike.connect()
  const clients = [lobby, other]
  const done = async (answer) => {
    const { status, body } = await answer
    assert(status < 300, `${status} ${JSON.stringify(body)}`)
    return body.data
  }
  const act = (who, id, action, body) => done(who.post(`${DESK}/conversations/${id}/${action}`, body))
  const put = (who, id, what, body) => done(who.put(`${DESK}/${id}/${what}`, body))
  const acks = {}
  const ask = async (client, event, payload) => {
    const ack = await client.emitWithAck(event, payload)
    assert(event === 'send_message' ? !ack.error : ack.success === true, `${event}: ${JSON.stringify(ack)}`)
    acks[event] = ack
  }

  // A conversation is begun, talked in, handed over, made a ticket of, closed.
  const id = await jane.openConversation()
  const phone = await jane.connect()
  clients.push(phone)
  await ask(phone, 'join_conversation', { conversation_id: id, after_seq: 0 })
  await ask(other, 'join_conversation', { conversation_id: id })
  await ask(phone, 'typing', { conversation_id: id })
  await ask(phone, 'stop_typing', { conversation_id: id })
  await ask(phone, 'send_message', { conversation_id: id, message: 'I wait' })
  await act(sarah, id, 'claim')
  await ask(lobby, 'send_message', { conversation_id: id, message: 'I am here' })
  await ask(phone, 'read', { conversation_id: id, up_to_seq: 3 })
  await ask(phone, 'send_message', { message: 'And another thing' })
  assert('error' in (await phone.emitWithAck('send_message', { conversation_id: id, message: '' })))
  await act(sarah, id, 'reply', { message: 'Hi Jane' })
  await act(sarah, id, 'reply', { message: 'A note', is_internal: true })
  await done(jane.send('Can you help?', { conversation_id: id }))
  for (const status of ['rejected', 'accepted']) {
    const { handover_id } = await act(sarah, id, 'handover', { to_admin_id: 'mike', reason: 'He knows' })
    await done(mike.post(`${DESK}/handovers/${handover_id}/respond`, { status }))
  }
  const { ticket } = await act(mike, id, 'create-ticket', { subject: 'Transfers', description: 'They fail' })
  await ask(phone, 'join_ticket', { ticket_id: ticket.id })
  await ask(lobby, 'join_ticket', { ticket_id: ticket.id })
  await ask(phone, 'typing', { ticket_id: ticket.id })
  await lobby.waitFor('typing', { ticket_id: ticket.id })
  await done(mike.post(`${DESK}/${ticket.id}/reply`, { message: 'It is mended' }))
  await done(jane.send('Thank you', { conversation_id: id }))
  await put(mike, ticket.id, 'assign', { assigned_to: 'sarah' })
  await put(mike, ticket.id, 'status', { status: 'resolved', resolution_notes: 'Mended' })
  await put(mike, ticket.id, 'status', { status: 'closed' })
  await ask(lobby, 'leave_ticket', { ticket_id: ticket.id })
  // The conversation is Sarah's with its ticket.
  await act(sarah, id, 'handover', { to_admin_id: 'mike' })
  await act(sarah, id, 'close')
  await ask(phone, 'leave_conversation', { conversation_id: id })

  // A bad token is refused.
  const stranger = mallory.openSocket({ auth: { token: 'no token' } })
  clients.push(stranger)
  const { message, data } = await stranger.waitFor('connect_error')
  checkEvent('connect_error', [{ message, data }])

  await expectEveryForm(clients)
  assert.deepEqual(Object.keys(acks).sort(), clientEvents('/support').sort(), 'every event that clients may emit was acknowledged')
  assert(server.isRunning)
})

/** Waits until some client has received each documented event in each of its forms, and requires that there is no other. */
async function expectEveryForm(clients) {
  const updates = [
    ['conversation_updated', 'new_user_message new_reply claimed closed handover_accepted handover_rejected handover_completed ticket_created'],
    ['ticket_updated', 'new_user_message new_reply assigned status_changed'],
  ].flatMap(([event, forms]) => forms.split(' ').map((one) => `${event} ${one}`))
  const withoutForms = serverEvents('/support').filter((event) => !updates.some((update) => update.startsWith(event)))
  const received = () => new Set(clients.flatMap((client) => client.received.map(form)))
  const missing = () => [...withoutForms, ...updates].filter((one) => !received().has(one))
  await eventually(() => missing().length === 0, () => `some client to receive ${missing()}`)
  const names = new Set([...received()].map((one) => one.split(' ')[0]))
  for (const connection of ['connect', 'disconnect']) names.delete(connection)
  assert.deepEqual([...names].sort(), serverEvents('/support').sort())
}
