import { Prisma } from '../db/generated/client.ts'
import { EventType } from '../db/generated/enums.ts'
import type { Deps } from '../deps.ts'
import { cursorArgument, decodeKeys, encodeKeys, type Page, type PageResult, pagesOf } from './page.ts'

export type TimelineRow = {
  seq: bigint
  type: EventType
  occurredAt: Date
  actorId: string | null
  customerId: string
  conversationId: string | null
  communicationId: string | null
  data: Prisma.JsonObject
}

const SEQ_FORM = /^\d{1,18}$/

/** Counters and arriving attachments are no history: a timeline leaves them out. */
const LEFT_OUT = ['UNREAD_COUNT_CHANGED', 'COMMUNICATION_CHANGED'] as const satisfies EventType[]

export type TimelineType = Exclude<EventType, (typeof LEFT_OUT)[number]>

export const timelineTypes = Object.values(EventType).filter((type): type is TimelineType => !LEFT_OUT.some((other) => other === type))

export const timelineCursor = (row: { seq: bigint }): string => encodeKeys('timeline', [String(row.seq)])

/**
 * What happened with each customer and with those who are merged into them, newest first, from the event log, in one statement. Of each of
 * them no more than a page is read. A merge is in the log of both: it is shown once.
 */
export async function listTimeline(
  deps: Pick<Deps, 'db'>,
  organizationId: string,
  customerIds: readonly string[],
  page: Page,
): Promise<Map<string, PageResult<TimelineRow>>> {
  const cursor = page.cursor === null ? null : decodeKeys('timeline', page.cursor, [SEQ_FORM], cursorArgument(page))[0]
  const place =
    cursor === null ? Prisma.sql`true` : page.backwards ? Prisma.sql`seq > ${cursor}::bigint` : Prisma.sql`seq < ${cursor}::bigint`
  const order = page.backwards ? Prisma.sql`ASC` : Prisma.sql`DESC`
  const rows = await deps.db.$queryRaw<TimelineRow[]>`
    SELECT parent AS "customerId", seq, type, occurred_at AS "occurredAt", actor_id AS "actorId", conversation_id AS "conversationId",
      communication_id AS "communicationId", data
    FROM unnest(${[...customerIds]}::uuid[]) AS p(parent), LATERAL (
      SELECT happened.* FROM (
        SELECT p.parent AS id
        UNION ALL
        SELECT id FROM customer WHERE merged_into_id = p.parent AND organization_id = ${organizationId}::uuid
      ) AS who, LATERAL (
        SELECT * FROM event WHERE customer_id = who.id AND organization_id = ${organizationId}::uuid
          AND type = ANY(${timelineTypes}::"EventType"[]) AND ${place}
          AND NOT (who.id <> p.parent AND type = 'CUSTOMERS_MERGED' AND data->>'mergedId' = who.id::text)
        ORDER BY seq ${order} LIMIT ${page.limit + 1}
      ) AS happened
      ORDER BY seq ${order} LIMIT ${page.limit + 1}
    ) AS item`
  return pagesOf(customerIds, rows, (row) => row.customerId, page)
}
