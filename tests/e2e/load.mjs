// Load: several senders for each conversation, one message after another, and a record of the acknowledgements.

import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'
import { PATIENCE, until } from './waiting.mjs'

const SENDERS_EACH = 4
/** Milliseconds after a refusal, for which an app waits longer. */
const AFTER_A_REFUSAL = 20

export class Load {
  /** Answered with 201: { conversationId, key, message } as the answer had it. */
  acknowledged = []
  /** The connection broke before the answer: { conversationId, key }. */
  unanswered = []
  /** Answers with 503, each with its `key`. */
  refused = []

  #ending = false
  #patienceEnds = Infinity
  #named
  #senders
  #progress = new EventEmitter()

  /**
   * `conversations`: { customer, conversationId } each. A send that is not `named` cannot be repeated safely: where it is
   * refused, the sender continues with the next message.
   */
  constructor(conversations, { named = true } = {}) {
    this.#named = named
    this.#senders = conversations.flatMap(({ customer, conversationId }) =>
      Array.from({ length: SENDERS_EACH }, (_, n) => this.#sendOn(customer, conversationId, `${customer.name} ${n + 1}`)),
    )
  }

  async #sendOn(customer, conversationId, label) {
    for (let n = 1; !this.#ending; n++) {
      const answered = await this.#sendOne(customer, conversationId, `${label}.${n}`)
      if (!answered) return
    }
  }

  /** Sends until it is taken, as an app does where the name makes that safe. False: the server is gone. */
  async #sendOne(customer, conversationId, key) {
    for (;;) {
      const answer = await (this.#named ? say : sayWithoutName)(customer, conversationId, key).catch(() => null)
      if (answer === null) {
        this.unanswered.push({ conversationId, key })
        return false
      }
      if (answer.status === 201) {
        this.acknowledged.push({ conversationId, key, message: answer.body.data.message })
        this.#progress.emit('answer')
        return true
      }
      assert.equal(answer.status, 503, JSON.stringify(answer.body))
      assert(Date.now() < this.#patienceEnds, `${key} is refused to the end`)
      this.refused.push({ ...answer, conversationId, key })
      this.#progress.emit('answer')
      await pause(AFTER_A_REFUSAL)
      if (!this.#named) return true
    }
  }

  acknowledges(more) {
    return this.#grows(this.acknowledged, more, 'acknowledged')
  }

  refuses(more) {
    return this.#grows(this.refused, more, 'refused')
  }

  #grows(list, more, what) {
    const goal = list.length + more
    return until(this.#progress, 'answer', () => list.length >= goal, () => `${goal} sends to be ${what}: ${list.length} were`)
  }

  /** No new messages from now on; resolves when those under way are stored, or the server is gone. */
  end() {
    this.#ending = true
    this.#patienceEnds = Date.now() + PATIENCE
    return Promise.all(this.#senders)
  }
}

/** The text of a message is its key, so that a history shows which message is stored twice. */
export function say(customer, conversationId, key) {
  return customer.send(key, { conversation_id: conversationId, client_message_id: key })
}

function sayWithoutName(customer, conversationId, key) {
  return customer.send(key, { conversation_id: conversationId })
}

/** Each acknowledged message is stored once, with its `seq`; no message is stored twice; `seq` has no gap. */
export function assertKept(history, acknowledged) {
  assertGapless(history)
  const byKey = new Map(history.map((message) => [message.message, message]))
  assert.equal(byKey.size, history.length, 'a message is stored twice')
  for (const { key, message } of acknowledged) {
    const { id, seq } = byKey.get(key) ?? assert.fail(`${key} was acknowledged and is not there`)
    assert.deepEqual({ id, seq }, { id: message.id, seq: message.seq }, `${key} is not what was acknowledged`)
  }
}

export function assertGapless(history) {
  assert.deepEqual(
    history.map((message) => message.seq),
    history.map((_, index) => index + 1),
  )
}
