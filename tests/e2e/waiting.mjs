// Waiting for events and conditions. A wait is bounded, and one that times out names what it waited for.

import { setTimeout as pause } from 'node:timers/promises'

/**
 * When a wait gives up and names what it waited for, in milliseconds. No requirement on the server: it is far beyond
 * what a busy machine with a stalling disk needs, so that only what never happens fails a test.
 */
export const PATIENCE = 60_000

/** Polls a condition that no event announces. `what()` names what is waited for. */
export async function eventually(isTrue, what) {
  const deadline = Date.now() + PATIENCE
  while (!(await isTrue())) {
    if (Date.now() > deadline) throw new Error(`waited ${PATIENCE} ms for ${what()}`)
    await pause(20)
  }
}

/** Waits until it is `done()`, which is checked now and at each `event` of the emitter. `what()` names what is waited for. */
export function until(emitter, event, done, what) {
  return new Promise((resolve, reject) => {
    const finish = (settle, value) => {
      clearTimeout(timer)
      emitter.off(event, check)
      settle(value)
    }
    const check = () => {
      if (done()) finish(resolve)
    }
    const timer = setTimeout(() => finish(reject, new Error(`waited ${PATIENCE} ms for ${what()}`)), PATIENCE)
    emitter.on(event, check)
    check()
  })
}
