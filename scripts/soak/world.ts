import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { keptSecret } from '../../src/config.ts'
import { redisIsThere, startRedis, type TestRedis } from '../../test/support/redis.ts'
import { createLogs, type Logs } from './logs.ts'
import type { Options } from './options.ts'
import { addOrganizations, type Organization } from './organizations.ts'
import { createOutages, type Outages } from './outages.ts'
import { type Parley, startParley } from './parley.ts'
import { type Postgres, startPostgres } from './postgres.ts'
import { META_APP, PUBLIC_URL } from './webhooks.ts'

export type CleanUp = () => Promise<unknown>

/** The product's processes and what they need. A worker that is killed is replaced in `workers`. */
export type World = {
  postgres: Postgres
  redis: TestRedis
  organizations: Organization[]
  webs: Parley[]
  workers: Parley[]
  outages: Outages
  logs: Logs
  startWorker(name: string): Promise<Parley>
}

/** Longer than any task takes; the dead worker's jobs are given back at the first full minute after it. */
const STALE_JOB_SECONDS = 20

/** Each thing that has to be ended is pushed onto `cleanUps` as soon as it is there. */
export async function openWorld(options: Options, providerUrl: string, cleanUps: CleanUp[]): Promise<World> {
  if (!redisIsThere)
    throw new Error('there is no redis-server; as root, npm test installs one; else: apt install redis-server, brew install redis')
  const dataDir = options.data === null ? await temporaryFolder(cleanUps) : resolve(options.data)
  const postgres = await startPostgres(dataDir)
  cleanUps.push(postgres.end)
  const redis = await startRedis()
  cleanUps.push(redis.stop)
  const keys = { encryptionKey: keptSecret(dataDir, 'encryption-key'), jwtSecret: keptSecret(dataDir, 'auth-jwt-secret') }
  const organizations = await addOrganizations(postgres.pool, options.organizations, keys)
  const outages = createOutages()
  const logs = createLogs(outages)
  const settings = {
    NODE_ENV: 'production',
    PORT: '0',
    PUBLIC_URL,
    DATABASE_URL: postgres.url,
    REDIS_URL: redis.url,
    DATA_DIR: dataDir,
    AUTH_JWT_SECRET: keys.jwtSecret,
    ENCRYPTION_KEY: keys.encryptionKey,
    TWILIO_API_URL: providerUrl,
    META_GRAPH_URL: providerUrl,
    META_APP_ID: META_APP.appId,
    META_APP_SECRET: META_APP.appSecret,
    META_VERIFY_TOKEN: META_APP.verifyToken,
    STALE_JOB_SECONDS: String(STALE_JOB_SECONDS),
    LOG_LEVEL: 'warn',
  }
  const start = async (name: string, role: 'off' | 'only') => {
    const started = await startParley(name, { ...settings, WORKER: role }, (line) => logs.hear(name, line))
    cleanUps.push(() => started.end('SIGTERM'))
    return started
  }
  const startWorker = (name: string) => start(name, 'only')
  const webs = [await start('web 1', 'off'), await start('web 2', 'off')]
  const workers = [await startWorker('worker 1'), await startWorker('worker 2')]
  return { postgres, redis, organizations, webs, workers, outages, logs, startWorker }
}

async function temporaryFolder(cleanUps: CleanUp[]): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'parley-soak-'))
  cleanUps.push(() => rm(folder, { recursive: true, force: true }))
  return folder
}
