import { Prisma } from '../db/generated/client.ts'
import type { AppointmentStatus } from '../db/generated/enums.ts'
import type { Deps } from '../deps.ts'
import { listRows } from './list-query.ts'
import { type Page, type PageResult, pagesOf } from './page.ts'
import { cleanText } from './text.ts'
import { timeCursor, timePlace } from './time-place.ts'

export type AppointmentFilter = {
  statuses?: AppointmentStatus[] | null
  externalId?: string | null
  /** Of the start; inclusive. */
  since?: Date | null
  /** Exclusive. */
  until?: Date | null
}

type AppointmentRow = { id: string; startsAt: Date }

export const appointmentCursor = (row: AppointmentRow): string => timeCursor('appointments', row.startsAt, row.id)

const columns = { organization: Prisma.sql`organization_id`, customer: Prisma.sql`customer_id` }

/** One page for each parent, soonest first, in one statement. */
export async function listAppointments(
  deps: Pick<Deps, 'pool'>,
  organizationId: string,
  scope: keyof typeof columns,
  parentIds: readonly string[],
  filter: AppointmentFilter,
  page: Page,
): Promise<Map<string, PageResult<AppointmentRow>>> {
  const order = page.backwards ? Prisma.sql`DESC` : Prisma.sql`ASC`
  const conditions = [
    Prisma.sql`organization_id = ${organizationId}::uuid`,
    timePlace('appointments', Prisma.sql`starts_at, id`, page, false),
    ...conditionsOf(filter),
  ]
  const rows = await listRows<AppointmentRow & { parent: string }>(
    deps,
    Prisma.sql`
    SELECT parent, id, "startsAt" FROM unnest(${[...parentIds]}::uuid[]) AS p(parent), LATERAL (
      SELECT id, starts_at AS "startsAt" FROM appointment WHERE ${columns[scope]} = p.parent AND ${Prisma.join(conditions, ' AND ')}
      ORDER BY starts_at ${order}, id ${order} LIMIT ${page.limit + 1}
    ) AS item`,
    filter,
  )
  return pagesOf(parentIds, rows, (row) => row.parent, page)
}

const conditionsOf = ({ statuses, externalId, since, until }: AppointmentFilter): Prisma.Sql[] => [
  ...(statuses ? [Prisma.sql`status = ANY(${statuses}::"AppointmentStatus"[])`] : []),
  ...(externalId ? [Prisma.sql`external_id = ${cleanText(externalId)}`] : []),
  ...(since ? [Prisma.sql`starts_at >= ${since}::timestamptz`] : []),
  ...(until ? [Prisma.sql`starts_at < ${until}::timestamptz`] : []),
]
