// What a socket hears, to the last key: these events and no others.

import assert from 'node:assert/strict'
import { eventually } from './waiting.mjs'

const looked = new WeakMap()

/** What it has heard since it was last looked at, but for its own connecting and for who is there. */
function news(client) {
  return client.heard
    .slice(looked.get(client) ?? 0)
    .filter(({ event }) => event !== 'connect' && event !== 'agent_presence')
    .map(({ event, payload }) => [event, payload])
}

const sorted = (value) =>
  value !== null && typeof value === 'object' && !Array.isArray(value)
    ? Object.fromEntries(Object.keys(value).sort().map((key) => [key, sorted(value[key])]))
    : value

const inOrder = (events) =>
  events
    .map(([event, payload]) => [event, sorted(payload)])
    .sort((one, other) => (JSON.stringify(one) < JSON.stringify(other) ? -1 : 1))

/**
 * Each client, by its name, must have heard exactly these events `[event, payload]` since it was last looked at, in
 * whatever order, each payload with exactly these keys.
 */
export async function hear(clients, expected) {
  assert.deepEqual(Object.keys(clients).sort(), Object.keys(expected).sort(), 'everybody is looked at')
  // First those who are to hear something: when they have, what the others hear is on its way in front of their ack.
  for (const [name, events] of Object.entries(expected)) {
    const isThere = async () => {
      await clients[name].caughtUp()
      return news(clients[name]).length >= events.length
    }
    const missing = () => `${name} to hear ${JSON.stringify(events)}; it heard ${JSON.stringify(news(clients[name]))}`
    await eventually(isThere, missing)
  }
  for (const [name, events] of Object.entries(expected)) {
    const client = clients[name]
    await client.caughtUp()
    const heard = news(client)
    looked.set(client, client.heard.length)
    assert.deepEqual(inOrder(heard), inOrder(events), name)
  }
}

/** What was heard so far is not looked at any more. */
export async function forget(clients) {
  for (const client of Object.values(clients)) {
    await client.caughtUp()
    looked.set(client, client.heard.length)
  }
}
