import { type ListedRow, type ListQuery, listPages } from '../src/domain/list-query.ts'
import type { PageResult } from '../src/domain/page.ts'
import { pages } from './compiled/field.ts'
import type { Context } from './context.ts'
import { batched } from './loaders.ts'

type Edge<Node> = { cursor: string; node: Node }

export type ConnectionOf<Node> = {
  edges: Edge<Node>[]
  pageInfo: { hasNextPage: boolean; hasPreviousPage: boolean; startCursor: string | null; endCursor: string | null }
}

/** A Relay connection from a page. `nodeOf` may give a row or, for a loadable type, its id. */
export function connectionOf<Row, Node>(
  page: PageResult<Row>,
  cursorOf: (row: Row) => string,
  nodeOf: (row: Row) => Node,
): ConnectionOf<Node> {
  const edges = page.rows.map((row) => ({ cursor: cursorOf(row), node: nodeOf(row) }))
  return {
    edges,
    pageInfo: {
      hasNextPage: page.hasNextPage,
      hasPreviousPage: page.hasPreviousPage,
      startCursor: edges[0]?.cursor ?? null,
      endCursor: edges.at(-1)?.cursor ?? null,
    },
  }
}

/** What a page costs: its size times what each item asks for. */
export const pageCost = (args: { first?: number | null; last?: number | null }): { field: number; multiplier: number } => ({
  field: 1,
  multiplier: Math.max(1, args.first ?? args.last ?? 25),
})

/** The column of a list's table that says whose a row is. */
type Column = 'organization_id' | 'customer_id' | 'conversation_id'

/** A connection of loadable nodes: what it shows, and whose that is. */
export type Paged<Args> = { list(context: Context, args: Args): ListQuery; column: Column }

/** The field's cost, and how a compiled statement reads it. */
export const paged = <Args>({ list, column }: Paged<Args>) => ({ complexity: pageCost, ...pages(list, column) })

/** How the executor reads it. */
export const pageFor = async <Args>(context: Context, { list, column }: Paged<Args>, parentId: string, args: Args) =>
  listedPage(context, list(context, args), column, parentId)

/** A page of ids alone: those of neighbours in the same execution are read in one statement. */
export async function listedPage(context: Context, query: ListQuery, column: Column, parentId: string) {
  const asked = [query.where.text, query.where.values, query.page]
  const page = await batched(context, `${query.list.name} by ${column}`, asked, parentId, (ids) =>
    listPages(context.deps, query, column, ids),
  )
  return connectionOf<ListedRow, string>(
    page,
    (row) => row.cursor,
    (row) => row.id,
  )
}
