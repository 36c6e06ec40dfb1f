// HTTP at the level of connections, which `fetch` hides: keep-alive, how connections end, whether new ones are accepted.

import { EventEmitter, once } from 'node:events'
import { Agent, request } from 'node:http'
import { connect } from 'node:net'
import { until } from './waiting.mjs'

const SEND = '/api/v1/support/chat/send'

function headers(customer, body) {
  return {
    authorization: `Bearer ${customer.token}`,
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
  }
}

/** The complete answer: { status, headers, text }. */
async function answerTo(sending) {
  const [response] = await once(sending, 'response')
  let text = ''
  for await (const chunk of response.setEncoding('utf8')) text += chunk
  return { status: response.statusCode, headers: response.headers, text }
}

/**
 * Whether the server refused the connection: it did not listen, or closed its listener while the new connection was still
 * in the kernel's queue. A kept connection is different: a request on it is answered, unless an earlier answer announced
 * `Connection: close`.
 */
function isRefusal(sending, error) {
  return error.code === 'ECONNREFUSED' || (error.code === 'ECONNRESET' && !sending.reusedSocket && !sending.res)
}

/** Senders that each keep a connection for as long as the server permits, and send one request after another. */
export class KeptAlive {
  /** In the order of arrival: { loop, key, status, body, connection, sentAt, at }; `connection` is the header. */
  answered = []
  /** How each loop ended: { loop, key, code, isRefusal }. */
  endings = []

  #progress = new EventEmitter()
  #loops

  constructor(customer, conversationId, loops) {
    this.#loops = Array.from({ length: loops }, (_, index) => this.#loop(customer, conversationId, index + 1))
  }

  async #loop(customer, conversationId, loop) {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    for (let n = 1; ; n++) {
      const key = `${loop}.${n}`
      const body = JSON.stringify({ conversation_id: conversationId, message: key })
      const sending = request(customer.server.url + SEND, { agent, method: 'POST', headers: headers(customer, body) })
      const sentAt = performance.now()
      try {
        sending.end(body)
        const { status, headers, text } = await answerTo(sending)
        const at = performance.now()
        this.answered.push({ loop, key, status, body: JSON.parse(text), connection: headers.connection, sentAt, at })
        this.#progress.emit('answer')
      } catch (error) {
        this.endings.push({ loop, key, code: error.code, isRefusal: isRefusal(sending, error) })
        agent.destroy()
        return
      }
    }
  }

  /** Waits for this many more answers. */
  answers(more) {
    const goal = this.answered.length + more
    return until(this.#progress, 'answer', () => this.answered.length >= goal, () => `${goal} answers: ${this.answered.length} came`)
  }

  /** Continues until `end`, whose value it returns, and until every loop has ended. */
  async during(end) {
    const outcome = await end
    await Promise.all(this.#loops)
    return outcome
  }

  lastOfEachLoop() {
    return new Map(this.answered.map((answer) => [answer.loop, answer]))
  }
}

/** A send whose body is sent in two halves. */
export class SlowRequest {
  #sending
  #secondHalf

  /** Returns when the server has taken the request and waits for its body, of which the first half is on its way. */
  static async begin(customer, fields, agent = new Agent()) {
    const slow = new SlowRequest()
    const body = JSON.stringify(fields)
    const middle = Math.floor(body.length / 2)
    slow.#secondHalf = body.slice(middle)
    slow.#sending = request(customer.server.url + SEND, {
      agent,
      method: 'POST',
      headers: { ...headers(customer, body), expect: '100-continue' },
    })
    slow.answer = answerTo(slow.#sending)
    slow.answer.catch(() => {}) // reported where it is awaited
    slow.#sending.flushHeaders()
    await once(slow.#sending, 'continue')
    slow.#sending.write(body.slice(0, middle))
    return slow
  }

  finish() {
    this.#sending.end(this.#secondHalf)
  }
}

/** Whether the server has stopped listening. A connection that is still in the kernel's queue is not refused yet. */
export function refusesConnections({ url }) {
  const { hostname, port } = new URL(url)
  return new Promise((resolve, reject) => {
    const probe = connect({ host: hostname, port: Number(port) })
    probe.once('connect', () => {
      probe.destroy()
      resolve(false)
    })
    probe.once('error', (error) => {
      if (error.code === 'ECONNREFUSED') resolve(true)
      // Half open when the listener closed: the next attempt is refused.
      else if (error.code === 'ECONNRESET') resolve(false)
      else reject(error)
    })
  })
}
