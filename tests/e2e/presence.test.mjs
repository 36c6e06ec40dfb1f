// Presence: the answer of GET …/agents, and the events of agents connecting and disconnecting.

import assert from 'node:assert/strict'
import { scenario } from './scenario.mjs'
import { eventually } from './waiting.mjs'

const AGENTS = '/api/v1/unified-admin/support/agents'

async function online(agent) {
  const { status, body } = await agent.get(AGENTS)
  assert.equal(status, 200)
  return Object.fromEntries(body.data.agents.map(({ id, online }) => [id, online]))
}

scenario("agents are notified of a colleague's first connection and of the end of the last", async ({ customer, agent }) => {
  const [sarah, mike, jane] = [agent('Sarah'), agent('Mike'), customer('Jane')]
  const desk = await sarah.connect()
  const mobile = await jane.connect()
  assert.deepEqual(await online(sarah), { sarah: true })

  const first = await mike.connect()
  const came = await desk.waitFor('agent_presence', { admin_id: 'mike' })
  assert.deepEqual(came, { admin_id: 'mike', admin_name: 'Mike Doe', online: true })
  assert.deepEqual(await online(sarah), { mike: true, sarah: true })

  const second = await mike.connect()
  first.close()
  await second.roundTrip()
  assert.deepEqual(await online(sarah), { mike: true, sarah: true })

  second.close()
  await desk.waitFor('agent_presence', { admin_id: 'mike', online: false })
  // An agent who is offline is listed by the directory, which is written after they connect.
  await eventually(async () => (await online(sarah)).mike === false, () => 'Mike to be listed as offline')

  // The next change is received after anything that the second socket could have caused.
  await mike.connect()
  await desk.waitFor('agent_presence', { admin_id: 'mike', online: true }, 2)
  const changes = desk.all('agent_presence', { admin_id: 'mike' }).map(({ online }) => online)
  assert.deepEqual(changes, [true, false, true], 'the second socket changed nothing, and neither did the end of the first')
  await mobile.roundTrip()
  assert.equal(mobile.all('agent_presence').length, 0, 'customers receive nothing of it')
})

scenario('an agent whose connection breaks is offline until the client reconnects', async ({ agent }) => {
  const [sarah, mike] = [agent('Sarah'), agent('Mike')]
  const desk = await sarah.connect()
  const phone = await mike.connect({ reconnection: true, reconnectionDelay: 100 })
  await desk.waitFor('agent_presence', { admin_id: 'mike', online: true })

  phone.socket.io.engine.close()
  await desk.waitFor('agent_presence', { admin_id: 'mike', online: true }, 2)
  assert.deepEqual(
    desk.all('agent_presence', { admin_id: 'mike' }).map(({ online }) => online),
    [true, false, true],
  )
  assert.equal((await online(sarah)).mike, true)
})

scenario("a customer's connection is not announced as an agent's", async ({ customer, agent }) => {
  const desk = await agent('Sarah').connect()
  const mobile = await customer('Jane').connect()
  mobile.close()
  await agent('Mike').connect()
  await desk.waitFor('agent_presence', { admin_id: 'mike' })
  assert.equal(desk.all('agent_presence', { admin_id: 'jane' }).length, 0)
})
