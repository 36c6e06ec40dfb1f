// Sending over the socket, and joining with after_seq.

import assert from 'node:assert/strict'
import { expectEvents, skipEvents } from './expected-events.mjs'
import { conversationFence } from './fence.mjs'
import { joinConversation } from './people.mjs'
import { scenario } from './scenario.mjs'
import { eventually } from './waiting.mjs'

const SEND = 'send_message'

scenario('the ack of a send over the socket equals the answer over REST, for customers and agents', async ({ customer, agent }) => {
  const [jane, sarah] = [customer('Jane'), agent('Sarah')]
  const [phone, desk] = [await jane.connect(), await sarah.connect()]

  // A first message makes a conversation.
  const first = { message: 'Hello?', client_message_id: 'the-first' }
  const opened = await phone.emitWithAck(SEND, first)
  assert.equal(opened.is_new, true)
  const { conversation } = opened
  const { id } = conversation
  const { created_at } = conversation
  const fence = await conversationFence(agent('Fence'), id)
  await expectEvents({ phone, desk }, {
    phone: [],
    desk: [['conversation_created', { id, user_id: 'jane', email: 'jane@example.com', status: 'active', created_at, first_message: 'Hello?' }]],
  }, fence)

  // A further message belongs to it.
  await joinConversation(phone, id)
  await joinConversation(desk, id)
  const further = { conversation_id: id, message: ' Any news? ', client_message_id: 'further' }
  const sent = await phone.emitWithAck(SEND, further)
  const { message } = sent
  assert.deepEqual(sent, {
    conversation_id: id,
    message: {
      id: message.id,
      seq: 2,
      message: 'Any news?',
      is_from_user: true,
      sender_name: 'Jane Doe',
      sender_email: 'jane@example.com',
      attachments: null,
      created_at: message.created_at,
      createdAt: message.created_at,
      client_message_id: 'further',
    },
    is_new: false,
  })
  // The sender alone recognises it by the id.
  const received = ['new_message', { conversation_id: id, message: { ...message, is_internal: false } }]
  const { client_message_id: _, ...unnamed } = message
  const heard = ['new_message', { conversation_id: id, message: { ...unnamed, is_internal: false } }]
  const short = { id: message.id, preview: 'Any news?', sender_name: 'Jane Doe', created_at: message.created_at }
  const update = ['conversation_updated', { conversation_id: id, event: 'new_user_message', message: short }]
  await expectEvents({ phone, desk }, { phone: [received], desk: [heard, update] }, fence)

  const { reply, replied } = await replyAndNoteAsAgent({ id, phone, desk, fence })

  // Repeated over REST or over the socket, each has its first answer, and nothing more is received.
  await skipEvents({ phone, desk }, fence)
  assert.deepEqual(await phone.emitWithAck(SEND, first), opened)
  assert.deepEqual(await phone.emitWithAck(SEND, further), sent)
  assert.deepEqual(await desk.emitWithAck(SEND, reply), replied)
  assert.deepEqual((await jane.post('/api/v1/support/chat/send', first)).body.data, opened)
  assert.deepEqual((await jane.post('/api/v1/support/chat/send', further)).body.data, sent)
  const again = await sarah.post(`/api/v1/unified-admin/support/conversations/${id}/reply`, reply)
  assert.deepEqual(again.body.data, replied)
  await expectEvents({ phone, desk }, { phone: [], desk: [] }, fence)
  assert.equal((await jane.history(id)).length, 3)
})

