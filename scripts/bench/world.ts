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
import { type Peer, startPeers } from './peers.ts'
import { NORMAL_SLUG, READ_SLUG, type SeedPlan, seed } from './seed.ts'

/** A seeded database with the server on it. */
export type Place = { product: Server; pool: pg.Pool }

/** Everything that runs while measuring. */
export type World = Place & {
  floor: Server
  client: Client
  /** None, but with --peer. */
  peers: Peer[]
  /** The settings that the server runs with, for further processes on the same database. */
  environment: Record<string, string>
  token(slug: string): Promise<string>
  /** How many SQL statements PostgreSQL has executed so far, BEGIN and COMMIT included. */
  statements(): Promise<number>
  /** One more database of that name, with a server of its own. */
  another(name: string, plan: SeedPlan): Promise<Place>
  facts: string[]
}

/** What the provider signs in front of the path; nobody connects to it. */
export const PUBLIC_URL = 'https://parley.example'

export type CleanUp = () => Promise<unknown>

const POSTGRES = { shared_buffers: '512MB', max_wal_size: '4GB' }
const COUNTING = { shared_preload_libraries: 'pg_stat_statements', 'pg_stat_statements.max': '20000' }

/** Starts and seeds. Each thing that has to be ended is pushed onto `cleanUps` as soon as it is there. */
export async function openWorld(options: Options, cleanUps: CleanUp[]): Promise<World> {
  const dataDir = options.data === null ? await temporaryFolder(cleanUps) : resolve(options.data)
  const log = pino({ level: 'warn' }, pino.destination(2))
  const embedded = await startEmbedded({ dataDir, log, settings: { ...POSTGRES, ...COUNTING } })
  cleanUps.push(() => embedded.stop())
  const secret = keptSecret(dataDir, 'auth-jwt-secret')
  const environmentFor = (databaseUrl: string) => ({
    NODE_ENV: 'production',
    PORT: '0',
    PUBLIC_URL,
    DATABASE_URL: databaseUrl,
    DATA_DIR: dataDir,
    AUTH_JWT_SECRET: secret,
    ENCRYPTION_KEY: keptSecret(dataDir, 'encryption-key'),
    WORKER: 'off',
    LOG_LEVEL: 'warn',
  })
  const openPool = (url: string) => {
    const pool = new pg.Pool({ connectionString: url, max: 2, options: '-c timezone=UTC' })
    cleanUps.push(() => pool.end())
    return pool
  }
  const openPlace = async (url: string, plan: SeedPlan) => {
    await migrate(url, log)
    const pool = openPool(url)
    const seeded = await seed(pool, dataDir, plan)
    const product = await startProduct(environmentFor(url), options.profile !== null)
    cleanUps.push(product.stop)
    return { pool, product, seeded }
  }
  const urlOf = (database: string) => Object.assign(new URL(embedded.url), { pathname: database }).href
  const cluster = openPool(urlOf('postgres'))
  await cluster.query('CREATE EXTENSION IF NOT EXISTS pg_stat_statements')
  const organizations = [
    { slug: READ_SLUG, deep: true },
    { slug: NORMAL_SLUG, deep: false },
  ]
  const { seeded, ...place } = await openPlace(embedded.url, { size: options.size, organizations })
  const { rows } = await place.pool.query<{ id: string; version: string }>(
    `SELECT id, current_setting('server_version') AS version FROM organization WHERE slug = $1`,
    [READ_SLUG],
  )
  const organizationId = rows[0]?.id ?? ''
  const floor = await startFloor(embedded.url, organizationId)
  cleanUps.push(floor.stop)
  const client = startClient()
  cleanUps.push(client.stop)
  return {
    ...place,
    floor,
    client,
    peers: options.peer ? await startPeers(embedded.url, organizationId, cleanUps) : [],
    environment: environmentFor(embedded.url),
    token: (organization) => signToken({ secret, organization, role: 'AGENT', subject: 'bench', expiresIn: '12h' }),
    async statements() {
      const { rows: counted } = await cluster.query<{ calls: string }>('SELECT sum(calls) AS calls FROM pg_stat_statements')
      return Number(counted[0]?.calls)
    },
    async another(name, plan) {
      const { rowCount } = await cluster.query('SELECT FROM pg_database WHERE datname = $1', [name])
      if (rowCount === 0) await cluster.query(`CREATE DATABASE ${pg.escapeIdentifier(name)}`)
      const { pool, product } = await openPlace(urlOf(name), plan)
      return { pool, product }
    },
    facts: [
      `PostgreSQL ${rows[0]?.version} (${Object.entries(POSTGRES)
        .map((setting) => setting.join(' '))
        .join(', ')})`,
      `size ${options.size}: ${seeded.communications.toLocaleString('en')} communications, made or found in ${seeded.seconds.toFixed(0)} s`,
    ],
  }
}

async function temporaryFolder(cleanUps: CleanUp[]): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'parley-bench-'))
  cleanUps.push(() => rm(folder, { recursive: true, force: true }))
  return folder
}
