import { Prisma } from '../db/generated/client.ts'
import type { Deps } from '../deps.ts'
import { findConversations } from './conversations.ts'
import { findCustomers } from './customers.ts'
import { listRows } from './list-query.ts'
import { type Page, type PageResult, pageOf } from './page.ts'
import { timeCursor, timePlace } from './time-place.ts'

export type ScheduledFilter = { customerId?: string | null; conversationId?: string | null }

type Row = { id: string; sendAt: Date }

export const scheduledCursor = ({ id, sendAt }: Row): string => timeCursor('scheduledMessages', sendAt, id)

/** Ids of one page of what is SCHEDULED, soonest first. The id of a customer or conversation that was merged leads to the survivor. */
export async function listScheduled(
  deps: Pick<Deps, 'db' | 'pool'>,
  organizationId: string,
  filter: ScheduledFilter,
  page: Page,
): Promise<PageResult<Row>> {
  const order = page.backwards ? Prisma.sql`DESC` : Prisma.sql`ASC`
  const conditions = [
    Prisma.sql`organization_id = ${organizationId}::uuid AND delivery_status = 'SCHEDULED'`,
    ...(await filterConditions(deps, organizationId, filter)),
    timePlace('scheduledMessages', Prisma.sql`send_at, id`, page, false),
  ]
  const rows = await listRows<Row>(
    deps,
    Prisma.sql`
    SELECT id, send_at AS "sendAt" FROM communication WHERE ${Prisma.join(conditions, ' AND ')}
    ORDER BY send_at ${order}, id ${order} LIMIT ${page.limit + 1}`,
    filter,
  )
  return pageOf(rows, page)
}

async function filterConditions(deps: Pick<Deps, 'db'>, organizationId: string, filter: ScheduledFilter): Promise<Prisma.Sql[]> {
  const { customerId, conversationId } = filter
  const customer = customerId ? (await findCustomers(deps, organizationId, [customerId])).get(customerId) : undefined
  const conversation = conversationId ? (await findConversations(deps, organizationId, [conversationId])).get(conversationId) : undefined
  return [
    ...(customerId ? [Prisma.sql`customer_id = ${customer?.id ?? customerId}::uuid`] : []),
    ...(conversationId ? [Prisma.sql`conversation_id = ${conversation?.id ?? conversationId}::uuid`] : []),
  ]
}