async function replyAndNoteAsAgent({ id, phone, desk, fence }) {
  // From an agent it is a reply, or a note.
  const reply = { conversation_id: id, message: 'On its way', client_message_id: 'reply' }
  const replied = await desk.emitWithAck(SEND, reply)
  assert.deepEqual(Object.keys(replied).sort(), [
    'client_message_id', 'createdAt', 'id', 'is_from_user', 'is_internal', 'message', 'position', 'sender_email', 'sender_name', 'seq',
  ])
  assert.deepEqual([replied.seq, replied.is_internal, replied.sender_name], [3, false, 'Sarah Doe'])
  const claimed = { conversation_id: id, assigned_to: 'sarah', assigned_admin_name: 'Sarah Doe' }
  const answer = ['new_message', {
    conversation_id: id,
    message: {
      id: replied.id,
      seq: 3,
      message: 'On its way',
      is_from_user: false,
      is_internal: false,
      sender_name: 'Sarah Doe',
      sender_email: 'sarah@example.com',
      attachments: null,
      createdAt: replied.createdAt,
      created_at: replied.createdAt,
    },
  }]
  const own = ['new_message', { conversation_id: id, message: { ...answer[1].message, client_message_id: 'reply' } }]
  const badge = { id: replied.id, preview: 'On its way', sender_name: 'Sarah Doe', created_at: replied.createdAt }
  await expectEvents({ phone, desk }, {
    phone: [
      ['conversation_claimed', claimed],
      ['conversation_updated', { conversation_id: id, event: 'claimed', assigned_admin_name: 'Sarah Doe' }],
      answer,
      ['conversation_updated', { conversation_id: id, event: 'new_reply', message: badge }],
    ],
    desk: [['conversation_claimed', claimed], ['conversation_updated', { ...claimed, event: 'claimed' }], own],
  }, fence)
  const note = await desk.emitWithAck(SEND, { conversation_id: id, message: 'She is cross', is_internal: true })
  assert.deepEqual([note.seq, note.is_internal], [null, true])
  await desk.waitFor('new_message', { message: { id: note.id, is_internal: true } })
  await expectEvents({ phone }, { phone: [] }, fence)
  return { reply, replied }
}

scenario('a send over the socket is refused with the code and message of REST', async ({ customer, agent }) => {
  const [jane, john, sarah, mike] = [customer('Jane'), customer('John'), agent('Sarah'), agent('Mike')]
  const [phone, other, desk, colleague] = [await jane.connect(), await john.connect(), await sarah.connect(), await mike.connect()]
  const id = await jane.openConversation()
  await sarah.claim(id)
  const over = await jane.openConversation()
  await sarah.closeConversation(over)
  await phone.emitWithAck(SEND, { conversation_id: id, message: 'Named', client_message_id: 'name' })

  const unknown = '01900000-0000-7000-8000-000000000000'
  const asked = (conversation_id, message = 'Hello', fields) => ({ conversation_id, message, ...fields })
  const customers = [
    [jane, phone, { message: '' }, 'VALIDATION_ERROR'],
    [jane, phone, { message: ' \n' }, 'VALIDATION_ERROR'],
    [jane, phone, { message: '👋'.repeat(5001) }, 'VALIDATION_ERROR'],
    [jane, phone, { message: 5 }, 'VALIDATION_ERROR'],
    [jane, phone, {}, 'VALIDATION_ERROR'],
    [jane, phone, asked(id, 'x', { client_message_id: 'y'.repeat(65) }), 'VALIDATION_ERROR'],
    [jane, phone, asked(unknown), 'NOT_FOUND'],
    [jane, phone, asked('nonsense'), 'NOT_FOUND'],
    [john, other, asked(id), 'ACCESS_DENIED'],
    [jane, phone, asked(over), 'CONVERSATION_CLOSED'],
    [jane, phone, asked(id, 'Another', { client_message_id: 'name' }), 'CONFLICT'],
  ]
  for (const [person, client, payload, code] of customers) {
    const { error } = await client.emitWithAck(SEND, payload)
    const { body } = await person.post('/api/v1/support/chat/send', payload)
    const { message, details } = body
    assert.deepEqual(error, { code, message, ...(details && { details }) }, JSON.stringify(payload).slice(0, 100))
    assert.equal(body.code, code)
  }

  const agents = [
    [mike, colleague, asked(id), 'FORBIDDEN'],
    [sarah, desk, asked(over), 'CONVERSATION_CLOSED'],
    [sarah, desk, asked(unknown), 'NOT_FOUND'],
    [sarah, desk, asked(id, ''), 'VALIDATION_ERROR'],
  ]
  for (const [person, client, payload, code] of agents) {
    const { error } = await client.emitWithAck(SEND, payload)
    const path = `/api/v1/unified-admin/support/conversations/${payload.conversation_id}/reply`
    const { message, details } = (await person.post(path, { message: payload.message })).body
    assert.deepEqual(error, { code, message, ...(details && { details }) })
  }

  // What has no counterpart: an agent answers somewhere, and a payload is an object.
  const nowhere = await desk.emitWithAck(SEND, { message: 'Hello' })
  assert.deepEqual([nowhere.error.code, nowhere.error.details[0].field], ['VALIDATION_ERROR', 'conversation_id'])
  for (const payload of [null, 'text', [], 7]) {
    assert.equal((await phone.emitWithAck(SEND, payload)).error.code, 'VALIDATION_ERROR', JSON.stringify(payload))
  }
  assert.deepEqual((await jane.history(id)).map(({ message }) => message), ['Hello?', 'Named'])
  assert.equal((await jane.list()).body.data.total, 2)
})

