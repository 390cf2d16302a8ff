import type { ChannelType } from '../db/generated/enums.ts'
import type { Deps } from '../deps.ts'
import { firstIdAt } from './ids.ts'

export type ChannelStat = {
  channel: ChannelType
  total: number
  today: number
  inbound: number
  outbound: number
  unread: number
  failed: number
}

/**
 * Counts of every channel that is connected or was ever used. "Today" begins at midnight in the organization's time zone. Sums what the
 * conversations have counted, and reads only today's and the failed messages.
 */
export async function channelStats(deps: Pick<Deps, 'db' | 'clock'>, organizationId: string, timezone: string): Promise<ChannelStat[]> {
  const [row] = await deps.db.$queryRaw<
    { midnight: Date }[]
  >`SELECT date_trunc('day', ${deps.clock()}::timestamptz, ${timezone}) AS midnight`
  const midnight = firstIdAt(row?.midnight ?? deps.clock())
  return deps.db.$queryRaw<ChannelStat[]>`
    WITH counted AS (
      SELECT channel::text, sum(inbound_count)::int AS inbound, sum(outbound_count)::int AS outbound, sum(unread_count)::int AS unread
      FROM conversation WHERE organization_id = ${organizationId}::uuid GROUP BY channel
    ), today AS (
      SELECT type::text AS channel, count(*)::int AS today FROM communication
      WHERE organization_id = ${organizationId}::uuid AND id >= ${midnight}::uuid GROUP BY type
    ), failed AS (
      SELECT type::text AS channel, count(*)::int AS failed FROM communication
      WHERE organization_id = ${organizationId}::uuid AND delivery_status = 'FAILED' GROUP BY type
    ), connected AS (
      SELECT DISTINCT channel::text FROM channel_account WHERE organization_id = ${organizationId}::uuid
    )
    SELECT channel, coalesce(inbound, 0) + coalesce(outbound, 0) AS total, coalesce(today, 0) AS today, coalesce(inbound, 0) AS inbound,
      coalesce(outbound, 0) AS outbound, coalesce(unread, 0) AS unread, coalesce(failed, 0) AS failed
    FROM counted FULL JOIN connected USING (channel) LEFT JOIN today USING (channel) LEFT JOIN failed USING (channel) ORDER BY channel`
}
