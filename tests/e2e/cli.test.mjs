// The commands: their output and exit codes.

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { freePort } from '../ports.mjs'
import { request } from './clients.mjs'
import { switchboard } from './command.mjs'
import { databases, temporaryFolder } from './databases.mjs'
import { Customer } from './people.mjs'
import { scenario } from './scenario.mjs'
import { binary, cleanEnvironment, ROOT, Server } from './server.mjs'
import { eventually } from './waiting.mjs'

const execute = promisify(execFile)
const QUEUE = '/api/v1/unified-admin/support/conversations'
const MINE = '/api/v1/support/conversations'
const A_SECRET = '0123456789abcdef0123456789abcdef'

/** Runs `act(database, serve)` on an empty database of each kind. `serve(settings, ...options)` gives a server that is to be started. */
function onAnEmptyDatabase(sentence, act, kinds = ['sqlite', 'postgres']) {
  for (const kind of kinds) {
    test(`${sentence} (${kind})`, async () => {
      const database = await databases[kind]()
      const servers = []
      const serve = (settings, ...options) => {
        const server = new Server(database.url, settings, options)
        servers.push(server)
        return server
      }
      try {
        await act(database, serve)
        for (const server of servers) await server.stop()
      } catch (error) {
        servers.forEach(({ output }, n) => console.error(`--- what server ${n + 1} printed in "${sentence} (${kind})"\n${output.slice(-20_000)}---`))
        throw error
      } finally {
        for (const server of servers) await server.kill()
        await database.discard()
      }
    })
  }
}

async function lines(args, variables) {
  const { code, stdout, stderr } = await switchboard(args, variables)
  assert.equal(code, 0, `switchboard ${args.join(' ')}: ${stderr}`)
  return stdout.trimEnd().split('\n')
}

const ready = async ({ url }) => {
  const { status, body } = await request(url, undefined, 'GET', '/health/ready')
  return [status, body]
}

test('--help explains the commands and where settings come from', async () => {
  const { code, stdout, stderr } = await switchboard(['--help'])
  assert.deepEqual([code, stderr], [0, ''])
  for (const word of ['serve', 'migrate', 'token', '--config', 'SWITCHBOARD__SECTION__KEY', 'SWITCHBOARD_ENV', 'PORT', 'DATABASE_URL', 'JWT_SECRET', 'REDIS_URL', 'separated by commas']) {
    assert(stdout.includes(word), `--help does not name ${word}:\n${stdout}`)
  }
  const options = { serve: ['--no-migrate'], migrate: ['up', 'down', 'status'], token: ['--sub', '--role', '--email', '--name', '--first-name', '--last-name', '--phone', '--ttl'] }
  for (const [command, words] of Object.entries(options)) {
    const help = (await lines([command, '--help'])).join('\n')
    for (const word of words) assert(help.includes(word), `${command} --help does not name ${word}:\n${help}`)
  }
})

test('an unknown command ends with 2 and prints the usage', async () => {
  for (const args of [['dance'], ['migrate'], ['migrate', 'sideways'], ['serve', '--fast'], ['token']]) {
    const { code, stdout, stderr } = await switchboard(args)
    assert.deepEqual([code, stdout], [2, ''], args.join(' '))
    assert.match(stderr, /Usage: switchboard/, args.join(' '))
  }
})