scenario('the limit of 5000 characters is counted in scalar values on the socket too', async ({ customer }) => {
  const phone = await customer('Jane').connect()
  const { conversation } = await phone.emitWithAck(SEND, { message: '👋'.repeat(5000) })
  assert.equal([...conversation.messages[0].message].length, 5000)
}, { on: ['sqlite'] })

scenario('any text that JavaScript can write is taken, over the socket and over REST', async ({ customer }) => {
  const jane = customer('Jane')
  const phone = await jane.connect()
  const { conversation: { id } } = await phone.emitWithAck(SEND, { message: 'cut \ud83d' })
  await joinConversation(phone, id)
  for (const [text, stored] of [
    ['\ude00 alone', '\ufffd alone'],
    ['the wrong way round \ude00\ud83d', 'the wrong way round \ufffd\ufffd'],
    ['twice \ud83d\ud83d\ude00', 'twice \ufffd\u{1f600}'],
    ['a\u0000b', 'a\ufffdb'],
    ['no escape: \\ud83d', 'no escape: \\ud83d'],
  ]) {
    assert.equal((await phone.emitWithAck(SEND, { conversation_id: id, message: text })).message.message, stored)
    assert.equal((await jane.send(text, { conversation_id: id })).status, 201)
    assert.equal((await jane.history(id)).at(-1).message, stored)
  }
  assert.equal((await jane.history(id))[0].message, 'cut \ufffd')
  // The connection is the same, and a payload that is too deep is refused in its acknowledgement.
  let deep = 'x'
  for (let depth = 0; depth < 500; depth++) deep = [deep]
  const { error } = await phone.emitWithAck(SEND, { conversation_id: id, message: deep })
  assert.equal(error.code, 'VALIDATION_ERROR')
  assert.equal((await phone.emitWithAck('typing', { conversation_id: id, deep })).success, false)
  assert.equal(phone.all('disconnect').length, 0)
})

scenario('sends over the socket and over REST share one limit', async ({ customer }) => {
  const jane = customer('Jane')
  const phone = await jane.connect()
  const id = await jane.openConversation()
  const acks = await Promise.all(Array.from({ length: 40 }, (_, n) => phone.emitWithAck(SEND, { conversation_id: id, message: `${n}` })))
  const refused = acks.filter(({ error }) => error)
  assert(refused.length > 0 && refused.length < 40, `${refused.length} were refused`)
  for (const { error } of refused) {
    assert.deepEqual(error, { code: 'RATE_LIMITED', message: 'Too many requests. Please wait a moment and try again.' })
  }
  await eventually(async () => (await jane.send('Later', { conversation_id: id })).status === 201, () => 'to be let through again')
  assert.equal((await jane.history(id)).length, 1 + 40 - refused.length + 1)
}, { on: ['sqlite'], settings: { SWITCHBOARD__LIMITS__ENABLED: 'true' } })

