// Tickets on sockets: which events are published, in which rooms, and which clients receive none.

import assert from 'node:assert/strict'
import { expectEvents, skipEvents } from './expected-events.mjs'
import { conversationFence, ticketFence } from './fence.mjs'
import { joinConversation } from './people.mjs'
import { scenario } from './scenario.mjs'

const SUCCESS = { success: true }

const about = { subject: 'Failed transfer', description: 'It keeps failing', support_type: 'TRANSACTION_ISSUE', priority: 'high' }

/** `new_message` of a message; `fields` are those that differ between messages. */
const newMessage = (place, { id, createdAt, seq = null }, fields) => [
  'new_message',
  {
    ...place,
    message: {
      id,
      seq,
      attachments: null,
      is_internal: false,
      createdAt,
      created_at: createdAt,
      ...fields,
    },
  },
]

const byJane = { is_from_user: true, sender_name: 'Jane Doe', sender_email: 'jane@example.com' }
const bySarah = { is_from_user: false, sender_name: 'Sarah Doe', sender_email: 'sarah@example.com' }

scenario("a ticket of a conversation is announced to everyone, and messages reach both rooms", async ({ customer, agent }) => {
  const [jane, john, sarah, mike] = [customer('Jane'), customer('John'), agent('Sarah'), agent('Mike')]
  const id = await jane.openConversation()
  const clients = {
    phone: await jane.join(id),
    pocket: await jane.connect(),
    stranger: await john.connect(),
    desk: await sarah.join(id),
    lobby: await mike.connect(),
  }
  assert.equal((await sarah.claim(id)).status, 201)
  const fence = await conversationFence(agent('Fence'), id)
  await skipEvents(clients, fence)

  const { ticketId, ticket_number } = await createTicketInConversation({ id, sarah, clients, fence })

  // The owner and any agent may join it, and are in the conversation's room then too.
  assert.deepEqual(await clients.pocket.emitWithAck('join_ticket', { ticket_id: ticketId }), SUCCESS)
  assert.deepEqual(await clients.lobby.emitWithAck('join_ticket', { ticket_id: ticketId }), SUCCESS)
  const refused = await clients.stranger.emitWithAck('join_ticket', { ticket_id: ticketId })
  assert.deepEqual(refused, { success: false, error: { code: 'ACCESS_DENIED', message: 'Access denied' } })

  const conversation = { conversation_id: id }
  const ticket = { ticket_id: ticketId }
  const context = { id, ticketId, ticket_number, jane, sarah, conversation, ticket, clients, fence }
  await writeAsCustomer(context)

  await replyAsAgent(context)

  // Only the agents in the rooms receive a note.
  const note = (await mike.replyInTicket(ticketId, 'He did it twice', true)).body.data
  const fields = { is_from_user: false, sender_name: 'Mike Doe', sender_email: 'mike@example.com', is_internal: true, message: 'He did it twice' }
  const notes = [newMessage(conversation, note, fields), newMessage(ticket, note, fields)]
  await expectEvents(clients, { phone: [], pocket: [], stranger: [], desk: [notes[0]], lobby: notes }, fence)

  // Who leaves the ticket leaves what joining had joined, and no more.
  await joinConversation(clients.lobby, id)
  assert.deepEqual(await clients.pocket.emitWithAck('leave_ticket', { ticket_id: ticketId }), SUCCESS)
  assert.deepEqual(await clients.lobby.emitWithAck('leave_ticket', { ticket_id: ticketId }), SUCCESS)
  const last = (await jane.send('Thanks', { conversation_id: id })).body.data.message
  const thanks = newMessage(conversation, last, { ...byJane, message: 'Thanks' })
  const lastShort = { id: last.id, preview: 'Thanks', sender_name: 'Jane Doe', created_at: last.created_at }
  const lastUpdates = [
    ['conversation_updated', { conversation_id: id, event: 'new_user_message', message: lastShort }],
    ['ticket_updated', { ticket_id: ticketId, ticket_number, event: 'new_user_message', message: lastShort }],
  ]
  await expectEvents(clients, {
    phone: [thanks],
    pocket: [],
    stranger: [],
    desk: [thanks, ...lastUpdates],
    lobby: [thanks, ...lastUpdates],
  }, fence)
})

async function replyAsAgent({ id, ticketId, ticket_number, sarah, conversation, ticket, clients, fence }) {
  // Answered in the ticket: it is the conversation's message.
  const answered = await sarah.replyInTicket(ticketId, 'It is on its way')
  assert.deepEqual([answered.status, answered.body.message], [201, 'Reply sent'])
  const reply = { ...answered.body.data, seq: 3 }
  const answer = { ...bySarah, message: 'It is on its way' }
  const badge = { id: reply.id, preview: 'It is on its way', sender_name: 'Sarah Doe', created_at: reply.createdAt }
  const badges = [
    ['conversation_updated', { conversation_id: id, event: 'new_reply', message: badge }],
    ['ticket_updated', { ticket_id: ticketId, ticket_number, event: 'new_reply', message: badge }],
  ]
  const answers = [newMessage(conversation, reply, answer), newMessage(ticket, reply, answer)]
  await expectEvents(clients, {
    phone: [answers[0], ...badges],
    pocket: [...answers, ...badges],
    stranger: [],
    desk: [answers[0]],
    lobby: answers,
  }, fence)
}

