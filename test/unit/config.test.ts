import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { ConfigError, keptSecret, loadConfig } from '../../src/config.ts'

async function dataDir(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'parley-config-'))
  onTestFinished(() => rm(path, { recursive: true }))
  return path
}

const aesKey = Buffer.alloc(32, 7).toString('base64')
const production = {
  NODE_ENV: 'production',
  PUBLIC_URL: 'https://parley.example/',
  DATABASE_URL: 'postgres://db/parley',
  AUTH_JWT_SECRET: 'x'.repeat(32),
  ENCRYPTION_KEY: aesKey,
}

test.each([
  ['PORT', 'eighty'],
  ['PORT', '65536'],
  ['PORT', '80.5'],
  ['PUBLIC_URL', 'parley.example'],
  ['DATABASE_URL', 'mysql://localhost/parley'],
  ['DATABASE_POOL', '1'],
  ['REDIS_URL', 'localhost:6379'],
  ['WORKER', 'maybe'],
  ['AUTH_JWT_SECRET', 'too short'],
  ['AUTH_JWKS_URL', 'file:///etc/passwd'],
  ['ENCRYPTION_KEY', Buffer.alloc(31).toString('base64')],
  ['TWILIO_API_URL', 'ftp://api.twilio.com'],
  ['LOG_LEVEL', 'loud'],
  ['GRAPHIQL', 'yes'],
  ['MAX_QUERY_DEPTH', '0'],
  ['NODE_ENV', 'staging'],
])('%s=%s is refused, and the message starts with the name of the setting', async (name, value) => {
  const load = () => loadConfig({ DATA_DIR: '/nonexistent', [name]: value })
  expect(load).toThrow(ConfigError)
  expect(load).toThrow(new RegExp(`^${name}: .+`))
})

test('several wrong settings are all named at once', () => {
  expect(() => loadConfig({ PORT: 'x', LOG_LEVEL: 'y' })).toThrow(/PORT: .*; LOG_LEVEL: /)
})

test('a refused secret is not repeated in the message', () => {
  expect(() => loadConfig({ AUTH_JWT_SECRET: 'hush-hush' })).not.toThrow('hush-hush')
})

test('in production nothing is generated: what is missing is named', () => {
  for (const name of ['PUBLIC_URL', 'DATABASE_URL', 'AUTH_JWT_SECRET', 'ENCRYPTION_KEY']) {
    expect(() => loadConfig({ ...production, [name]: '' })).toThrow(name)
  }
  const config = loadConfig(production)
  expect(config.PUBLIC_URL).toBe('https://parley.example')
  expect(config.GRAPHIQL).toBe(false)
  expect(config.ENCRYPTION_KEY).toEqual([Buffer.alloc(32, 7)])
})

test('a JWT secret and a JWKS address exclude each other', () => {
  const both = { AUTH_JWT_SECRET: 'x'.repeat(32), AUTH_JWKS_URL: 'https://id.example/jwks' }
  expect(() => loadConfig(both)).toThrow('AUTH_JWT_SECRET and AUTH_JWKS_URL')
})

test('outside production the secrets are made once, kept, and for the owner only', async () => {
  const DATA_DIR = await dataDir()
  const first = loadConfig({ DATA_DIR })
  const second = loadConfig({ DATA_DIR })
  expect(second.AUTH_JWT_SECRET).toBe(first.AUTH_JWT_SECRET)
  expect(first.AUTH_JWT_SECRET?.length).toBeGreaterThanOrEqual(32)
  expect(second.ENCRYPTION_KEY).toEqual(first.ENCRYPTION_KEY)
  expect((await stat(join(DATA_DIR, 'encryption-key'))).mode & 0o777).toBe(0o600)
})

test('a kept secret that others could read is closed again', async () => {
  const path = await dataDir()
  const secret = keptSecret(path, 'some')
  await chmod(join(path, 'some'), 0o644)
  expect(keptSecret(path, 'some')).toBe(secret)
  expect((await stat(join(path, 'some'))).mode & 0o777).toBe(0o600)
  expect(await readFile(join(path, 'some'), 'utf8')).toBe(secret)
})

test('a data folder that cannot be one is named', async () => {
  const file = join(await dataDir(), 'a-file')
  await writeFile(file, '')
  expect(() => loadConfig({ DATA_DIR: file })).toThrow(new RegExp(`^DATA_DIR: cannot use ${file}`))
})

test.runIf(process.platform === 'linux')('a data folder that the system does not let anybody make is named', () => {
  expect(() => loadConfig({ DATA_DIR: '/proc/parley/data' })).toThrow(/^DATA_DIR: cannot use \/proc\/parley\/data/)
})

test('an empty variable counts as absent', async () => {
  expect(loadConfig({ DATA_DIR: await dataDir(), PORT: '', PUBLIC_URL: '' })).toMatchObject({
    PORT: 4000,
    PUBLIC_URL: 'http://localhost:4000',
  })
})
