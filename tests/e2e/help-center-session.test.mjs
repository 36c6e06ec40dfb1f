// The help center across both namespaces: its user on `/help-center`, agents on `/support`.

import assert from 'node:assert/strict'
import { conversationFence } from './fence.mjs'
import { VIA } from './help-center.mjs'
import { joinConversation } from './people.mjs'
import { scenario } from './scenario.mjs'

const SETTINGS = { SWITCHBOARD__HELP_CENTER__AUTO_REPLY__TEXT: 'We are coming.' }

/** Renders the events that clients receive, with ids numbered in the order of first use and timestamps replaced, so that runs
 * can be compared. */
function recorder() {
  const names = new Map()
  const id = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g
  const timestamp = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/g
  const name = (found) => {
    if (!names.has(found)) names.set(found, `#${names.size + 1}`)
    return names.get(found)
  }
  return {
    /** Ids get their names in the order in which they are named or shown. */
    name,
    show: (client, fence) =>
      client.received.filter((received) => !fence?.owns(received)).map(({ event, payload }) =>
        `${event} ${JSON.stringify(payload ?? null)}`.replace(id, name).replace(timestamp, 'T').replace(/"SMI-\d{4}-\d{6}"/g, '"SMI"'),
      ),
  }
}

/** What the user's app received on `/help-center`: no note, and neither who holds the conversation nor that it was closed. */
const PHONE = [
  'connect null',
  'help_center:connected {"conversation":{"id":"#1","userId":"john","status":"open","createdAt":"T","updatedAt":"T"},"messages":[],"hasMore":false}',
  'help_center:message {"id":"#2","conversationId":"#1","sender":"user","text":"Hello","createdAt":"T","seq":1}',
  'help_center:message {"id":"#3","conversationId":"#1","sender":"support","text":"We are coming.","createdAt":"T","seq":2}',
  'help_center:typing {"isTyping":true,"sender":"support"}',
  'help_center:typing {"isTyping":false,"sender":"support"}',
  'help_center:message {"id":"#4","conversationId":"#1","sender":"user","text":"Hello again?","createdAt":"T","seq":3}',
  'help_center:message {"id":"#5","conversationId":"#1","sender":"support","text":"We are coming.","createdAt":"T","seq":4}',
  'help_center:message {"id":"#6","conversationId":"#1","sender":"support","text":"How can I help?","createdAt":"T","seq":5}',
  'help_center:message {"id":"#7","conversationId":"#1","sender":"user","text":"My outfits are gone","createdAt":"T","seq":6}',
  'help_center:message {"id":"#8","conversationId":"#1","sender":"user","text":"Are you there?","createdAt":"T","seq":7}',
  'help_center:message {"id":"#9","conversationId":"#1","sender":"support","text":"We are coming.","createdAt":"T","seq":8}',
]

