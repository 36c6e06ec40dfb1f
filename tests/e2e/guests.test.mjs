// People without an account on /support, with the token of their conversation (additions.md, 6).

import assert from 'node:assert/strict'
import { Client, request } from './clients.mjs'
import { joinConversation } from './people.mjs'
import { scenario } from './scenario.mjs'

const AS_GUEST = '/api/v1/support/chat/send-unauthenticated'
const CLAIM = '/api/v1/support/conversations/claim-guest'
const EMAIL = 'guest@example.com'

/** Runs `act(guest)` with a guest's conversation: `{ id, token, connect(server) }`. Closes its sockets. */
async function withGuest(server, act) {
  const opened = await request(server.url, null, 'POST', AS_GUEST, { body: { message: 'Hello?', email: EMAIL } })
  const { conversation: { id }, guest_token: token } = opened.body.data
  const clients = []
  const connect = async (to = server, bearer = token) => {
    const client = new Client(to.url, bearer)
    clients.push(client)
    await client.waitFor('connect')
    return client
  }
  try {
    await act({ id, token, connect })
  } finally {
    for (const client of clients) client.close()
  }
}

scenario('a guest hears the answer, types and writes on, in that conversation alone', async ({ customer, agent }) => {
  const [john, sarah] = [customer('John'), agent('Sarah')]
  await withGuest(sarah.server, async ({ id, token, connect }) => {
    const [phone, desk] = [await connect(), await sarah.join(id)]
    await joinConversation(phone, id)
    await sarah.reply(id, 'Hello, this is Sarah')
    const { message } = await phone.waitFor('new_message', { message: { message: 'Hello, this is Sarah' } })
    assert.equal(message.is_from_user, false)

    // Typing, both ways. A guest has no account.
    assert.deepEqual(await phone.emitWithAck('typing', { conversation_id: id }), { success: true })
    assert.deepEqual(await desk.waitFor('typing'), { conversation_id: id, user_id: null, is_admin: false })
    await desk.emitWithAck('typing', { conversation_id: id })
    await phone.waitFor('typing', { is_admin: true })

    // Sending ends it, is recognised by the sender alone, and is answered with a fresh token.
    const sent = await phone.emitWithAck('send_message', { conversation_id: id, message: 'Thanks', client_message_id: 'the thanks of a guest' })
    assert.equal(sent.message.client_message_id, 'the thanks of a guest')
    assert.equal((await phone.waitFor('new_message', { message: { message: 'Thanks' } })).message.client_message_id, 'the thanks of a guest')
    const heard = await desk.waitFor('new_message', { message: { message: 'Thanks' } })
    assert.equal(Object.hasOwn(heard.message, 'client_message_id'), false)
    await desk.waitFor('stop_typing')
    assert.deepEqual(await phone.emitWithAck('read', { conversation_id: id, up_to_seq: 2 }), { success: true })
    const fresh = await connect(sarah.server, sent.guest_token)
    const missed = await fresh.emitWithAck('join_conversation', { conversation_id: id, after_seq: 0 })
    assert.deepEqual(missed, { success: true })
    assert.deepEqual(fresh.all('new_message').map(({ message: { message } }) => message), ['Hello?', 'Hello, this is Sarah', 'Thanks'])

    // A note is no guest's business.
    await sarah.post(`/api/v1/unified-admin/support/conversations/${id}/reply`, { message: 'A note', is_internal: true })
    await desk.waitFor('new_message', { message: { message: 'A note' } })
    await sarah.reply(id, 'Anything else?')
    await phone.waitFor('new_message', { message: { message: 'Anything else?' } })
    assert.deepEqual(phone.all('new_message', { message: { message: 'A note' } }), [])
    assert.deepEqual(phone.all('conversation_updated'), [])

    // Everything else is refused as with a bad token, and the socket stays.
    const johns = await john.openConversation()
    const ticket = await john.createTicket({ subject: 'a', description: 'b' })
    const unauthorized = (ack) => assert.equal(ack.error.code, 'UNAUTHORIZED')
    unauthorized(await phone.emitWithAck('join_conversation', { conversation_id: johns }))
    unauthorized(await phone.emitWithAck('typing', { conversation_id: johns }))
    unauthorized(await phone.emitWithAck('join_ticket', { ticket_id: ticket.id }))
    unauthorized(await phone.emitWithAck('join_ticket', { ticket_id: ticket.id, conversation_id: id }))
    unauthorized(await phone.emitWithAck('send_message', { message: 'A new one?' }))
    unauthorized(await phone.emitWithAck('send_message', { message: 'Mine?', conversation_id: johns }))
    assert.deepEqual(await phone.emitWithAck('leave_conversation', { conversation_id: id }), { success: true })

    // The help center takes accounts only, and a token that was changed nothing.
    const helpCenter = new Client(sarah.server.url, token, {}, '/help-center')
    assert.equal((await helpCenter.waitFor('help_center:error')).code, 'UNAUTHORIZED')
    helpCenter.close()
    const forged = new Client(sarah.server.url, `${token.slice(0, -4)}AAAA`)
    assert.equal((await forged.waitFor('connect_error')).message, 'Unauthorized')
    forged.close()
  })
})

scenario('moving a conversation to an account voids the token and ends its sockets, on other servers when they act', async ({ customer, agent, anotherServer }) => {
  const [john, sarah] = [customer('John'), agent('Sarah')]
  const there = await anotherServer()
  await withGuest(sarah.server, async ({ id, token, connect }) => {
    const [here, away, idle] = [await connect(), await connect(there), await connect(there)]
    for (const client of [here, away, idle]) await joinConversation(client, id)
    const inbox = await john.connect()
    const claimed = await john.post(CLAIM, { guest_token: token })
    assert.deepEqual([claimed.status, claimed.body.data], [201, { conversation_id: id }])
    assert.equal(await here.waitFor('disconnect'), 'io server disconnect')
    await inbox.waitFor('inbox_updated', { conversation_id: id })
    // On the other server it acts, and is out.
    away.emit('typing', { conversation_id: id })
    assert.equal(await away.waitFor('disconnect'), 'io server disconnect')
    // One that does not act is ended there before it hears anything of the account's conversation.
    const johnThere = customer('John', there)
    await johnThere.send('For support only', { conversation_id: id })
    await idle.waitFor('disconnect')
    assert.deepEqual(idle.all('new_message', { message: { message: 'For support only' } }), [])
    for (const server of [sarah.server, there]) {
      const again = new Client(server.url, token)
      assert.equal((await again.waitFor('connect_error')).message, 'Unauthorized')
      again.close()
    }
  })
})
