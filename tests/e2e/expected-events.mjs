// What several sockets receive, to the last key: these events and no others.

import assert from 'node:assert/strict'

/** How much of what a client has received was compared or skipped. */
const compared = new WeakMap()

/** Of no interest to shipped apps, and at most one a second: `list-updates.test.mjs` is about these. */
const listUpdates = new Set(['inbox_updated', 'queue_updated'])

/** What a client has received since, except its own connection, presence, lists, and what the fence caused. */
function newEvents(client, fence) {
  return client.received
    .slice(compared.get(client) ?? 0)
    .filter(({ event }) => event !== 'connect' && event !== 'agent_presence' && !listUpdates.has(event))
    .filter((received) => !fence?.owns(received))
    .map(({ event, payload }) => [event, payload])
}

const sortedKeys = (value) =>
  value !== null && typeof value === 'object' && !Array.isArray(value)
    ? Object.fromEntries(Object.keys(value).sort().map((key) => [key, sortedKeys(value[key])]))
    : value

const inOrder = (events) =>
  events
    .map(([event, payload]) => [event, sortedKeys(payload)])
    .sort((one, other) => (JSON.stringify(one) < JSON.stringify(other) ? -1 : 1))

/**
 * Each client, by its name, must have received exactly these events `[event, payload]` since it was last compared, in
 * whatever order, each payload with exactly these keys.
 *
 * Waits for the expected events first, for a message that names what is missing; then passes the fence, so that an
 * event that should not be there has arrived as well. Without a fence the caller must have established that order.
 */
export async function expectEvents(clients, expected, fence) {
  assert.deepEqual(Object.keys(clients).sort(), Object.keys(expected).sort(), 'every client has its expectation')
  for (const [name, events] of Object.entries(expected)) {
    const missing = () => `${name} to receive ${JSON.stringify(events)}; it received ${JSON.stringify(newEvents(clients[name], fence))}`
    await clients[name].waitUntil(() => newEvents(clients[name], fence).length >= events.length, missing)
  }
  await fence?.pass()
  for (const [name, events] of Object.entries(expected)) {
    const client = clients[name]
    await client.roundTrip()
    const received = newEvents(client, fence)
    compared.set(client, client.received.length)
    assert.deepEqual(inOrder(received), inOrder(events), name)
  }
}

/** What was caused so far is not compared. */
export async function skipEvents(clients, fence) {
  await fence?.pass()
  for (const client of Object.values(clients)) {
    await client.roundTrip()
    compared.set(client, client.received.length)
  }
}