onAnEmptyDatabase('migrate prints what it did, and status which steps are applied', async ({ url }) => {
  const migrate = (...args) => lines(['migrate', ...args], { DATABASE_URL: url })
  const each = (state, names) => names.map((name) => `${state}  ${name}`)

  const pending = await migrate('status')
  const steps = pending.map((line) => line.replace('pending  ', ''))
  assert(steps.length > 0)
  for (const step of steps) assert.match(step, /^m\d{8}_\d{6}_\w+$/)
  assert.deepEqual(pending, each('pending', steps))

  const count = (applied) => `${applied} of ${steps.length} migrations applied`
  assert.deepEqual(await migrate('up'), [...each('applied', steps), count(steps.length)])
  assert.deepEqual(await migrate('status'), each('applied', steps))
  assert.deepEqual(await migrate('up'), [count(steps.length)], 'nothing to do a second time')

  const [earlier, last] = [steps.slice(0, -1), steps.slice(-1)]
  assert.deepEqual(await migrate('down'), [...each('reverted', last), count(earlier.length)])
  assert.deepEqual(await migrate('status'), [...each('applied', earlier), ...each('pending', last)])
  assert.deepEqual(await migrate('up'), [...each('applied', last), count(steps.length)])

  const all = await migrate('down', '--steps', String(steps.length))
  assert.deepEqual(all, [...each('reverted', [...steps].reverse()), count(0)], 'the last step first')
  assert.deepEqual(await migrate('status'), pending)
  assert.deepEqual(await migrate('up'), [...each('applied', steps), count(steps.length)], 'and up again')
})

onAnEmptyDatabase('serve --no-migrate is live but not ready until migrate up', async ({ url }, serve) => {
  const server = serve({}, '--no-migrate')
  await server.start({ until: 'live' })
  const [status, body] = await ready(server)
  assert.deepEqual([status, body.message], [503, "The database's schema is not up to date"])
  for (const line of await lines(['migrate', 'status'], { DATABASE_URL: url })) assert.match(line, /^pending  /)

  await lines(['migrate', 'up'], { DATABASE_URL: url })
  await eventually(async () => (await ready(server))[0] === 200, () => 'the server to be ready after migrate up')
  const jane = new Customer(server, 'Jane')
  assert.equal((await jane.history(await jane.openConversation())).length, 1)

  await lines(['migrate', 'down'], { DATABASE_URL: url })
  await eventually(async () => (await ready(server))[0] === 503, () => 'the server to be unready after migrate down')
  assert.equal((await request(server.url, undefined, 'GET', '/health/live')).status, 200)
})

for (let round = 1; round <= 3; round++) {
  onAnEmptyDatabase(
    `four servers that start at once on one fresh database all become ready, round ${round}`,
    async ({ url }, serve) => {
      const servers = Array.from({ length: 4 }, () => serve())
      await Promise.all(servers.map((server) => server.start()))
      for (const server of servers) {
        assert.equal((await ready(server))[0], 200)
        await new Customer(server, 'Jane').openConversation()
      }
      assert.equal((await new Customer(servers[0], 'Jane').list()).body.data.total, 4)
      for (const line of await lines(['migrate', 'status'], { DATABASE_URL: url })) assert.match(line, /^applied  /)
    },
    ['postgres'],
  )
}

test('an invalid setting ends with 1 and is named with its value and the allowed values', async () => {
  const cases = [
    [{ SWITCHBOARD__JOURNAL__BATCH: '0' }, 'journal.batch is 0; allowed: 1 to 4096'],
    [{ SWITCHBOARD__SERVER__DRAIN_TIMEOUT_MS: '99' }, 'server.drain_timeout_ms is 99; allowed: 100 to 300000'],
    [{ SWITCHBOARD__SERVER__HOST: 'localhost' }, 'server.host is "localhost"; allowed: an IP address'],
    [{ DATABASE_URL: 'mysql://app:hunter2@db/chat' }, 'database.url', '"mysql"', 'postgres://… or sqlite://…'],
    [{ JWT_SECRET: 'hunter2' }, 'auth.jwt_secret', '7 bytes', '32 bytes or more'],
    [{ REDIS_URL: 'http://:hunter2@cache' }, 'cluster.redis_url', 'redis://…'],
    [{ SWITCHBOARD__CORS__CREDENTIALS: 'true' }, 'cors.origins', '"*" together with cors.credentials', 'a list of origins'],
    [{ PORT: '65536' }, 'server.port', '65536', '0 to 65535'],
    [{ SWITCHBOARD__JOURNAL__BATCH: 'lots' }, 'journal.batch', '"lots"', 'integer'],
    [{ SWITCHBOARD__LOG__FORMAT: 'xml' }, 'log.format', 'xml', '`text`', '`json`'],
    [{ SWITCHBOARD__SERVER__PROT: '1' }, 'prot', 'server', '`port`'],
    [{ SWITCHBOARD_ENV: 'staging' }, 'SWITCHBOARD_ENV is "staging"; allowed: development, production'],
    [{ SWITCHBOARD__JOURNAL__BATCH: '0', SWITCHBOARD__JOURNAL__WRITERS: '65' }, 'journal.batch is 0', 'journal.writers is 65; allowed: 1 to 64'],
  ]
  const wrong = []
  for (const [variables, ...expected] of cases) {
    const { code, stdout, stderr } = await switchboard(['serve'], variables)
    const missing = expected.filter((part) => !stderr.includes(part))
    const isRight = code === 1 && stdout === '' && missing.length === 0 && !stderr.includes('hunter2')
    if (!isRight) wrong.push(`${JSON.stringify(variables)} ended with ${code} without ${missing.join(' or ')}:\n${stderr}`)
  }
  assert.equal(wrong.join('\n'), '')
})

