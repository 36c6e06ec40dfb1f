// The server's binary on a free port and a given database. It can be stopped, killed and started again.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { setTimeout as pause } from 'node:timers/promises'
import { freePort } from '../ports.mjs'
import { SECRET } from './tokens.mjs'

export const ROOT = fileURLToPath(new URL('../..', import.meta.url))

const READY_WITHIN = 30_000
const STOPPED_WITHIN = 15_000

export class Server {
  #port
  #environment
  #options
  #process
  #output = []

  /** `options`: the arguments of `switchboard serve`. */
  constructor(databaseUrl, settings = {}, options = []) {
    this.#environment = { ...cleanEnvironment(), DATABASE_URL: databaseUrl, JWT_SECRET: SECRET, ...settings }
    this.#options = options
  }

  get url() {
    return `http://127.0.0.1:${this.#port}`
  }

  /** What it has printed since the first start. */
  get output() {
    return this.#output.join('')
  }

  /** Returns when it is ready, or only live. The port stays the same over restarts, so that clients reconnect. */
  async start({ until = 'ready' } = {}) {
    this.#port ??= await freePort()
    this.#process = spawn(binary(), ['serve', ...this.#options], {
      cwd: ROOT, // for config/
      env: { ...this.#environment, PORT: String(this.#port) },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    for (const stream of [this.#process.stdout, this.#process.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => this.#output.push(text))
    }
    await once(this.#process, 'spawn')
    await this.#waitUntilHealthy(until)
  }

  get isRunning() {
    return this.#process !== undefined && this.#process.exitCode === null && this.#process.signalCode === null
  }

  async #waitUntilHealthy(until) {
    const deadline = Date.now() + READY_WITHIN
    while (this.isRunning && Date.now() < deadline) {
      const answer = await fetch(`${this.url}/health/${until}`, { signal: AbortSignal.timeout(2_000) }).catch(() => null)
      await answer?.arrayBuffer()
      if (answer?.status === 200 && this.isRunning) return
      await pause(20)
    }
    const why = this.isRunning ? `was not ${until} within ${READY_WITHIN} ms` : `ended: ${this.#process.exitCode}`
    await this.kill()
    throw new Error(`the server ${why}`)
  }

  /** Sends SIGTERM, as a deployment does. Returns the milliseconds until it exits, which it must do with 0. */
  async stop() {
    assert(this.isRunning, `the server ended by itself: ${this.#process?.exitCode ?? this.#process?.signalCode}`)
    const started = performance.now()
    this.#process.kill('SIGTERM')
    const impatience = setTimeout(() => this.#process.kill('SIGKILL'), STOPPED_WITHIN)
    const [code] = await once(this.#process, 'exit')
    clearTimeout(impatience)
    assert.equal(code, 0, `SIGTERM: exit code ${code} (null: it was still there after ${STOPPED_WITHIN} ms)`)
    return performance.now() - started
  }

  /** Sends SIGKILL, which stands for a power cut. */
  async kill() {
    if (!this.isRunning) return
    this.#process.kill('SIGKILL')
    await once(this.#process, 'exit')
  }
}

export function binary() {
  const path = process.env.SWITCHBOARD_BIN
  if (!path) throw new Error('SWITCHBOARD_BIN is not set: start these tests by scripts/test e2e')
  return path
}

/** This process's environment without the variables that configure the server. */
export function cleanEnvironment() {
  const configures = /^(SWITCHBOARD_|PORT$|DATABASE_URL$|JWT_SECRET$|REDIS_URL$)/
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !configures.test(name)))
}