/** What the agent received who had joined the conversation. */
const DESK = [
  'connect null',
  'conversation_created {"id":"#1","user_id":"john","email":"john@example.com","status":"active","created_at":"T","first_message":"Hello"}',
  'typing {"conversation_id":"#1","user_id":"john","is_admin":false}',
  'stop_typing {"conversation_id":"#1","user_id":"john","is_admin":false}',
  'new_message {"conversation_id":"#1","message":{"id":"#4","seq":3,"message":"Hello again?","is_from_user":true,"is_internal":false,"sender_name":"John Doe","sender_email":"john@example.com","attachments":null,"createdAt":"T","created_at":"T"}}',
  'conversation_updated {"conversation_id":"#1","event":"new_user_message","message":{"id":"#4","preview":"Hello again?","sender_name":"John Doe","created_at":"T"}}',
  'new_message {"conversation_id":"#1","message":{"id":"#5","seq":4,"message":"We are coming.","is_from_user":false,"is_internal":false,"sender_name":"Support","sender_email":null,"attachments":null,"createdAt":"T","created_at":"T"}}',
  'conversation_claimed {"conversation_id":"#1","assigned_to":"sarah","assigned_admin_name":"Sarah Doe"}',
  'conversation_updated {"conversation_id":"#1","event":"claimed","assigned_to":"sarah","assigned_admin_name":"Sarah Doe"}',
  'new_message {"conversation_id":"#1","message":{"id":"#10","seq":null,"message":"A known troublemaker","is_from_user":false,"is_internal":true,"sender_name":"Sarah Doe","sender_email":"sarah@example.com","attachments":null,"createdAt":"T","created_at":"T"}}',
  'new_message {"conversation_id":"#1","message":{"id":"#6","seq":5,"message":"How can I help?","is_from_user":false,"is_internal":false,"sender_name":"Sarah Doe","sender_email":"sarah@example.com","attachments":null,"createdAt":"T","created_at":"T"}}',
  'ticket_created_from_conversation {"conversation_id":"#1","ticket":{"id":"#11","ticket_number":"SMI","subject":"Outfits","support_type":"GENERAL_INQUIRY","priority":"medium","status":"in_progress"}}',
  'ticket_created {"id":"#11","ticket_number":"SMI","subject":"Outfits","support_type":"GENERAL_INQUIRY","priority":"medium","email":"john@example.com","created_at":"T","conversation_id":"#1"}',
  'new_message {"conversation_id":"#1","message":{"id":"#7","seq":6,"message":"My outfits are gone","is_from_user":true,"is_internal":false,"sender_name":"John Doe","sender_email":"john@example.com","attachments":null,"createdAt":"T","created_at":"T"}}',
  'conversation_updated {"conversation_id":"#1","event":"new_user_message","message":{"id":"#7","preview":"My outfits are gone","sender_name":"John Doe","created_at":"T"}}',
  'ticket_updated {"ticket_id":"#11","ticket_number":"SMI","event":"new_user_message","message":{"id":"#7","preview":"My outfits are gone","sender_name":"John Doe","created_at":"T"}}',
  'conversation_closed {"conversation_id":"#1"}',
  'conversation_updated {"conversation_id":"#1","event":"closed"}',
  'new_message {"conversation_id":"#1","message":{"id":"#8","seq":7,"message":"Are you there?","is_from_user":true,"is_internal":false,"sender_name":"John Doe","sender_email":"john@example.com","attachments":null,"createdAt":"T","created_at":"T"}}',
  'conversation_updated {"conversation_id":"#1","event":"new_user_message","message":{"id":"#8","preview":"Are you there?","sender_name":"John Doe","created_at":"T"}}',
  'ticket_updated {"ticket_id":"#11","ticket_number":"SMI","event":"new_user_message","message":{"id":"#8","preview":"Are you there?","sender_name":"John Doe","created_at":"T"}}',
  'new_message {"conversation_id":"#1","message":{"id":"#9","seq":8,"message":"We are coming.","is_from_user":false,"is_internal":false,"sender_name":"Support","sender_email":null,"attachments":null,"createdAt":"T","created_at":"T"}}',
]

/** What an agent received who had not. */
const LOBBY = [
  'connect null',
  'conversation_created {"id":"#1","user_id":"john","email":"john@example.com","status":"active","created_at":"T","first_message":"Hello"}',
  'conversation_updated {"conversation_id":"#1","event":"new_user_message","message":{"id":"#4","preview":"Hello again?","sender_name":"John Doe","created_at":"T"}}',
  'conversation_updated {"conversation_id":"#1","event":"claimed","assigned_to":"sarah","assigned_admin_name":"Sarah Doe"}',
  'ticket_created {"id":"#11","ticket_number":"SMI","subject":"Outfits","support_type":"GENERAL_INQUIRY","priority":"medium","email":"john@example.com","created_at":"T","conversation_id":"#1"}',
  'conversation_updated {"conversation_id":"#1","event":"new_user_message","message":{"id":"#7","preview":"My outfits are gone","sender_name":"John Doe","created_at":"T"}}',
  'ticket_updated {"ticket_id":"#11","ticket_number":"SMI","event":"new_user_message","message":{"id":"#7","preview":"My outfits are gone","sender_name":"John Doe","created_at":"T"}}',
  'conversation_updated {"conversation_id":"#1","event":"closed"}',
  'conversation_updated {"conversation_id":"#1","event":"new_user_message","message":{"id":"#8","preview":"Are you there?","sender_name":"John Doe","created_at":"T"}}',
  'ticket_updated {"ticket_id":"#11","ticket_number":"SMI","event":"new_user_message","message":{"id":"#8","preview":"Are you there?","sender_name":"John Doe","created_at":"T"}}',
]

