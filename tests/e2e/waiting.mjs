// Waiting for what must come: bounded, and a wait that runs out says what it was for. Nothing here just lets time pass.

import { setTimeout as pause } from 'node:timers/promises'

/**
 * When a wait gives up and names what it waited for, in milliseconds. No requirement on the server: it is far beyond
 * what a busy machine with a stalling disk needs, so that only what never happens fails a test.
 */
export const PATIENCE = 60_000

/** For what nobody announces: looks whether it is so, again and again. `what()` tells what it waited for. */
export async function eventually(isSo, what) {
  const deadline = Date.now() + PATIENCE
  while (!(await isSo())) {
    if (Date.now() > deadline) throw new Error(`waited ${PATIENCE} ms for ${what()}`)
    await pause(20)
  }
}

/** Looks whether it is `done()` now, and again at each `event` of the emitter. `what()` tells what it waited for. */
export function until(emitter, event, done, what) {
  return new Promise((resolve, reject) => {
    const finish = (settle, value) => {
      clearTimeout(timer)
      emitter.off(event, look)
      settle(value)
    }
    const look = () => {
      if (done()) finish(resolve)
    }
    const timer = setTimeout(() => finish(reject, new Error(`waited ${PATIENCE} ms for ${what()}`)), PATIENCE)
    emitter.on(event, look)
    look()
  })
}