async function writeAsCustomer({ id, ticketId, ticket_number, jane, conversation, ticket, clients, fence }) {
  const more = (await jane.send('Any news?', { conversation_id: id })).body.data.message
  const news = { ...byJane, message: 'Any news?' }
  const short = { id: more.id, preview: 'Any news?', sender_name: 'Jane Doe', created_at: more.created_at }
  const updates = [
    ['conversation_updated', { conversation_id: id, event: 'new_user_message', message: short }],
    ['ticket_updated', { ticket_id: ticketId, ticket_number, event: 'new_user_message', message: short }],
  ]
  const both = [newMessage(conversation, more, news), newMessage(ticket, more, news)]
  await expectEvents(clients, {
    phone: [both[0]],
    pocket: both,
    stranger: [],
    desk: [both[0], ...updates],
    lobby: [...both, ...updates],
  }, fence)
}

async function createTicketInConversation({ id, sarah, clients, fence }) {
  const made = await sarah.createTicket(id, about)
  const { id: ticketId, ticket_number } = made
  const detail = (await sarah.get(`/api/v1/unified-admin/support/${ticketId}`)).body.data
  const shown = { id: ticketId, ticket_number, subject: about.subject, support_type: about.support_type, priority: 'high', status: 'in_progress' }
  assert.deepEqual(made, { ...shown, conversation_id: id })
  const inRoom = ['ticket_created_from_conversation', { conversation_id: id, ticket: shown }]
  const toOwner = ['conversation_updated', { conversation_id: id, event: 'ticket_created', ticket_number }]
  const toAgents = ['ticket_created', {
    id: ticketId,
    ticket_number,
    subject: about.subject,
    support_type: about.support_type,
    priority: 'high',
    email: 'jane@example.com',
    created_at: detail.createdAt,
    conversation_id: id,
  }]
  await expectEvents(clients, {
    phone: [inRoom, toOwner],
    pocket: [toOwner],
    stranger: [],
    desk: [inRoom, toAgents],
    lobby: [toAgents],
  }, fence)
  return { ticketId, ticket_number }
}

scenario('a ticket without a conversation is announced from its creation to its end', async ({ customer, agent }) => {
  const [jane, john, sarah, mike] = [customer('Jane'), customer('John'), agent('Sarah'), agent('Mike')]
  const clients = {
    phone: await jane.connect(),
    pocket: await jane.connect(),
    stranger: await john.connect(),
    desk: await sarah.connect(),
    lobby: await mike.connect(),
  }

  const made = await jane.createTicket({ ...about, priority: undefined })
  const { id: ticketId, ticket_number } = made
  const fence = await ticketFence(agent('Fence'), ticketId)
  const created = ['ticket_created', {
    id: ticketId,
    ticket_number,
    subject: about.subject,
    support_type: about.support_type,
    priority: 'medium',
    email: 'jane@example.com',
    created_at: made.created_at,
    conversation_id: null,
  }]
  await expectEvents(clients, { phone: [], pocket: [], stranger: [], desk: [created], lobby: [created] }, fence)

  await joinExistingTicketOnly(clients, ticketId)

  // The customer writes.
  const place = { ticket_id: ticketId }
  const added = (await jane.addToTicket(ticket_number, 'Any news?')).body.data.message
  const message = newMessage(place, { ...added, createdAt: added.created_at }, { ...byJane, message: 'Any news?' })
  const short = { id: added.id, preview: 'Any news?', sender_name: 'Jane Doe', created_at: added.created_at }
  const update = ['ticket_updated', { ticket_id: ticketId, ticket_number, event: 'new_user_message', message: short }]
  await expectEvents(clients, { phone: [message], pocket: [], stranger: [], desk: [message, update], lobby: [update] }, fence)

  // It is given to an agent.
  assert.equal((await mike.changeTicket(ticketId, 'assign', { assigned_to: 'mike' })).body.message, 'Ticket assigned')
  const holder = { ticket_id: ticketId, ticket_number, assigned_to: 'mike', assigned_admin_name: 'Mike Doe' }
  const assigned = ['ticket_assigned', holder]
  const change = ['ticket_updated', { ...holder, event: 'assigned' }]
  await expectEvents(clients, { phone: [assigned], pocket: [], stranger: [], desk: [assigned, change], lobby: [change] }, fence)

  await beginWorkWithFirstReply({ ticketId, ticket_number, sarah, place, clients, fence })

  // A note, and a priority: a customer receives neither.
  const note = (await mike.replyInTicket(ticketId, 'He did it twice', true)).body.data
  assert.equal((await sarah.changeTicket(ticketId, 'priority', { priority: 'urgent' })).body.message, 'Priority updated')
  const fields = { is_from_user: false, sender_name: 'Mike Doe', sender_email: 'mike@example.com', is_internal: true, message: 'He did it twice' }
  await expectEvents(clients, { phone: [], pocket: [], stranger: [], desk: [newMessage(place, note, fields)], lobby: [] }, fence)

  // It is done.
  const done = await sarah.changeTicket(ticketId, 'status', { status: 'resolved', resolution_notes: 'Refunded' })
  assert.equal(done.body.message, 'Ticket resolved')
  const end = { ticket_id: ticketId, ticket_number, old_status: 'in_progress', new_status: 'resolved', resolution_notes: 'Refunded' }
  const ended = ['ticket_updated', { ...end, event: 'status_changed' }]
  await expectEvents(clients, {
    phone: [['status_changed', end], ended],
    pocket: [ended],
    stranger: [],
    desk: [['status_changed', end]],
    lobby: [],
  }, fence)

  assert.deepEqual(await clients.phone.emitWithAck('leave_ticket', { ticket_id: ticketId }), SUCCESS)
  await sarah.changeTicket(ticketId, 'status', { status: 'closed' })
  await expectEvents({ phone: clients.phone }, {
    phone: [['ticket_updated', { ...end, old_status: 'resolved', new_status: 'closed', event: 'status_changed' }]],
  }, fence)
})

