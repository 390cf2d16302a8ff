import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import pg from 'pg'
import { pino } from 'pino'
import { signToken } from '../../src/auth/tokens.ts'
import { keptSecret } from '../../src/config.ts'
import { startEmbedded } from '../../src/db/embedded.ts'
import { migrate } from '../../src/db/migrate.ts'
import { type Client, type Server, startClient, startFloor, startProduct } from './children.ts'
import type { Options } from './options.ts'
import { READ_SLUG, seed } from './seed.ts'

/** Everything that runs while measuring. */
export type World = { product: Server; floor: Server; client: Client; pool: pg.Pool; token(slug: string): Promise<string>; facts: string[] }

/** What the provider signs in front of the path; nobody connects to it. */
export const PUBLIC_URL = 'https://parley.example'

export type CleanUp = () => Promise<unknown>

const POSTGRES = { shared_buffers: '512MB', max_wal_size: '4GB' }

/** Starts and seeds. Each thing that has to be ended is pushed onto `cleanUps` as soon as it is there. */
export async function openWorld(options: Options, cleanUps: CleanUp[]): Promise<World> {
  const dataDir = options.data === null ? await temporaryFolder(cleanUps) : resolve(options.data)
  const log = pino({ level: 'warn' }, pino.destination(2))
  const embedded = await startEmbedded({ dataDir, log, settings: POSTGRES })
  cleanUps.push(() => embedded.stop())
  await migrate(embedded.url, log)
  const pool = new pg.Pool({ connectionString: embedded.url, max: 2, options: '-c timezone=UTC' })
  cleanUps.push(() => pool.end())
  const seeded = await seed(pool, dataDir, options.size)
  const secret = keptSecret(dataDir, 'auth-jwt-secret')
  const environment = {
    NODE_ENV: 'production',
    PORT: '0',
    PUBLIC_URL,
    DATABASE_URL: embedded.url,
    DATA_DIR: dataDir,
    AUTH_JWT_SECRET: secret,
    ENCRYPTION_KEY: keptSecret(dataDir, 'encryption-key'),
    WORKER: 'off',
    LOG_LEVEL: 'warn',
  }
  const profiling = options.profile === null ? [] : ['--cpu-prof', `--cpu-prof-dir=${resolve(options.profile)}`]
  const product = await startProduct(environment, profiling)
  cleanUps.push(product.stop)
  const { rows } = await pool.query<{ id: string; version: string }>(
    `SELECT id, current_setting('server_version') AS version FROM organization WHERE slug = $1`,
    [READ_SLUG],
  )
  const floor = await startFloor(embedded.url, rows[0]?.id ?? '')
  cleanUps.push(floor.stop)
  const client = startClient()
  cleanUps.push(client.stop)
  return {
    product,
    floor,
    client,
    pool,
    token: (organization) => signToken({ secret, organization, role: 'AGENT', subject: 'bench', expiresIn: '12h' }),
    facts: [
      `PostgreSQL ${rows[0]?.version} (${Object.entries(POSTGRES)
        .map((setting) => setting.join(' '))
        .join(', ')})`,
      `${seeded.communications.toLocaleString('en')} communications, made or found in ${seeded.seconds.toFixed(0)} s`,
    ],
  }
}

async function temporaryFolder(cleanUps: CleanUp[]): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'parley-bench-'))
  cleanUps.push(() => rm(folder, { recursive: true, force: true }))
  return folder
}
