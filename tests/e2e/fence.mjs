// Fences: how a test knows that no further event of its actions will arrive.
//
// The answer to a request, or the ack of an event, does not show that a client has received the events that it
// causes: the server publishes those on another path, and they may be later than the answer and later than any ack that follows it. What
// the server guarantees is the order of its events: those of one conversation reach every socket in the order in which
// they happened. So a fence makes something later happen in the same conversation and waits until a socket has received
// it. By then everything earlier has been queued for every socket that gets it, and one round trip of a socket
// (`Client.roundTrip`) then shows what was queued for that socket.

const TEXT = 'fence'

/** Publishes an internal note in a conversation, or in a ticket: agents in the room receive it, customers do not. */
class NoteFence {
  #publish
  #witness
  #passed = 0

  constructor(publish, witness) {
    this.#publish = publish
    this.#witness = witness
  }

  /** Returns when everything that happened before has been queued for every socket that gets it. */
  async pass() {
    const text = `${TEXT} ${(this.#passed += 1)}`
    const { status, body } = await this.#publish(text)
    if (status !== 201) throw new Error(`the fence's note got ${status} ${JSON.stringify(body)}`)
    await this.#witness.waitFor('new_message', { message: { message: text, is_internal: true } })
  }

  /** Whether an event was caused by the fence. */
  owns({ event, payload }) {
    return event === 'new_message' && payload.message.message.startsWith(TEXT)
  }
}

/** `agent` is an agent of the fence's own, so that its socket is not among those under test. */
export async function conversationFence(agent, conversationId) {
  return new NoteFence((text) => agent.note(conversationId, text), await agent.join(conversationId))
}

/** As `conversationFence`, for a ticket that has no conversation. */
export async function ticketFence(agent, ticketId) {
  const witness = await agent.connect()
  const ack = await witness.emitWithAck('join_ticket', { ticket_id: ticketId })
  if (ack.success !== true) throw new Error(`join_ticket was refused: ${JSON.stringify(ack)}`)
  return new NoteFence((text) => agent.replyInTicket(ticketId, text, true), witness)
}

/** A closed conversation takes no note, but an agent may reopen it: once, so this fence is passed once. */
export async function closedConversationFence(agent, conversationId) {
  const witness = await agent.join(conversationId)
  return {
    async pass() {
      const { status, body } = await agent.reopen(conversationId)
      if (status !== 201) throw new Error(`the fence got ${status} ${JSON.stringify(body)}`)
      await witness.waitFor('queue_updated', { conversation_id: conversationId, change: 'reopened' })
    },
    owns: () => false, // what it causes keeps lists current, and is not compared
  }
}
