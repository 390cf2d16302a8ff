import { hash } from 'node:crypto'
import { PrismaPg } from '@prisma/adapter-pg'
import pg from 'pg'
import type { Logger } from 'pino'
import { PrismaClient } from './generated/client.ts'

export type Database = {
  /** The connections of `db`, for hand-written statements. */
  pool: pg.Pool
  db: PrismaClient
  close(): Promise<void>
}

const CONNECT_MILLISECONDS = 5_000

/**
 * Opens at most `max` connections, lazily; a lost PostgreSQL rejects within 5 seconds, and the pool recovers by itself. `settings`: of
 * PostgreSQL, for these connections.
 */
export function openDatabase(url: string, options: { max: number; log: Logger; settings?: string }): Database {
  const pool = new pg.Pool({
    connectionString: url,
    max: options.max,
    options: `-c timezone=UTC -c jit=off ${options.settings ?? ''}`,
    application_name: 'parley',
    connectionTimeoutMillis: CONNECT_MILLISECONDS,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
  })
  const lost = (error: Error) => options.log.warn({ err: error }, 'a PostgreSQL connection was lost')
  pool.on('error', lost)
  // A connection that breaks while it is checked out has no listener of the pool's and would end the process.
  pool.on('connect', (client) => client.on('error', lost))
  const adapter = new PrismaPg(pool, { statementNameGenerator: (query) => hash('sha1', query.sql, 'base64url') })
  const db = new PrismaClient({ adapter })
  return {
    pool,
    db,
    async close() {
      await db.$disconnect()
      await pool.end()
    },
  }
}
