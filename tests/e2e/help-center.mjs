// The help center's app: a socket of the stock client on `/help-center`, and its REST fallback.

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
    await this.ask('help_center:typing', {})
  }

  /** Sends, and gives what the ack says. */
  send(text, fields = {}) {
    return this.ask('help_center:send', { text, ...fields })
  }

  /** What was heard of messages, in order. */
  get messages() {
    return this.all('help_center:message')
  }
}

export class Visitor extends Customer {
  #clients = []

  /** A socket that is still to be greeted, or refused. */
  calls(options, token = this.token) {
    const client = new HelpCenterClient(this.server.url, token, options)
    this.#clients.push(client)
    return client
  }

  /** A socket that was greeted. */
  async enters(options) {
    const client = this.calls(options)
    await client.hears('help_center:connected')
    return client
  }

  /** Over REST. */
  writes(text, fields = {}) {
    return this.post(MESSAGES, { text, ...fields })
  }

  thread(query = '') {
    return this.get(MESSAGES + query)
  }

  goHome() {
    super.goHome()
    for (const client of this.#clients) client.close()
  }
}

/** Each message as who wrote what. */
export const said = (messages) => messages.map(({ sender, text }) => `${sender}: ${text}`)

export const seqs = (messages) => messages.map(({ seq }) => seq)
