// help-center.md, section by section, with its stock client over WebSocket and polling; and what decisions.md adds.

import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { io } from 'socket.io-client'
import { MESSAGES, VIA, transcript, seqs } from './help-center.mjs'
import { scenario } from './scenario.mjs'
import { sign } from './tokens.mjs'
import { eventually } from './waiting.mjs'

// The one that the stock client has: Node has none of its own before version 22.
const { WebSocket } = createRequire(createRequire(import.meta.url).resolve('engine.io-client'))('ws')

const AUTO_REPLY = 'Thanks for your message! Our team has received it and will answer here as soon as possible.'
const NEVER = { SWITCHBOARD__HELP_CENTER__AUTO_REPLY__POLICY: 'never' }
const TIMESTAMP = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/
const ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** The example of section 8, verbatim. */
const SECTION_8 = `
const token = await getStoredToken();
const socket = io(\`\${API_BASE}/help-center\`, { auth: { token } });

socket.on('help_center:connected', (data: HelpCenterConnectedPayload) => {
  setConversation(data.conversation);
  setMessages(data.messages);
});

socket.on('help_center:message', (msg: HelpCenterMessagePayload) => {
  appendMessage(msg);
});

socket.on('help_center:error', (err: HelpCenterErrorPayload) => {
  showError(err.message);
  if (err.code === 'UNAUTHORIZED') navigateToLogin();
});

function sendMessage(text: string) {
  socket.emit('help_center:send', { text }, (res: any) => {
    if (res?.error) showError(res.error.message);
  });
}
`

/** Runs it for an app with these screens; gives what the rest of the app would use. */
function runSection8(app) {
  const types = /: (HelpCenter\w+Payload|string|any)\)/g
  const script = SECTION_8.replace(types, ')') + '\nreturn { socket, sendMessage }'
  const AsyncFunction = (async () => {}).constructor
  return new AsyncFunction(...Object.keys(app), script)(...Object.values(app))
}

scenario('section 8: the example runs as written', async ({ server, helpCenterUser, agent }) => {
  const john = helpCenterUser('John')
  const screen = { conversation: null, messages: null, errors: [], login: 0 }
  const app = (token) => ({
    io,
    API_BASE: server.url,
    getStoredToken: async () => token,
    setConversation: (conversation) => (screen.conversation = conversation),
    setMessages: (messages) => (screen.messages = messages),
    appendMessage: (message) => screen.messages.push(message),
    showError: (message) => screen.errors.push(message),
    navigateToLogin: () => screen.login++,
  })
  const shows = (...lines) =>
    eventually(() => screen.messages && transcript(screen.messages).join() === lines.join(), () => `${lines}, there is ${JSON.stringify(screen)}`)

  const { socket, sendMessage } = await runSection8(app(john.token))
  await shows()
  assert.deepEqual([screen.conversation.userId, screen.conversation.status], ['john', 'open'])
  sendMessage('  Where are my outfits?  ')
  await shows('user: Where are my outfits?', `support: ${AUTO_REPLY}`)
  await agent('Sarah').reply(screen.conversation.id, 'In the wardrobe')
  await shows('user: Where are my outfits?', `support: ${AUTO_REPLY}`, 'support: In the wardrobe')
  sendMessage(' ')
  await eventually(() => screen.errors.length === 1, () => 'an error')
  assert.deepEqual([screen.errors, screen.login], [['text must not be empty'], 0])
  socket.close()

  const refused = await runSection8(app('expired'))
  await eventually(() => screen.login === 1, () => 'the way to the login')
  assert.equal(screen.errors[1], 'Unauthorized')
  await eventually(() => !refused.socket.connected, () => 'being disconnected')
  refused.socket.close()
})