test('production refuses the development secret', async () => {
  const production = { SWITCHBOARD_ENV: 'production', SWITCHBOARD__GUARD__SECRET: A_SECRET }
  for (const JWT_SECRET of [undefined, 'development-secret-change-me-in-production']) {
    const { code, stdout, stderr } = await switchboard(['serve'], { ...production, JWT_SECRET })
    assert.deepEqual([code, stdout], [1, ''])
    assert.match(stderr, /auth\.jwt_secret is the development secret; allowed: .*one of your own/)
  }
})

onAnEmptyDatabase('production starts on a secret of its own, and prints no token', async (_, serve) => {
  const server = serve({ SWITCHBOARD_ENV: 'production', SWITCHBOARD__GUARD__SECRET: A_SECRET, SWITCHBOARD__SERVER__HOST: '127.0.0.1' })
  await server.start()
  assert.deepEqual(await ready(server), [200, { status: 'ready' }])
  await new Customer(server, 'Jane').openConversation('This text is not for the log')
  await server.stop()
  assert.doesNotMatch(server.output, /eyJ|curl|This text is not/)
  for (const line of server.output.trim().split('\n')) assert.doesNotThrow(() => JSON.parse(line), `not a line of JSON: ${line}`)
  await server.start()
}, ['sqlite'])

scenario('token prints a token that is valid for its account only', async ({ server, customer }) => {
  const [jane, ...more] = await lines(['token', '--sub', 'jane', '--email', 'jane@example.com', '--name', 'Jane Doe', '--ttl', '60'])
  assert.deepEqual(more, [], 'a token and nothing else')
  const [sarah] = await lines(['token', '--sub', 'sarah', '--role', 'admin', '--name', 'Sarah Johnson'])
  const [foreign] = await lines(['token', '--sub', 'jane'], { JWT_SECRET: 'a-secret-of-another-server-0123456789' })

  const id = await customer('Jane').openConversation()
  const as = async (token, path) => (await request(server.url, token, 'GET', path)).status
  assert.equal(await as(jane, `${MINE}/${id}`), 200)
  assert.equal(await as(jane, QUEUE), 403)
  assert.equal(await as(sarah, QUEUE), 200)
  assert.equal(await as(foreign, MINE), 401)

  const claims = JSON.parse(Buffer.from(jane.split('.')[1], 'base64url'))
  const { sub, role, email, name } = claims
  assert.deepEqual({ sub, role, email, name }, { sub: 'jane', role: 'user', email: 'jane@example.com', name: 'Jane Doe' })
  const seconds = claims.exp - Date.now() / 1000
  assert(seconds > 30 && seconds <= 60, `--ttl 60 is good for ${seconds} s`)
}, { on: ['sqlite'] })

