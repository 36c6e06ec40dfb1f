// Customers and agents: their requests and their sockets. An answer is { status, headers, body, milliseconds }.

import { Client, request } from './clients.mjs'
import { sign } from './tokens.mjs'
import { eventually } from './waiting.mjs'

const AGENTS = '/api/v1/unified-admin/support'

class Person {
  #clients = []

  /** `server` need not run yet: its URL is read when a request is made. */
  constructor(server, role, firstName) {
    this.server = server
    this.sub = firstName.toLowerCase()
    this.email = `${this.sub}@example.com`
    this.name = `${firstName} Doe`
    this.token = sign({ sub: this.sub, role, email: this.email, first_name: firstName, last_name: 'Doe' })
  }

  get(path) {
    return request(this.server.url, this.token, 'GET', path)
  }

  post(path, body, headers) {
    return request(this.server.url, this.token, 'POST', path, { body, headers })
  }

  put(path, body) {
    return request(this.server.url, this.token, 'PUT', path, { body })
  }

  /** A socket that has not connected yet, or is refused. */
  openSocket(options) {
    const client = new Client(this.server.url, this.token, options)
    this.#clients.push(client)
    return client
  }

  /** A connected socket. */
  async connect(options) {
    const client = this.openSocket(options)
    await client.waitFor('connect')
    return client
  }

  /** A connected socket that has joined the conversation. */
  async join(conversationId, options) {
    const client = await this.connect(options)
    await joinConversation(client, conversationId)
    return client
  }

  disconnectAll() {
    for (const client of this.#clients) client.close()
  }
}

export async function joinConversation(client, conversationId) {
  const ack = await client.emitWithAck('join_conversation', { conversation_id: conversationId })
  if (ack.success !== true) throw new Error(`join_conversation was refused: ${JSON.stringify(ack)}`)
}

export class Customer extends Person {
  constructor(server, firstName) {
    super(server, 'user', firstName)
  }

  send(message, { headers, ...fields } = {}) {
    return this.post('/api/v1/support/chat/send', { message, ...fields }, headers)
  }

  /** Sends a first message; returns the new conversation's id. */
  async openConversation(message = 'Hello?') {
    const { status, body } = await this.send(message)
    if (status !== 201) throw new Error(`the first message got ${status} ${JSON.stringify(body)}`)
    return body.data.conversation.id
  }

  /** Creates a ticket without a conversation. */
  async createTicket(fields) {
    const { status, body } = await this.post('/api/v1/support/create-ticket', fields)
    if (status !== 201) throw new Error(`the ticket got ${status} ${JSON.stringify(body)}`)
    return body.data.ticket
  }

  addToTicket(number, message) {
    return this.post('/api/v1/support/ticket/add-message', { ticket_number: number, message })
  }

  list() {
    return this.get('/api/v1/support/conversations')
  }

  read(conversationId) {
    return this.get(`/api/v1/support/conversations/${conversationId}`)
  }

  /** The messages as the database returns them. */
  async history(conversationId) {
    const { status, body } = await this.read(conversationId)
    if (status !== 200) throw new Error(`reading the conversation got ${status} ${JSON.stringify(body)}`)
    return body.data.conversation.messages
  }
}

export class Agent extends Person {
  constructor(server, firstName) {
    super(server, 'admin', firstName)
  }

  #act(conversationId, action, body) {
    return this.post(`${AGENTS}/conversations/${conversationId}/${action}`, body)
  }

  claim(conversationId) {
    return this.#act(conversationId, 'claim')
  }

  reply(conversationId, message) {
    return this.#act(conversationId, 'reply', { message })
  }

  note(conversationId, message) {
    return this.#act(conversationId, 'reply', { message, is_internal: true })
  }

  closeConversation(conversationId) {
    return this.#act(conversationId, 'close')
  }

  reopen(conversationId) {
    return this.#act(conversationId, 'reopen')
  }

  /**
   * Asks a colleague to take the conversation over; returns the handover's id. Retries while the directory does not list
   * the colleague: it is written after they connect.
   */
  async requestHandover(conversationId, colleague, reason) {
    let answer
    const ask = async () => (answer = await this.#act(conversationId, 'handover', { to_admin_id: colleague.sub, reason }))
    await eventually(async () => (await ask()).body.message !== 'Target admin not found', () => `${colleague.sub} to be known`)
    if (answer.status !== 201) throw new Error(`the handover got ${answer.status} ${JSON.stringify(answer.body)}`)
    return answer.body.data.handover_id
  }

  respond(handoverId, status) {
    return this.post(`${AGENTS}/handovers/${handoverId}/respond`, { status })
  }

  /** Creates a ticket of a conversation: `{ id, ticket_number, … }`. */
  async createTicket(conversationId, fields) {
    const { status, body } = await this.#act(conversationId, 'create-ticket', fields)
    if (status !== 201) throw new Error(`the ticket got ${status} ${JSON.stringify(body)}`)
    return body.data.ticket
  }

  replyInTicket(ticketId, message, is_internal = false) {
    return this.post(`${AGENTS}/${ticketId}/reply`, { message, is_internal })
  }

  /** `status`, `assign` or `priority`. */
  changeTicket(ticketId, what, fields) {
    return this.put(`${AGENTS}/${ticketId}/${what}`, fields)
  }
}
