// How far each side has read (additions.md, 7).

import assert from 'node:assert/strict'
import { scenario } from './scenario.mjs'

const AGENTS = '/api/v1/unified-admin/support/conversations'
const MINE = '/api/v1/support/conversations'

const read = async (person, path, body) => {
  const answer = await person.post(path, body)
  assert.equal(answer.status, 201, JSON.stringify(answer.body))
  return answer.body.data
}
const card = async (jane, id) => (await jane.list()).body.data.conversations.find((one) => one.id === id)
const row = async (sarah, id) => (await sarah.get(AGENTS)).body.data.conversations.find((one) => one.id === id)

scenario('each side is shown how far the other has read, and what it has not read itself', async ({ customer, agent }) => {
  const [jane, sarah, mike] = [customer('Jane'), agent('Sarah'), agent('Mike')]
  const id = await jane.openConversation('one')
  const phone = await jane.join(id)
  const desk = await sarah.join(id)
  for (const text of ['two', 'three']) await jane.send(text, { conversation_id: id })

  // Positions: created, one, two, three. What she has written, Jane has read.
  assert.deepEqual((await row(sarah, id)).unread_count, 3)
  assert.deepEqual((await card(jane, id)).read_up_to, { customer: 3, agent: null })
  const seen = await read(sarah, `${AGENTS}/${id}/read`, { up_to_position: 3 })
  assert.deepEqual(seen, { conversation_id: id, read_up_to: { customer: 3, agent: 2 }, unread_count: 1 })
  assert.deepEqual(await phone.waitFor('read'), { conversation_id: id, reader: 'agent', up_to_seq: 2 })

  // All agents share the mark; it never goes back, and the end is the end.
  assert.equal((await row(mike, id)).unread_count, 1)
  assert.equal((await row(mike, id)).has_unread, true)
  await read(mike, `${AGENTS}/${id}/read`, { up_to_position: 1 })
  assert.deepEqual((await card(jane, id)).read_up_to, { customer: 3, agent: 2 })
  assert.deepEqual(await desk.emitWithAck('read', { conversation_id: id, up_to_position: 999 }), { success: true })
  assert.deepEqual(await phone.waitFor('read', { up_to_seq: 3 }), { conversation_id: id, reader: 'agent', up_to_seq: 3 })

  // A reply has read everything before it. Of a note the customer must not learn.
  await jane.send('four', { conversation_id: id })
  await sarah.note(id, 'on it')
  assert.deepEqual((await card(jane, id)).read_up_to, { customer: 4, agent: 3 })
  await sarah.reply(id, 'five')
  await sarah.reply(id, 'six')
  const own = await card(jane, id)
  assert.deepEqual([own.read_up_to, own.unread_count, own.has_unread], [{ customer: 4, agent: 6 }, 2, true])

  const tablet = await jane.connect()
  assert.deepEqual(await phone.emitWithAck('read', { conversation_id: id, up_to_seq: 5 }), { success: true })
  assert.deepEqual(await desk.waitFor('read', { reader: 'customer' }), { conversation_id: id, reader: 'customer', up_to_seq: 5 })
  assert.deepEqual(await tablet.waitFor('inbox_updated', { change: 'read' }), { conversation_id: id, change: 'read' })
  const detail = (await jane.read(id)).body.data.conversation
  assert.deepEqual([detail.read_up_to, detail.unread_count], [{ customer: 5, agent: 6 }, 1])
  const theirs = (await sarah.get(`${AGENTS}/${id}`)).body.data
  assert.deepEqual([theirs.read_up_to, theirs.unread_count], [{ customer: 5, agent: 6 }, 0])
  assert.deepEqual((await card(jane, id)).has_unread, true, 'has_unread keeps its meaning')

  // Reading again announces nothing.
  await read(jane, `${MINE}/${id}/read`, { up_to_seq: 5 })
  await read(jane, `${MINE}/${id}/read`, { up_to_seq: 0 })
  await read(jane, `${MINE}/${id}/read`, { up_to_seq: 6 })
  await desk.waitFor('read', { up_to_seq: 6 })
  assert.deepEqual(desk.all('read').map(({ reader, up_to_seq }) => `${reader} ${up_to_seq}`), ['agent 2', 'agent 3', 'customer 5', 'customer 6'])
  // It is no event of the conversation.
  const { body } = await sarah.get(`${AGENTS}/${id}/timeline`)
  assert.deepEqual(body.data.events.map(({ type }) => type), ['created', 'message', 'message', 'message', 'message', 'note', 'claimed', 'message', 'message'])
})

