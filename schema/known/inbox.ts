import { Prisma } from '../../src/db/generated/client.ts'
import { conversationConditions, conversationCursor } from '../../src/domain/list-conversations.ts'
import { checkedPage, pageOf } from '../../src/domain/page.ts'
import { listRows } from '../../src/domain/sql.ts'
import { organizationOf, type SignedIn } from '../context.ts'
import { conversationFilter, type FilterArgument } from '../conversation.ts'
import { conversationJoins, conversationRow } from './conversation-row.ts'
import { joined, raw, split } from './sql.ts'

type Variables = { filter?: FilterArgument | null; first?: number | null; after?: string | null }

const ORDER = 'c.last_activity_at DESC, c.id DESC'

/** The answer to the operation Inbox, as JSON. */
export async function inboxJson(context: SignedIn, variables: Variables): Promise<string> {
  const page = checkedPage(variables)
  const conditions = conversationConditions(organizationOf(context), conversationFilter(variables.filter), page)
  const [found] = await listRows<{ ids: string | null; times: string | null; nodes: string | null }>(
    context.deps,
    Prisma.sql`
      SELECT ${joined('c.id::text', ORDER)} AS ids, ${joined('c.ms', ORDER)} AS times, ${joined('c.node', ORDER)} AS nodes
      FROM (
        SELECT c.id, c.last_activity_at, (extract(epoch FROM c.last_activity_at) * 1000)::bigint::text AS ms,
          (SELECT row_to_json(n) FROM (SELECT ${conversationRow(context.deps)}) AS n)::text AS node
        FROM (
          SELECT * FROM conversation c WHERE ${conditions} ORDER BY ${raw(ORDER)} LIMIT ${page.limit + 1}
        ) AS c ${conversationJoins}
      ) AS c`,
    variables.filter ?? {},
  )
  const ids = split(found?.ids ?? null)
  const times = split(found?.times ?? null)
  const rows = split(found?.nodes ?? null).map((node, index) => ({
    id: ids[index] ?? '',
    lastActivityAt: new Date(Number(times[index])),
    node,
  }))
  const result = pageOf(rows, page)
  const last = result.rows.at(-1)
  const pageInfo = { hasNextPage: result.hasNextPage, endCursor: last === undefined ? null : conversationCursor(last) }
  return `{"data":{"conversations":{"nodes":[${result.rows.map((row) => row.node).join()}],"pageInfo":${JSON.stringify(pageInfo)}}}}`
}
