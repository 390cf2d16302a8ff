import type pg from 'pg'
import type { Ask } from './graph.ts'
import type { Organization } from './organizations.ts'
import type { Tally } from './tally.ts'
import { count, type Verdict } from './verdict.ts'

/** Each statement finds the rows whose kept number is not what is counted; `id` names them. */
const WRONG: Record<string, string> = {
  'organizations’ unread count': `
    SELECT o.id FROM organization o
    WHERE o.unread_count <> (SELECT count(*) FROM communication c WHERE c.organization_id = o.id AND NOT c.is_read)`,
  'customers’ unread count': `
    SELECT p.id FROM customer p LEFT JOIN (
      SELECT customer_id, count(*) FILTER (WHERE NOT is_read) AS unread FROM communication GROUP BY 1
    ) c ON c.customer_id = p.id WHERE p.unread_count <> coalesce(c.unread, 0)`,
  'conversations’ counts of unread, inbound and outbound': `
    SELECT v.id FROM conversation v LEFT JOIN (
      SELECT conversation_id, count(*) FILTER (WHERE NOT is_read) AS unread, count(*) FILTER (WHERE direction = 'INBOUND') AS inbound,
        count(*) FILTER (WHERE direction = 'OUTBOUND') AS outbound
      FROM communication GROUP BY 1
    ) c ON c.conversation_id = v.id
    WHERE (v.unread_count, v.inbound_count, v.outbound_count)
      IS DISTINCT FROM (coalesce(c.unread, 0), coalesce(c.inbound, 0), coalesce(c.outbound, 0))`,
  'conversations’ latest communication and activity': `
    SELECT v.id FROM conversation v LEFT JOIN (
      SELECT conversation_id, (array_agg(id ORDER BY id DESC))[1] AS last, max(created_at) AS at FROM communication GROUP BY 1
    ) c ON c.conversation_id = v.id WHERE (v.last_communication_id, v.last_activity_at) IS DISTINCT FROM (c.last, c.at)`,
  'event logs without a gap': `
    SELECT o.id FROM organization o LEFT JOIN (
      SELECT organization_id, count(*) AS n, min(seq) AS first, max(seq) AS last FROM event GROUP BY 1
    ) e ON e.organization_id = o.id
    WHERE o.event_seq <> coalesce(e.n, 0) OR o.event_seq <> coalesce(e.last, 0) OR coalesce(e.first, 1) <> 1`,
}

/** Counted by SQL of the judge's own, not by what the product has for it. */
const STATS = `
  SELECT type::text AS channel, count(*)::int AS total, count(*) FILTER (WHERE created_at >= date_trunc('day', now(), 'UTC'))::int AS today,
    count(*) FILTER (WHERE direction = 'INBOUND')::int AS inbound, count(*) FILTER (WHERE direction = 'OUTBOUND')::int AS outbound,
    count(*) FILTER (WHERE NOT is_read)::int AS unread, count(*) FILTER (WHERE delivery_status = 'FAILED')::int AS failed
  FROM communication WHERE organization_id = $1 AND type IN ('SMS', 'WHATSAPP') GROUP BY type`

type Stats = { channel: string } & Record<string, number>

/** What is kept is what is counted. */
export async function judgeCounters(pool: pg.Pool, organizations: Organization[], ask: Ask, tally: Tally): Promise<Verdict> {
  const broken: string[] = []
  for (const [what, sql] of Object.entries(WRONG)) {
    const { rows } = await pool.query<{ id: string }>(sql)
    for (const { id } of rows) broken.push(`${what}: wrong for ${id}`)
  }
  for (const organization of organizations) {
    const answer = await ask<{ channelStats: Stats[] }>(tally, organization, 'ChannelStats', {})
    const { rows } = await pool.query<Stats>(STATS, [organization.id])
    if (!('data' in answer)) {
      broken.push(`channel statistics of ${organization.slug}: ${JSON.stringify(answer)}`)
      continue
    }
    const told = new Map(answer.data.channelStats.map((stats) => [stats.channel, stats]))
    for (const row of rows)
      for (const [name, value] of Object.entries(row)) {
        const said = told.get(row.channel)?.[name]
        if (said !== value) broken.push(`channel statistics of ${organization.slug}: ${row.channel} has ${value} ${name}, told are ${said}`)
      }
  }
  const { rows } = await pool.query<{ customers: number; conversations: number; events: number }>(
    `SELECT (SELECT count(*)::int FROM customer) AS customers, (SELECT count(*)::int FROM conversation) AS conversations,
       (SELECT count(*)::int FROM event) AS events`,
  )
  const { customers = 0, conversations = 0, events = 0 } = rows[0] ?? {}
  return {
    promise: 'Counters are what is counted, and the event logs have no gap',
    numbers: [
      `organizations ${count(organizations.length)}, customers ${count(customers)}, conversations ${count(conversations)}, events ${count(events)}`,
      `compared: ${[...Object.keys(WRONG), 'channel statistics'].join('; ')}`,
    ],
    broken,
  }
}
