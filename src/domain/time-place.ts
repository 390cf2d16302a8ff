import { Prisma } from '../db/generated/client.ts'
import { cursorArgument, decodeKeys, encodeKeys, type ListName, type Page } from './page.ts'
import { MILLISECONDS_FORM, UUID_FORM } from './sql.ts'

/** A place in a list that is sorted by a time and then by id. */
export const timeCursor = (list: ListName, at: Date, id: string): string => encodeKeys(list, [String(at.getTime()), id])

/** The condition that a page of such a list begins behind its cursor; `columns`: the time and the id. Throws ValidationError. */
export function timePlace(list: ListName, columns: Prisma.Sql, page: Page, latestFirst: boolean): Prisma.Sql {
  if (page.cursor === null) return Prisma.sql`true`
  const [at, id] = decodeKeys(list, page.cursor, [MILLISECONDS_FORM, UUID_FORM], cursorArgument(page))
  const place = Prisma.sql`(${new Date(Number(at))}::timestamptz, ${id}::uuid)`
  return latestFirst === page.backwards ? Prisma.sql`(${columns}) > ${place}` : Prisma.sql`(${columns}) < ${place}`
}
