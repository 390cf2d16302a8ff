import { Prisma } from '../db/generated/client.ts'
import type { AutomationKind, AutomationReason, AutomationRunStatus, ChannelType } from '../db/generated/enums.ts'
import { type List, type ListQuery, listQuery } from './list-query.ts'
import type { Page } from './page.ts'

export type AutomationRunFilter = {
  kinds?: AutomationKind[] | null
  statuses?: AutomationRunStatus[] | null
  reasons?: AutomationReason[] | null
  channel?: ChannelType | null
  /** Who is merged is the survivor already. */
  customerId?: string | null
  appointmentId?: string | null
  /** Inclusive. */
  dueSince?: Date | null
  /** Exclusive. */
  dueUntil?: Date | null
}

const list: List = { name: 'automationRuns', table: 'automation_run', time: 'due_at', latestFirst: true }

/** Runs of the organization, by their due time, latest first. Throws ValidationError. */
export function automationRunList(organizationId: string, filter: AutomationRunFilter, page: Page): ListQuery {
  const filtered = conditionsOf(filter)
  return listQuery(list, page, [Prisma.sql`item.organization_id = ${organizationId}::uuid`, ...filtered], filtered.length > 0)
}

function conditionsOf(filter: AutomationRunFilter): Prisma.Sql[] {
  const { kinds, statuses, reasons, channel, customerId, appointmentId, dueSince, dueUntil } = filter
  return [
    ...(kinds ? [Prisma.sql`item.kind = ANY(${kinds}::"AutomationKind"[])`] : []),
    ...(statuses ? [statusIn(statuses)] : []),
    // None of the others has a reason; so they need not be read.
    ...(reasons ? [Prisma.sql`item.status IN ('SKIPPED', 'FAILED') AND item.reason = ANY(${reasons}::"AutomationReason"[])`] : []),
    ...(channel ? [Prisma.sql`item.channel = ${channel}::"ChannelType"`] : []),
    ...(customerId ? [Prisma.sql`item.customer_id = ${customerId}::uuid`] : []),
    ...(appointmentId ? [Prisma.sql`item.appointment_id = ${appointmentId}::uuid`] : []),
    ...(dueSince ? [Prisma.sql`item.due_at >= ${dueSince}::timestamptz`] : []),
    ...(dueUntil ? [Prisma.sql`item.due_at < ${dueUntil}::timestamptz`] : []),
  ]
}

/** Of one status the index gives the order too: what is to come, or has failed, is few among very many. */
const statusIn = (statuses: AutomationRunStatus[]): Prisma.Sql =>
  statuses.length === 1
    ? Prisma.sql`item.status = ${statuses[0]}::"AutomationRunStatus"`
    : Prisma.sql`item.status = ANY(${statuses}::"AutomationRunStatus"[])`