async function beginWorkWithFirstReply({ ticketId, ticket_number, sarah, place, clients, fence }) {
  // The first public answer begins the work.
  const reply = { ...(await sarah.replyInTicket(ticketId, 'On its way')).body.data, seq: 3 }
  const answer = newMessage(place, reply, { ...bySarah, message: 'On its way' })
  const badge = { id: reply.id, preview: 'On its way', sender_name: 'Sarah Doe', created_at: reply.createdAt }
  const begun = { ticket_id: ticketId, ticket_number, old_status: 'pending', new_status: 'in_progress' }
  const badges = [
    ['ticket_updated', { ticket_id: ticketId, ticket_number, event: 'new_reply', message: badge }],
    ['ticket_updated', { ...begun, event: 'status_changed' }],
  ]
  const changed = ['status_changed', begun]
  await expectEvents(clients, {
    phone: [answer, changed, ...badges],
    pocket: badges,
    stranger: [],
    desk: [answer, changed],
    lobby: [],
  }, fence)
}

async function joinExistingTicketOnly(clients, ticketId) {
  for (const name of ['phone', 'desk']) {
    assert.deepEqual(await clients[name].emitWithAck('join_ticket', { ticket_id: ticketId }), SUCCESS)
  }
  const refused = await clients.stranger.emitWithAck('join_ticket', { ticket_id: ticketId })
  assert.deepEqual([refused.success, refused.error.code], [false, 'ACCESS_DENIED'])
  for (const ticket_id of ['nonsense', '01900000-0000-7000-8000-000000000000']) {
    const unknown = await clients.desk.emitWithAck('join_ticket', { ticket_id })
    assert.deepEqual(unknown, { success: false, error: { code: 'NOT_FOUND', message: 'Ticket not found' } })
  }
}

scenario('typing in a ticket is relayed to the others in its room, in order, and only from members', async ({ customer, agent }) => {
  const [jane, sarah] = [customer('Jane'), agent('Sarah')]
  const [phone, desk, lobby] = [await jane.connect(), await sarah.connect(), await agent('Mike').connect()]
  const { id: ticket_id } = await jane.createTicket(about)
  await skipEvents({ phone, desk, lobby }, await ticketFence(agent('Fence'), ticket_id))

  for (const event of ['typing', 'stop_typing']) {
    const ack = await desk.emitWithAck(event, { ticket_id })
    assert.deepEqual([ack.success, ack.error.code], [false, 'FORBIDDEN'])
  }
  assert.deepEqual(await desk.emitWithAck('join_ticket', { ticket_id }), SUCCESS)
  // Handled in order: relayed, although the client does not wait for the ack of joining.
  phone.emit('join_ticket', { ticket_id })
  phone.emit('typing', { ticket_id })
  // Its ack shows that `typing` has been relayed to everyone who gets it.
  assert.deepEqual(await phone.emitWithAck('stop_typing', { ticket_id }), SUCCESS)
  const byCustomer = { ticket_id, user_id: 'jane', is_admin: false }
  await expectEvents({ phone, desk, lobby }, {
    phone: [],
    desk: [['typing', byCustomer], ['stop_typing', byCustomer]],
    lobby: [],
  })
  for (const event of ['typing', 'stop_typing']) assert.deepEqual(await desk.emitWithAck(event, { ticket_id }), SUCCESS)
  const byAgent = { ticket_id, user_id: 'sarah', is_admin: true }
  await expectEvents({ phone, desk, lobby }, {
    phone: [['typing', byAgent], ['stop_typing', byAgent]],
    desk: [],
    lobby: [],
  })
})
