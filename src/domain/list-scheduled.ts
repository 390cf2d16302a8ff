import { Prisma } from '../db/generated/client.ts'
import type { Deps } from '../deps.ts'
import { findConversations } from './conversations.ts'
import { findCustomers } from './customers.ts'
import { type List, type ListQuery, listQuery } from './list-query.ts'
import type { Page } from './page.ts'

export type ScheduledFilter = { customerId?: string | null; conversationId?: string | null }

const list: List = { name: 'scheduledMessages', table: 'communication', time: 'send_at', latestFirst: false }

/** What is SCHEDULED, soonest first. The id of a customer or conversation that was merged leads to the survivor. Throws ValidationError. */
export async function scheduledList(
  deps: Pick<Deps, 'db'>,
  organizationId: string,
  filter: ScheduledFilter,
  page: Page,
): Promise<ListQuery> {
  const filtered = await filterConditions(deps, organizationId, filter)
  const scheduled = Prisma.sql`item.organization_id = ${organizationId}::uuid AND item.delivery_status = 'SCHEDULED'`
  return listQuery(list, page, [scheduled, ...filtered], filtered.length > 0)
}

async function filterConditions(deps: Pick<Deps, 'db'>, organizationId: string, filter: ScheduledFilter): Promise<Prisma.Sql[]> {
  const { customerId, conversationId } = filter
  const customer = customerId ? (await findCustomers(deps, organizationId, [customerId])).get(customerId) : undefined
  const conversation = conversationId ? (await findConversations(deps, organizationId, [conversationId])).get(conversationId) : undefined
  return [
    ...(customerId ? [Prisma.sql`item.customer_id = ${customer?.id ?? customerId}::uuid`] : []),
    ...(conversationId ? [Prisma.sql`item.conversation_id = ${conversation?.id ?? conversationId}::uuid`] : []),
  ]
}
