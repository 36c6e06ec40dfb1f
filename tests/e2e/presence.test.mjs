// Which agents are there: told when their first socket has come and when their last has gone.

import assert from 'node:assert/strict'
import { scenario } from './scenario.mjs'

scenario('agents hear when a colleague has come and when the last socket has gone, and customers do not', async ({ customer, agent }) => {
  const [jane, sarah, mike] = [customer('Jane'), agent('Sarah'), agent('Mike')]
  const phone = await jane.connect()
  const witness = await sarah.connect()
  const of = { admin_id: 'mike' }
  const online = async () => {
    const { body } = await sarah.get('/api/v1/unified-admin/support/agents')
    return body.data.agents.find(({ id }) => id === 'mike')?.online
  }

  const [desk, laptop] = [await mike.connect(), await mike.connect()]
  assert.deepEqual(await witness.hears('agent_presence', of), { admin_id: 'mike', admin_name: 'Mike Doe', online: true })
  assert.equal(await online(), true)

  // As long as one is left nothing is told.
  desk.close()
  for (let n = 0; n < 5; n++) (await mike.connect()).close()
  await laptop.caughtUp()
  await witness.caughtUp()
  assert.equal(await online(), true, 'the laptop is still there')
  assert.equal(witness.all('agent_presence', of).length, 1)

  laptop.close()
  const gone = await witness.hears('agent_presence', { ...of, online: false })
  assert.deepEqual(gone, { admin_id: 'mike', admin_name: 'Mike Doe', online: false })
  assert.equal(await online(), false)

  // Comes again: told again.
  await mike.connect()
  await witness.hears('agent_presence', { ...of, online: true }, 2)
  await witness.caughtUp()
  assert.deepEqual(witness.all('agent_presence', of).map(({ online }) => online), [true, false, true])

  // A customer, not even one with the same sub, makes no agent.
  await customer('Mike').connect()
  await witness.caughtUp()
  assert.equal(witness.all('agent_presence', of).length, 3)
  await phone.caughtUp()
  assert.deepEqual(phone.heard.map(({ event }) => event), ['connect'])
})
