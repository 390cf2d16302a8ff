import { Prisma } from '../db/generated/client.ts'
import type { AutomationKind, AutomationReason, AutomationRunStatus, ChannelType } from '../db/generated/enums.ts'
import type { Deps } from '../deps.ts'
import { listRows } from './list-query.ts'
import { type Page, type PageResult, pageOf } from './page.ts'
import { timeCursor, timePlace } from './time-place.ts'

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

type RunRow = { id: string; dueAt: Date }

export const automationRunCursor = (row: RunRow): string => timeCursor('automationRuns', row.dueAt, row.id)

/** One page of the organization's runs, by their due time, latest first. */
export async function listAutomationRuns(
  deps: Pick<Deps, 'pool'>,
  organizationId: string,
  filter: AutomationRunFilter,
  page: Page,
): Promise<PageResult<RunRow>> {
  const order = page.backwards ? Prisma.sql`ASC` : Prisma.sql`DESC`
  const conditions = [
    Prisma.sql`organization_id = ${organizationId}::uuid`,
    timePlace('automationRuns', Prisma.sql`due_at, id`, page, true),
    ...conditionsOf(filter),
  ]
  const rows = await listRows<RunRow>(
    deps,
    Prisma.sql`
    SELECT id, due_at AS "dueAt" FROM automation_run WHERE ${Prisma.join(conditions, ' AND ')}
    ORDER BY due_at ${order}, id ${order} LIMIT ${page.limit + 1}`,
    filter,
  )
  return pageOf(rows, page)
}

function conditionsOf(filter: AutomationRunFilter): Prisma.Sql[] {
  const { kinds, statuses, reasons, channel, customerId, appointmentId, dueSince, dueUntil } = filter
  return [
    ...(kinds ? [Prisma.sql`kind = ANY(${kinds}::"AutomationKind"[])`] : []),
    ...(statuses ? [statusIn(statuses)] : []),
    // None of the others has a reason; so they need not be read.
    ...(reasons ? [Prisma.sql`status IN ('SKIPPED', 'FAILED') AND reason = ANY(${reasons}::"AutomationReason"[])`] : []),
    ...(channel ? [Prisma.sql`channel = ${channel}::"ChannelType"`] : []),
    ...(customerId ? [Prisma.sql`customer_id = ${customerId}::uuid`] : []),
    ...(appointmentId ? [Prisma.sql`appointment_id = ${appointmentId}::uuid`] : []),
    ...(dueSince ? [Prisma.sql`due_at >= ${dueSince}::timestamptz`] : []),
    ...(dueUntil ? [Prisma.sql`due_at < ${dueUntil}::timestamptz`] : []),
  ]
}

/** Of one status the index gives the order too: what is to come, or has failed, is few among very many. */
const statusIn = (statuses: AutomationRunStatus[]): Prisma.Sql =>
  statuses.length === 1
    ? Prisma.sql`status = ${statuses[0]}::"AutomationRunStatus"`
    : Prisma.sql`status = ANY(${statuses}::"AutomationRunStatus"[])`
