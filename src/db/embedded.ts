import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import type { Logger } from 'pino'
import { ConfigError, keptSecret } from '../config.ts'
import { type Cluster, openCluster } from './cluster.ts'

export type Embedded = {
  url: string
  /** Ends PostgreSQL too, where it is ours to end. */
  stop(): Promise<void>
}

export type EmbeddedOptions = {
  /** Absolute; the cluster lives in `postgres` below it. */
  dataDir: string
  log: Logger
  /** More PostgreSQL settings, for tests; without spaces. */
  settings?: Record<string, string>
}

const OWNER_LOCK = 0x6f776e
const DATABASE = 'parley'
const SETTINGS = { listen_addresses: '127.0.0.1', unix_socket_directories: '', max_connections: '100', timezone: 'UTC' }

/**
 * Starts the PostgreSQL of the data folder, or takes over one that a killed process left running, and owns it until `stop`. Throws ConfigError
 * naming DATA_DIR where the folder cannot be used or another process owns it.
 */
export async function startEmbedded(options: EmbeddedOptions): Promise<Embedded> {
  const embedded = await open(options)
  if (embedded.owned) return embedded
  await embedded.stop()
  throw new ConfigError(`DATA_DIR: ${options.dataDir} is in use by another Parley process; set DATA_DIR or DATABASE_URL`)
}

/** For a command that may run beside a server: uses the PostgreSQL that runs, or runs one for the time of `use`. */
export async function withEmbedded<T>(options: EmbeddedOptions, use: (url: string) => Promise<T>): Promise<T> {
  const embedded = await open({ ...options, patience: 0 })
  try {
    return await use(embedded.url)
  } finally {
    await embedded.stop()
  }
}

async function open(options: EmbeddedOptions & { patience?: number }): Promise<Embedded & { owned: boolean }> {
  const { dataDir, log, patience = 2_000 } = options
  const password = keptSecret(dataDir, 'postgres-password')
  const cluster = await openCluster(dataDir, password)
  const address = `postgresql://postgres:${encodeURIComponent(password)}@127.0.0.1:${await startOrAdopt(cluster, { ...SETTINGS, ...options.settings })}`
  const url = `${address}/${DATABASE}`
  const owner = await connect(`${address}/postgres`, dataDir)
  let stopping = false
  owner.on('error', (error) => {
    if (!stopping) log.error({ err: error }, 'the connection that owns the data folder was lost')
  })
  const owned = await tryLock(owner, patience)
  if (owned) await createDatabase(owner)
  return {
    url,
    owned,
    async stop() {
      stopping = true
      // The lock is let go by PostgreSQL's own end, so that nobody takes over a server that is about to stop.
      if (owned) await cluster.stop()
      await owner.end()
    },
  }
}

async function startOrAdopt(cluster: Cluster, settings: Record<string, string>): Promise<number> {
  for (let attempt = 1; ; attempt++) {
    const running = await cluster.port()
    if (running !== null) return running
    try {
      await cluster.start(settings)
    } catch (error) {
      // Another process may have started it, or taken the port, in between.
      if (attempt === 3) throw new ConfigError(`DATA_DIR: PostgreSQL does not start: ${(error as Error).message}`)
    }
  }
}

async function connect(url: string, dataDir: string): Promise<pg.Client> {
  const client = new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: 10_000,
    keepAlive: true,
    application_name: 'parley owner',
  })
  try {
    await client.connect()
    return client
  } catch (error) {
    throw new ConfigError(`DATA_DIR: the PostgreSQL of ${dataDir} refuses us: ${(error as Error).message}`)
  }
}

/** A killed owner's lock goes when PostgreSQL notices, so it is worth asking for a while. */
async function tryLock(client: pg.Client, patience: number): Promise<boolean> {
  for (const end = Date.now() + patience; ; await sleep(100)) {
    const { rows } = await client.query<{ locked: boolean }>('select pg_try_advisory_lock($1) as locked', [OWNER_LOCK])
    if (rows[0]?.locked === true) return true
    if (Date.now() >= end) return false
  }
}

async function createDatabase(client: pg.Client): Promise<void> {
  const { rowCount } = await client.query('select from pg_database where datname = $1', [DATABASE])
  if (rowCount === 0) await client.query(`create database ${DATABASE}`)
}
