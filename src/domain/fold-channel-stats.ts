import type { Deps } from '../deps.ts'
import { enqueue } from '../jobs/enqueue.ts'

/** As many rows are added up by one statement. */
const BATCH = 20_000
/** 'stat' in ASCII. */
const FOLD_LOCK = 0x73746174

/** More than this since the last time is worth another one soon: who reads the statistics reads every delta of the organization. */
const BUSY = 1_000
const SOON_MS = 5_000

/** `foldChannelStats`, and a job to do it again in seconds where there was much. */
export async function foldWhileBusy(deps: Pick<Deps, 'db' | 'pool'>): Promise<void> {
  if ((await foldChannelStats(deps)) < BUSY) return
  await enqueue(deps.db, 'fold-channel-stats', {}, { runAt: new Date(Date.now() + SOON_MS), key: 'fold-channel-stats' })
}

/**
 * Adds the deltas that the triggers wrote to the channel statistics, and quarters that are no time zone's today any more to `-infinity`. Gives how
 * many deltas there were. A statement moves counts or does not, so that every reader sees their sum; a second worker at the same time does nothing.
 */
export async function foldChannelStats(deps: Pick<Deps, 'pool'>): Promise<number> {
  for (let folded = 0; ; ) {
    const { rows } = await deps.pool.query<{ n: number }>(foldSql, [BATCH, FOLD_LOCK])
    const n = rows[0]?.n ?? 0
    folded += n
    if (n < BATCH) return folded
  }
}

// The longest day has 25 hours, and no clock of ours is an hour behind.
const foldSql = `
WITH alone AS MATERIALIZED (SELECT pg_try_advisory_xact_lock($2) AS alone), delta AS (
  DELETE FROM channel_stat_delta WHERE (organization_id, id) IN (
    SELECT organization_id, id FROM channel_stat_delta WHERE (SELECT alone FROM alone) ORDER BY organization_id, id LIMIT $1 FOR UPDATE SKIP LOCKED)
  RETURNING organization_id, channel, quarter, inbound, outbound, unread, failed
), over AS (
  DELETE FROM channel_stat s USING (SELECT DISTINCT organization_id, channel FROM delta) AS d
  WHERE s.organization_id = d.organization_id AND s.channel = d.channel AND s.quarter > '-infinity' AND s.quarter < now() - interval '26 hours'
  RETURNING s.*
), folded AS (
  INSERT INTO channel_stat (organization_id, channel, quarter, inbound, outbound, unread, failed)
  SELECT organization_id, channel, CASE WHEN quarter < now() - interval '26 hours' THEN '-infinity' ELSE quarter END, sum(inbound), sum(outbound), sum(unread), sum(failed)
  FROM (SELECT * FROM delta UNION ALL SELECT * FROM over) AS moved
  GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
  ON CONFLICT (organization_id, channel, quarter) DO UPDATE SET inbound = channel_stat.inbound + excluded.inbound,
    outbound = channel_stat.outbound + excluded.outbound, unread = channel_stat.unread + excluded.unread, failed = channel_stat.failed + excluded.failed
)
SELECT count(*)::int AS n FROM delta`
