// Which agents are there: what GET …/agents says, and what agents hear while others come and go.

import assert from 'node:assert/strict'
import { scenario } from './scenario.mjs'

const AGENTS = '/api/v1/unified-admin/support/agents'

async function online(agent) {
  const { status, body } = await agent.get(AGENTS)
  assert.equal(status, 200)
  return Object.fromEntries(body.data.agents.map(({ id, online }) => [id, online]))
}

scenario('agents hear when one comes with the first socket and goes with the last', async ({ customer, agent }) => {
  const [sarah, mike, jane] = [agent('Sarah'), agent('Mike'), customer('Jane')]
  const desk = await sarah.connect()
  const mobile = await jane.connect()
  assert.deepEqual(await online(sarah), { sarah: true })

  const first = await mike.connect()
  const came = await desk.hears('agent_presence', { admin_id: 'mike' })
  assert.deepEqual(came, { admin_id: 'mike', admin_name: 'Mike Doe', online: true })
  assert.deepEqual(await online(sarah), { mike: true, sarah: true })

  const second = await mike.connect()
  first.close()
  await second.caughtUp()
  assert.deepEqual(await online(sarah), { mike: true, sarah: true })

  second.close()
  await desk.hears('agent_presence', { admin_id: 'mike', online: false })
  assert.equal((await online(sarah)).mike, false)
  await desk.caughtUp()
  assert.equal(desk.all('agent_presence', { admin_id: 'mike' }).length, 2, 'neither the second socket nor its end was news')
  await mobile.caughtUp()
  assert.equal(mobile.all('agent_presence').length, 0, 'customers hear nothing of it')
})

scenario('an agent whose connection breaks is gone until the client is back', async ({ agent }) => {
  const [sarah, mike] = [agent('Sarah'), agent('Mike')]
  const desk = await sarah.connect()
  const phone = await mike.connect({ reconnection: true, reconnectionDelay: 100 })
  await desk.hears('agent_presence', { admin_id: 'mike', online: true })

  phone.socket.io.engine.close()
  await desk.hears('agent_presence', { admin_id: 'mike', online: true }, 2)
  assert.deepEqual(
    desk.all('agent_presence', { admin_id: 'mike' }).map(({ online }) => online),
    [true, false, true],
  )
  assert.equal((await online(sarah)).mike, true)
})

scenario('a customer is no agent however often they come', async ({ customer, agent }) => {
  const desk = await agent('Sarah').connect()
  const mobile = await customer('Jane').connect()
  mobile.close()
  await desk.caughtUp()
  assert.equal(desk.all('agent_presence', { admin_id: 'jane' }).length, 0)
})