test('token refuses a role that the server does not know', async () => {
  for (const [role, variables] of [['boss', {}], ['Admin', {}], ['', {}], ['admin', { SWITCHBOARD__AUTH__AGENT_ROLES: 'support,lead' }]]) {
    const { code, stdout, stderr } = await switchboard(['token', '--sub', 'jane', '--role', role], variables)
    assert.deepEqual([code, stdout], [1, ''], role)
    const allowed = variables.SWITCHBOARD__AUTH__AGENT_ROLES ? 'user, support, lead' : 'user, admin'
    assert.equal(stderr, `switchboard: --role is "${role}"; allowed: ${allowed} (the latter from auth.agent_roles)\n`)
  }
  await lines(['token', '--sub', 'jane', '--role', 'lead'], { SWITCHBOARD__AUTH__AGENT_ROLES: 'support,lead' })
})

test('token takes first name, last name and phone number', async () => {
  const [token] = await lines(['token', '--sub', 'jane', '--first-name', 'Jane', '--last-name', 'Doe', '--phone', '+49 30 123456'])
  const { first_name, last_name, phone_number, name } = JSON.parse(Buffer.from(token.split('.')[1], 'base64url'))
  assert.deepEqual([first_name, last_name, phone_number, name], ['Jane', 'Doe', '+49 30 123456', undefined])
})

test('a configuration that is malformed is located, and its text is not printed', async () => {
  const folder = await temporaryFolder()
  try {
    await writeFile(join(folder.path, 'default.toml'), '[auth]\njwt_secret = hunter2\n')
    await writeFile(join(folder.path, 'development.toml'), '')
    const file = await switchboard(['serve', '--config', folder.path])
    assert.deepEqual([file.code, file.stdout], [1, ''])
    assert.match(file.stderr, /default\.toml is not valid TOML at line 2, column \d+/)
    assert.doesNotMatch(file.stderr, /hunter2/)
  } finally {
    await folder.remove()
  }
  const variable = await switchboard(['serve'], { SWITCHBOARD__AUTH: 'jwt_secret = hunter2' })
  assert.deepEqual([variable.code, variable.stdout], [1, ''])
  assert.match(variable.stderr, /auth is a section of settings, not a setting/)
  assert.doesNotMatch(variable.stderr, /hunter2/)
})

test('a variable that is not UTF-8 is named, and its text is not printed', async () => {
  const started = "export JWT_SECRET=$'hunter2\\xff'; export UNRELATED=$'\\xff'; exec \"$0\" serve"
  await assert.rejects(execute('bash', ['-c', started, binary()], { env: { ...cleanEnvironment(), PORT: '0' } }), ({ code, stderr }) => {
    assert.deepEqual([code, stderr], [1, 'switchboard: the variable JWT_SECRET is not valid UTF-8\n'])
    return true
  })
})

onAnEmptyDatabase('production warns of tokens that it accepts from everywhere, and the log is read as JSON', async (_, serve) => {
  const server = serve({ SWITCHBOARD_ENV: 'production', SWITCHBOARD__GUARD__SECRET: A_SECRET, SWITCHBOARD__SERVER__HOST: '127.0.0.1' })
  await server.start()
  await eventually(() => /"WARN".*auth\.audience and auth\.issuer are empty/.test(server.output), () => 'the warning')
}, ['sqlite'])

test('production that is given no database names the file in which it stores everything', async () => {
  // It does not start: the port is taken from a range that does not exist.
  const { stderr } = await switchboard(['serve'], {
    SWITCHBOARD_ENV: 'production', SWITCHBOARD__GUARD__SECRET: A_SECRET, SWITCHBOARD__SERVER__HOST: '192.0.2.1',
  })
  assert.match(stderr, /"WARN".*database\.url \(DATABASE_URL\) is not set: everything is stored in the SQLite file/)
})

test('token refuses an invalid account id', async () => {
  for (const sub of ['', 'x'.repeat(129)]) {
    const { code, stdout, stderr } = await switchboard(['token', '--sub', sub])
    assert.deepEqual([code, stdout], [1, ''])
    assert.match(stderr, /^switchboard: .*\bsub\b.*\n$/)
  }
})

