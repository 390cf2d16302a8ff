import { Prisma } from '../db/generated/client.ts'
import { CommunicationType, Direction } from '../db/generated/enums.ts'
import { firstIdAt } from './ids.ts'
import { type ListQuery, listQuery } from './list-query.ts'
import { encodeKeys, type Page } from './page.ts'
import { containing, enumLiterals } from './sql.ts'

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

export const communicationCursor = (row: { id: string }): string => encodeKeys('communications', [row.id])

/** Communications of the organization: like a thread, oldest first, or newest first. Throws ValidationError. */
export function communicationList(organizationId: string, filter: CommunicationFilter, page: Page, newestFirst: boolean): ListQuery {
  const { types, direction, unread, since, until, search } = filter
  const pattern = containing(search)
  const conditions = [
    Prisma.sql`item.organization_id = ${organizationId}::uuid`,
    ...(types ? [Prisma.sql`item.type IN ${enumLiterals(CommunicationType, types)}`] : []),
    ...(direction ? [Prisma.sql`item.direction IN ${enumLiterals(Direction, [direction])}`] : []),
    ...(unread === true ? [Prisma.sql`item.is_read = false`] : []),
    ...(unread === false ? [Prisma.sql`item.is_read = true`] : []),
    ...(since ? [Prisma.sql`item.id >= ${firstIdAt(since)}::uuid`] : []),
    ...(until ? [Prisma.sql`item.id < ${firstIdAt(until)}::uuid`] : []),
    ...(pattern === null ? [] : [Prisma.sql`(item.body ILIKE ${pattern} OR item.subject ILIKE ${pattern})`]),
  ]
  const list = { name: 'communications', table: 'communication', time: null, latestFirst: newestFirst } as const
  return listQuery(list, page, conditions, pattern !== null)
}