scenario('a join with after_seq sends exactly the missed messages, in order, while others keep writing', async ({ customer, agent }) => {
  const [jane, sarah] = [customer('Jane'), agent('Sarah')]
  const id = await jane.openConversation('1')
  await sarah.claim(id)

  let writing = true
  let written = 1
  const writer = (async () => {
    while (writing) {
      written += 1
      const { status } = await (written % 2 ? jane.send(`${written}`, { conversation_id: id }) : sarah.reply(id, `${written}`))
      assert.equal(status, 201)
      if (written % 5 === 0) await sarah.note(id, 'a note')
    }
  })()

  for (let round = 0; round < 10; round++) {
    const phone = await jane.connect()
    const after = Math.max(0, written - 5 - round)
    assert.deepEqual(await phone.emitWithAck('join_conversation', { conversation_id: id, after_seq: after }), { success: true })
    const goal = written + 3
    await phone.waitFor('new_message', { message: { seq: goal } })
    const seqs = phone.all('new_message').map(({ message }) => message.seq)
    assert.deepEqual(seqs, Array.from({ length: seqs.length }, (_, n) => after + 1 + n), 'no gap, nothing twice')
    for (const { message } of phone.all('new_message')) {
      assert.equal(message.message, `${message.seq}`)
      assert.deepEqual(Object.keys(message).sort(), [
        'attachments', 'createdAt', 'created_at', 'id', 'is_from_user', 'is_internal', 'message', 'sender_email', 'sender_name', 'seq',
      ])
    }
    phone.close()
  }
  writing = false
  await writer

  // A client that has everything is sent nothing, and an agent is sent the notes too.
  const { data } = (await sarah.get(`/api/v1/unified-admin/support/conversations/${id}`)).body
  const [phone, desk] = [await jane.connect(), await sarah.connect()]
  await phone.emitWithAck('join_conversation', { conversation_id: id, after_seq: written })
  await desk.emitWithAck('join_conversation', { conversation_id: id, after_seq: 4 })
  assert.equal(phone.all('new_message').length, 0)
  const fourth = data.messages.findIndex(({ seq }) => seq === 4)
  assert.deepEqual(desk.all('new_message').map(({ message }) => message.id), data.messages.slice(fourth + 1).map(({ id }) => id).slice(-200))
})

scenario('a join with after_seq sends at most the newest 200 messages', async ({ customer }) => {
  const jane = customer('Jane')
  const id = await jane.openConversation('1')
  for (let seq = 2; seq <= 230; seq++) assert.equal((await jane.send(`${seq}`, { conversation_id: id })).status, 201)
  const phone = await jane.connect()
  await phone.emitWithAck('join_conversation', { conversation_id: id, after_seq: 3 })
  assert.deepEqual(phone.all('new_message').map(({ message }) => message.seq), Array.from({ length: 200 }, (_, n) => 31 + n))
  for (const after_seq of [-1, 1.5, '3', {}]) {
    const ack = await phone.emitWithAck('join_conversation', { conversation_id: id, after_seq })
    assert.deepEqual([ack.success, ack.error.details[0].field], [false, 'after_seq'])
  }
})

