import type { AddressInfo } from 'node:net'
import { createServer, type Server } from 'node:net'
import pg from 'pg'
import pino from 'pino'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { loadConfig } from '../../src/config.ts'
import type { Bus } from '../../src/events/bus.ts'
import { createHealth, type HealthSources } from '../../src/http/health.ts'
import { createMetrics } from '../../src/http/metrics.ts'
import { createHttpServer } from '../../src/http/server.ts'
import { testDatabase } from '../support/database.ts'

const log = pino({ level: 'silent' })
const config = loadConfig({ PORT: '0', AUTH_JWT_SECRET: 'x'.repeat(32), ENCRYPTION_KEY: Buffer.alloc(32).toString('base64') })
const bus = (healthy: boolean): Bus => ({ ring() {}, subscribe: () => () => {}, healthy: () => healthy, async close() {} })
const well: HealthSources = { worker: () => null, shuttingDown: () => false }
const cleanups: (() => unknown)[] = []

let database: Awaited<ReturnType<typeof testDatabase>>
beforeAll(async () => {
  database = await testDatabase()
})
afterAll(() => database?.close())
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

async function start(pool: pg.Pool, { healthy = true, ...sources }: Partial<HealthSources> & { healthy?: boolean } = {}) {
  const health = createHealth({ pool, bus: bus(healthy), log }, { ...well, ...sources })
  const server = createHttpServer({ config, log, metrics: createMetrics() }, { '/health/live': health.live, '/health/ready': health.ready })
  const { port } = await server.listen()
  cleanups.push(() => server.close(0))
  return async (path: string) => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`)
    return { status: response.status, body: (await response.json()) as unknown }
  }
}

/** A pool whose PostgreSQL takes connections and never says a word. */
async function hangingPool() {
  let connections = 0
  const server: Server = createServer(() => {
    connections += 1
  }).listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const pool = new pg.Pool({
    host: '127.0.0.1',
    port: (server.address() as AddressInfo).port,
    user: 'x',
    database: 'x',
    connectionTimeoutMillis: 3_000,
  })
  cleanups.push(() => server.close())
  return { pool, connections: () => connections }
}

const parts = { postgres: 'ok', bus: 'ok', worker: 'ok', server: 'ok' }

test('all well: ready', async () => {
  const get = await start(database.pool)
  expect(await get('/health/ready')).toEqual({ status: 200, body: { status: 'ready', parts } })
})

test('PostgreSQL away: not ready, and says so without an address; alive all the same', async () => {
  const pool = new pg.Pool({ host: '127.0.0.1', port: 1, user: 'x', database: 'x' })
  const get = await start(pool)
  expect(await get('/health/ready')).toEqual({
    status: 503,
    body: { status: 'not ready', parts: { ...parts, postgres: 'down: ECONNREFUSED' } },
  })
  expect(await get('/health/live')).toEqual({ status: 200, body: { status: 'live' } })
})

test('PostgreSQL silent: not ready, and many probes take one connection only', async () => {
  const { pool, connections } = await hangingPool()
  const get = await start(pool)
  const answers = await Promise.all(Array.from({ length: 5 }, () => get('/health/ready')))
  for (const answer of answers) {
    expect(answer).toEqual({ status: 503, body: { status: 'not ready', parts: { ...parts, postgres: 'down: no answer within 1500 ms' } } })
  }
  expect(connections()).toBe(1)
})

test('Redis away: ready, but degraded', async () => {
  const get = await start(database.pool, { healthy: false })
  const { status, body } = await get('/health/ready')
  expect(status).toBe(200)
  expect(body).toMatchObject({ status: 'ready', parts: { ...parts, bus: expect.stringMatching(/^degraded: Redis/) } })
})

test.each<[string, Partial<HealthSources>, object, number]>([
  ['a worker that stopped', { worker: () => 'stopped' }, { worker: 'down: stopped' }, 503],
  ['a worker elsewhere', { worker: () => 'off' }, { worker: 'off' }, 200],
  ['shutting down', { shuttingDown: () => true }, { server: 'down: shutting down' }, 503],
])('%s is told', async (_, sources, part, status) => {
  const get = await start(database.pool, sources)
  expect(await get('/health/ready')).toMatchObject({ status, body: { parts: { ...parts, ...part } } })
})
