// Schemathesis reads /openapi.json of a running server and sends requests that the document allows, and many that it does
// not. Every answer must be a documented one, and never 5xx.

import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import test from 'node:test'
import { freePort } from '../ports.mjs'

const here = import.meta.dirname ?? dirname(new URL(import.meta.url).pathname)
const { SWITCHBOARD_BIN, API_PYTHON, SOAK, SEED = '20261123' } = process.env
const SECRET = 'schemathesis-only-0123456789abcdef0123456789'
const MINUTES = SOAK ? 60 : 4

/** Runs `run` while a server serves on an empty database. The server must exit with 0. */
async function withServer(run) {
  const folder = mkdtempSync(join(tmpdir(), 'switchboard-api.'))
  const port = await freePort()
  const environment = { ...process.env, PORT: String(port), JWT_SECRET: SECRET, DATABASE_URL: `sqlite://${folder}/switchboard.db` }
  const server = spawn(SWITCHBOARD_BIN, ['serve'], { cwd: folder, env: environment, stdio: ['ignore', 'ignore', 'pipe'] })
  const log = []
  server.stderr.setEncoding('utf8').on('data', (text) => log.push(text))
  const ended = once(server, 'exit')
  try {
    const url = `http://127.0.0.1:${port}`
    await ready(url, server)
    const token = (sub, role) => {
      const line = ['token', '--sub', sub, '--role', role, '--email', `${sub}@example.com`, '--name', `${sub} Doe`]
      return execFileSync(SWITCHBOARD_BIN, line, { cwd: folder, env: environment, encoding: 'utf8' }).trim()
    }
    await run(url, token)
    server.kill('SIGTERM')
    assert.equal((await ended)[0], 0)
  } catch (error) {
    console.error(`--- the end of the server's log\n${log.join('').slice(-5_000)}---`)
    throw error
  } finally {
    server.kill('SIGKILL')
    await ended
    rmSync(folder, { recursive: true, force: true })
  }
}

async function ready(url, server) {
  for (let tries = 0; tries < 600; tries++) {
    assert.equal(server.exitCode, null, 'the server has ended')
    const answer = await fetch(`${url}/health/ready`).catch(() => null)
    await answer?.arrayBuffer()
    if (answer?.status === 200) return
    await new Promise((resolve) => setTimeout(resolve, 50)) // nothing tells of it: calls again, a bounded number of times
  }
  assert.fail('the server is not ready')
}

/** Conversations, tickets and handovers of the caller and of others, in several states. */
async function seeded(url, agent, other) {
  const call = async (token, method, path, body) => {
    const headers = { authorization: `Bearer ${token}`, ...(body && { 'content-type': 'application/json' }) }
    const answer = await fetch(url + path, { method, headers, body: body && JSON.stringify(body) })
    const answered = await answer.json()
    assert(answer.ok, `${method} ${path}: ${JSON.stringify(answered)}`)
    return answered.data
  }
  const DESK = '/api/v1/unified-admin/support'
  const there = { conversations: [], tickets: [], numbers: [], handovers: [] }
  await call(other.agent, 'GET', `${DESK}/agents`)
  for (const customer of [agent, other.customer]) {
    for (const state of ['new', 'claimed', 'handed over', 'ticket', 'closed']) {
      const { conversation } = await call(customer, 'POST', '/api/v1/support/chat/send', { message: state })
      there.conversations.push(conversation.id)
      const act = (action, body) => call(agent, 'POST', `${DESK}/conversations/${conversation.id}/${action}`, body)
      if (state !== 'new') await act('claim')
      if (state === 'handed over') there.handovers.push((await act('handover', { to_admin_id: 'another' })).handover_id)
      if (state === 'ticket') there.tickets.push((await act('create-ticket', { subject: 'A', description: 'B' })).ticket.id)
      if (state === 'closed') await act('close')
    }
    for (const status of ['pending', 'resolved']) {
      const { ticket } = await call(customer, 'POST', '/api/v1/support/create-ticket', { subject: status, description: 'B' })
      there.tickets.push(ticket.id)
      there.numbers.push(ticket.ticket_number)
      await call(agent, 'PUT', `${DESK}/${ticket.id}/status`, { status })
    }
  }
  return there
}

async function schemathesis(url, token, there, phases, examples) {
  const line = [
    'run', `${url}/openapi.json`, '--phases', phases, '--max-examples', String(examples), '--seed', SEED,
    '--header', `Authorization: Bearer ${token}`, '--continue-on-failure', '--request-timeout', '20',
    // A schema cannot express that a text is too long after it is trimmed, or that two fields must agree: a request that
    // it allows may be refused, with the documented 400.
    '--exclude-checks', 'positive_data_acceptance',
  ]
  const environment = { ...process.env, SCHEMATHESIS_HOOKS: 'hooks', PYTHONPATH: here, SEEDED: JSON.stringify(there), NO_COLOR: '1' }
  const child = spawn(join(dirname(API_PYTHON), 'st'), line, { cwd: tmpdir(), env: environment, stdio: ['ignore', 'pipe', 'pipe'] })
  const output = []
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => output.push(text))
  const timer = setTimeout(() => child.kill('SIGKILL'), MINUTES * 60_000)
  const [code] = await once(child, 'exit')
  clearTimeout(timer)
  const text = output.join('')
  assert.equal(code, 0, `schemathesis found something (SEED=${SEED}):\n${text.slice(-30_000)}`)
  // A run without requests proves nothing.
  const calls = Number(/(\d+) generated/.exec(text)?.[1] ?? /(\d+) test cases/.exec(text)?.[1] ?? 0)
  assert(calls > 200, `only ${calls} calls:\n${text.slice(-3_000)}`)
}

test('schemathesis finds no 5xx and no answer that the document does not allow', () =>
  withServer(async (url, token) => {
    const other = { customer: token('john', 'user'), agent: token('another', 'admin') }
    const agent = token('sarah', 'admin')
    const there = await seeded(url, agent, other)
    await schemathesis(url, agent, there, 'examples,coverage,fuzzing', SOAK ? 500 : 15)
    await schemathesis(url, other.customer, there, 'fuzzing', SOAK ? 200 : 10)
  }))
