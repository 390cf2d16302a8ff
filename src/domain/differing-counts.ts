import type { Tx } from '../events/transact.ts'

type Counts = Record<string, number | string | null>

/** A kept count that was not what is counted. `kept` and `counted` have only what differs, as JSON. */
export type Difference = {
  count: 'organization' | 'customer' | 'conversation' | 'channel_stat'
  organizationId: string
  /** Of the row; null: see `counted`. */
  id: string | null
  kept: Counts
  counted: Counts
}

export type DifferingRow = { count: 'customer' | 'conversation'; id: string; customerId: string; kept: Counts; counted: Counts }

/**
 * The customers, and their conversations, whose counts are not those of their communications; in one snapshot, so that nobody who writes
 * meanwhile is seen half done. A conversation that was joined with another keeps its own last activity, for the day it is parted again.
 */
export const differingCounts = (
  db: Pick<Tx, '$queryRaw'>,
  organizationId: string,
  customerIds: readonly string[],
): Promise<DifferingRow[]> =>
  db.$queryRaw<DifferingRow[]>`
    SELECT * FROM (
      SELECT 'customer' AS count, u.id, u.id AS "customerId", jsonb_build_object('unreadCount', u.unread_count) AS kept,
        jsonb_build_object('unreadCount', (SELECT count(*) FROM communication m WHERE m.customer_id = u.id AND NOT m.is_read)) AS counted
      FROM customer u WHERE u.organization_id = ${organizationId}::uuid AND u.id = ANY(${[...customerIds]}::uuid[])
      UNION ALL
      SELECT 'conversation', c.id, c.customer_id,
        jsonb_build_object('unreadCount', c.unread_count, 'inboundCount', c.inbound_count, 'outboundCount', c.outbound_count,
          'lastCommunicationId', c.last_communication_id, 'lastActivityAt', c.last_activity_at),
        jsonb_build_object('unreadCount', said.unread, 'inboundCount', said.inbound, 'outboundCount', said.outbound,
          'lastCommunicationId', CASE WHEN c.merged_into_id IS NULL THEN said.last_id ELSE c.last_communication_id END,
          'lastActivityAt', CASE WHEN c.merged_into_id IS NULL THEN coalesce(said.last_at, c.last_activity_at) ELSE c.last_activity_at END)
      FROM conversation c CROSS JOIN LATERAL (
        SELECT count(*) FILTER (WHERE NOT is_read) AS unread, max(id::text)::uuid AS last_id, max(created_at) AS last_at,
          count(*) FILTER (WHERE direction = 'INBOUND' AND type NOT IN ('INTERNAL_NOTE', 'CALL_LOG')) AS inbound,
          count(*) FILTER (WHERE direction = 'OUTBOUND' AND type NOT IN ('INTERNAL_NOTE', 'CALL_LOG')) AS outbound
        FROM communication m WHERE m.conversation_id = c.id
      ) AS said
      WHERE c.organization_id = ${organizationId}::uuid AND c.customer_id = ANY(${[...customerIds]}::uuid[])
    ) AS compared WHERE kept <> counted ORDER BY count, id`

/** With what differs alone. */
export function differenceOf(organizationId: string, { count, id, kept, counted }: Omit<DifferingRow, 'customerId'>): Difference {
  const differing = Object.keys(counted).filter((name) => kept[name] !== counted[name])
  const only = (counts: Counts): Counts => Object.fromEntries(differing.map((name) => [name, counts[name] ?? null]))
  return { count, organizationId, id, kept: only(kept), counted: only(counted) }
}
