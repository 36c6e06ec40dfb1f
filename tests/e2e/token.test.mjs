// Where a socket's token is accepted, and what happens when it expires.

import assert from 'node:assert/strict'
import { scenario } from './scenario.mjs'
import { sign } from './tokens.mjs'
import { eventually } from './waiting.mjs'

scenario("a socket's token is accepted in each of the three places", async ({ customer }) => {
  const jane = customer('Jane')
  const id = await jane.openConversation()
  for (const options of [
    { auth: { token: jane.token } },
    { auth: { token: `Bearer ${jane.token}` } },
    { auth: {}, extraHeaders: { authorization: `Bearer ${jane.token}` } },
    { auth: {}, extraHeaders: { authorization: `Bearer ${jane.token}` }, transports: ['polling'] },
  ]) {
    const phone = await jane.join(id, options)
    phone.close()
  }
})

scenario('a token that expires does not end a live connection, and the next connection is refused', async ({ server, customer }) => {
  const jane = customer('Jane')
  const id = await jane.openConversation()
  // The server tolerates 30 seconds after `exp`; this token has a few of them left.
  const token = sign({ sub: 'jane', role: 'user', exp: Math.floor(Date.now() / 1000) - 24 })
  const phone = await jane.join(id, { auth: { token } })
  const asked = () => fetch(`${server.url}/api/v1/support/conversations`, { headers: { authorization: `Bearer ${token}` } })
  await eventually(async () => (await asked()).status === 401, () => 'the token to expire')

  const late = jane.openSocket({ auth: { token } })
  assert.equal((await late.waitFor('connect_error')).message, 'Unauthorized')
  await jane.send('Still there?', { conversation_id: id })
  await phone.waitFor('new_message', { message: { message: 'Still there?' } })
  assert.equal(phone.all('disconnect').length, 0)
})