scenario('on all of their devices the sender recognises a message by its client_message_id, and no one else is shown it', async ({ customer, helpCenterUser, agent, anotherServer }) => {
  const [jane, sarah, mike] = [customer('Jane'), agent('Sarah'), agent('Mike')]
  const id = await jane.openConversation()
  const [phone, laptop] = [await jane.join(id, { reconnectionDelay: 10 }), await jane.join(id)]
  const [desk, other] = [await sarah.join(id, { reconnectionDelay: 10 }), await mike.join(id)]
  const idIn = async (client, text) => {
    const { message } = await client.waitFor('new_message', (event) => event.message.message === text)
    return Object.hasOwn(message, 'client_message_id') ? message.client_message_id : 'absent'
  }
  const seen = async (text) => [await idIn(phone, text), await idIn(laptop, text), await idIn(desk, text), await idIn(other, text)]
  await jane.send('In the body', { conversation_id: id, client_message_id: 'jane-1' })
  assert.deepEqual(await seen('In the body'), ['jane-1', 'jane-1', 'absent', 'absent'])
  await jane.send('In the header', { conversation_id: id, headers: { 'idempotency-key': 'jane-2' } })
  assert.deepEqual(await seen('In the header'), ['jane-2', 'jane-2', 'absent', 'absent'])
  await jane.send('Unnamed', { conversation_id: id })
  assert.deepEqual(await seen('Unnamed'), ['absent', 'absent', 'absent', 'absent'])
  await desk.emitWithAck(SEND, { conversation_id: id, message: 'A reply', client_message_id: 'sarah-1' })
  assert.deepEqual(await seen('A reply'), ['absent', 'absent', 'sarah-1', 'absent'])
  await desk.emitWithAck(SEND, { conversation_id: id, message: 'A note', is_internal: true, client_message_id: 'sarah-2' })
  assert.deepEqual([await idIn(desk, 'A note'), await idIn(other, 'A note')], ['sarah-2', 'absent'])

  // What recovery replays to a session is what that session would have received.
  for (const client of [phone, desk]) {
    client.socket.io.engine.close() // as a device that loses its network
    await client.waitFor('disconnect')
  }
  await jane.send('Away, from her', { conversation_id: id, client_message_id: 'jane-3' })
  await sarah.post(`/api/v1/unified-admin/support/conversations/${id}/reply`, { message: 'Away, to her', client_message_id: 'sarah-3' })
  for (const client of [phone, desk]) client.socket.connect()
  assert.deepEqual(await seen('Away, from her'), ['jane-3', 'jane-3', 'absent', 'absent'])
  assert.deepEqual(await seen('Away, to her'), ['absent', 'absent', 'sarah-3', 'absent'])
  assert.deepEqual([phone.socket.recovered, desk.socket.recovered], [true, true])

  // Repeated on another server, which knows nothing of it but what is stored.
  const there = customer('Jane', await anotherServer())
  const repeated = await there.send('In the body', { conversation_id: id, client_message_id: 'jane-1' })
  assert.equal(repeated.body.data.message.client_message_id, 'jane-1')
  assert.deepEqual((await there.history(id)).map((message) => message.client_message_id), [
    undefined, 'jane-1', 'jane-2', undefined, undefined, 'jane-3', undefined,
  ])

  // The help center spells it its own way.
  const ann = helpCenterUser('Ann')
  const [tablet, watch] = [await ann.connectHelpCenter(), await ann.connectHelpCenter()]
  const { message } = await tablet.send('Hello', { clientMessageId: 'ann-1' })
  assert.equal(message.clientMessageId, 'ann-1')
  await desk.emitWithAck('join_conversation', { conversation_id: message.conversationId })
  for (const client of [tablet, watch]) {
    assert.equal((await client.waitFor('help_center:message', { text: 'Hello' })).clientMessageId, 'ann-1')
    assert.equal(Object.hasOwn(await client.waitFor('help_center:message', { sender: 'support' }), 'clientMessageId'), false)
  }
  await ann.sendOverRest('Again', { clientMessageId: 'ann-2' })
  assert.equal(await idIn(desk, 'Again'), 'absent')
  const greeting = await (await ann.connectHelpCenter()).waitFor('help_center:connected')
  assert.deepEqual(greeting.messages.filter(({ sender }) => sender === 'user').map((own) => own.clientMessageId), ['ann-1', 'ann-2'])
})
