// A stock client that stops reading while its room goes on talking: it is cut at its budget, the others go on, the server's memory
// stays flat, and when it reads again it comes back and has everything, or is told that it has not.
// PORT, SERVER_PID: where examples/chat listens, and its process. MEGABYTES: how much is meant for it at least. STOPPED: for how many
// seconds it does not read at least.
import assert from 'node:assert/strict'
import fs from 'node:fs'
import { io } from 'client48'

const url = `http://127.0.0.1:${process.env.PORT ?? 3000}/chat`
const enough = Number(process.env.MEGABYTES ?? 20) * 1e6
const stopped = Number(process.env.STOPPED ?? 0) * 1000
/** What the kernel may hold for the one, besides: nothing of it is the server's memory. */
const MOST = 400e6
const BUDGET_KIB = 1024
const text = 'x'.repeat(10_000)
const options = { transports: ['websocket'], forceNew: true, reconnectionDelay: 50, reconnectionDelayMax: 100 }

const residentKib = () => Number(/VmRSS:\s+(\d+)/.exec(fs.readFileSync(`/proc/${process.env.SERVER_PID}/status`))[1])
const once = (socket, event) => new Promise((resolve) => socket.once(event, resolve))
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

/** A client in the room that keeps the numbers it heard. */
async function join(name) {
  const socket = io(url, { ...options, auth: { name, room: 'slow' } })
  const client = { name, socket, heard: [], welcomes: [] }
  socket.on('said', ({ number }) => client.heard.push(number))
  socket.on('welcome', (welcome) => client.welcomes.push({ ...welcome, heard: client.heard.length }))
  await once(socket, 'welcome')
  return client
}

const isWithoutGaps = (numbers) => numbers.every((number, i) => i === 0 || number === numbers[i - 1] + 1)
const hears = async (client, number) => {
  while (client.heard.at(-1) < number) await once(client.socket, 'said')
}

const [speaker, victim, ...others] = await Promise.all(['speaker', 'victim', 'one', 'two', 'three'].map(join))
const everyoneElse = [speaker, ...others]
const speak = async () => {
  const number = await speaker.socket.emitWithAck('say', text)
  await Promise.all(others.map((client) => hears(client, number)))
  return number
}
for (let i = 0; i < 100; i++) await speak()
await hears(victim, speaker.heard.at(-1))
const before = residentKib()

// It stops in the middle of the stream, as a phone does whose screen goes dark: no close, no reset.
const wire = victim.socket.io.engine.transport.ws._socket
wire.pause()
const began = Date.now()
let meant = 0, cutAt = null, most = 0
while (meant < enough || cutAt === null) {
  await speak()
  meant += text.length
  if (cutAt === null && meant % (50 * text.length) === 0 && (await speaker.socket.emitWithAck('who')) === 3) cutAt = meant
  most = Math.max(most, residentKib())
  assert.ok(meant < MOST, 'it was never cut')
}
const grown = most - before
const heardBefore = victim.heard.length
// The heartbeat would find it out in the end; here it was the budget.
await sleep(Math.max(0, began + stopped - Date.now()))

const back = once(victim.socket, 'welcome')
wire.resume()
await back
const last = await speak()
await hears(victim, last)
const welcome = victim.welcomes.at(-1)
const [first, second] = [victim.heard.slice(0, welcome.heard), victim.heard.slice(welcome.heard)]
console.log(JSON.stringify({ meant, cutAt, grownKib: grown, stoppedMs: Date.now() - began, heardBefore, heardOnTheWay: first.length, recovered: welcome.recovered }))
for (const client of everyoneElse) assert.ok(isWithoutGaps(client.heard), `${client.name} heard everything, once and in order`)
assert.ok(everyoneElse.every((client) => client.welcomes.length === 1), 'the others stayed connected')
assert.ok(isWithoutGaps(first) && isWithoutGaps(second), 'nothing doubled, nothing out of order')
if (welcome.recovered) assert.ok(isWithoutGaps(victim.heard), 'it was told that it has everything')
else assert.equal(victim.socket.recovered, false)
assert.ok(grown < 8 * BUDGET_KIB, `the server grew by ${grown} KiB`)
process.exit(0)
