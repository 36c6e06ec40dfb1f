// The clients of an app or a dashboard: REST requests, and a socket of the stock socket.io-client.

import { EventEmitter } from 'node:events'
import { isDeepStrictEqual } from 'node:util'
import { io } from 'socket.io-client'
import { checkAck, checkEvent } from './documented.mjs'
import { PATIENCE, until } from './waiting.mjs'

const NO_CONVERSATION = '00000000-0000-4000-8000-000000000000'

export async function request(url, token, method, path, { body, headers = {} } = {}) {
  const started = performance.now()
  const response = await fetch(url + path, {
    method,
    headers: {
      ...(token && { authorization: `Bearer ${token}` }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...headers,
    },
    body: body === undefined ? undefined : JSON.stringify(body),
    signal: AbortSignal.timeout(PATIENCE),
  })
  const text = await response.text()
  return {
    status: response.status,
    headers: response.headers,
    body: asJson(text, `${method} ${path}`),
    milliseconds: performance.now() - started,
  }
}

function asJson(text, request) {
  try {
    return JSON.parse(text)
  } catch {
    throw new Error(`${request} was answered with something that is not JSON: ${text.slice(0, 200)}`)
  }
}

/** A socket on a namespace, with every event that it has received, in order. */
export class Client {
  received = []
  #events = new EventEmitter()

  constructor(url, token, options, namespace = '/support') {
    this.socket = io(`${url}${namespace}`, {
      auth: { token },
      transports: ['websocket'],
      reconnection: false,
      forceNew: true,
      ...options,
    })
    // `onAny` does not report lifecycle events.
    for (const event of ['connect', 'disconnect', 'connect_error']) {
      this.socket.on(event, (detail) => this.#record(event, detail))
    }
    // An exception in here fails the test, whatever the test waits for.
    this.socket.onAny((event, ...payloads) => {
      if (event === 'offset') return // connection state recovery's own event, which only `onAny` sees
      checkEvent(event, payloads)
      this.#record(event, payloads[0])
    })
  }

  #record(event, payload) {
    this.received.push({ event, payload })
    this.#events.emit('received')
  }

  /** The payloads received so far of the events of this name that `fit`. */
  all(event, fits = {}) {
    return this.received.filter((one) => one.event === event && matches(one.payload, fits)).map((one) => one.payload)
  }

  /** Waits until `count` events of this name that `fit` have been received, before this call or after it. */
  async waitFor(event, fits = {}, count = 1) {
    const enough = () => this.all(event, fits).length >= count
    await this.waitUntil(enough, () => `${count} × ${event} ${describe(fits)}; the last received was\n${this.#lately()}`)
    return this.all(event, fits)[count - 1]
  }

  /** Waits until it is `done()`, which is checked at each event. `what()` names what is waited for. */
  async waitUntil(done, what) {
    await until(this.#events, 'received', done, what)
  }

  #lately() {
    return this.received.slice(-20).map(({ event, payload }) => `  ${event} ${JSON.stringify(payload)}`).join('\n')
  }

  /** Emits and waits for the acknowledgement. */
  async emitWithAck(event, payload) {
    const ack = await this.socket.timeout(PATIENCE).emitWithAck(event, payload).catch((error) => {
      throw new Error(`no ack of ${event} ${JSON.stringify(payload)}: ${error.message}`)
    })
    checkAck(event, ack)
    return ack
  }

  /** Emits without an ack. */
  emit(event, payload) {
    this.socket.emit(event, payload)
  }

  /**
   * Waits for the ack of an event that changes nothing. It shows three things: the connection lives; the server has
   * handled the earlier events of this socket; and what the server had queued for this socket before it answered has
   * been received. It does not show that the events of an earlier request were queued: see fence.mjs.
   */
  async roundTrip() {
    await this.emitWithAck('typing', { conversation_id: NO_CONVERSATION })
  }

  close() {
    this.socket.close()
  }
}

/** Whether the object contains all of `part`, which may be a predicate. */
function matches(object, part) {
  if (typeof part === 'function') return part(object)
  return Object.entries(part).every(([key, value]) =>
    value !== null && typeof value === 'object' ? matches(object?.[key] ?? {}, value) : isDeepStrictEqual(object?.[key], value),
  )
}

const describe = (fits) => (typeof fits === 'function' ? fits.toString() : JSON.stringify(fits))
