// Connections end with an agent's token, and a change of role takes effect at once (additions.md, 5).

import assert from 'node:assert/strict'
import { request } from './clients.mjs'
import { joinConversation } from './people.mjs'
import { scenario } from './scenario.mjs'
import { sign } from './tokens.mjs'

const QUEUE = '/api/v1/unified-admin/support/conversations'
const AGENTS = '/api/v1/unified-admin/support/agents'
const MINE = '/api/v1/support/conversations'
const RECONNECTING = { reconnection: true, reconnectionDelay: 20, reconnectionDelayMax: 50 }

const now = () => Math.floor(Date.now() / 1000)
/** A token that the server accepts for two or three more seconds, because of its leeway of 30. */
const expiring = (person, role) => sign({ sub: person.sub, role, email: person.email, first_name: 'Sarah', iat: now() - 60, exp: now() - 28 })
const issued = (person, role, iat) => sign({ sub: person.sub, role, email: person.email, first_name: 'Sarah', iat })

for (const transport of ['websocket', 'polling']) {
  scenario(`an agent's connection ends with its token, and a client with a fresh one has missed nothing (${transport})`, async ({ customer, agent }) => {
    const [jane, sarah, mike] = [customer('Jane'), agent('Sarah'), agent('Mike')]
    const id = await jane.openConversation()
    const fresh = sarah.token
    let token = expiring(sarah, 'admin')
    const desk = await sarah.connect({ ...RECONNECTING, transports: [transport], auth: (use) => use({ token }) })
    await joinConversation(desk, id)
    // Her token expires as early; it is no agent's.
    jane.token = expiring(jane, 'user')
    const phone = await jane.join(id)
    await desk.socket.timeout(60_000).emitWithAck('typing', { conversation_id: id }) // offers an offset to recover from
    const before = desk.socket.id

    token = fresh
    const reason = await desk.waitFor('disconnect')
    assert.notEqual(reason, 'io server disconnect', 'the stock client would not reconnect')
    await desk.waitFor('connect', () => true, 2)
    assert.equal(desk.socket.recovered, true)
    assert.equal(desk.socket.id, before)
    await mike.note(id, 'for agents')
    await desk.waitFor('new_message', { message: { message: 'for agents' } })

    await phone.roundTrip()
    assert.equal(phone.all('disconnect').length, 0, "a customer's connection lasts")
  }, { on: ['sqlite'] })
}

scenario('a client that returns with the expired token is refused, recovers nothing, and may sign in again', async ({ customer, agent }) => {
  const [jane, sarah, mike] = [customer('Jane'), agent('Sarah'), agent('Mike')]
  const id = await jane.openConversation()
  let token = expiring(sarah, 'admin')
  const desk = await sarah.connect({ ...RECONNECTING, auth: (use) => use({ token }) })
  await joinConversation(desk, id)
  await desk.waitFor('disconnect')
  await desk.waitFor('connect_error', (error) => error.data?.code === 'UNAUTHORIZED')
  await mike.note(id, 'for agents')
  assert.equal(desk.all('new_message').length, 0)
  token = issued(sarah, 'admin', now())
  desk.socket.connect()
  await desk.waitFor('connect', () => true, 2)
  await desk.roundTrip()
}, { on: ['sqlite'] })

scenario('auth.max_connection_seconds ends every connection, and the clients return and miss nothing', async ({ customer, helpCenterUser, agent }) => {
  const [jane, john, sarah] = [customer('Jane'), helpCenterUser('John'), agent('Sarah')]
  const id = await jane.openConversation()
  const phone = await jane.join(id, RECONNECTING)
  const help = await john.connectHelpCenter(RECONNECTING)
  const desk = await sarah.join(id, RECONNECTING)
  for (const client of [phone, desk, help]) await client.waitFor('connect', () => true, 3)
  assert.equal((await sarah.reply(id, 'Hello!')).status, 201)
  await phone.waitFor('new_message', { message: { message: 'Hello!' } })
  assert.equal(phone.all('new_message').length, 1)
}, { on: ['sqlite'], settings: { SWITCHBOARD__AUTH__MAX_CONNECTION_SECONDS: '1' } })

scenario('with max_connection_seconds = 0 a connection outlives its token', async ({ agent }) => {
  const [sarah, mike] = [agent('Sarah'), agent('Mike')]
  const exp = now() - 29
  const desk = await sarah.connect({ auth: { token: sign({ sub: 'sarah', role: 'admin', exp }) } })
  let refused
  do {
    refused = (await request(sarah.server.url, sign({ sub: 'sarah', role: 'admin', exp }), 'GET', QUEUE)).status === 401
  } while (!refused)
  await mike.connect()
  await desk.waitFor('agent_presence', { admin_id: 'mike' })
  assert.equal(desk.all('disconnect').length, 0)
}, { on: ['sqlite'], settings: { SWITCHBOARD__AUTH__MAX_CONNECTION_SECONDS: '0' } })

