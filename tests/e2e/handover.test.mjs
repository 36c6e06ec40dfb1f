// Handovers between agents: which client receives which event, and which receives none.

import assert from 'node:assert/strict'
import { expectEvents, skipEvents } from './expected-events.mjs'
import { closedConversationFence, conversationFence } from './fence.mjs'
import { scenario } from './scenario.mjs'

/** Jane's conversation is assigned to Sarah. Every kind of client that could receive its events is connected. */
async function stage({ customer, agent }) {
  const [jane, john] = [customer('Jane'), customer('John')]
  const [sarah, mike, lisa] = [agent('Sarah'), agent('Mike'), agent('Lisa')]
  const id = await jane.openConversation()
  const clients = {
    phone: await jane.join(id),
    pocket: await jane.connect(), // has not opened the conversation
    stranger: await john.connect(),
    desk: await sarah.join(id),
    target: await mike.connect(),
    bystander: await lisa.join(id),
  }
  assert.equal((await sarah.claim(id)).status, 201)
  const fence = await conversationFence(agent('Fence'), id)
  return { id, jane, sarah, mike, lisa, clients, fence }
}

const silence = { phone: [], pocket: [], stranger: [], desk: [], target: [], bystander: [] }

scenario('a handover request is announced to its target, and its rejection to the agent who asked', async (people) => {
  const { id, sarah, mike, clients, fence } = await stage(people)
  await expectEvents({ phone: clients.phone }, {
    phone: [
      ['conversation_claimed', { conversation_id: id, assigned_to: 'sarah', assigned_admin_name: 'Sarah Doe' }],
      ['conversation_updated', { conversation_id: id, event: 'claimed', assigned_admin_name: 'Sarah Doe' }],
    ],
  }, fence)
  await skipEvents(clients, fence)

  const handover = await sarah.requestHandover(id, mike, 'He speaks Yoruba')
  const requested = {
    handover_id: handover,
    conversation_id: id,
    from_admin_id: 'sarah',
    from_admin_name: 'Sarah Doe',
    reason: 'He speaks Yoruba',
  }
  await expectEvents(clients, { ...silence, target: [['handover_requested', requested]] }, fence)

  const answer = await mike.respond(handover, 'rejected')
  assert.deepEqual([answer.status, answer.body.message], [201, 'Handover rejected'])
  const rejected = ['conversation_updated', { conversation_id: id, event: 'handover_rejected' }]
  const resolved = { handover_id: handover, conversation_id: id, status: 'rejected', resolution: 'declined', to_admin_name: 'Mike Doe' }
  await expectEvents(clients, { ...silence, desk: [rejected, ['handover_resolved', resolved]], target: [rejected], bystander: [rejected] }, fence)
  assert.equal((await sarah.reply(id, 'Still me')).status, 201)
})

scenario('an accepted handover is announced to everyone whom it concerns', async (people) => {
  const { id, jane, sarah, mike, clients, fence } = await stage(people)
  const handover = await sarah.requestHandover(id, mike)
  await clients.target.waitFor('handover_requested', (requested) => requested.reason === null)
  await skipEvents(clients, fence)

  assert.equal((await mike.respond(handover, 'accepted')).body.message, 'Handover accepted')
  const claimed = ['conversation_claimed', { conversation_id: id, assigned_to: 'mike', assigned_admin_name: 'Mike Doe' }]
  const accepted = ['conversation_updated', { conversation_id: id, event: 'handover_accepted' }]
  const completed = ['conversation_updated', { conversation_id: id, event: 'handover_completed', assigned_admin_name: 'Mike Doe' }]
  const resolved = { handover_id: handover, conversation_id: id, status: 'accepted', to_admin_name: 'Mike Doe' }
  await expectEvents(clients, {
    phone: [claimed, completed],
    pocket: [completed],
    stranger: [],
    desk: [claimed, accepted, ['handover_resolved', resolved]],
    target: [accepted],
    bystander: [claimed, accepted],
  }, fence)

  const { conversation } = (await jane.read(id)).body.data
  assert.deepEqual([conversation.status, conversation.assigned_admin_name], ['active', 'Mike Doe'])
  assert.equal((await sarah.reply(id, 'One more thing')).status, 403)
  assert.equal((await mike.reply(id, 'I have it now')).status, 201)
})

scenario('closing a conversation rejects its pending handover, and both agents are notified', async (people) => {
  const { id, sarah, mike, lisa, clients, fence } = await stage(people)
  const handover = await sarah.requestHandover(id, mike)
  await clients.target.waitFor('handover_requested')
  await skipEvents(clients, fence)

  const afterClose = await closedConversationFence(people.agent('Fence'), id)
  assert.equal((await lisa.closeConversation(id)).status, 201)
  const closed = ['conversation_closed', { conversation_id: id }]
  const updated = (event) => ['conversation_updated', { conversation_id: id, event }]
  const resolved = ['handover_resolved', { handover_id: handover, conversation_id: id, status: 'rejected', resolution: 'closed', to_admin_name: 'Mike Doe' }]
  await expectEvents(clients, {
    phone: [closed, updated('closed')],
    pocket: [updated('closed')],
    stranger: [],
    desk: [closed, updated('closed'), updated('handover_rejected'), resolved],
    target: [updated('closed'), updated('handover_rejected'), resolved],
    bystander: [closed, updated('closed'), updated('handover_rejected')],
  }, afterClose)
  assert.equal((await mike.respond(handover, 'accepted')).body.message, 'This handover has already been resolved')
})
