import { Prisma } from '../db/generated/client.ts'
import type { ChannelType, ConversationStatus } from '../db/generated/enums.ts'
import type { Deps } from '../deps.ts'
import { ValidationError } from './errors.ts'
import { type Page, type PageResult, pagesOf } from './page.ts'
import { containing, listRows } from './sql.ts'
import { timeCursor, timePlace } from './time-place.ts'

export type ConversationFilter = {
  status?: ConversationStatus | null
  channels?: ChannelType[] | null
  channelAccountId?: string | null
  assigneeId?: string | null
  unassigned?: boolean | null
  unread?: boolean | null
  /** A part of the customer's name or of one of their addresses, in any case. */
  search?: string | null
}

type Row = { id: string; lastActivityAt: Date }

export const conversationCursor = (row: Row): string => timeCursor('conversations', row.lastActivityAt, row.id)

/** Ids of one page for each parent (the organization, or customers), latest activity first, in one statement. */
export async function listConversations(
  deps: Pick<Deps, 'pool'>,
  organizationId: string,
  scope: 'organization' | 'customer',
  parentIds: readonly string[],
  filter: ConversationFilter,
  page: Page,
): Promise<Map<string, PageResult<Row>>> {
  const order = page.backwards ? Prisma.sql`ASC` : Prisma.sql`DESC`
  const parent = scope === 'organization' ? Prisma.sql`c.organization_id` : Prisma.sql`c.customer_id`
  const rows = await listRows<Row & { parent: string }>(
    deps,
    Prisma.sql`
    SELECT parent, id, last_activity_at AS "lastActivityAt" FROM unnest(${[...parentIds]}::uuid[]) AS p(parent), LATERAL (
      SELECT c.id, c.last_activity_at FROM conversation c WHERE ${parent} = p.parent AND ${conversationConditions(organizationId, filter, page)}
      ORDER BY c.last_activity_at ${order}, c.id ${order} LIMIT ${page.limit + 1}
    ) AS item`,
    filter,
  )
  return pagesOf(parentIds, rows, (row) => row.parent, page)
}

/** What the rows of a page have in common, on the alias `c`. Throws ValidationError. */
export function conversationConditions(organizationId: string, filter: ConversationFilter, page: Page): Prisma.Sql {
  if (filter.unassigned && filter.assigneeId) {
    throw new ValidationError('assigneeId and unassigned: true exclude each other.', ['filter', 'unassigned'])
  }
  const tenant = Prisma.sql`c.organization_id = ${organizationId}::uuid`
  const own = Prisma.sql`c.merged_into_id IS NULL`
  return Prisma.join(
    [
      tenant,
      own,
      timePlace('conversations', Prisma.sql`c.last_activity_at, c.id`, page, true),
      ...filterConditions(organizationId, filter),
    ],
    ' AND ',
  )
}

function filterConditions(organizationId: string, filter: ConversationFilter): Prisma.Sql[] {
  const { status, channels, channelAccountId, assigneeId, unassigned, unread } = filter
  const pattern = containing(filter.search)
  return [
    ...(status ? [Prisma.sql`c.status = ${status}::"ConversationStatus"`] : []),
    ...(channels ? [Prisma.sql`c.channel = ANY(${channels}::"ChannelType"[])`] : []),
    ...(channelAccountId ? [Prisma.sql`c.channel_account_id = ${channelAccountId}::uuid`] : []),
    ...(assigneeId ? [Prisma.sql`c.assignee_id = ${assigneeId}::uuid`] : []),
    ...(unassigned === true ? [Prisma.sql`c.assignee_id IS NULL`] : []),
    ...(unassigned === false ? [Prisma.sql`c.assignee_id IS NOT NULL`] : []),
    ...(unread === true ? [Prisma.sql`c.unread_count > 0`] : []),
    ...(unread === false ? [Prisma.sql`c.unread_count = 0`] : []),
    ...(pattern === null
      ? []
      : [
          // An array is found once; a subquery may be run again for each conversation.
          Prisma.sql`c.customer_id = ANY(ARRAY(
            SELECT id FROM customer WHERE organization_id = ${organizationId}::uuid AND name ILIKE ${pattern}
            UNION ALL
            SELECT customer_id FROM customer_identity WHERE organization_id = ${organizationId}::uuid AND value ILIKE ${pattern}))`,
        ]),
  ]
}