/** What the user received on `/support`: nothing of all this. */
// Closing resolves the open ticket, and the customer's next message reopens it (additions.md, 5).
const OWN = [
  'connect null',
  'ticket_updated {"ticket_id":"#11","ticket_number":"SMI","event":"status_changed","old_status":"in_progress","new_status":"resolved"}',
  'ticket_updated {"ticket_id":"#11","ticket_number":"SMI","event":"status_changed","old_status":"resolved","new_status":"in_progress"}',
]

for (const [transport, options] of Object.entries(VIA)) {
  scenario(`a session of a user and an agent, event by event (${transport})`, async ({ helpCenterUser, agent }) => {
    const { name, show } = recorder()
    const john = helpCenterUser('John')
    const sarah = agent('Sarah')
    const lisa = agent('Lisa')
    const lobby = await lisa.connect(options) // has joined no conversation
    await lobby.waitFor('agent_presence')
    const desk = await sarah.connect(options)
    await lobby.waitFor('agent_presence', { admin_id: 'sarah' })
    const own = await john.connect(options) // his app's support screen: receives nothing of all this
    const phone = await john.connectHelpCenter(options)
    const [{ conversation: { id } }] = phone.all('help_center:connected')
    name(id)
    // The events of one conversation are received in order by all. Typing is no such event: each waits for the other.
    await phone.send('Hello')
    await phone.waitFor('help_center:message', {}, 2)
    await joinConversation(desk, id)
    phone.emit('help_center:typing', { isTyping: true })
    await desk.waitFor('typing')
    phone.emit('help_center:typing', { isTyping: false })
    await desk.waitFor('stop_typing')
    desk.emit('typing', { conversation_id: id })
    desk.emit('stop_typing', { conversation_id: id })
    await phone.waitFor('help_center:typing', {}, 2)
    await phone.send('Hello again?')
    await phone.waitFor('help_center:message', {}, 4)
    await sarah.claim(id)
    await sarah.note(id, 'A known troublemaker')
    await sarah.reply(id, 'How can I help?')
    await phone.waitFor('help_center:message', {}, 5)
    await sarah.post(`/api/v1/unified-admin/support/conversations/${id}/create-ticket`, { subject: 'Outfits', description: 'Gone' })
    await lobby.waitFor('ticket_created')
    await phone.send('My outfits are gone')
    await phone.waitFor('help_center:message', {}, 6)
    await sarah.closeConversation(id)
    await lobby.waitFor('conversation_updated', { event: 'closed' })
    await phone.send('Are you there?')
    await phone.waitFor('help_center:message', {}, 8)
    const fence = await conversationFence(agent('Fence'), id)
    await fence.pass()
    for (const client of [phone, desk, lobby, own]) await client.roundTrip()

    assert.deepEqual(show(phone), PHONE)
    // How often lists are announced depends on the time: list-updates.test.mjs is about these.
    const ofOthers = (line) => !/^(agent_presence|queue_updated) /.test(line)
    assert.deepEqual(show(desk, fence).filter(ofOthers), DESK)
    assert.deepEqual(show(lobby).filter(ofOthers), LOBBY)
    assert.deepEqual(show(own), OWN)
  }, { settings: SETTINGS })
}

scenario('a user cannot reach a help-center conversation through /support', async ({ helpCenterUser, agent }) => {
  const john = helpCenterUser('John')
  const phone = await john.connectHelpCenter()
  const { message } = await phone.send('Hello')
  const id = message.conversationId
  const own = await john.connect()
  const stranger = await helpCenterUser('Mallory').connect()
  const error = { code: 'NOT_FOUND', message: 'Conversation not found' }
  for (const client of [own, stranger]) {
    assert.deepEqual(await client.emitWithAck('join_conversation', { conversation_id: id }), { success: false, error })
    assert.deepEqual(await client.emitWithAck('join_conversation', { conversation_id: id, after_seq: 0 }), { success: false, error })
    assert.deepEqual(await client.emitWithAck('send_message', { conversation_id: id, message: 'Hello' }), { error })
    assert.equal((await client.emitWithAck('typing', { conversation_id: id })).success, false)
  }
  assert.deepEqual((await john.list()).body.data, { conversations: [], total: 0 })
  // Its ticket is his; the conversation is not, by that way either.
  const { body } = await agent('Sarah').post(`/api/v1/unified-admin/support/conversations/${id}/create-ticket`, { subject: 'S', description: 'D' })
  const ticket = { ticket_id: body.data.ticket.id }
  assert.deepEqual(await own.emitWithAck('join_ticket', ticket), { success: true })
  await agent('Sarah').note(id, 'A known troublemaker')
  await agent('Sarah').reply(id, 'Hi')
  await agent('Sarah').reply(id, 'Bye')
  await own.waitFor('new_message', { ...ticket, message: { message: 'Bye' } })
  await phone.waitFor('help_center:message', { text: 'Bye' })
  assert.deepEqual(own.all('new_message').map(({ message }) => message.message), ['Hi', 'Bye'])
  assert.equal(own.all('new_message', (received) => received.conversation_id !== undefined).length, 0)
  for (const client of [own, phone]) assert(!JSON.stringify(client.received).includes('troublemaker'))
})

