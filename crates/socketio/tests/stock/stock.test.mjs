// What a team has in its apps already, against the protocol layer alone: examples/chat and examples/echo, which know
// nothing of Switchboard. Each client is a program of its own; it has passed when it ends with 0.

import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import net from 'node:net'
import { dirname, join } from 'node:path'
import test from 'node:test'
import { promisify } from 'node:util'
import { freePort } from '../../../../tests/ports.mjs'

const execute = promisify(execFile)
const here = import.meta.dirname ?? dirname(new URL(import.meta.url).pathname)
const { SWITCHBOARD_BIN, STOCK_PYTHON, STOCK_RUST, SOAK } = process.env
/** How long a client may take; the long forms run for minutes. */
const TIMEOUT = SOAK ? 600_000 : 120_000

/** Runs what is given while an example serves. */
async function beside(example, run) {
  const port = await freePort()
  const binary = join(dirname(SWITCHBOARD_BIN), 'examples', example)
  const server = spawn(binary, { env: { ...process.env, PORT: String(port) }, stdio: 'inherit' })
  const ended = once(server, 'exit')
  try {
    await listens(port, server)
    await run({ ...process.env, PORT: String(port), SERVER_PID: String(server.pid) })
  } finally {
    server.kill('SIGKILL')
    await ended
  }
}

async function listens(port, server) {
  for (let tries = 0; tries < 200; tries++) {
    assert.equal(server.exitCode, null, 'the example has ended')
    const socket = net.connect(port, '127.0.0.1')
    const outcome = await Promise.race([once(socket, 'connect').then(() => true), once(socket, 'error').catch(() => false)]).catch(() => false)
    socket.destroy()
    if (outcome === true) return
    await new Promise((resolve) => setTimeout(resolve, 50)) // nothing tells of it: asked again, a bounded number of times
  }
  assert.fail('the example does not listen')
}

const node = (script, env) => execute(process.execPath, [join(here, script)], { env, timeout: TIMEOUT, cwd: here })

test('socket.io-client 4.8 and 4.0 get through by WebSocket, by polling and by upgrade', () =>
  beside('chat', (env) => node('clients.mjs', env)))

test('python-socketio 5 gets through by WebSocket, by polling and by upgrade', () =>
  beside('chat', (env) => execute(STOCK_PYTHON, [join(here, 'python_client.py')], { env, timeout: TIMEOUT })))

test('rust_socketio gets through by WebSocket, by polling and by upgrade', () =>
  beside('chat', (env) => execute(STOCK_RUST, [], { env, timeout: TIMEOUT })))

test('behind a proxy that drops the Upgrade header clients stay on polling and lose nothing', () =>
  beside('chat', (env) => node('no-upgrade.mjs', env)))

test('a client that stops reading is cut, the others go on, and it has everything or is told that it has not', () =>
  beside('chat', (env) => node('slow-reader.mjs', { MEGABYTES: SOAK ? '60' : '5', STOPPED: SOAK ? '30' : '0', ...env })))

test('the reference parsers read what we write and write what we read', () =>
  beside('echo', (env) => node('oracle.mjs', env)))

test('clients whose connections are cut miss nothing, hear nothing twice, and nothing out of order', () =>
  beside('chat', (env) => node('jitter.mjs', { CLIENTS: SOAK ? '200' : '50', DURATION: SOAK ? '60' : '12', ...env })))
