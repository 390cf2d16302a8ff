import { Prisma } from '../db/generated/client.ts'
import type { ChannelType } from '../db/generated/enums.ts'
import type { Deps } from '../deps.ts'
import { keptStats } from './channel-stats.ts'
import type { Difference } from './differing-counts.ts'

type Counts = Record<'inbound' | 'outbound' | 'unread' | 'failed', number>

type Row = { channel: ChannelType; quarter: string; kept: Counts; counted: Counts }

/** Quarters from here on are not gathered by any fold yet. */
const recent = Prisma.sql`date_bin('15 minutes', now() - interval '1 day', 'epoch')`

/**
 * Counts the messages of an organization and brings the channel statistics to what is counted. It takes no lock that a writer waits for: one
 * statement sees both in one snapshot, and appends the difference, which is right whatever was appended meanwhile.
 */
export async function reconcileChannelStats(deps: Pick<Deps, 'db'>, organizationId: string): Promise<Difference[]> {
  const rows = await deps.db.$transaction(
    async (tx) => {
      // Two at once would append the same difference twice.
      await tx.$queryRaw`SELECT pg_advisory_xact_lock(hashtextextended('channel_stat ' || ${organizationId}, 0))::text`
      return tx.$queryRaw<Row[]>`
        WITH kept AS (
          SELECT channel, CASE WHEN quarter < ${recent} THEN '-infinity' ELSE quarter END AS quarter, sum(inbound)::int AS inbound,
            sum(outbound)::int AS outbound, sum(unread)::int AS unread, sum(failed)::int AS failed
          FROM (${keptStats(organizationId)}) AS kept GROUP BY 1, 2
        ), counted AS (
          SELECT type::text::"ChannelType" AS channel,
            CASE WHEN created_at < ${recent} THEN '-infinity' ELSE date_bin('15 minutes', created_at, 'epoch') END AS quarter,
            count(*) FILTER (WHERE direction = 'INBOUND')::int AS inbound, count(*) FILTER (WHERE direction = 'OUTBOUND')::int AS outbound,
            count(*) FILTER (WHERE NOT is_read)::int AS unread, count(*) FILTER (WHERE delivery_status = 'FAILED')::int AS failed
          FROM communication WHERE organization_id = ${organizationId}::uuid AND type NOT IN ('INTERNAL_NOTE', 'CALL_LOG') GROUP BY 1, 2
        ), difference AS (
          SELECT channel, quarter, coalesce(k.inbound, 0) AS kept_inbound, coalesce(k.outbound, 0) AS kept_outbound,
            coalesce(k.unread, 0) AS kept_unread, coalesce(k.failed, 0) AS kept_failed, coalesce(c.inbound, 0) AS inbound,
            coalesce(c.outbound, 0) AS outbound, coalesce(c.unread, 0) AS unread, coalesce(c.failed, 0) AS failed
          FROM kept k FULL JOIN counted c USING (channel, quarter)
        ), wrong AS MATERIALIZED (
          SELECT * FROM difference WHERE (kept_inbound, kept_outbound, kept_unread, kept_failed) <> (inbound, outbound, unread, failed)
        ), mended AS (
          INSERT INTO channel_stat_delta (organization_id, channel, quarter, inbound, outbound, unread, failed)
          SELECT ${organizationId}::uuid, channel, quarter, inbound - kept_inbound, outbound - kept_outbound, unread - kept_unread,
            failed - kept_failed FROM wrong
        )
        SELECT channel, quarter::text,
          json_build_object('inbound', kept_inbound, 'outbound', kept_outbound, 'unread', kept_unread, 'failed', kept_failed) AS kept,
          json_build_object('inbound', inbound, 'outbound', outbound, 'unread', unread, 'failed', failed) AS counted
        FROM wrong ORDER BY 1, 2`
    },
    { timeout: 600_000 },
  )
  return rows.map(({ channel, quarter, kept, counted }) => ({
    count: 'channel_stat',
    organizationId,
    id: null,
    kept: { channel, quarter, ...kept },
    counted: { channel, quarter, ...counted },
  }))
}
