// The README's "Five minutes with it", as a reader would do it: what is in bash is typed, in order, into one shell;
// what is in js is saved under the name that its first line gives; what is in text is printed, in that order.

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFile, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { temporaryFolder } from './databases.mjs'
import { scenario } from './scenario.mjs'
import { binary, cleanEnvironment, ROOT } from './server.mjs'
import { SECRET } from './tokens.mjs'
import { PATIENCE } from './waiting.mjs'

const execute = promisify(execFile)

/** The fenced blocks of one chapter, in order: [{ language, text }]. */
function blocks(readme, heading) {
  const chapter = readme.split(/^## /m).find((chapter) => chapter.startsWith(`${heading}\n`))
  assert(chapter, `README.md has no chapter "${heading}"`)
  return [...chapter.matchAll(/^```(\w+)\n(.*?)^```$/gms)].map(([, language, text]) => ({ language, text }))
}

scenario(
  "the README's five minutes work as written",
  async ({ server }) => {
    const chapter = blocks(await readFile(join(ROOT, 'README.md'), 'utf8'), 'Five minutes with it')
    const all = (language) => chapter.filter((block) => block.language === language).map((block) => block.text)
    assert(all('bash').length > 0 && all('js').length > 0, 'the chapter has lost its blocks')

    // As after a build, and after `npm install socket.io-client`, in a checkout that the test may write into.
    const checkout = await temporaryFolder()
    try {
      await symlink(join(ROOT, 'config'), join(checkout.path, 'config'))
      await symlink(join(ROOT, 'tests/e2e/node_modules'), join(checkout.path, 'node_modules'))
      for (const script of all('js')) {
        const [, name] = script.match(/^\/\/ ([\w-]+\.mjs)\b/) ?? assert.fail('a js block does not begin with its name')
        await writeFile(join(checkout.path, name), script)
      }
      const typed = ['set -e -o pipefail', ...all('bash')]
        .join('\n')
        .replaceAll('target/debug/switchboard', binary())
        .replaceAll('http://localhost:1500', server.url)
      const { stdout } = await execute('bash', ['-c', typed], {
        cwd: checkout.path,
        env: { ...cleanEnvironment(), JWT_SECRET: SECRET },
        timeout: 2 * PATIENCE,
      })
      assertInOrder(all('text').join('').trim().split('\n'), stdout)
    } finally {
      await checkout.remove()
    }
  },
  { on: ['sqlite'] },
)

scenario(
  'a token that is signed with another secret than the server\'s is "Unauthorized" in the five minutes, not an exception',
  async ({ server }) => {
    const chapter = blocks(await readFile(join(ROOT, 'README.md'), 'utf8'), 'Five minutes with it')
    const [names, first] = chapter.filter(({ language }) => language === 'bash').map(({ text }) => text)
    const typed = [names, first, 'echo "$CONVERSATION"']
      .join('\n')
      .replaceAll('target/debug/switchboard', binary())
      .replaceAll('http://localhost:1500', server.url)
    const { stdout, stderr } = await execute('bash', ['-c', typed], { cwd: ROOT, env: cleanEnvironment(), timeout: 2 * PATIENCE })
    assert.deepEqual([stdout, stderr], ['Unauthorized\n', ''])
  },
  { on: ['sqlite'] },
)

function assertInOrder(lines, output) {
  let from = 0
  for (const line of lines) {
    const at = output.indexOf(line, from)
    assert(at >= 0, `the README promises "${line}"; what came was\n${output}`)
    from = at + line.length
  }
}