for (const [transport, options] of Object.entries(VIA)) {
  scenario(`2.2: a token is accepted in auth, with or without Bearer, or as a header (${transport})`, async ({ helpCenterUser }) => {
    const john = helpCenterUser('John')
    const bare = await john.connectHelpCenter(options)
    const bearer = john.openHelpCenter(options, `Bearer ${john.token}`)
    const extraHeaders = { Authorization: `Bearer ${john.token}` }
    const header = john.openHelpCenter({ ...options, auth: {}, extraHeaders })
    const [{ conversation }] = bare.all('help_center:connected')
    for (const client of [bearer, header]) {
      assert.deepEqual(await client.waitFor('help_center:connected'), { conversation, messages: [], hasMore: false })
    }
  })

  scenario(`2.2: a bad token gets one help_center:error and is disconnected (${transport})`, async ({ helpCenterUser }) => {
    const john = helpCenterUser('John')
    const expired = sign({ sub: 'john', exp: 1_000_000_000 })
    const foreign = sign({ sub: 'john' }, 'the secret of another server, and long enough')
    for (const token of [null, '', 'Bearer', 'nonsense', expired, foreign]) {
      const client = john.openHelpCenter(options, token)
      client.socket.on('connect', () => client.emit('help_center:send', { text: 'let me in' }))
      await client.waitFor('disconnect')
      assert.deepEqual(client.received, [
        { event: 'connect', payload: undefined },
        { event: 'help_center:error', payload: { code: 'UNAUTHORIZED', message: 'Unauthorized' } },
        { event: 'disconnect', payload: 'io server disconnect' },
      ])
    }
    assert.deepEqual((await john.thread()).body.messages, [])
  })

  scenario(`2.2: the connection of a bad token is closed at once (${transport})`, async ({ server, helpCenterUser }) => {
    const opened = performance.now()
    if (transport === 'websocket') {
      const socket = new WebSocket(`${server.url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`)
      const received = []
      await new Promise((resolve, reject) => {
        socket.onerror = reject
        socket.onclose = resolve
        socket.onmessage = ({ data }) => {
          received.push(data)
          if (data.startsWith('0')) socket.send('40/help-center,{"token":"nonsense"}')
        }
      })
      assert.match(received.join('\n'), /^0.*\n40\/help-center,.*\n42\/help-center,\["help_center:error".*\n42\/help-center,\["offset",.*\n41\/help-center,?$/)
    } else {
      const url = `${server.url}/socket.io/?EIO=4&transport=polling`
      const { sid } = JSON.parse((await (await fetch(url)).text()).slice(1))
      await fetch(`${url}&sid=${sid}`, { method: 'POST', body: '40/help-center,{"token":"nonsense"}' })
      let packets = ''
      while (!packets.endsWith('\x1e1')) packets += `\x1e${await (await fetch(`${url}&sid=${sid}`)).text()}`
      assert.match(packets, /42\/help-center,\["help_center:error".*\x1e41\/help-center,?\x1e1$/)
    }
    assert(performance.now() - opened < 40_000, 'before the time within which a namespace must be joined')
    await helpCenterUser('John').connectHelpCenter(options)
  })

  scenario(`3 and 4: events have the documented shapes (${transport})`, async ({ helpCenterUser }) => {
    const john = helpCenterUser('John')
    const phone = await john.connectHelpCenter(options)
    const [greeting] = phone.all('help_center:connected')
    assert.deepEqual(Object.keys(greeting), ['conversation', 'messages', 'hasMore'])
    assert.deepEqual(Object.keys(greeting.conversation), ['id', 'userId', 'status', 'createdAt', 'updatedAt'])
    assert.match(greeting.conversation.id, ID)
    assert.match(greeting.conversation.createdAt, TIMESTAMP)
    assert.match(greeting.conversation.updatedAt, TIMESTAMP)

    const ack = await phone.send(' Hello\n')
    assert.deepEqual(Object.keys(ack), ['message'])
    await phone.waitFor('help_center:message', {}, 2)
    const [message, reply] = phone.messages
    assert.deepEqual(ack.message, message)
    for (const one of [message, reply]) {
      assert.deepEqual(Object.keys(one), ['id', 'conversationId', 'sender', 'text', 'createdAt', 'seq'])
      assert.match(one.id, ID)
      assert.match(one.createdAt, TIMESTAMP)
      assert.equal(one.conversationId, greeting.conversation.id)
    }
    assert.deepEqual(transcript([message, reply]), ['user: Hello', `support: ${AUTO_REPLY}`])

    // 7: the same over REST, and for a client that connects later.
    const thread = (await john.thread()).body
    assert.deepEqual(thread.messages, [message, reply])
    const tablet = await john.connectHelpCenter(options)
    assert.deepEqual(tablet.all('help_center:connected'), [thread])
  })

  scenario(`4.5 and 4.6: an invalid payload is refused with details, in the ack or as an event (${transport})`, async ({ helpCenterUser }) => {
    const phone = await helpCenterUser('John').connectHelpCenter(options)
    const refusals = [
      [{ text: '' }, { text: 'text must not be empty' }],
      [{ text: ' \n ' }, { text: 'text must not be empty' }],
      [{ text: 'x'.repeat(2001) }, { text: 'text must be at most 2000 characters' }],
      [{ text: 5 }, { text: 'text has the wrong type' }],
      [{}, { text: 'text must not be empty' }],
      [null, { text: 'text must not be empty' }],
      [['Hello'], { text: 'text must not be empty' }],
      [{ text: 'Hello', clientMessageId: 'x'.repeat(65) }, { clientMessageId: 'clientMessageId must be at most 64 characters' }],
      [{ text: '', clientMessageId: '' }, { text: 'text must not be empty', clientMessageId: 'clientMessageId must not be empty' }],
    ]
    for (const [payload, details] of refusals) {
      const error = { code: 'VALIDATION_ERROR', message: Object.values(details)[0], details }
      assert.deepEqual(await phone.emitWithAck('help_center:send', payload), { error }, JSON.stringify(payload))
    }
    assert.equal(phone.all('help_center:error').length, 0, 'who waits for an ack gets no event')

    phone.emit('help_center:send', { text: '' })
    const details = { text: 'text must not be empty' }
    const error = { code: 'VALIDATION_ERROR', message: details.text, details }
    assert.deepEqual(await phone.waitFor('help_center:error'), error)
    phone.emit('help_center:typing', { isTyping: 'yes' })
    assert.equal((await phone.waitFor('help_center:error', {}, 2)).details.isTyping, 'isTyping must be true or false')

    const texts = ['👋'.repeat(2000), 'x'.repeat(2000), '?']
    for (const text of texts) {
      assert.equal((await phone.send(` ${text} `)).message.text, text)
    }
    await phone.waitFor('help_center:message', {}, 2 * texts.length)
    assert.deepEqual(transcript(phone.messages), texts.flatMap((text) => [`user: ${text}`, `support: ${AUTO_REPLY}`]))
    assert.equal(phone.all('help_center:error').length, 2)
  })

  scenario(`5: all devices of one user receive the same messages in the same order (${transport})`, async ({ helpCenterUser }) => {
    const john = helpCenterUser('John')
    const devices = [await john.connectHelpCenter(options), await john.connectHelpCenter(VIA.websocket), await john.connectHelpCenter(VIA.polling)]
    const stranger = await helpCenterUser('Mallory').connectHelpCenter(options)
    const sends = devices.flatMap((device, one) => [0, 1, 2].map((round) => device.send(`${one} ${round}`)))
    await Promise.all([...sends, john.sendOverRest('over REST'), devices[0].emit('help_center:send', { text: 'no ack' })])
    for (const device of devices) {
      await device.waitFor('help_center:message', {}, 22)
      assert.deepEqual(device.messages, devices[0].messages)
      assert.deepEqual(seqs(device.messages), Array.from({ length: 22 }, (_, index) => index + 1))
    }
    assert.deepEqual((await john.thread()).body.messages, devices[0].messages)
    // Heard after everything before it was queued for everyone who gets it.
    await john.sendOverRest('the last one')
    await devices[0].waitFor('help_center:message', { text: 'the last one' })
    await stranger.roundTrip()
    assert.equal(stranger.messages.length, 0)
  })

  scenario(`6: every connection is greeted, a recovered one too (${transport})`, async ({ helpCenterUser, agent }) => {
    const john = helpCenterUser('John')
    const phone = await john.connectHelpCenter(options)
    const [{ conversation }] = phone.all('help_center:connected')
    await phone.send('Hello')
    await phone.waitFor('help_center:message', {}, 2)
    phone.socket.io.engine.close() // as a phone that loses its network
    await phone.waitFor('disconnect')
    await agent('Sarah').reply(conversation.id, 'While you were away')
    phone.socket.connect()
    const greeting = await phone.waitFor('help_center:connected', {}, 2)
    assert.deepEqual(transcript(greeting.messages), ['user: Hello', `support: ${AUTO_REPLY}`, 'support: While you were away'])
    assert.equal(phone.socket.recovered, true)
    await agent('Sarah').reply(conversation.id, 'Welcome back')
    const reply = await phone.waitFor('help_center:message', { text: 'Welcome back' })
    assert.equal(phone.all('help_center:connected').length, 2)
    // By hand, as after an app was closed.
    phone.socket.disconnect().connect()
    assert.deepEqual((await phone.waitFor('help_center:connected', {}, 3)).messages, [...greeting.messages, reply])
    const texts = ['Still here', 'And here']
    for (const text of texts) await phone.send(text)
    await phone.waitFor('help_center:message', { text: 'And here' })
    assert.deepEqual(phone.messages.slice(-2).map(({ text }) => text), texts)
  })
}

scenario('a first connection from several devices at the same instant makes one conversation, on any server', async ({ helpCenterUser, anotherServer }) => {
  const there = await anotherServer()
  const people = [helpCenterUser('John'), helpCenterUser('John', there)]
  const clients = people.flatMap((john) => [...Array(5)].flatMap(() => [john.openHelpCenter(VIA.websocket), john.openHelpCenter(VIA.polling)]))
  const calls = people.map((john) => john.thread())
  const greetings = await Promise.all(clients.map((client) => client.waitFor('help_center:connected')))
  const ids = [...greetings, ...(await Promise.all(calls)).map(({ body }) => body)].map(({ conversation }) => conversation.id)
  assert.equal(new Set(ids).size, 1)
})

scenario('a client that connects under load is greeted first, misses no message and receives none twice', async ({ helpCenterUser }) => {
  const john = helpCenterUser('John')
  const phone = await john.connectHelpCenter()
  const storm = (async () => {
    for (let round = 0; round < 20; round++) await Promise.all([0, 1, 2, 3, 4].map((one) => phone.send(`${round} ${one}`)))
  })()
  const late = []
  for (let round = 0; round < 15; round++) late.push(await john.connectHelpCenter(round % 2 ? VIA.polling : VIA.websocket))
  await storm
  const { message } = await phone.send('the last one')
  for (const client of late) {
    await client.waitFor('help_center:message', { seq: message.seq })
    const events = client.received.map(({ event }) => event).filter((event) => event.startsWith('help_center:'))
    assert.equal(events[0], 'help_center:connected')
    const [{ messages }] = client.all('help_center:connected')
    const received = seqs([...messages, ...client.messages]).slice(0, seqs([...messages, ...client.messages]).indexOf(message.seq) + 1)
    assert.deepEqual(received, Array.from({ length: message.seq - received[0] + 1 }, (_, index) => received[0] + index))
    assert(received[0] === 1 || messages.length === 200)
  }
})

scenario('the greeting has the newest 200 messages, and hasMore if there are earlier ones', async ({ helpCenterUser }) => {
  const john = helpCenterUser('John')
  const phone = await john.connectHelpCenter()
  for (let round = 0; round < 41; round++) await Promise.all([1, 2, 3, 4, 5].map((one) => phone.send(`${round * 5 + one}`)))
  const tablet = await john.connectHelpCenter()
  const [{ messages, hasMore }] = tablet.all('help_center:connected')
  assert.deepEqual([messages.length, hasMore, messages.at(-1).seq], [200, true, 205])
  const rest = await john.thread(`?before=${messages[0].id}`)
  assert.deepEqual([seqs(rest.body.messages), rest.body.hasMore], [[1, 2, 3, 4, 5], false])
}, { settings: NEVER })

scenario('the greeting of a thread of long messages has as many as fit, and the socket stays connected', async ({ helpCenterUser }) => {
  const john = helpCenterUser('John')
  const phone = await john.connectHelpCenter()
  for (let round = 0; round < 40; round++) await phone.send('👋'.repeat(2000))
  for (const options of Object.values(VIA)) {
    const client = await john.connectHelpCenter(options)
    const [{ messages, hasMore }] = client.all('help_center:connected')
    assert(messages.length > 5 && messages.length < 40 && hasMore, `${messages.length}`)
    assert.equal(messages.at(-1).seq, 40)
    await client.roundTrip()
  }
}, { settings: NEVER })

scenario('a send with a clientMessageId happens once and its ack is the same each time', async ({ helpCenterUser, anotherServer }) => {
  const john = helpCenterUser('John')
  const elsewhere = helpCenterUser('John', await anotherServer())
  const devices = [await john.connectHelpCenter(VIA.websocket), await john.connectHelpCenter(VIA.polling), await elsewhere.connectHelpCenter()]
  const acks = await Promise.all(devices.flatMap((device) => [1, 2, 3].map(() => device.send('Hello', { clientMessageId: 'one' }))))
  for (const ack of acks) assert.deepEqual(ack, acks[0])
  assert.equal((await john.sendOverRest('Hello', { clientMessageId: 'one' })).status, 201)
  assert.deepEqual(transcript((await john.thread()).body.messages), ['user: Hello', `support: ${AUTO_REPLY}`])
  const error = { code: 'CONFLICT', message: 'client_message_id was already used for another message' }
  assert.deepEqual(await devices[0].send('Bye', { clientMessageId: 'one' }), { error })
})

for (const [policy, replies] of [['unassigned', 10], ['first', 1], ['never', 0]]) {
  scenario(`ten sends at once are followed by as many auto-replies as "${policy}" requires`, async ({ helpCenterUser }) => {
    const john = helpCenterUser('John')
    const devices = [await john.connectHelpCenter(VIA.websocket), await john.connectHelpCenter(VIA.polling)]
    await Promise.all([...Array(10).keys()].map((one) => (one % 3 ? devices[one % 2].send(`${one}`) : john.sendOverRest(`${one}`))))
    const { messages } = (await john.thread()).body
    assert.equal(messages.filter(({ text }) => text === 'Soon!').length, replies)
    assert.equal(messages.length, 10 + replies)
    assert.deepEqual(seqs(messages), messages.map((_, index) => index + 1))
    for (const device of devices) {
      await device.waitFor('help_center:message', {}, messages.length)
      assert.deepEqual(device.messages, messages)
    }
  }, {
    settings: {
      SWITCHBOARD__HELP_CENTER__AUTO_REPLY__POLICY: policy,
      SWITCHBOARD__HELP_CENTER__AUTO_REPLY__TEXT: 'Soon!',
    },
  })
}

scenario('sends beyond the limit get RATE_LIMITED, in the ack or as an event', async ({ helpCenterUser }) => {
  const john = helpCenterUser('John')
  const phone = await john.connectHelpCenter()
  const acks = await Promise.all([...Array(10).keys()].map((one) => phone.send(`${one}`)))
  const refused = acks.filter((ack) => ack.error)
  assert(refused.length > 0 && refused.length < 10)
  for (const { error } of refused) assert.deepEqual([error.code, typeof error.message], ['RATE_LIMITED', 'string'])
  for (let one = 0; one < 10; one++) phone.emit('help_center:send', { text: 'and again' })
  await phone.waitFor('help_center:error', { code: 'RATE_LIMITED' })
  // REST counts with it.
  const answers = await Promise.all([...Array(5)].map(() => john.sendOverRest('over REST')))
  assert(answers.some(({ status }) => status === 429))
}, {
  settings: {
    SWITCHBOARD__LIMITS__ENABLED: 'true',
    SWITCHBOARD__LIMITS__SENDS_PER_SECOND: '1',
    SWITCHBOARD__LIMITS__SENDS_BURST: '3',
  },
})

scenario('without a database no client gets UNAUTHORIZED, and a new one is greeted when it is back', async ({ database, helpCenterUser }) => {
  const john = helpCenterUser('John')
  const phone = await john.connectHelpCenter()
  await phone.send('Hello')
  await database.pause()
  const failed = await phone.send('And?')
  assert.deepEqual([failed.error.code, failed.error.details], ['UNAVAILABLE', undefined])
  const tablet = john.openHelpCenter({ reconnection: true, reconnectionDelay: 20, reconnectionDelayMax: 100 })
  await eventually(() => tablet.socket.io.engine?.id, () => 'a connection')
  await database.resume()
  const { messages } = await tablet.waitFor('help_center:connected')
  assert.equal(messages[0].text, 'Hello')
  for (const client of [phone, tablet]) assert.equal(client.all('help_center:error').length, 0)
}, {
  on: ['a PostgreSQL of its own'],
  settings: { SWITCHBOARD__DATABASE__TIMEOUT_MS: '500', SWITCHBOARD__SERVER__REQUEST_TIMEOUT_MS: '2000' },
})

scenario('the REST endpoint validates its query', async ({ helpCenterUser }) => {
  const john = helpCenterUser('John')
  const answer = await john.get(`${MESSAGES}?limit=x`)
  assert.deepEqual([answer.status, answer.body.code, answer.body.details[0].field], [400, 'VALIDATION_ERROR', 'limit'])
})
