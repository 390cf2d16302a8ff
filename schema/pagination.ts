import type { PageResult } from '../src/domain/page.ts'

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
