import { Prisma } from '../db/generated/client.ts'
import { ChannelType, ConversationStatus } from '../db/generated/enums.ts'
import { ValidationError } from './errors.ts'
import { customersFound } from './list-customers.ts'
import { type List, type ListQuery, listQuery } from './list-query.ts'
import type { Page } from './page.ts'
import { containing, enumLiterals } from './sql.ts'

export type ConversationFilter = {
  status?: ConversationStatus | null
  channels?: ChannelType[] | null
  channelAccountId?: string | null
  assigneeId?: string | null
  unassigned?: boolean | null
  unread?: boolean | null
  /** A part of the customer's name or of one of their addresses, in any case. */
  search?: string | null
}

const list: List = { name: 'conversations', table: 'conversation', time: 'last_activity_at', latestFirst: true }

/** Conversations of the organization, latest activity first. Throws ValidationError. */
export function conversationList(organizationId: string, filter: ConversationFilter, page: Page): ListQuery {
  const { status, channels, channelAccountId, assigneeId, unassigned, unread } = filter
  if (unassigned && assigneeId) {
    throw new ValidationError('assigneeId and unassigned: true exclude each other.', ['filter', 'unassigned'])
  }
  const pattern = containing(filter.search)
  const conditions = [
    Prisma.sql`item.organization_id = ${organizationId}::uuid`,
    Prisma.sql`item.merged_into_id IS NULL`,
    ...(status ? [Prisma.sql`item.status IN ${enumLiterals(ConversationStatus, [status])}`] : []),
    ...(channels ? [Prisma.sql`item.channel IN ${enumLiterals(ChannelType, channels)}`] : []),
    ...(channelAccountId ? [Prisma.sql`item.channel_account_id = ${channelAccountId}::uuid`] : []),
    ...(assigneeId ? [Prisma.sql`item.assignee_id = ${assigneeId}::uuid`] : []),
    ...(unassigned === true ? [Prisma.sql`item.assignee_id IS NULL`] : []),
    ...(unassigned === false ? [Prisma.sql`item.assignee_id IS NOT NULL`] : []),
    ...(unread === true ? [Prisma.sql`item.unread_count > 0`] : []),
    ...(unread === false ? [Prisma.sql`item.unread_count = 0`] : []),
    // An array is found once; a subquery may be run again for each conversation.
    ...(pattern === null ? [] : [Prisma.sql`item.customer_id = ANY(ARRAY(${customersFound(organizationId, pattern)}))`]),
  ]
  return listQuery(list, page, conditions, pattern !== null || Boolean(channelAccountId) || Boolean(assigneeId))
}
