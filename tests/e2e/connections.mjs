// HTTP at the level of connections: which are kept, how they end, and whether new ones are taken. `fetch` hides that.

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

/** The whole answer: { status, headers, text }. */
async function answerTo(sending) {
  const [response] = await once(sending, 'response')
  let text = ''
  for await (const chunk of response.setEncoding('utf8')) text += chunk
  return { status: response.statusCode, headers: response.headers, text }
}

/**
 * Whether the server took nothing: nobody listened, or nobody had taken the new connection out of the kernel's queue when
 * the queue was thrown away. A connection on which requests were answered before is another matter: what is sent on it
 * gets an answer, or was told `Connection: close` before.
 */
function isRefusal(sending, error) {
  return error.code === 'ECONNREFUSED' || (error.code === 'ECONNRESET' && !sending.reusedSocket && !sending.res)
}

/** Senders that each hold a connection of their own as long as the server lets them, one request behind the other. */
export class KeptAlive {
  /** In the order of their coming: { loop, key, status, body, connection, sentAt, at }; `connection` is the header. */
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

  /** Goes on until `end`, which is what it gives, and until every loop has met its own. */
  async during(end) {
    const outcome = await end
    await Promise.all(this.#loops)
    return outcome
  }

  lastOfEachLoop() {
    return new Map(this.answered.map((answer) => [answer.loop, answer]))
  }
}

/** A send whose body comes in two halves. */
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
    slow.answer.catch(() => {}) // whoever awaits it hears of it
    slow.#sending.flushHeaders()
    await once(slow.#sending, 'continue')
    slow.#sending.write(body.slice(0, middle))
    return slow
  }

  finish() {
    this.#sending.end(this.#secondHalf)
  }
}

/** Whether nobody listens. A connection that only the kernel has taken is not refused: whoever made it waits. */
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
      // Half made at the very moment at which the listener closed: whoever asks again is refused.
      else if (error.code === 'ECONNRESET') resolve(false)
      else reject(error)
    })
  })
}
