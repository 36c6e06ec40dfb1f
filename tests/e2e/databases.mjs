// A fresh, empty database for one test: { url, discard() }.

import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { eventually } from './waiting.mjs'

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

/** Runs the statements one by one; returns their rows, a line each. */
async function psql(url, ...statements) {
  const commands = statements.flatMap((statement) => ['--command', statement])
  return (await execute('psql', ['--no-psqlrc', '--quiet', '--tuples-only', '--no-align', '--dbname', url, ...commands])).stdout.trim()
}

async function postgres() {
  const cluster = process.env.SWITCHBOARD_TEST_POSTGRES
  if (!cluster) throw new Error('SWITCHBOARD_TEST_POSTGRES is not set: start these tests by scripts/test e2e')
  const name = `e2e_${randomBytes(8).toString('hex')}`
  await psql(cluster, `create database ${name}`)
  const url = new URL(cluster)
  url.pathname = `/${name}`
  return { url: url.href, discard: () => psql(cluster, `drop database ${name} with (force)`) }
}

/**
 * A PostgreSQL of the test's own. pause() and resume() stop and continue it. crash() cuts every connection and starts it
 * again. After holdAnswers() commits are stored but not answered: it returns when there is one such commit, and a crash
 * ends this state.
 */
async function ownPostgres() {
  const folder = await temporaryFolder()
  const command = async (verb) => (await execute(POSTGRES_SCRIPT, [verb, folder.path])).stdout.trim()
  const discard = async () => {
    await command('stop')
    await folder.remove()
  }
  try {
    const url = await command('start')
    return {
      url,
      pause: () => command('pause'),
      resume: () => command('resume'),
      crash: () => command('crash'),
      ...answerHolding(url),
      discard,
    }
  } catch (error) {
    await discard()
    throw error
  }
}

/** PostgreSQL commits on its own disk, then waits for a standby that does not exist. */
function answerHolding(url) {
  const held = "select 1 from pg_stat_activity where application_name = 'switchboard' and wait_event = 'SyncRep' limit 1"
  return {
    async holdAnswers() {
      await psql(url, "alter system set synchronous_standby_names = 'no_such_standby'", 'select pg_reload_conf()')
      await eventually(async () => (await psql(url, held)) === '1', () => 'a commit whose answer is held back')
      await psql(url, 'alter system reset synchronous_standby_names') // read at the next start
    },
  }
}

export const databases = { sqlite, postgres, 'a PostgreSQL of its own': ownPostgres }
