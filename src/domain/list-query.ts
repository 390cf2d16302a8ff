import { hash } from 'node:crypto'
import { Prisma } from '../db/generated/client.ts'
import type { Deps } from '../deps.ts'
import { cursorArgument, decodeKeys, type ListName, type Page, type PageResult, pagesOf } from './page.ts'
import { MILLISECONDS_FORM, UUID_FORM } from './sql.ts'

/** What a list is sorted by, before the id: a time, or nothing. The id decides among equals. */
export type ListOrder = { time: string | null; latestFirst: boolean }

/** One list of a noun: from which table, in which order. Its rows have the alias `item` in conditions. */
export type List = ListOrder & { name: ListName; table: string }

/**
 * A page of a list, as far as it does not depend on whose list it is. The executor's resolvers and compiled statements read this same
 * query. `perValues`: it is to be planned for its very values, because a plan for all values can be a thousand times slower for a rare one.
 */
export type ListQuery = { list: List; page: Page; where: Prisma.Sql; perValues: boolean }

/** Throws ValidationError where the cursor is none of this list. */
export function listQuery(list: List, page: Page, conditions: Prisma.Sql[], perValues: boolean): ListQuery {
  return { list, page, where: Prisma.join([...conditions, place(list, page)], ' AND '), perValues }
}

/** True where the rows are read from high to low; backwards, that is against the list's own order. */
const descending = ({ list, page }: Pick<ListQuery, 'list' | 'page'>): boolean => list.latestFirst !== page.backwards

function place(list: List, page: Page): Prisma.Sql {
  if (page.cursor === null) return Prisma.sql`true`
  const forms = list.time === null ? [UUID_FORM] : [MILLISECONDS_FORM, UUID_FORM]
  const keys = decodeKeys(list.name, page.cursor, forms, cursorArgument(page))
  const compared = Prisma.raw(descending({ list, page }) ? '<' : '>')
  if (list.time === null) return Prisma.sql`item.id ${compared} ${keys[0]}::uuid`
  const [at, id] = keys
  return Prisma.sql`(${Prisma.raw(`item.${list.time}`)}, item.id) ${compared} (${new Date(Number(at))}::timestamptz, ${id}::uuid)`
}

/** How the rows of a page are read, from the alias of a row. */
export function readOrder(query: Pick<ListQuery, 'list' | 'page'>, row: string): string {
  const direction = descending(query) ? 'DESC' : 'ASC'
  return [query.list.time, 'id'].flatMap((column) => (column === null ? [] : [`${row}.${column} ${direction}`])).join(', ')
}

/** The cursor of a row, as `encodeKeys` makes it. (PostgreSQL breaks base64 after 76 characters, and has no form of it for URLs.) */
export function cursorSql({ name, time }: List, row: string): string {
  const keys = time === null ? `${row}.id` : `(extract(epoch FROM ${row}.${time}) * 1000)::bigint || '|' || ${row}.id`
  return `translate(encode(convert_to('p1:${name}:' || ${keys}, 'UTF8'), 'base64'), E'+/=\\n', '-_')`
}

/** The rows of one page and one more, in the order of reading; `parent`: the condition that says whose they are. */
export const pageRows = (query: ListQuery, parent: Prisma.Sql): Prisma.Sql =>
  Prisma.sql`SELECT item.* FROM ${Prisma.raw(query.list.table)} AS item WHERE ${parent} AND ${query.where}
    ORDER BY ${Prisma.raw(readOrder(query, 'item'))} LIMIT ${Prisma.raw(String(query.page.limit + 1))}`

export type ListedRow = { id: string; cursor: string }

/** Ids and cursors of one page for each parent, whose id is in `column` of the list's table, in one statement. */
export async function listPages(
  deps: Pick<Deps, 'pool'>,
  query: ListQuery,
  column: string,
  parentIds: readonly string[],
): Promise<Map<string, PageResult<ListedRow>>> {
  const rows = await runPrepared<ListedRow & { parent: string }>(
    deps,
    Prisma.sql`
      SELECT parent, found.id, ${Prisma.raw(cursorSql(query.list, 'found'))} AS cursor
      FROM unnest(${[...parentIds]}::uuid[]) AS p(parent), LATERAL (${pageRows(query, Prisma.sql`${Prisma.raw(`item.${column}`)} = p.parent`)}) AS found`,
    !query.perValues,
  )
  return pagesOf(parentIds, rows, (row) => row.parent, query.page)
}

const MAX_PREPARED = 500

const prepared = new Set<string>()

/**
 * Runs a statement that is prepared once for each shape, or, with `once` false, planned for its very values. Each connection keeps what
 * was prepared for as long as it lives, so their number is bounded: shapes that come later are planned each time.
 */
export async function runPrepared<Row extends object>(
  deps: Pick<Deps, 'pool'>,
  { text, values }: { text: string; values: unknown[] },
  once: boolean,
): Promise<Row[]> {
  const { rows } = await deps.pool.query<Row>({ name: once ? statementName(text) : undefined, text, values })
  return rows
}

function statementName(text: string): string | undefined {
  const name = hash('sha1', text, 'base64url')
  if (!prepared.has(name) && prepared.size >= MAX_PREPARED) return undefined
  prepared.add(name)
  return name
}
