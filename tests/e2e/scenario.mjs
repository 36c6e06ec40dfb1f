// A scenario is a test with its own server on an empty database, and people who use it.

import { test } from 'node:test'
import { databases } from './databases.mjs'
import { HelpCenterUser } from './help-center.mjs'
import { Agent, Customer } from './people.mjs'
import { Server } from './server.mjs'

/**
 * Runs `act({ server, database, customer, helpCenterUser, agent, anotherServer })` once for each kind of database. Closes
 * what it opened, and requires that the servers exit with 0. If it fails, the output of the servers is printed.
 *
 * `customer(name)`, `helpCenterUser(name)` and `agent(name)` use the first server, `customer(name, other)` another one on
 * the same database, which `anotherServer()` starts.
 */
export function scenario(sentence, act, { on = ['sqlite', 'postgres'], settings } = {}) {
  for (const kind of on) {
    test(`${sentence} (${kind})`, async () => {
      const database = await databases[kind]()
      const servers = []
      const people = []
      const startServer = async () => {
        const server = new Server(database.url, settings)
        servers.push(server)
        await server.start()
        return server
      }
      const enter = (Kind) => (firstName, server = servers[0]) => {
        const person = new Kind(server, firstName)
        people.push(person)
        return person
      }
      try {
        const server = await startServer()
        await act({ server, database, customer: enter(Customer), helpCenterUser: enter(HelpCenterUser), agent: enter(Agent), anotherServer: startServer })
        people.forEach((person) => person.disconnectAll())
        for (const server of servers) await server.stop()
      } catch (error) {
        for (const [index, { output }] of servers.entries()) {
          console.error(`--- what server ${index + 1} printed in "${sentence} (${kind})"\n${output.slice(-20_000)}---`)
        }
        throw error
      } finally {
        people.forEach((person) => person.disconnectAll())
        for (const server of servers) await server.kill()
        await database.discard()
      }
    })
  }
}
