import { Prisma } from '../db/generated/client.ts'
import type { AutomationKind, AutomationReason, AutomationRunStatus, ChannelType } from '../db/generated/enums.ts'
import type { Deps } from '../deps.ts'
import { cursorArgument, decodeKeys, encodeKeys, type Page, type PageResult, pageOf } from './page.ts'
import { listRows, MILLISECONDS_FORM, UUID_FORM } from './sql.ts'

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

export const automationRunCursor = (row: RunRow): string => encodeKeys('automationRuns', [String(row.dueAt.getTime()), row.id])

/** One page of the organization's runs, by their due time, latest first. */
export async function listAutomationRuns(
  deps: Pick<Deps, 'pool'>,
  organizationId: string,
  filter: AutomationRunFilter,
  page: Page,
): Promise<PageResult<RunRow>> {
  const order = page.backwards ? Prisma.sql`ASC` : Prisma.sql`DESC`
  const conditions = [Prisma.sql`organization_id = ${organizationId}::uuid`, placeOf(page), ...conditionsOf(filter)]
  const rows = await listRows<RunRow>(
    deps,
    Prisma.sql`
    SELECT id, due_at AS "dueAt" FROM automation_run WHERE ${Prisma.join(conditions, ' AND ')}
    ORDER BY due_at ${order}, id ${order} LIMIT ${page.limit + 1}`,
    filter,
  )
  return pageOf(rows, page)
}

function placeOf(page: Page): Prisma.Sql {
  if (page.cursor === null) return Prisma.sql`true`
  const [at, id] = decodeKeys('automationRuns', page.cursor, [MILLISECONDS_FORM, UUID_FORM], cursorArgument(page))
  const key = Prisma.sql`(${new Date(Number(at))}::timestamptz, ${id}::uuid)`
  return page.backwards ? Prisma.sql`(due_at, id) > ${key}` : Prisma.sql`(due_at, id) < ${key}`
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
