import { ValidationError } from './errors.ts'

export type PageArguments = { first?: number | null; after?: string | null; last?: number | null; before?: string | null }

/** The page asked for: `limit` items after (or, backwards, before) the cursor's keys. */
export type Page = { limit: number; backwards: boolean; cursor: string | null }

export const MAX_PAGE = 100
const DEFAULT_PAGE = 25

/** Pages are 1 to 100. Forwards by first/after, backwards by last/before. Throws ValidationError. */
export function checkedPage(args: PageArguments): Page {
  const backwards = args.last !== null && args.last !== undefined
  const [size, cursor, wrongSize, wrongCursor] = backwards
    ? [args.last, args.before, 'first', 'after']
    : [args.first, args.after, 'last', 'before']
  for (const other of [wrongSize, wrongCursor] as const) {
    const given = args[other as keyof PageArguments]
    if (given === null || given === undefined) continue
    throw new ValidationError(
      `${other} cannot be combined with ${backwards ? 'last' : 'first/after'}: page forwards by first and after, or backwards by last and before.`,
      [other],
    )
  }
  const limit = size ?? DEFAULT_PAGE
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_PAGE) {
    throw new ValidationError(`${backwards ? 'last' : 'first'} must be from 1 to ${MAX_PAGE}, not ${limit}.`, [
      backwards ? 'last' : 'first',
    ])
  }
  return { limit, backwards, cursor: cursor ?? null }
}

/** The lists that are paged: a cursor names its own, so that it is not mistaken for a place in another. */
export type ListName =
  | 'communications'
  | 'consents'
  | 'conversations'
  | 'customers'
  | 'mergeSuggestions'
  | 'scheduledMessages'
  | 'templates'
  | 'timeline'
  | 'webhookReceipts'

/** Opaque and stable: the sort keys themselves, so that rows that arrive later change nothing behind it. */
export const encodeKeys = (list: ListName, keys: string[]): string => Buffer.from(`p1:${list}:${keys.join('|')}`).toString('base64url')

/** Throws ValidationError where the text is no cursor of this list with keys of these forms. */
export function decodeKeys(list: ListName, cursor: string, forms: RegExp[], argument: string): string[] {
  const text = Buffer.from(cursor, 'base64url').toString('utf8')
  const prefix = `p1:${list}:`
  const keys = text.startsWith(prefix) ? text.slice(prefix.length).split('|') : []
  if (keys.length === forms.length && forms.every((form, index) => form.test(keys[index] ?? ''))) return keys
  throw new ValidationError(`${argument} is not a cursor of this list.`, [argument])
}

export const cursorArgument = (page: Page): string => (page.backwards ? 'before' : 'after')

export type PageResult<Row> = { rows: Row[]; hasNextPage: boolean; hasPreviousPage: boolean }

/** From up to limit + 1 rows in scan order to the page in list order. */
export function pageOf<Row>(scanned: Row[], page: Page): PageResult<Row> {
  const more = scanned.length > page.limit
  const rows = scanned.slice(0, page.limit)
  if (page.backwards) rows.reverse()
  return { rows, hasNextPage: page.backwards ? page.cursor !== null : more, hasPreviousPage: page.backwards ? more : page.cursor !== null }
}

/** The page of each parent, from the rows of all of them in scan order; a parent without rows has an empty page. */
export function pagesOf<Row>(
  parentIds: readonly string[],
  scanned: Row[],
  parentOf: (row: Row) => string,
  page: Page,
): Map<string, PageResult<Row>> {
  const rowsOf = Map.groupBy(scanned, parentOf)
  return new Map(parentIds.map((id) => [id, pageOf(rowsOf.get(id) ?? [], page)]))
}
