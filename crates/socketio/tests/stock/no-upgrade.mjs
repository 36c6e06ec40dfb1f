// Stock clients whose proxy drops the `Upgrade` header: they stay on polling and lose nothing.
// PORT: where examples/stock listens.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import http from 'node:http'
import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)
const port = Number(process.env.PORT ?? 3000)
const WORDS = 200

let dropped = 0
// Without a listener for `upgrade`, node handles such a request like any other. The header is removed.
const proxy = http.createServer((request, response) => {
  const { upgrade, ...headers } = request.headers
  if (upgrade) dropped++
  const upstream = http.request({ port, host: '127.0.0.1', method: request.method, path: request.url, headers: { ...headers, connection: 'keep-alive' } })
  upstream.on('response', (answer) => (response.writeHead(answer.statusCode, answer.headers), answer.pipe(response)))
  upstream.on('error', () => response.destroy())
  response.on('close', () => upstream.destroy())
  request.pipe(upstream)
})
await once(proxy.listen(0, '127.0.0.1'), 'listening')

for (const version of ['client48', 'client40']) {
  const { io } = require(version)
  const url = `http://127.0.0.1:${proxy.address().port}/chat`
  const clients = ['a', 'b'].map((name) => {
    const socket = io(url, { transports: ['polling', 'websocket'], forceNew: true, auth: { name, room: `no upgrade ${version}` } })
    const client = { socket, received: [], disconnects: 0, tried: new Promise((resolve) => socket.io.engine.once('upgradeError', resolve)) }
    socket.on('message', ({ by, text }) => client.received.push([by, text]))
    socket.on('disconnect', () => client.disconnects++)
    return client
  })
  await Promise.all(clients.map(({ socket }) => new Promise((resolve) => socket.once('welcome', resolve))))
  // They send words while the upgrade fails and after it.
  const sendText = (socket, text) => new Promise((resolve) => socket.emit('send', text, resolve))
  const sendWords = async ({ socket, tried }) => {
    for (let word = 0; word < WORDS; word++) {
      await sendText(socket, word)
      if (word === WORDS / 2) await tried
    }
  }
  await Promise.all(clients.map(sendWords))
  await Promise.all(clients.map(({ socket }, i) => sendText(socket, `end of ${i}`)))
  for (const { socket, received, disconnects } of clients) {
    while (received.length < 2 * WORDS + 2) await new Promise((resolve) => socket.once('message', resolve))
    assert.equal(socket.io.engine.transport.name, 'polling')
    assert.equal(disconnects, 0)
    for (const [i, by] of ['a', 'b'].entries()) {
      const words = received.filter((word) => word[0] === by).map((word) => word[1])
      assert.deepEqual(words, [...Array.from({ length: WORDS }, (_, word) => word), `end of ${i}`])
    }
    socket.close()
  }
  console.log(`ok ${version}`)
}
assert.ok(dropped >= 4, 'they tried to upgrade')
process.exit(0)