scenario('only the owner and agents mark a conversation as read, with a whole number', async ({ customer, helpCenterUser, agent }) => {
  const [jane, john, sarah, ada] = [customer('Jane'), helpCenterUser('John'), agent('Sarah'), customer('Ada')]
  const id = await jane.openConversation()
  const refusal = async (person, path, body) => {
    const answer = await person.post(path, body)
    return [answer.status, answer.body.details?.[0].field ?? answer.body.message]
  }
  assert.deepEqual(await refusal(ada, `${MINE}/${id}/read`, { up_to_seq: 1 }), [400, 'Access denied'])
  assert.deepEqual(await refusal(jane, `${MINE}/nonsense/read`, { up_to_seq: 1 }), [404, 'Conversation not found'])
  assert.deepEqual(await refusal(jane, `${AGENTS}/${id}/read`, { up_to_position: 1 }), [403, 'Admin access required'])
  for (const up_to_seq of [-1, 1.5, null]) assert.deepEqual(await refusal(jane, `${MINE}/${id}/read`, { up_to_seq }), [400, 'up_to_seq'])
  assert.deepEqual(await refusal(sarah, `${AGENTS}/${id}/read`, {}), [400, 'up_to_position'])

  const phone = await ada.connect()
  const ack = await phone.emitWithAck('read', { conversation_id: id, up_to_seq: 1 })
  assert.deepEqual(ack, { success: false, error: { code: 'ACCESS_DENIED', message: 'Access denied' } })
  assert.equal((await phone.emitWithAck('read', { conversation_id: id })).error.code, 'VALIDATION_ERROR')

  // In the help center auto-replies are no unread messages of the customer's.
  const help = await john.connectHelpCenter()
  const { message } = await help.send('Hello?')
  await help.send('Anyone?')
  const place = message.conversationId
  assert.equal((await row(sarah, place)).unread_count, 2)
  await read(sarah, `${AGENTS}/${place}/read`, { up_to_position: 3 })
  assert.equal((await row(sarah, place)).unread_count, 1)
  assert.deepEqual(await refusal(john, `${MINE}/${place}/read`, { up_to_seq: 1 }), [404, 'Conversation not found'])
})

scenario('readers at the same time on several servers leave the highest mark', async ({ server, customer, agent, anotherServer }) => {
  const jane = customer('Jane')
  const id = await jane.openConversation()
  for (let n = 0; n < 40; n++) await jane.send(`message ${n}`, { conversation_id: id })
  const others = [server, await anotherServer()]
  const agents = others.map((other, index) => agent(['Sarah', 'Mike'][index], other))
  const desks = await Promise.all(agents.map((one) => one.join(id)))
  const marks = Array.from({ length: 41 }, (_, n) => n + 2).sort(() => Math.random() - 0.5)
  await Promise.all(marks.map((up_to_position, n) => read(agents[n % 2], `${AGENTS}/${id}/read`, { up_to_position })))
  assert.equal((await card(jane, id)).read_up_to.agent, 41)
  for (const desk of desks) {
    await desk.roundTrip()
    const heard = desk.all('read').map(({ up_to_seq }) => up_to_seq)
    assert.deepEqual(heard, [...heard].sort((one, other) => one - other), 'in order')
  }
})
