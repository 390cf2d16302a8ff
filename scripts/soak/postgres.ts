import pg from 'pg'
import { pino } from 'pino'
import { startEmbedded } from '../../src/db/embedded.ts'
import { migrate } from '../../src/db/migrate.ts'

/** A PostgreSQL of our own that can go away and come back at the same address. */
export type Postgres = { url: string; pool: pg.Pool; stop(): Promise<void>; start(): Promise<void>; end(): Promise<void> }

const SETTINGS = { shared_buffers: '256MB', max_wal_size: '2GB' }

/** Throws where the database of the folder is not empty. */
export async function startPostgres(dataDir: string): Promise<Postgres> {
  const log = pino({ level: 'fatal' }, pino.destination(2))
  let running = await startEmbedded({ dataDir, log, settings: SETTINGS })
  const { url } = running
  const pool = new pg.Pool({ connectionString: url, max: 2, options: '-c timezone=UTC', application_name: 'soak' })
  // Its connections break when PostgreSQL is restarted beneath it; the next query opens another.
  pool.on('error', () => undefined)
  pool.on('connect', (client) => client.on('error', () => undefined))
  const end = async () => {
    await pool.end()
    await running.stop()
  }
  try {
    await migrate(url, log)
    const { rowCount } = await pool.query('SELECT FROM organization LIMIT 1')
    if (rowCount !== 0) throw new Error('--data: the database of this folder is not empty; choose another folder')
  } catch (error) {
    await end()
    throw error
  }
  return {
    url,
    pool,
    stop: () => running.stop(),
    async start() {
      running = await startEmbedded({ dataDir, log, settings: { ...SETTINGS, port: new URL(url).port } })
    },
    end,
  }
}
