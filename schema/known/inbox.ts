import { Prisma } from '../../src/db/generated/client.ts'
import { conversationConditions, conversationCursor } from '../../src/domain/list-conversations.ts'
import { checkedPage, pageOf } from '../../src/domain/page.ts'
import { listRows } from '../../src/domain/sql.ts'
import { organizationOf, type SignedIn } from '../context.ts'
import { conversationFilter, type FilterArgument } from '../conversation.ts'
import { conversationJoins, conversationRow } from './conversation-row.ts'

type Variables = { filter?: FilterArgument | null; first?: number | null; after?: string | null }

type Row = { id: string; lastActivityAt: Date; node: string }

/** The answer to the operation Inbox, as JSON. */
export async function inboxJson(context: SignedIn, variables: Variables): Promise<string> {
  const page = checkedPage(variables)
  const conditions = conversationConditions(organizationOf(context), conversationFilter(variables.filter), page)
  const rows = await listRows<Row>(
    context.deps,
    Prisma.sql`
      WITH page AS MATERIALIZED (
        SELECT * FROM conversation c WHERE ${conditions} ORDER BY c.last_activity_at DESC, c.id DESC LIMIT ${page.limit + 1}
      )
      SELECT c.id, c.last_activity_at AS "lastActivityAt", (SELECT row_to_json(n) FROM (SELECT ${conversationRow(context.deps)}) AS n)::text AS node
      FROM page c ${conversationJoins} ORDER BY c.last_activity_at DESC, c.id DESC`,
    variables.filter ?? {},
  )
  const result = pageOf(rows, page)
  const last = result.rows.at(-1)
  const pageInfo = { hasNextPage: result.hasNextPage, endCursor: last === undefined ? null : conversationCursor(last) }
  return `{"data":{"conversations":{"nodes":[${result.rows.map((row) => row.node).join()}],"pageInfo":${JSON.stringify(pageInfo)}}}}`
}
