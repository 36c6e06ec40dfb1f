// A handover to an agent who has no socket when it is requested.

import assert from 'node:assert/strict'
import { scenario } from './scenario.mjs'

scenario('a target who was offline is notified at their next connection, once', async ({ customer, agent }) => {
  const [jane, sarah, mike] = [customer('Jane'), agent('Sarah'), agent('Mike')]
  const [first, second] = [await jane.openConversation(), await jane.openConversation()]
  for (const id of [first, second]) assert.equal((await sarah.claim(id)).status, 201)
  await mike.get('/api/v1/unified-admin/support/agents')
  const handover = await sarah.requestHandover(first, mike, 'Lunch')
  const phone = await mike.connect()
  const requested = await phone.waitFor('handover_requested', { handover_id: handover })
  assert.deepEqual(requested, {
    handover_id: handover,
    conversation_id: first,
    from_admin_id: 'sarah',
    from_admin_name: 'Sarah Doe',
    reason: 'Lunch',
  })
  phone.close()

  // Of two that wait at the next connection, only the one that was not announced is.
  const desk = await mike.connect()
  const later = await sarah.requestHandover(second, mike)
  await desk.waitFor('handover_requested', { handover_id: later })
  await desk.roundTrip()
  assert.deepEqual(desk.all('handover_requested').map(({ handover_id }) => handover_id), [later])
})