scenario('in development serve prints its URL, its database, and two commands that work as printed', async ({ server }) => {
  assert(server.output.includes(server.url), 'where it listens')
  assert(server.output.includes('sqlite://'), 'its database')
  assert(server.output.includes(`${server.url}/docs`), 'where its API is described')
  const typed = [...server.output.matchAll(/^curl .*?(?=\n\n)/gms)].map(([text]) => text)
  assert.equal(typed.length, 2)
  const answers = []
  for (const line of typed) {
    const { stdout } = await execute('bash', ['-c', line.replaceAll(/\bcurl\b/g, 'curl --silent --show-error')])
    answers.push(JSON.parse(stdout))
  }
  assert.deepEqual(answers.map(({ success }) => success), [true, true])
  assert.equal(answers[1].data.conversations[0].id, answers[0].data.conversation.id, 'the agent sees what the customer wrote')
}, { on: ['sqlite'] })

test('an unreachable database ends with 1 and one sentence with its address and without the password', async () => {
  const port = await freePort()
  const unreachable = {
    DATABASE_URL: `postgres://app:hunter2@127.0.0.1:${port}/chat`,
    SWITCHBOARD__DATABASE__TIMEOUT_MS: '1000',
  }
  for (const args of [['serve'], ['migrate', 'up'], ['migrate', 'status']]) {
    const { code, stdout, stderr } = await switchboard(args, unreachable)
    assert.deepEqual([code, stdout], [1, ''], args.join(' '))
    assertOneSentence(stderr, [/database/, /cannot be reached/, new RegExp(`127\\.0\\.0\\.1:${port}`)])
  }

  const cluster = new URL(process.env.SWITCHBOARD_TEST_POSTGRES)
  cluster.password = 'hunter2'
  cluster.pathname = '/no_such_database'
  const { code, stderr } = await switchboard(['serve'], { DATABASE_URL: cluster.href })
  assert.equal(code, 1)
  assertOneSentence(stderr, [/database "no_such_database" does not exist/])

  const file = await switchboard(['serve'], { DATABASE_URL: 'sqlite:///proc/no-such-folder/switchboard.db' })
  assert.equal(file.code, 1)
  assertOneSentence(file.stderr, [/database/, /\/proc\/no-such-folder/])
})

/** The last line is the command's error message; lines of the log may precede it. */
function assertOneSentence(stderr, parts) {
  const sentence = stderr.trimEnd().split('\n').at(-1)
  assert.match(sentence, /^switchboard: /)
  for (const part of parts) assert.match(sentence, part)
  assert.doesNotMatch(stderr, /hunter2/)
  assert.doesNotMatch(sentence, /pool timed out|panicked|at line \d|SqlxError|DbErr/, 'not a sentence for an operator')
}

test('a server with a public key cannot print tokens, and explains why', async () => {
  const key = { SWITCHBOARD__AUTH__ALGORITHM: 'RS256', SWITCHBOARD__AUTH__PUBLIC_KEY_FILE: `${ROOT}/tests/keys/rsa.public.pem` }
  const { code, stdout, stderr } = await switchboard(['token', '--sub', 'jane'], key)
  assert.deepEqual([code, stdout], [1, ''])
  assert.match(stderr, /auth\.algorithm is "RS256": this server holds a public key alone, which cannot sign/)
})

onAnEmptyDatabase('a server with a public key starts in development and prints no tokens', async (_, serve) => {
  const server = serve({ SWITCHBOARD__AUTH__ALGORITHM: 'EdDSA', SWITCHBOARD__AUTH__PUBLIC_KEY_FILE: `${ROOT}/tests/keys/ed.public.pem` })
  await server.start()
  await eventually(() => server.output.includes('Tokens (EdDSA) are signed by the holder of the private key.'), () => 'the greeting')
  assert.doesNotMatch(server.output, /eyJ/)
}, ['sqlite'])

test('token uses the configured issuer and audience', async () => {
  const variables = { SWITCHBOARD__AUTH__ISSUER: 'https://id.example.com', SWITCHBOARD__AUTH__AUDIENCE: 'app,web' }
  const [token] = await lines(['token', '--sub', 'jane'], variables)
  const { iss, aud } = JSON.parse(Buffer.from(token.split('.')[1], 'base64url'))
  assert.deepEqual([iss, aud], ['https://id.example.com', 'app'])
})
