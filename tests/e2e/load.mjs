// Load: several senders for each conversation, one message after the other, and a record of what they were promised.

import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import { PATIENCE, until } from './waiting.mjs'

const SENDERS_EACH = 4

export class Load {
  /** Answered with 201: { conversationId, key, message } as the answer had it. */
  acknowledged = []
  /** The connection broke before the answer: { conversationId, key }. */
  unanswered = []
  /** Answers that said "not now": 503. */
  refused = []

  #ending = false
  #patienceEnds = Infinity
  #senders
  #progress = new EventEmitter()

  /** `conversations`: { customer, conversationId } each. */
  constructor(conversations) {
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

  /** Sends until it is taken, as an app does: the key makes that safe. False: the server is gone. */
  async #sendOne(customer, conversationId, key) {
    for (;;) {
      const answer = await say(customer, conversationId, key).catch(() => null)
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
      this.refused.push(answer)
      this.#progress.emit('answer')
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

/** The text of a message is its key, so that a history tells by itself what is there twice. */
export function say(customer, conversationId, key) {
  return customer.send(key, { conversation_id: conversationId, client_message_id: key })
}

/** What was promised is there once, at its place; nothing is there twice; `seq` has no hole. */
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
