// Stock clients of several languages against examples/stock and examples/echo, each a program of its own that passes when
// it exits with 0; and a handshake with every example.

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
const { SWITCHBOARD_BIN, STOCK_PYTHON, STOCK_PYTHON_OLD, STOCK_RUST, SOAK } = process.env
/** How long a client may run. The long forms (SOAK) take minutes. */
const TIMEOUT = SOAK ? 600_000 : 120_000

/** Starts an example, runs a client against it, stops the example. */
async function withExample(example, run, settings = {}) {
  const port = await freePort()
  const binary = join(dirname(SWITCHBOARD_BIN), 'examples', example)
  const server = spawn(binary, { env: { ...process.env, ...settings, PORT: String(port) }, stdio: 'inherit' })
  const ended = once(server, 'exit')
  try {
    await waitUntilListening(port, server)
    await run({ ...process.env, PORT: String(port), SERVER_PID: String(server.pid) })
  } finally {
    server.kill('SIGKILL')
    await ended
  }
}

async function waitUntilListening(port, server) {
  for (let tries = 0; tries < 200; tries++) {
    assert.equal(server.exitCode, null, 'the example has exited')
    const socket = net.connect(port, '127.0.0.1')
    const outcome = await Promise.race([once(socket, 'connect').then(() => true), once(socket, 'error').catch(() => false)]).catch(() => false)
    socket.destroy()
    if (outcome === true) return
    await new Promise((resolve) => setTimeout(resolve, 50)) // the example does not report when it listens
  }
  assert.fail('the example does not listen')
}

const node = (script, env) => execute(process.execPath, [join(here, script)], { env, timeout: TIMEOUT, cwd: here })

test('socket.io-client 4.0, 4.6, 4.7 and 4.8 work over WebSocket, polling and upgrade', () =>
  withExample('stock', (env) => node('clients.mjs', env)))

for (const [version, python] of [['5.18', STOCK_PYTHON], ['5.5', STOCK_PYTHON_OLD]]) {
  test(`python-socketio ${version} works over WebSocket, polling and upgrade, with handlers of one parameter`, () =>
    withExample('stock', (env) => execute(python, [join(here, 'python_client.py')], { env, timeout: TIMEOUT })))
}

test('rust_socketio works over WebSocket, polling and upgrade', () =>
  withExample('stock', (env) => execute(STOCK_RUST, [], { env, timeout: TIMEOUT })))

test('clients whose proxy drops the Upgrade header stay on polling and lose nothing', () =>
  withExample('stock', (env) => node('no-upgrade.mjs', env)))

test('a client that stops reading is closed, the others are unaffected, and it recovers or gets a new socket', () =>
  withExample('stock', (env) => node('slow-reader.mjs', { MEGABYTES: SOAK ? '60' : '5', STOPPED: SOAK ? '30' : '0', ...env })))

test('packets are compatible with the reference parsers in both directions', () =>
  withExample('echo', (env) => node('oracle.mjs', env)))

test('clients whose connections are cut receive every event once and in order', () =>
  withExample('stock', (env) => node('jitter.mjs', { CLIENTS: SOAK ? '200' : '50', DURATION: SOAK ? '60' : '12', ...env })))

test('clients that are cut again while they receive what they missed hear every message once and in order', () =>
  withExample('stock', (env) => node('replay-cuts.mjs', { CUTS: SOAK ? '1000' : '60', ...env })))

test('clients on a line that takes several ping intervals for what they missed get it on one connection', () =>
  withExample('stock', (env) => node('thin-line.mjs', env), { PING_INTERVAL: '1000', PING_TIMEOUT: '1000' }))

const EXAMPLES = { chat: '/socket.io', echo: '/socket.io', stock: '/socket.io', engine_echo: '/engine.io' }

for (const [example, path] of Object.entries(EXAMPLES)) {
  test(`the example ${example} opens a session`, () =>
    withExample(example, async ({ PORT }) => {
      const answer = await fetch(`http://127.0.0.1:${PORT}${path}/?EIO=4&transport=polling`)
      assert.equal(answer.status, 200)
      assert.match(await answer.text(), /^0\{"sid":/)
    }))
}
