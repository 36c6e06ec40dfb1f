// A scenario is a test with a server of its own on an empty database, and people who talk through it.

import { test } from 'node:test'
import { databases } from './databases.mjs'
import { Agent, Customer } from './people.mjs'
import { Server } from './server.mjs'

/**
 * Runs `act({ server, database, customer, agent })` once for each kind of database. Whatever it opened is closed, and
 * the server must leave in good order; what the server printed is shown if anything failed.
 */
export function scenario(sentence, act, { on = ['sqlite', 'postgres'], settings } = {}) {
  for (const kind of on) {
    test(`${sentence} (${kind})`, async () => {
      const database = await databases[kind]()
      const server = new Server(database.url, settings)
      const people = []
      const enter = (Kind) => (firstName) => {
        const person = new Kind(server, firstName)
        people.push(person)
        return person
      }
      try {
        await server.start()
        await act({ server, database, customer: enter(Customer), agent: enter(Agent) })
        people.forEach((person) => person.goHome())
        await server.stop()
      } catch (error) {
        console.error(`--- what the server printed in "${sentence} (${kind})"\n${server.output.slice(-20_000)}---`)
        throw error
      } finally {
        people.forEach((person) => person.goHome())
        await server.kill()
        await database.discard()
      }
    })
  }
}
