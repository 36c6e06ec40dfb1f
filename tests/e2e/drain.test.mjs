// SIGTERM, as a deployment sends it: accepted requests are finished, new ones are refused, and no client can delay the exit.

import assert from 'node:assert/strict'
import { Agent } from 'node:http'
import { KeptAlive, refusesConnections, SlowRequest } from './connections.mjs'
import { assertKept } from './load.mjs'
import { scenario } from './scenario.mjs'
import { eventually } from './waiting.mjs'

const LOOPS = 20

/** server.drain_timeout_ms by default. */
const DRAIN_TIMEOUT_MS = 10_000
/** A server that needs even half of it has not drained, it has waited. */
const WELL_WITHIN = DRAIN_TIMEOUT_MS / 2

const SHORT_DRAIN_MS = 2_000
const shortDrain = { SWITCHBOARD__SERVER__DRAIN_TIMEOUT_MS: String(SHORT_DRAIN_MS) }
/** Allowance for a busy machine. */
const SLACK_MS = 1_500

scenario('SIGTERM under load: what is answered is stored, and every request is answered or refused', async ({ server, customer }) => {
  const jane = customer('Jane')
  const id = await jane.openConversation('Hello?')
  const load = new KeptAlive(jane, id, LOOPS)

  await load.answers(10 * LOOPS)
  const took = await load.during(server.stop())
  assert(took < WELL_WITHIN, `it took ${took} ms`)

  const broken = load.endings.filter(({ isRefusal }) => !isRefusal).map(({ key, code }) => `${key} ${code}`)
  assert.equal(broken.join(', '), '', 'requests on connections that the server had taken got no answer')
  assert.equal(load.endings.length, LOOPS, 'each loop ended because the server does not listen any more')
  for (const { status, key } of load.answered) assert([201, 503].includes(status), `${key} got ${status}`)

  // After the first answer with this header, every answer to a later request has it.
  const first = load.answered.findIndex(({ connection }) => connection === 'close')
  assert(first >= 0, 'no answer had Connection: close')
  const { at } = load.answered[first]
  for (const { key, sentAt, connection } of load.answered.slice(first)) {
    if (sentAt >= at) assert.equal(connection, 'close', `${key} was sent after the first Connection: close`)
  }
  for (const [loop, answer] of load.lastOfEachLoop()) {
    assert.equal(answer.connection, 'close', `loop ${loop}: the last answer before the end was ${JSON.stringify(answer)}`)
  }

  await server.start()
  const history = await jane.history(id)
  const acknowledged = load.answered.filter(({ status }) => status === 201)
  assertKept(history, acknowledged.map(({ key, body }) => ({ key, message: body.data.message })))
  assert.equal(history.length, 1 + acknowledged.length, 'what was not acknowledged was not done')
})

scenario(
  'a request that is half sent at SIGTERM is answered when it is complete, and no new connection is accepted',
  async ({ server, customer }) => {
    const jane = customer('Jane')
    const id = await jane.openConversation('Hello?')
    const slow = await SlowRequest.begin(jane, { conversation_id: id, message: 'typed slowly' })

    const stopping = server.stop()
    stopping.catch(() => {}) // an assertion that fails before this is awaited must be the reported error
    await eventually(() => refusesConnections(server), () => 'new connections to be refused')
    assert(server.isRunning, 'it left before it had answered')
    slow.finish()
    const answer = await slow.answer
    assert.equal(answer.status, 201, answer.text)
    assert.equal(answer.headers.connection, 'close')
    const took = await stopping
    assert(took < WELL_WITHIN, `it took ${took} ms`)

    await server.start()
    assert.deepEqual((await jane.history(id)).map(({ message }) => message), ['Hello?', 'typed slowly'])
  },
)

scenario(
  'a stalled request delays the exit by server.drain_timeout_ms at most',
  async ({ server, customer }) => {
    const jane = customer('Jane')
    const id = await jane.openConversation('Hello?')
    const stalled = await SlowRequest.begin(jane, { conversation_id: id, message: 'never finished' })

    const took = await server.stop()
    assert(took < SHORT_DRAIN_MS + SLACK_MS, `it took ${took} ms`)
    await stalled.answer.catch(() => {}) // answered or cut, as it likes

    await server.start()
    assert.deepEqual((await jane.history(id)).map(({ message }) => message), ['Hello?'])
  },
  { settings: shortDrain },
)

scenario('idle keep-alive connections do not delay the exit', async ({ server, customer }) => {
  const jane = customer('Jane')
  const id = await jane.openConversation('Hello?')
  const idle = new Agent({ keepAlive: true })
  const connections = await Promise.all(
    Array.from({ length: LOOPS }, (_, n) => SlowRequest.begin(jane, { conversation_id: id, message: `idle ${n}` }, idle)),
  )
  for (const one of connections) one.finish()
  for (const { answer } of connections) assert.equal((await answer).status, 201)

  const took = await server.stop()
  assert(took < WELL_WITHIN, `it took ${took} ms`)
  await server.start()
})