scenario('a former agent hears nothing more and may do nothing more, on every server', async ({ server, customer, agent, anotherServer }) => {
  const [jane, sarah, mike] = [customer('Jane'), agent('Sarah'), agent('Mike')]
  const other = await anotherServer()
  const id = await jane.openConversation()
  sarah.token = issued(sarah, 'admin', now())
  const far = agent('Sarah', other)
  far.token = sarah.token
  const desks = [await sarah.join(id, RECONNECTING), await far.join(id, RECONNECTING)]
  const witness = await mike.connect()
  await mike.note(id, 'before')
  await desks[0].waitFor('new_message', { message: { message: 'before' } })

  // The latest token, wherever it is shown.
  const former = issued(sarah, 'user', now())
  assert.equal((await request(server.url, former, 'GET', MINE)).status, 200)
  assert.equal((await sarah.get(QUEUE)).status, 403, 'at once')
  for (const desk of desks) {
    assert.notEqual(await desk.waitFor('disconnect'), 'io server disconnect')
    await desk.waitFor('connect', () => true, 2)
    assert.equal(desk.socket.recovered, false)
  }
  assert.equal((await far.get(QUEUE)).body.message, 'Admin access required')
  await witness.waitFor('agent_presence', { admin_id: 'sarah', online: false })

  await mike.note(id, 'for agents')
  await customer('Ada').openConversation('for agents, too')
  const denied = { success: false, error: { code: 'ACCESS_DENIED', message: 'Access denied' } }
  for (const desk of desks) {
    assert.deepEqual(await desk.emitWithAck('join_conversation', { conversation_id: id }), denied)
    await desk.roundTrip()
    assert.deepEqual(desk.all('new_message').filter(({ message }) => message.message !== 'before'), [])
    const since = desk.received.slice(desk.received.findIndex(({ event }) => event === 'disconnect'))
    assert.deepEqual(since.filter(({ event }) => /conversation|presence/.test(event)), [])
  }

  // Not offered, and no target.
  assert.deepEqual((await mike.get(AGENTS)).body.data.agents.map(({ id }) => id), ['mike'])
  await mike.claim(id)
  const handover = await mike.post(`${QUEUE}/${id}/handover`, { to_admin_id: 'sarah' })
  assert.deepEqual([handover.status, handover.body.message], [404, 'Target admin not found'])

  // An agent again: the token is later.
  const again = issued(sarah, 'admin', now() + 2)
  assert.equal((await request(server.url, again, 'GET', QUEUE)).status, 200)
  const back = await sarah.connect({ auth: { token: again } })
  await joinConversation(back, id)
})

scenario('a token that was issued earlier does not change a role, whenever it arrives', async ({ server, customer, agent }) => {
  const [jane, sarah] = [customer('Jane'), agent('Sarah')]
  const id = await jane.openConversation()
  sarah.token = issued(sarah, 'admin', now())
  const desk = await sarah.join(id)
  assert.equal((await request(server.url, issued(sarah, 'user', now() - 100), 'GET', MINE)).status, 200)
  assert.equal((await sarah.get(QUEUE)).status, 200)
  await desk.roundTrip()
  assert.equal(desk.all('disconnect').length, 0)

  // A customer whose later token the server has seen before she comes with an old one of an agent.
  const ada = customer('Ada')
  assert.equal((await request(server.url, issued(ada, 'user', now()), 'GET', MINE)).status, 200)
  const old = issued(ada, 'admin', now() - 100)
  let status
  do status = (await request(server.url, old, 'GET', QUEUE)).status
  while (status === 200) // until the directory has been written
  assert.equal(status, 403)
})

scenario('the lost connection of a former agent is not recovered', async ({ server, customer, agent }) => {
  const [jane, sarah, mike] = [customer('Jane'), agent('Sarah'), agent('Mike')]
  const id = await jane.openConversation()
  const witness = await mike.join(id)
  sarah.token = issued(sarah, 'admin', now())
  const desk = await sarah.join(id)
  await mike.note(id, 'before')
  await desk.waitFor('new_message')
  desk.socket.io.engine.close()
  await witness.waitFor('agent_presence', { admin_id: 'sarah', online: false })
  await mike.note(id, 'while she is away')
  await witness.waitFor('new_message', { message: { message: 'while she is away' } })
  assert.equal((await request(server.url, issued(sarah, 'user', now()), 'GET', MINE)).status, 200)
  desk.socket.connect()
  await desk.waitFor('connect', () => true, 2)
  await desk.roundTrip()
  assert.equal(desk.socket.recovered, false)
  assert.deepEqual(desk.all('new_message').map(({ message }) => message.message), ['before'])
})
