// A fresh, empty database for one test: { url, discard() }.

import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const execute = promisify(execFile)
const POSTGRES_SCRIPT = fileURLToPath(new URL('../../scripts/postgres', import.meta.url))

export const temporaryFolder = async () => {
  const path = await mkdtemp(join(tmpdir(), 'switchboard-e2e.'))
  return { path, remove: () => rm(path, { recursive: true, force: true }) }
}

async function sqlite() {
  const folder = await temporaryFolder()
  return { url: `sqlite://${folder.path}/switchboard.db?mode=rwc`, discard: folder.remove }
}

async function postgres() {
  const cluster = process.env.SWITCHBOARD_TEST_POSTGRES
  if (!cluster) throw new Error('SWITCHBOARD_TEST_POSTGRES is not set: start these tests by scripts/test e2e')
  const name = `e2e_${randomBytes(8).toString('hex')}`
  const sql = (statement) => execute('psql', ['--no-psqlrc', '--quiet', '--dbname', cluster, '--command', statement])
  await sql(`create database ${name}`)
  const url = new URL(cluster)
  url.pathname = `/${name}`
  return { url: url.href, discard: () => sql(`drop database ${name} with (force)`) }
}

/** A PostgreSQL of the test's own, which it may also pause() and resume(). */
async function ownPostgres() {
  const folder = await temporaryFolder()
  const command = async (verb) => (await execute(POSTGRES_SCRIPT, [verb, folder.path])).stdout.trim()
  const discard = async () => {
    await command('stop')
    await folder.remove()
  }
  try {
    return { url: await command('start'), pause: () => command('pause'), resume: () => command('resume'), discard }
  } catch (error) {
    await discard()
    throw error
  }
}

export const databases = { sqlite, postgres, 'a PostgreSQL of its own': ownPostgres }
