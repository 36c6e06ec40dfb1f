// The main path: a customer writes, one agent claims, they talk, and no one else receives it.

import assert from 'node:assert/strict'
import { closedConversationFence } from './fence.mjs'
import { scenario } from './scenario.mjs'
import { sign } from './tokens.mjs'

const ASSIGNED_TO_ANOTHER =
  'This conversation is already assigned to another support agent. Use the handover flow to request a transfer.'

scenario('a customer writes, of 32 agents one claims it, they talk, and it is closed', async ({ customer, agent }) => {
  const jane = customer('Jane')
  const agents = Array.from({ length: 32 }, (_, n) => agent(`Agent${n + 1}`))
  const phone = await jane.connect()
  const mike = agent('Mike') // looks on, and does not claim
  const lobby = await agent('Lisa').connect() // is on line, and joins no conversation

  const id = await openConversation(jane, lobby)

  assert.deepEqual(await phone.emitWithAck('join_conversation', { conversation_id: id }), { success: true })
  const bystander = await mike.join(id)

  const second = await jane.send('Can you help?', { conversation_id: id })
  assert.equal(second.status, 201)
  assert.equal(second.body.data.conversation_id, id)
  assert.equal(second.body.data.is_new, false)
  assert.equal(second.body.data.message.seq, 2)
  assert.match(second.body.data.message.createdAt, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
  const update = await lobby.waitFor('conversation_updated', { conversation_id: id, event: 'new_user_message', message: { preview: 'Can you help?' } })
  assert.equal(update.message.id, second.body.data.message.id)
  assert.equal(update.message.sender_name, 'Jane Doe')
  await bystander.waitFor('new_message', { conversation_id: id, message: { message: 'Can you help?', is_from_user: true, seq: 2 } })

  const winner = await claimByAll({ id, agents, phone, bystander, lobby })

  const desk = await winner.join(id)

  await typeToEachOther({ id, winner, phone, desk, bystander })

  await replyToCustomer({ id, winner, phone })

  // Only agents receive a note. The reply after it shows that the customer received nothing of it.
  const note = await mike.note(id, 'He is a known troublemaker')
  assert.equal(note.status, 201)
  assert.deepEqual([note.body.data.is_internal, note.body.data.seq], [true, null])
  await desk.waitFor('new_message', { message: { id: note.body.data.id, is_internal: true, seq: null } })
  assert.equal((await jane.read(id)).body.data.conversation.total_messages, 3)
  assert.equal((await winner.reply(id, 'It is mended')).body.data.seq, 4)
  await phone.waitFor('conversation_updated', { event: 'new_reply', message: { preview: 'It is mended' } })
  await phone.waitFor('new_message', { message: { message: 'It is mended', seq: 4 } })
  const { conversation } = (await jane.read(id)).body.data
  assert.equal(conversation.total_messages, 4)
  assert.deepEqual(
    conversation.messages.map(({ seq, message }) => [seq, message]),
    [[1, 'My transfer to @john fails'], [2, 'Can you help?'], [3, 'I look into it'], [4, 'It is mended']],
  )
  assert.deepEqual([conversation.status, conversation.assigned_admin_name], ['waiting_user', winner.name])
  for (const seen of [phone.received, conversation]) assert(!JSON.stringify(seen).includes('troublemaker'))

  await closeForGood({ id, jane, winner, phone, lobby })

  // Everything once: each has received something later of the same conversation.
  assert.equal((await winner.reopen(id)).status, 201)
  await phone.waitFor('inbox_updated', { change: 'reopened' })
  for (const client of [bystander, desk, lobby]) await client.waitFor('queue_updated', { change: 'reopened' })
  assert.equal(phone.all('conversation_claimed').length, 1)
  assert.equal(phone.all('conversation_updated', { event: 'claimed' }).length, 1)
  assert.equal(phone.all('conversation_closed').length, 1)
  assert.equal(phone.all('new_message').length, 3)
  assert.equal(lobby.all('conversation_created').length, 1)
  assert.equal(lobby.all('conversation_updated', { event: 'claimed' }).length, 1)
  assert.equal(lobby.all('new_message').length, 0, 'who has not joined receives no messages')
})

async function closeForGood({ id, jane, winner, phone, lobby }) {
  // It is closed, and stays so.
  const close = await winner.closeConversation(id)
  assert.equal(close.status, 201)
  assert.equal(close.body.message, 'Conversation closed')
  assert.deepEqual(await phone.waitFor('conversation_closed'), { conversation_id: id })
  assert.deepEqual(await phone.waitFor('conversation_updated', { event: 'closed' }), { conversation_id: id, event: 'closed' })
  assert.deepEqual(await lobby.waitFor('conversation_updated', { event: 'closed' }), { conversation_id: id, event: 'closed' })
  const late = await jane.send('One more thing', { conversation_id: id })
  assert.equal(late.status, 400)
  assert.deepEqual([late.body.message, late.body.code], ['This conversation has been closed', 'CONVERSATION_CLOSED'])
  assert.equal((await winner.closeConversation(id)).body.message, 'Conversation is already closed')
}

async function replyToCustomer({ id, winner, phone }) {
  // The answer arrives.
  const reply = await winner.reply(id, 'I look into it')
  assert.equal(reply.status, 201)
  assert.equal(reply.body.message, 'Reply sent')
  assert.equal(reply.body.data.seq, 3)
  const answer = await phone.waitFor('new_message', { conversation_id: id, message: { message: 'I look into it' } })
  assert.equal(answer.message.id, reply.body.data.id)
  assert.deepEqual(
    [answer.message.is_from_user, answer.message.sender_name, answer.message.seq],
    [false, winner.name, 3],
  )
  const badge = await phone.waitFor('conversation_updated', { event: 'new_reply' })
  assert.equal(badge.conversation_id, id)
  assert.deepEqual(
    [badge.message.id, badge.message.preview, badge.message.sender_name],
    [answer.message.id, 'I look into it', winner.name],
  )
}

async function typeToEachOther({ id, winner, phone, desk, bystander }) {
  // They type.
  phone.emit('typing', { conversation_id: id })
  assert.deepEqual(await desk.waitFor('typing'), { conversation_id: id, user_id: 'jane', is_admin: false })
  desk.emit('typing', { conversation_id: id })
  assert.deepEqual(await phone.waitFor('typing'), { conversation_id: id, user_id: winner.sub, is_admin: true })
  // What is relayed precedes the ack, and a socket's events are handled in order: an echo would have been received.
  assert.deepEqual(await desk.emitWithAck('stop_typing', { conversation_id: id }), { success: true })
  assert.deepEqual(await phone.waitFor('stop_typing'), { conversation_id: id, user_id: winner.sub, is_admin: true })
  assert.deepEqual(await phone.emitWithAck('stop_typing', { conversation_id: id }), { success: true })
  await bystander.waitFor('typing', { is_admin: true })
  assert.equal(phone.all('typing', { is_admin: false }).length, 0, 'the customer saw herself typing')
  assert.equal(desk.all('typing', { is_admin: true }).length, 0, 'the agent saw himself typing')
}

async function claimByAll({ id, agents, phone, bystander, lobby }) {
  // All agents want it.
  const claims = await Promise.all(agents.map((one) => one.claim(id)))
  const won = claims.findIndex((claim) => claim.status === 201)
  const lost = claims.filter((_, index) => index !== won)
  assert.notEqual(won, -1, 'no claim succeeded')
  assert.equal(lost.length, 31)
  for (const { status, body } of lost) {
    assert.equal(status, 400)
    assert.deepEqual(
      { success: body.success, statusCode: body.statusCode, error: body.error, message: body.message },
      { success: false, statusCode: 400, error: 'Bad Request', message: ASSIGNED_TO_ANOTHER },
    )
  }
  const winner = agents[won]
  const claimed = { conversation_id: id, assigned_to: winner.sub, assigned_admin_name: winner.name }
  assert.equal(claims[won].body.message, 'Conversation claimed')
  assert.deepEqual(claims[won].body.data, claimed)
  assert.deepEqual(await phone.waitFor('conversation_claimed'), claimed)
  assert.deepEqual(await bystander.waitFor('conversation_claimed'), claimed)
  assert.deepEqual(await lobby.waitFor('conversation_updated', { event: 'claimed' }), { ...claimed, event: 'claimed' })
  const helped = await phone.waitFor('conversation_updated', { event: 'claimed' })
  assert.deepEqual([helped.conversation_id, helped.assigned_admin_name], [id, winner.name])
  return winner
}

async function openConversation(jane, lobby) {
  // The customer writes.
  const first = await jane.send('My transfer to @john fails')
  assert.equal(first.status, 201)
  assert.equal(first.body.success, true)
  assert.equal(first.body.message, 'Message sent')
  assert.equal(first.body.data.is_new, true)
  const { id, status, messages, total_messages, assigned_admin_name } = first.body.data.conversation
  assert.deepEqual({ status, total_messages, assigned_admin_name }, { status: 'active', total_messages: 1, assigned_admin_name: null })
  assert.deepEqual(
    messages.map(({ message, is_from_user, sender_name, seq }) => ({ message, is_from_user, sender_name, seq })),
    [{ message: 'My transfer to @john fails', is_from_user: true, sender_name: 'Jane Doe', seq: 1 }],
  )

  const created = await lobby.waitFor('conversation_created', { id })
  assert.deepEqual(created, {
    id,
    user_id: 'jane',
    email: 'jane@example.com',
    status: 'active',
    created_at: first.body.data.conversation.created_at,
    first_message: 'My transfer to @john fails',
  })
  return id
}

scenario('a stranger who joins is refused and receives nothing', async ({ customer, agent }) => {
  const jane = customer('Jane')
  const mallory = customer('Mallory')
  const id = await jane.openConversation()
  const phone = await jane.join(id)
  const spy = await mallory.connect()

  const ack = await spy.emitWithAck('join_conversation', { conversation_id: id })
  assert.deepEqual(Object.keys(ack).sort(), ['error', 'success'])
  assert.deepEqual([ack.success, ack.error.code, ack.error.message], [false, 'ACCESS_DENIED', 'Access denied'])

  const sarah = agent('Sarah')
  await sarah.claim(id)
  await jane.send('It is about my account', { conversation_id: id })
  await sarah.reply(id, 'Tell me')
  phone.emit('typing', { conversation_id: id })
  await sarah.closeConversation(id)
  await phone.waitFor('conversation_closed')
  await phone.waitFor('conversation_updated', { event: 'closed' })
  await (await closedConversationFence(agent('Fence'), id)).pass()
  await spy.roundTrip()
  assert.deepEqual(spy.received.map(({ event }) => event), ['connect'])

  assert.equal((await mallory.read(id)).body.message, 'Access denied')
  assert.equal((await mallory.send('Me too', { conversation_id: id })).body.message, 'Access denied')
})

scenario('a bad token is refused with connect_error "Unauthorized"', async ({ customer }) => {
  const jane = customer('Jane')
  const claims = { sub: 'jane', role: 'user', email: 'jane@example.com' }
  const [header, payload] = jane.token.split('.')
  const bad = {
    missing: undefined,
    garbage: 'not.a.token',
    'signed with another secret': sign(claims, 'another-secret-another-secret-another'),
    expired: sign({ ...claims, exp: Math.floor(Date.now() / 1000) - 3600 }),
    unsigned: `${Buffer.from('{"alg":"none","typ":"JWT"}').toString('base64url')}.${payload}.`,
    'without its signature': `${header}.${payload}.`,
  }
  for (const [why, token] of Object.entries(bad)) {
    const client = jane.openSocket({ auth: { token } })
    const error = await client.waitFor('connect_error')
    assert.equal(error.message, 'Unauthorized', why)
    assert.equal(error.data?.code, 'UNAUTHORIZED', why)
  }
})
