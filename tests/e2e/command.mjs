// Runs a `switchboard` command.

import { execFile } from 'node:child_process'
import { temporaryFolder } from './databases.mjs'
import { binary, cleanEnvironment } from './server.mjs'
import { SECRET } from './tokens.mjs'
import { PATIENCE } from './waiting.mjs'

/**
 * Runs it to its end, in an empty folder; gives { code, stdout, stderr }. `variables` come over the secret that the test
 * servers have and any free port; one that is undefined is not set.
 */
export async function switchboard(args, variables = {}) {
  const folder = await temporaryFolder()
  const env = { ...cleanEnvironment(), JWT_SECRET: SECRET, PORT: '0', ...variables }
  try {
    return await new Promise((resolve) => {
      execFile(binary(), args, { cwd: folder.path, env, timeout: PATIENCE, killSignal: 'SIGKILL' }, (error, stdout, stderr) => {
        const code = error === null ? 0 : (error.code ?? 'it did not end')
        resolve({ code, stdout, stderr })
      })
    })
  } finally {
    await folder.remove()
  }
}
