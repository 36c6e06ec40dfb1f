// Stock clients whose connection is cut again while they receive what they missed, after any number of bytes: every message must be
// heard once and in order. One exception is known (docs/PROTOCOL.md): a WebSocket that ends between an event and its offset gives this
// event twice.
// PORT: where examples/stock listens. CUTS: how many cut points per client and transport; all if it is 0. SEED: repeats a run.
import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { createRequire } from 'node:module'
import net from 'node:net'

const require = createRequire(import.meta.url)
const port = Number(process.env.PORT ?? 3000)
const cuts = Number(process.env.CUTS ?? 60)
const seed = Number(process.env.SEED ?? randomInt(2 ** 31))
const MESSAGES = 41
const CONCURRENT = 16
const TRIAL_TIMEOUT = 20_000

/** mulberry32: a small seeded generator. */
function generator(state) {
  return (limit) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit
  }
}

/** A proxy for one client. It forwards `limit` bytes from the server and then ends all connections, until it is opened again. */
class CuttingProxy {
  passed = 0
  limit = Infinity
  isOpen = true
  serverNotices = true
  /** The messages that the cuts separated from their offsets. */
  mayRepeat = []
  #pairs = new Set()
  #silent = []
  #onCut = () => {}

  async listen() {
    this.server = net.createServer((client) => this.#connect(client)).listen(0, '127.0.0.1')
    await new Promise((resolve) => this.server.once('listening', resolve))
    return `http://127.0.0.1:${this.server.address().port}/chat`
  }

  #connect(client) {
    client.on('error', () => {})
    if (!this.isOpen) return client.destroy()
    const upstream = net.connect(port, '127.0.0.1').on('error', () => {})
    const pair = { client, upstream, received: Buffer.alloc(0) }
    this.#pairs.add(pair)
    client.on('data', (bytes) => upstream.write(bytes))
    upstream.on('data', (bytes) => this.#forward(pair, bytes))
    client.on('close', () => (this.#pairs.delete(pair), pair.isSilent || upstream.destroy()))
    upstream.on('close', () => client.end())
  }

  #forward(pair, bytes) {
    if (!this.isOpen) return
    const part = bytes.subarray(0, Math.max(0, this.limit - this.passed))
    this.passed += part.length
    pair.received = Buffer.concat([pair.received, part])
    pair.client.write(part)
    if (this.passed >= this.limit) this.cut()
  }

  /** Ends the clients' side, after what was forwarded; the server's side ends too, or stays open and silent. */
  cut() {
    this.isOpen = false
    for (const pair of this.#pairs) {
      pair.isSilent = !this.serverNotices
      this.mayRepeat.push(messageWithoutOffset(pair.received))
      pair.client.removeAllListeners('data').resume().end()
      if (pair.isSilent) this.#silent.push(pair.upstream.pause())
      else pair.upstream.destroy()
    }
    this.#onCut()
  }

  whenCut() {
    return new Promise((resolve) => (this.#onCut = resolve))
  }

  open(limit) {
    this.passed = 0
    this.limit = limit
    this.isOpen = true
  }

  close() {
    this.isOpen = false
    this.server.close()
    for (const { client, upstream } of this.#pairs) client.destroy(), upstream.destroy()
    for (const upstream of this.#silent) upstream.destroy()
  }
}

/** The complete text frames in what a WebSocket's client has received. */
function textFrames(bytes) {
  const head = bytes.indexOf('\r\n\r\n')
  const texts = []
  for (let at = bytes.includes('HTTP/1.1 101') && head > 0 ? head + 4 : bytes.length; at + 2 <= bytes.length; ) {
    let [start, length] = [at + 2, bytes[at + 1]]
    if (length === 126) [start, length] = [at + 4, at + 4 <= bytes.length ? bytes.readUInt16BE(at + 2) : Infinity]
    if (start + length > bytes.length) break
    if (bytes[at] === 0x81) texts.push(bytes.toString('utf8', start, start + length))
    at = start + length
  }
  return texts
}

/** The number of the message whose offset was cut off, if the bytes end so. */
function messageWithoutOffset(bytes) {
  const last = textFrames(bytes).at(-1)
  return last?.startsWith('42/chat,["message"') ? JSON.parse(last.slice(last.indexOf('[')))[1].number : undefined
}

const once = (socket, event) => new Promise((resolve) => socket.once(event, resolve))

/** One client that misses messages and is cut at the given byte counts while it catches up. Returns what it received then, in bytes. */
async function trial({ version, transport, limits, room, serverNotices }) {
  const { io } = require(version)
  const options = { transports: transport.split('+'), forceNew: true, reconnectionDelay: 5, reconnectionDelayMax: 10, randomizationFactor: 0, timeout: 1000 }
  const proxy = new CuttingProxy()
  proxy.serverNotices = serverNotices
  const url = await proxy.listen()
  const sender = io(`http://127.0.0.1:${port}/chat`, { ...options, transports: ['websocket'], auth: { name: 'sender', room } })
  const subject = io(url, { ...options, auth: { name: 'subject', room } })
  const heard = []
  let awaited = { number: -1 }
  subject.on('message', ({ number }) => {
    heard.push(number)
    if (number === awaited.number) awaited.resolve()
  })
  const hears = (number) =>
    heard.includes(number) ? undefined : new Promise((resolve) => (awaited = { number, resolve }))
  const sent = []
  const send = async (text) => sent.push(await sender.emitWithAck('send', text))
  try {
    await Promise.all([once(sender, 'welcome'), once(subject, 'welcome')])
    await send('first')
    await hears(sent[0])
    proxy.cut()
    for (let i = 0; i < MESSAGES; i++) await send('x'.repeat((i * 37) % 90))
    const last = sent.at(-1)
    for (const limit of limits) {
      const isCut = proxy.whenCut()
      proxy.open(limit)
      await Promise.race([isCut, hears(last)])
      if (proxy.isOpen) proxy.cut()
    }
    proxy.open(Infinity)
    await send('last')
    await hears(sent.at(-1))
    const withoutRepeats = heard.filter((number, i) => number !== heard[i - 1] || !proxy.mayRepeat.includes(number))
    assert.deepEqual(withoutRepeats, sent, `${version} ${transport} cut at ${limits} (seed ${seed})`)
    return { bytes: proxy.passed, repeated: heard.length - withoutRepeats.length }
  } finally {
    for (const socket of [subject, sender]) socket.close()
    proxy.close()
  }
}

async function withTimeout(arguments_) {
  let timer
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no end: ${JSON.stringify(arguments_)} (seed ${seed})`)), TRIAL_TIMEOUT)
  })
  return Promise.race([trial(arguments_), late]).finally(() => clearTimeout(timer))
}

for (const version of ['client48', 'client47', 'client46']) {
  for (const transport of ['websocket', 'polling', 'polling+websocket']) {
    const random = generator(seed)
    // Without a cut it receives everything in one go: so many bytes there are.
    const { bytes } = await withTimeout({ version, transport, limits: [], room: `${version} ${transport}`, serverNotices: true })
    const points = cuts === 0 ? Array.from({ length: bytes }, (_, i) => i) : Array.from({ length: cuts }, () => random(bytes))
    let repeated = 0
    const work = points.map((point, i) => ({
      version, transport, room: `${version} ${transport} ${i}`, serverNotices: random(2) === 0,
      limits: [point, ...Array.from({ length: random(3) }, () => random(bytes))],
    }))
    await Promise.all(Array.from({ length: CONCURRENT }, async () => {
      for (let next = work.pop(); next; next = work.pop()) repeated += (await withTimeout(next)).repeated
    }))
    console.log(JSON.stringify({ version, transport, bytes, points: points.length, repeated, seed }))
  }
}
process.exit(0)
