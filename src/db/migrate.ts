import { runMigrations, Logger as WorkerLogger } from 'graphile-worker'
import pg from 'pg'
import type { Logger } from 'pino'
import { ConfigError } from '../config.ts'
import { type Migration, migrationList, readMigrations } from './migrations.ts'
import { openSchemaEngine } from './schema-engine.ts'
import { wakeForFreedQueues } from './wake-queues.ts'

/** 'parley' in ASCII; Prisma and graphile-worker lock other numbers. */
const MIGRATION_LOCK = '0x7061726c6579'

/**
 * Brings the database up to date, Parley's tables and the job queue's, and answers the names of the migrations applied now. Safe when several
 * processes start at once. Throws ConfigError where there is no database to connect to, or one that another history made.
 */
export async function migrate(url: string, log: Logger): Promise<string[]> {
  const migrations = await readMigrations()
  const client = await connect(url)
  client.on('error', (error) => log.warn({ err: error }, 'the connection that migrates was lost'))
  try {
    await client.query(`select pg_advisory_lock(${BigInt(MIGRATION_LOCK)})`)
    const applied = (await isUpToDate(client, migrations)) ? [] : await apply(client, url, migrations)
    await migrateQueue(url, log)
    await wakeForFreedQueues(client)
    if (applied.length > 0) log.info({ migrations: applied }, 'the database was migrated')
    return applied
  } finally {
    await client.end()
  }
}

async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 10_000 })
  try {
    await client.connect()
    return client
  } catch (error) {
    const { host, pathname } = new URL(url)
    throw new ConfigError(`DATABASE_URL: cannot connect to PostgreSQL at ${host}${pathname}: ${reason(error)}`)
  }
}

const reason = (error: unknown): string =>
  error instanceof AggregateError ? error.errors.map(reason).join('; ') : error instanceof Error ? error.message : String(error)

async function hasHistory(client: pg.Client): Promise<boolean> {
  const table = await client.query<{ exists: boolean }>(`select to_regclass('_prisma_migrations') is not null as exists`)
  return table.rows[0]?.exists === true
}

type Row = { migration_name: string; checksum: string; finished_at: Date | null }

async function isUpToDate(client: pg.Client, migrations: readonly Migration[]): Promise<boolean> {
  if (!(await hasHistory(client))) return false
  const { rows } = await client.query<Row>(
    'select migration_name, checksum, finished_at from _prisma_migrations where rolled_back_at is null',
  )
  const done = new Map(rows.filter((row) => row.finished_at !== null).map((row) => [row.migration_name, row.checksum]))
  const changed = migrations.find(({ name, checksum }) => done.has(name) && done.get(name) !== checksum)
  if (changed !== undefined) {
    throw new ConfigError(
      `DATABASE_URL (or DATA_DIR): the database was made by another version of migration ${changed.name}; use a new database, or a new data folder`,
    )
  }
  return rows.length === done.size && migrations.every(({ name }) => done.has(name))
}

async function apply(client: pg.Client, url: string, migrations: readonly Migration[]): Promise<string[]> {
  const { engine, close } = await openSchemaEngine(url)
  try {
    // Each script is one transaction, and nobody else migrates now: what has begun and not ended has left nothing behind, and is tried again.
    if (await hasHistory(client))
      await client.query('update _prisma_migrations set rolled_back_at = now() where finished_at is null and rolled_back_at is null')
    const filters = { externalTables: [], externalEnums: [] }
    return (await engine.applyMigrations({ migrationsList: migrationList(migrations), filters })).appliedMigrationNames
  } finally {
    await close()
  }
}

async function migrateQueue(url: string, log: Logger): Promise<void> {
  const pool = new pg.Pool({ connectionString: url, max: 1 })
  const lost = (error: Error) => log.warn({ err: error }, 'the connection that migrates the job queue was lost')
  pool.on('error', lost)
  pool.on('connect', (connection) => connection.on('error', lost))
  try {
    await runMigrations({ pgPool: pool, logger: new WorkerLogger(() => () => undefined) })
  } finally {
    await pool.end()
  }
}
