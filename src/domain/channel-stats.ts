import { Prisma } from '../db/generated/client.ts'
import type { ChannelType } from '../db/generated/enums.ts'
import type { Deps } from '../deps.ts'
import { runPrepared } from './list-query.ts'

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
export const channelStats = (deps: Pick<Deps, 'pool' | 'clock'>, organizationId: string, timezone: string): Promise<ChannelStat[]> =>
  runPrepared(deps, channelStatsSql(organizationId, timezone, deps.clock()), true)

/** Rows as `ChannelStat`, by channel. Reads what is kept: a row for each quarter of an hour of the last day, and what was not added up yet. */
export const channelStatsSql = (organizationId: string, timezone: string, now: Date): Prisma.Sql => Prisma.sql`
  SELECT channel, coalesce(inbound + outbound, 0)::int AS total, coalesce(today, 0)::int AS today, coalesce(inbound, 0)::int AS inbound,
    coalesce(outbound, 0)::int AS outbound, coalesce(unread, 0)::int AS unread, coalesce(failed, 0)::int AS failed
  FROM (
    SELECT channel::text, sum(inbound) AS inbound, sum(outbound) AS outbound, sum(unread) AS unread, sum(failed) AS failed,
      sum(inbound + outbound) FILTER (WHERE quarter >= (SELECT date_trunc('day', ${now}::timestamptz, ${timezone}))) AS today
    FROM (${keptStats(organizationId)}) AS kept GROUP BY channel
  ) AS counted FULL JOIN (
    SELECT DISTINCT channel::text FROM channel_account WHERE organization_id = ${organizationId}::uuid
  ) AS connected USING (channel) ORDER BY channel`

/** What is kept of an organization: rows that are summed up by channel and quarter. */
export const keptStats = (organizationId: string): Prisma.Sql => Prisma.sql`
  SELECT channel, quarter, inbound, outbound, unread, failed FROM channel_stat WHERE organization_id = ${organizationId}::uuid
  UNION ALL
  SELECT channel, quarter, inbound, outbound, unread, failed FROM channel_stat_delta WHERE organization_id = ${organizationId}::uuid`
