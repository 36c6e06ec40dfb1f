// What the AsyncAPI document says of the events on `/support`. Every event that any end-to-end test hears, and every ack, is
// held against it: the server may emit nothing that the document lacks.

import { readFileSync } from 'node:fs'
import Ajv2020 from 'ajv/dist/2020.js'

const document = JSON.parse(readFileSync(new URL('../../docs/asyncapi.json', import.meta.url), 'utf8'))
const { messages } = document.channels.support

/** The events that the server emits, and those that clients may. */
export const emitted = named('on.')
export const received = named('emit.')

function named(prefix) {
  return Object.keys(messages).filter((key) => key.startsWith(prefix)).map((key) => key.slice(prefix.length))
}

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
  if (found.length) throw new Error(`${what} ${JSON.stringify(payload)} is not as docs/asyncapi.json says:\n${found.join('\n')}`)
}

export function checkEvent(event, payloads) {
  if (payloads.length !== 1) throw new Error(`${event} came with ${payloads.length} arguments`)
  check(`on.${event}`, payloads[0], event)
}

export function checkAck(event, ack) {
  const key = `ack.${event}` in messages ? `ack.${event}` : 'ack'
  check(key, ack, `the ack of ${event}`)
}
