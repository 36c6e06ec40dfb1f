// A user of the help center: sockets of the stock client on `/help-center`, and its REST endpoint.

import { Client } from './clients.mjs'
import { Customer } from './people.mjs'

export const MESSAGES = '/api/help-center/messages'
export const VIA = { websocket: { transports: ['websocket'] }, polling: { transports: ['polling'] } }

/** A socket on `/help-center`. */
export class HelpCenterClient extends Client {
  constructor(url, token, options) {
    super(url, token, options, '/help-center')
  }

  async roundTrip() {
    await this.emitWithAck('help_center:typing', {})
  }

  /** Sends a message; returns the ack. */
  send(text, fields = {}) {
    return this.emitWithAck('help_center:send', { text, ...fields })
  }

  /** The messages received, in order. */
  get messages() {
    return this.all('help_center:message')
  }
}

export class HelpCenterUser extends Customer {
  #clients = []

  /** A socket that is not greeted yet, or is refused. */
  openHelpCenter(options, token = this.token) {
    const client = new HelpCenterClient(this.server.url, token, options)
    this.#clients.push(client)
    return client
  }

  /** A socket that has been greeted. */
  async connectHelpCenter(options) {
    const client = this.openHelpCenter(options)
    await client.waitFor('help_center:connected')
    return client
  }

  /** Over REST. */
  sendOverRest(text, fields = {}) {
    return this.post(MESSAGES, { text, ...fields })
  }

  thread(query = '') {
    return this.get(MESSAGES + query)
  }

  disconnectAll() {
    super.disconnectAll()
    for (const client of this.#clients) client.close()
  }
}

/** Each message as `sender: text`. */
export const transcript = (messages) => messages.map(({ sender, text }) => `${sender}: ${text}`)

export const seqs = (messages) => messages.map(({ seq }) => seq)
