import { Prisma } from '../db/generated/client.ts'
import type { CommunicationType, Direction } from '../db/generated/enums.ts'
import type { Deps } from '../deps.ts'
import { firstIdAt } from './ids.ts'
import { cursorArgument, decodeKeys, encodeKeys, type Page, type PageResult, pagesOf } from './page.ts'
import { containing, listRows, UUID_FORM } from './sql.ts'

export type CommunicationFilter = {
  types?: CommunicationType[] | null
  direction?: Direction | null
  unread?: boolean | null
  /** Inclusive. */
  since?: Date | null
  /** Exclusive. */
  until?: Date | null
  /** A part of subject or body, in any case. */
  search?: string | null
}

/** Whose communications: of the whole organization, of conversations, or of customers. */
export type CommunicationScope = 'organization' | 'conversation' | 'customer'

const columns = { organization: Prisma.sql`organization_id`, conversation: Prisma.sql`conversation_id`, customer: Prisma.sql`customer_id` }

export const communicationCursor = (row: { id: string }): string => encodeKeys('communications', [row.id])

/**
 * Ids of one page for each parent, in one statement. Conversations and customers are read like a thread, oldest first; the organization
 * newest first.
 */
export async function listCommunications(
  deps: Pick<Deps, 'pool'>,
  organizationId: string,
  scope: CommunicationScope,
  parentIds: readonly string[],
  filter: CommunicationFilter,
  page: Page,
): Promise<Map<string, PageResult<{ id: string }>>> {
  const newestFirst = scope === 'organization'
  const descending = newestFirst !== page.backwards
  const conditions = [Prisma.sql`organization_id = ${organizationId}::uuid`, placeIn(page, descending), ...filterConditions(filter)]
  const rows = await listRows<{ parent: string; id: string }>(
    deps,
    Prisma.sql`
    SELECT parent, id FROM unnest(${[...parentIds]}::uuid[]) AS p(parent), LATERAL (
      SELECT id FROM communication WHERE ${columns[scope]} = p.parent AND ${Prisma.join(conditions, ' AND ')}
      ORDER BY id ${descending ? Prisma.sql`DESC` : Prisma.sql`ASC`} LIMIT ${page.limit + 1}
    ) AS item`,
    filter,
  )
  return pagesOf(parentIds, rows, (row) => row.parent, page)
}

function placeIn(page: Page, descending: boolean): Prisma.Sql {
  if (page.cursor === null) return Prisma.sql`true`
  const [id] = decodeKeys('communications', page.cursor, [UUID_FORM], cursorArgument(page))
  return descending ? Prisma.sql`id < ${id}::uuid` : Prisma.sql`id > ${id}::uuid`
}

/** The condition on `id` that a page of a thread begins behind its cursor. Throws ValidationError. */
export const communicationPlace = (page: Page): Prisma.Sql => placeIn(page, page.backwards)

function filterConditions(filter: CommunicationFilter): Prisma.Sql[] {
  const { types, direction, unread, since, until, search } = filter
  const pattern = containing(search)
  return [
    ...(types ? [Prisma.sql`type = ANY(${types}::"CommunicationType"[])`] : []),
    ...(direction ? [Prisma.sql`direction = ${direction}::"Direction"`] : []),
    ...(unread === true ? [Prisma.sql`is_read = false`] : []),
    ...(unread === false ? [Prisma.sql`is_read = true`] : []),
    ...(since ? [Prisma.sql`id >= ${firstIdAt(since)}::uuid`] : []),
    ...(until ? [Prisma.sql`id < ${firstIdAt(until)}::uuid`] : []),
    ...(pattern === null ? [] : [Prisma.sql`(body ILIKE ${pattern} OR subject ILIKE ${pattern})`]),
  ]
}
