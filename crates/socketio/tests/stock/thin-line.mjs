// Stock clients that return over a line so thin that what they missed takes several ping intervals: they get all of it, on one
// connection. The line swallows everything at once and delivers it slowly, so only the client's pongs show how far it is.
// PORT: where examples/stock listens, with pings every second that must be answered within a second.
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import net from 'node:net'

const require = createRequire(import.meta.url)
const port = Number(process.env.PORT ?? 3000)
const BYTES_PER_SECOND = 16_000
const TICK = 20
const MESSAGES = 70
/** The line is kept busy for longer than a ping interval and a ping timeout. */
const LEAST = 3_000

/** A proxy whose line to the client is thin once `isThin` is set; it buffers what has not passed. */
async function startProxy() {
  const proxy = { isThin: false, isOpen: true, connections: new Set() }
  const server = net.createServer((client) => {
    if (!proxy.isOpen) return client.destroy()
    const upstream = net.connect(port, '127.0.0.1')
    for (const side of [client, upstream]) side.on('error', () => {})
    proxy.connections.add(client)
    let waiting = Buffer.alloc(0)
    let hasEnded = false
    const pass = (length) => {
      client.write(waiting.subarray(0, length))
      waiting = waiting.subarray(length)
      if (hasEnded && waiting.length === 0) client.end()
    }
    const timer = setInterval(() => pass((BYTES_PER_SECOND * TICK) / 1000), TICK)
    client.on('data', (bytes) => upstream.write(bytes))
    upstream.on('data', (bytes) => {
      waiting = Buffer.concat([waiting, bytes])
      if (!proxy.isThin) pass(waiting.length)
    })
    client.on('close', () => (clearInterval(timer), proxy.connections.delete(client), upstream.destroy()))
    upstream.on('close', () => (hasEnded = true))
  }).listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  proxy.url = `http://127.0.0.1:${server.address().port}/chat`
  proxy.close = () => (server.close(), proxy.connections.forEach((client) => client.destroy()))
  proxy.cut = () => proxy.connections.forEach((client) => client.destroy())
  return proxy
}

const once = (socket, event) => new Promise((resolve) => socket.once(event, resolve))

async function run(version, transport) {
  const { io } = require(version)
  const options = { transports: [transport], forceNew: true, reconnectionDelay: 20, reconnectionDelayMax: 40 }
  const room = `${version} ${transport}`
  const proxy = await startProxy()
  const sender = io(`http://127.0.0.1:${port}/chat`, { ...options, transports: ['websocket'], auth: { name: 'sender', room } })
  const client = io(proxy.url, { ...options, auth: { name: 'client', room } })
  const heard = []
  let connects = 0
  client.on('connect', () => connects++)
  client.on('message', ({ number }) => heard.push(number))
  await Promise.all([once(sender, 'welcome'), once(client, 'welcome')])
  const sent = [await sender.emitWithAck('send', 'first')]
  while (heard.length < 1) await once(client, 'message')
  proxy.isOpen = false
  proxy.cut()
  await once(client, 'disconnect')
  for (let i = 0; i < MESSAGES; i++) sent.push(await sender.emitWithAck('send', 'x'.repeat(1000)))
  proxy.isThin = true
  proxy.isOpen = true
  await once(client, 'connect')
  const start = Date.now()
  // What is sent meanwhile follows, and so does the answer to what the client sends.
  const answer = client.emitWithAck('send', 'from the client').then((number) => (sent.push(number), heard.at(-1)))
  while (heard.length < MESSAGES + 2) await once(client, 'message')
  const took = Date.now() - start
  assert.ok(took > LEAST, `it took ${took} ms only`)
  assert.ok((await answer) >= sent.at(-2), 'the answer follows what was sent before it')
  assert.deepEqual(heard, sent)
  assert.equal(connects, 2, 'the connection survived')
  assert.ok(client.recovered)
  for (const socket of [sender, client]) socket.close()
  proxy.close()
  console.log(JSON.stringify({ version, transport, took, messages: heard.length }))
}

const runs = ['client48', 'client47', 'client46'].flatMap((version) => ['websocket', 'polling'].map((transport) => run(version, transport)))
await Promise.all(runs)
process.exit(0)
