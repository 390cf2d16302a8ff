import type pg from 'pg'
import { expect } from 'vitest'
import { eventually } from './eventually.ts'

/** Holds the message's row until `release`, so that whoever wants to change it waits, first come, first served. */
export async function hold(pool: pg.Pool, communicationId: string): Promise<{ release(): Promise<void> }> {
  const client = await pool.connect()
  await client.query('BEGIN')
  await client.query('SELECT FROM communication WHERE id = $1 FOR UPDATE', [communicationId])
  return {
    async release() {
      await client.query('ROLLBACK')
      client.release()
    },
  }
}

/** Resolves when that many sessions wait for a row. */
export const someoneWaits = (pool: pg.Pool, sessions: number): Promise<void> =>
  eventually(async () => {
    const { rows } = await pool.query<{ n: number }>(
      `SELECT count(*)::int AS n FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
    )
    expect(rows[0]?.n).toBe(sessions)
  })
