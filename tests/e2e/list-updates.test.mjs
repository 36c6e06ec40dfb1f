// Lists of other screens stay current (additions.md, 7): `inbox_updated` for the customer's devices, `queue_updated` for
// all agents, each at most once a second for a row, and the last change always.

import assert from 'node:assert/strict'
import { scenario } from './scenario.mjs'

const rate = (customer, id) => customer.post(`/api/v1/support/conversations/${id}/rate`, { rating: 5 })

const about = { subject: 'Failed transfer', description: 'It keeps failing' }

scenario("another device of the customer learns what the first one did, and no other customer", async ({ customer, agent }) => {
  const [jane, john, sarah] = [customer('Jane'), customer('John'), agent('Sarah')]
  const [tablet, stranger, lobby] = [await jane.connect(), await john.connect(), await sarah.connect()]

  const id = await jane.openConversation()
  assert.deepEqual(await tablet.waitFor('inbox_updated'), { conversation_id: id, change: 'created' })
  await jane.send('Still there?', { conversation_id: id })
  assert.deepEqual(await tablet.waitFor('inbox_updated', { change: 'message_sent' }), { conversation_id: id, change: 'message_sent' })
  await sarah.closeConversation(id)
  assert.equal((await rate(jane, id)).status, 200)
  assert.deepEqual(await tablet.waitFor('inbox_updated', { change: 'rated' }), { conversation_id: id, change: 'rated' })

  // Who owns the other conversation hears of that one only, and agents hear of queues.
  const other = await john.openConversation()
  assert.deepEqual(await stranger.waitFor('inbox_updated'), { conversation_id: other, change: 'created' })
  assert.equal(tablet.all('inbox_updated', { conversation_id: other }).length, 0)
  assert.equal(stranger.all('inbox_updated', { conversation_id: id }).length, 0)
  assert.equal(tablet.all('inbox_updated', { change: 'created' }).length, 1, 'the opening message is not announced twice')
  assert.equal(lobby.all('inbox_updated').length, 0)
})

scenario("every agent's queue learns what a colleague did, with the fields of the row that changed", async ({ customer, agent }) => {
  const [jane, sarah, mike] = [customer('Jane'), agent('Sarah'), agent('Mike')]
  const [phone, lobby] = [await jane.connect(), await mike.connect()]
  const id = await jane.openConversation('Hello?')

  assert.equal((await sarah.reply(id, 'Hi Jane')).status, 201)
  const replied = await lobby.waitFor('queue_updated', { change: 'replied' })
  assert.deepEqual(replied, {
    conversation_id: id,
    change: 'replied',
    status: 'waiting_user',
    assigned_to: 'sarah',
    assigned_admin_name: 'Sarah Doe',
    message_count: 2,
    last_message: { message: 'Hi Jane', is_from_user: false, sender_name: 'Sarah Doe', createdAt: replied.last_message_at },
    last_message_at: replied.last_message_at,
    has_unread: false,
    updatedAt: replied.last_message_at,
  })
  const row = (await mike.get('/api/v1/unified-admin/support/conversations')).body.data.conversations[0]
  for (const field of ['status', 'assigned_to', 'message_count', 'last_message', 'last_message_at', 'has_unread', 'updatedAt']) {
    assert.deepEqual(replied[field], row[field], `${field} is what the list shows`)
  }

  await mike.note(id, 'She has called before')
  assert.deepEqual(await lobby.waitFor('queue_updated', { change: 'note_added' }), { conversation_id: id, change: 'note_added', message_count: 3 })

  await sarah.requestHandover(id, mike, 'He knows')
  const asked = await lobby.waitFor('queue_updated', { change: 'handover_changed' })
  assert.equal(asked.conversation_id, id)
  assert.equal(asked.pending_handover.to_admin_id, 'mike')
  const { createdAt, expires_at } = asked.pending_handover
  assert.equal(new Date(expires_at) - new Date(createdAt), 30 * 60_000)

  const ticket = await sarah.createTicket(id, about)
  const ofConversation = await lobby.waitFor('queue_updated', { conversation_id: id, change: 'ticket_changed' })
  assert.equal(ofConversation.ticket.ticket_number, ticket.ticket_number)
  await sarah.changeTicket(ticket.id, 'priority', { priority: 'urgent' })
  const ofTicket = await lobby.waitFor('queue_updated', { ticket_id: ticket.id, change: 'ticket_changed' })
  assert.deepEqual([ofTicket.priority, ofTicket.status], ['urgent', 'in_progress'])

  await sarah.closeConversation(id)
  await lobby.waitFor('queue_updated', { conversation_id: id, change: 'handover_changed', pending_handover: null })
  await rate(jane, id)
  assert.equal((await lobby.waitFor('queue_updated', { conversation_id: id, change: 'rated' })).satisfaction_rating, 5)
  assert.equal(phone.all('queue_updated').length, 0, 'customers hear nothing of queues')
})

scenario('a busy row is announced at most once a second, and its last state always', async ({ customer, agent }) => {
  const [jane, sarah, mike] = [customer('Jane'), agent('Sarah'), agent('Mike')]
  const [tablet, lobby] = [await jane.connect(), await mike.connect()]
  const id = await jane.openConversation()
  const start = performance.now()
  for (let count = 0; count < 20; count++) {
    assert.equal((await sarah.reply(id, `Answer ${count}`)).status, 201)
    assert.equal((await jane.send(`Question ${count}`, { conversation_id: id })).status, 201)
  }
  const last = await lobby.waitFor('queue_updated', { last_message: { message: 'Answer 19' } })
  const seconds = (performance.now() - start) / 1000
  assert.equal(last.change, 'replied')
  const announced = lobby.all('queue_updated', { conversation_id: id }).length
  assert(announced <= 1 + seconds, `${announced} announcements in ${seconds} seconds`)

  const sent = tablet.all('inbox_updated', { change: 'message_sent' }).length
  assert(sent >= 1 && sent <= 1 + seconds, `${sent} announcements in ${seconds} seconds`)
  // Other rows do not wait for this one.
  const other = await jane.openConversation('And another thing')
  await tablet.waitFor('inbox_updated', { conversation_id: other, change: 'created' })
})
