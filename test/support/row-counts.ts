import type pg from 'pg'
import { eventually } from './eventually.ts'

// Whatever the minute is in which a test runs: not what the worker does by the clock.
const OURS = `graphile_worker._private_jobs WHERE payload->'_cron' IS NULL`
const JOBS = `SELECT 'jobs', count(*)::int FROM ${OURS}`
const FOLDED = ['channel_stat', 'channel_stat_delta']
const STATISTICS = ['inbound', 'outbound', 'unread', 'failed'].map((count) => {
  const [kept, added] = FOLDED.map((table) => `(SELECT coalesce(sum(${count}), 0) FROM ${table})`)
  return `SELECT '${count} of the statistics', (${kept} + ${added})::int`
})
const EVENTS = `SELECT 'event_seq of ' || slug, event_seq::int FROM organization`

/** How many rows every table of the product holds, the statistics, the worker's jobs, and the number of each organization's latest event. */
export async function rowCounts(pool: pg.Pool): Promise<Record<string, number>> {
  const { rows } = await pool.query<{ name: string }>(
    `SELECT quote_ident(tablename) AS name FROM pg_tables WHERE schemaname = 'public' AND tablename <> ALL($1) ORDER BY name`,
    [FOLDED],
  )
  const tables = rows.map(({ name }) => `SELECT '${name}' AS name, count(*)::int AS n FROM public.${name}`)
  const counted = await pool.query<{ name: string; n: number }>([...tables, ...STATISTICS, JOBS, EVENTS].join(' UNION ALL '))
  return Object.fromEntries(counted.rows.map(({ name, n }) => [name, n]))
}

/** The counts when the worker has done what is due now or within the next seconds: then nothing changes by itself. */
export async function settledRowCounts(pool: pg.Pool): Promise<Record<string, number>> {
  await eventually(async () => {
    const { rows } = await pool.query<{ n: number }>(`SELECT count(*)::int AS n FROM ${OURS} AND run_at < now() + interval '5 seconds'`)
    if (rows[0]?.n !== 0) throw new Error(`${rows[0]?.n} jobs are still to run`)
  })
  return rowCounts(pool)
}
