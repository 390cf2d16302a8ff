import type pg from 'pg'
import { eventually } from './eventually.ts'

// The worker adds this job each minute by itself.
const OURS = `task_identifier <> 'recover-stale'`
const JOBS = `SELECT 'jobs', count(*)::int FROM graphile_worker.jobs WHERE ${OURS}`
const EVENTS = `SELECT 'event_seq of ' || slug, event_seq::int FROM organization`

/** How many rows every table of the product holds, the worker's jobs, and the number of each organization's latest event. */
export async function rowCounts(pool: pg.Pool): Promise<Record<string, number>> {
  const { rows } = await pool.query<{ name: string }>(
    `SELECT quote_ident(tablename) AS name FROM pg_tables WHERE schemaname = 'public' ORDER BY name`,
  )
  const tables = rows.map(({ name }) => `SELECT '${name}' AS name, count(*)::int AS n FROM public.${name}`)
  const counted = await pool.query<{ name: string; n: number }>([...tables, JOBS, EVENTS].join(' UNION ALL '))
  return Object.fromEntries(counted.rows.map(({ name, n }) => [name, n]))
}

/** The counts when the worker has done what is due now or within the next seconds: then nothing changes by itself. */
export async function settledRowCounts(pool: pg.Pool): Promise<Record<string, number>> {
  await eventually(async () => {
    const { rows } = await pool.query<{ n: number }>(
      `SELECT count(*)::int AS n FROM graphile_worker.jobs WHERE ${OURS} AND run_at < now() + interval '5 seconds'`,
    )
    if (rows[0]?.n !== 0) throw new Error(`${rows[0]?.n} jobs are still to run`)
  })
  return rowCounts(pool)
}
