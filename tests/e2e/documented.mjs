// The events on `/support` and `/help-center` in the AsyncAPI document. Every event and every ack that an end-to-end test
// receives is validated against it: the server may emit nothing that is not documented.

import { readFileSync } from 'node:fs'
import Ajv2020 from 'ajv/dist/2020.js'

const document = JSON.parse(readFileSync(new URL('../../docs/asyncapi.json', import.meta.url), 'utf8'))
const messages = Object.assign({}, ...Object.values(document.channels).map((channel) => channel.messages))

/** The events of a namespace that the server emits, and those that clients may. */
export const serverEvents = (namespace) => named(namespace, 'on.')
export const clientEvents = (namespace) => named(namespace, 'emit.')

function named(namespace, prefix) {
  const channel = Object.values(document.channels).find(({ address }) => address === namespace)
  return Object.entries(channel.messages).filter(([key]) => key.startsWith(prefix)).map(([, { name }]) => name)
}

// A key of the document has no colon.
const keyOf = (prefix, event) => `${prefix}.${event.replace(':', '.')}`

const ajv = new Ajv2020({ strict: false, allErrors: true, validateFormats: false })
const validators = new Map()

function complaints(key, payload) {
  const message = messages[key]
  if (!message) return [`the document has no ${key}`]
  if (!validators.has(key)) validators.set(key, ajv.compile({ allOf: [message.payload], components: document.components }))
  const validate = validators.get(key)
  return validate(payload) ? [] : validate.errors.map(({ instancePath, message, params }) => `${instancePath} ${message} ${JSON.stringify(params)}`)
}

function check(key, payload, what) {
  const found = complaints(key, payload)
  if (found.length) throw new Error(`${what} ${JSON.stringify(payload)} does not match docs/asyncapi.json:\n${found.join('\n')}`)
}

/** Handlers get the payload and nothing else. */
export function checkEvent(event, payloads) {
  if (payloads.length !== 1) throw new Error(`${event} has ${payloads.length} arguments`)
  check(keyOf('on', event), payloads[0], event)
}

/** Events that the document lacks, which some tests send, may have any ack. */
export function checkAck(event, ack) {
  if (!(keyOf('emit', event) in messages)) return
  const key = keyOf('ack', event)
  check(key in messages ? key : 'ack', ack, `the ack of ${event}`)
}
