// A stock client that stops reading under traffic: the server closes it at its budget, the others are unaffected, the server's memory
// is bounded, and when the client reads again it reconnects and has everything or learns that it has not.
// PORT, SERVER_PID: where examples/stock listens, and its process. MEGABYTES: how much is sent to the client at least. STOPPED: for how
// many seconds it does not read at least.
import assert from 'node:assert/strict'
import fs from 'node:fs'
import { io } from 'client48'

const url = `http://127.0.0.1:${process.env.PORT ?? 3000}/chat`
const enough = Number(process.env.MEGABYTES ?? 20) * 1e6
const stopped = Number(process.env.STOPPED ?? 0) * 1000
/** The client must be closed before this much is sent to it. A part is in kernel buffers, not in the server's memory. */
const LIMIT = 400e6
const BUDGET_KIB = 1024
const text = 'x'.repeat(10_000)
const options = { transports: ['websocket'], forceNew: true, reconnectionDelay: 50, reconnectionDelayMax: 100 }

const residentKib = () => Number(/VmRSS:\s+(\d+)/.exec(fs.readFileSync(`/proc/${process.env.SERVER_PID}/status`))[1])
const once = (socket, event) => new Promise((resolve) => socket.once(event, resolve))
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

/** A client in the room that keeps the numbers it receives. */
async function join(name) {
  const socket = io(url, { ...options, auth: { name, room: 'slow' } })
  const client = { name, socket, received: [], welcomes: [] }
  socket.on('message', ({ number }) => client.received.push(number))
  socket.on('welcome', (welcome) => client.welcomes.push({ ...welcome, received: client.received.length }))
  await once(socket, 'welcome')
  return client
}

const isWithoutGaps = (numbers) => numbers.every((number, i) => i === 0 || number === numbers[i - 1] + 1)
const receives = async (client, number) => {
  while (client.received.at(-1) < number) await once(client.socket, 'message')
}

const [sender, slowReader, ...others] = await Promise.all(['sender', 'slowReader', 'one', 'two', 'three'].map(join))
const everyoneElse = [sender, ...others]
const send = async () => {
  const number = await sender.socket.emitWithAck('send', text)
  await Promise.all(others.map((client) => receives(client, number)))
  return number
}
for (let i = 0; i < 100; i++) await send()
await receives(slowReader, sender.received.at(-1))
const before = residentKib()

// It stops reading in the middle of the stream without closing, like a suspended phone.
const connection = slowReader.socket.io.engine.transport.ws._socket
connection.pause()
const start = Date.now()
let sent = 0, closedAt = null, peak = 0
while (sent < enough || closedAt === null) {
  await send()
  sent += text.length
  if (closedAt === null && sent % (50 * text.length) === 0 && (await sender.socket.emitWithAck('count')) === 3) closedAt = sent
  peak = Math.max(peak, residentKib())
  assert.ok(sent < LIMIT, 'the client was never closed')
}
const growth = peak - before
const receivedBefore = slowReader.received.length
// The heartbeat would close it too, later; here it was the budget.
await sleep(Math.max(0, start + stopped - Date.now()))

const reconnected = once(slowReader.socket, 'welcome')
connection.resume()
await reconnected
const last = await send()
await receives(slowReader, last)
const welcome = slowReader.welcomes.at(-1)
const [first, second] = [slowReader.received.slice(0, welcome.received), slowReader.received.slice(welcome.received)]
console.log(JSON.stringify({ sent, closedAt, grownKib: growth, stoppedMs: Date.now() - start, receivedBefore, receivedLate: first.length, recovered: welcome.recovered }))
for (const client of everyoneElse) assert.ok(isWithoutGaps(client.received), `${client.name} received everything, once and in order`)
assert.ok(everyoneElse.every((client) => client.welcomes.length === 1), 'the others stayed connected')
assert.ok(isWithoutGaps(first) && isWithoutGaps(second), 'nothing is duplicated or reordered')
if (welcome.recovered) assert.ok(isWithoutGaps(slowReader.received), 'a recovered client has everything')
else assert.equal(slowReader.socket.recovered, false)
assert.ok(growth < 8 * BUDGET_KIB, `the server grew by ${growth} KiB`)
process.exit(0)