scenario('an agent who joins a help-center conversation before its first message gets NOT_FOUND', async ({ helpCenterUser, agent }) => {
  const phone = await helpCenterUser('John').connectHelpCenter()
  const [{ conversation: { id } }] = phone.all('help_center:connected')
  const desk = await agent('Sarah').connect()
  const answer = await desk.emitWithAck('join_conversation', { conversation_id: id })
  assert.deepEqual(answer, { success: false, error: { code: 'NOT_FOUND', message: 'Conversation not found' } })
  await phone.send('Hello')
  await joinConversation(desk, id)
})

scenario('typing is relayed to agents who joined and to the user, and to no other socket', async ({ helpCenterUser, agent }) => {
  const john = helpCenterUser('John')
  const [phone, tablet] = [await john.connectHelpCenter(), await john.connectHelpCenter()]
  const { message } = await phone.send('Hello')
  const conversation = { conversation_id: message.conversationId }
  const sarah = agent('Sarah')
  const [desk, lobby] = [await sarah.join(message.conversationId), await agent('Lisa').connect()]
  const stranger = await helpCenterUser('Mallory').connectHelpCenter()

  phone.emit('help_center:typing', { isTyping: true })
  assert.deepEqual(await desk.waitFor('typing'), { ...conversation, user_id: 'john', is_admin: false })
  phone.emit('help_center:typing', { isTyping: false })
  assert.deepEqual(await desk.waitFor('stop_typing'), { ...conversation, user_id: 'john', is_admin: false })
  assert.equal((await lobby.emitWithAck('typing', conversation)).success, false, 'has not joined')
  desk.emit('typing', conversation)
  // What is relayed precedes the ack, and a socket's events are handled in order.
  assert.deepEqual(await desk.emitWithAck('stop_typing', conversation), { success: true })
  for (const device of [phone, tablet]) {
    await device.roundTrip()
    assert.deepEqual(device.all('help_center:typing'), [
      { isTyping: true, sender: 'support' },
      { isTyping: false, sender: 'support' },
    ])
  }
  await desk.roundTrip()
  for (const client of [lobby, stranger]) {
    await client.roundTrip()
    assert.deepEqual(client.received.filter(({ event }) => event.includes('typing')), [])
  }
  assert.equal(desk.all('typing').length, 1, 'an agent does not see themselves typing')
})

scenario('a help-center conversation is handed over and answered like any other, and its user is not shown who is assigned', async ({ helpCenterUser, agent }) => {
  const phone = await helpCenterUser('John').connectHelpCenter()
  const { message } = await phone.send('Hello')
  const id = message.conversationId
  const [sarah, lisa] = [agent('Sarah'), agent('Lisa')]
  const desk = await lisa.connect()
  assert.equal((await sarah.claim(id)).status, 201)
  assert.equal((await lisa.claim(id)).status, 400)
  assert.equal((await lisa.reply(id, 'Hi')).status, 403)
  const asked = await sarah.post(`/api/v1/unified-admin/support/conversations/${id}/handover`, { to_admin_id: 'lisa' })
  await desk.waitFor('handover_requested', { conversation_id: id })
  await lisa.post(`/api/v1/unified-admin/support/handovers/${asked.body.data.handover_id}/respond`, { status: 'accepted' })
  assert.equal((await lisa.reply(id, 'Lisa here')).status, 201)
  await phone.waitFor('help_center:message', { text: 'Lisa here' })
  const events = phone.received.map(({ event }) => event)
  assert.deepEqual(events, ['connect', 'help_center:connected', 'help_center:message', 'help_center:message', 'help_center:message'])
})
