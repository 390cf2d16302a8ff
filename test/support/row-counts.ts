import type pg from 'pg'

// The worker adds this job each minute by itself.
const JOBS = `SELECT 'jobs', count(*)::int FROM graphile_worker.jobs WHERE task_identifier <> 'recover-stale'`
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
