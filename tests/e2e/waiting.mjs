// Waiting for what must come: bounded, and a wait that runs out says what it was for. Nothing here waits for time to pass.

/** How long anything may take that is expected to happen at once: generous, since the machine may be building too. */
export const PATIENCE = 15_000

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
