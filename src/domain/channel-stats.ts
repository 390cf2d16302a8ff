import type { ChannelType } from '../db/generated/enums.ts'
import type { Deps } from '../deps.ts'

export type ChannelStat = {
  channel: ChannelType
  total: number
  today: number
  inbound: number
  outbound: number
  unread: number
  failed: number
}

/** Counts of every channel that is connected or was ever used. "Today" begins at midnight in the organization's time zone. */
export async function channelStats(deps: Pick<Deps, 'db' | 'clock'>, organizationId: string, timezone: string): Promise<ChannelStat[]> {
  return deps.db.$queryRaw<ChannelStat[]>`
    WITH used AS (
      SELECT type::text AS channel, count(*)::int AS total,
        count(*) FILTER (WHERE created_at >= date_trunc('day', ${deps.clock()}::timestamptz, ${timezone}))::int AS today,
        count(*) FILTER (WHERE direction = 'INBOUND')::int AS inbound,
        count(*) FILTER (WHERE direction = 'OUTBOUND')::int AS outbound,
        count(*) FILTER (WHERE NOT is_read)::int AS unread,
        count(*) FILTER (WHERE delivery_status = 'FAILED')::int AS failed
      FROM communication WHERE organization_id = ${organizationId}::uuid AND type NOT IN ('INTERNAL_NOTE', 'CALL_LOG')
      GROUP BY type
    ), connected AS (
      SELECT DISTINCT channel::text FROM channel_account WHERE organization_id = ${organizationId}::uuid
    )
    SELECT channel, coalesce(total, 0) AS total, coalesce(today, 0) AS today, coalesce(inbound, 0) AS inbound,
      coalesce(outbound, 0) AS outbound, coalesce(unread, 0) AS unread, coalesce(failed, 0) AS failed
    FROM used FULL JOIN connected USING (channel) ORDER BY channel`
}
