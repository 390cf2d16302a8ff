import { Prisma } from '../db/generated/client.ts'
import type { AppointmentStatus } from '../db/generated/enums.ts'
import { type List, type ListQuery, listQuery } from './list-query.ts'
import type { Page } from './page.ts'
import { cleanText } from './text.ts'

export type AppointmentFilter = {
  statuses?: AppointmentStatus[] | null
  externalId?: string | null
  /** Of the start; inclusive. */
  since?: Date | null
  /** Exclusive. */
  until?: Date | null
}

const list: List = { name: 'appointments', table: 'appointment', time: 'starts_at', latestFirst: false }

/** Appointments of the organization, soonest first. Throws ValidationError. */
export function appointmentList(organizationId: string, filter: AppointmentFilter, page: Page): ListQuery {
  const filtered = conditionsOf(filter)
  return listQuery(list, page, [Prisma.sql`item.organization_id = ${organizationId}::uuid`, ...filtered], filtered.length > 0)
}

const conditionsOf = ({ statuses, externalId, since, until }: AppointmentFilter): Prisma.Sql[] => [
  ...(statuses ? [Prisma.sql`item.status = ANY(${statuses}::"AppointmentStatus"[])`] : []),
  ...(externalId ? [Prisma.sql`item.external_id = ${cleanText(externalId)}`] : []),
  ...(since ? [Prisma.sql`item.starts_at >= ${since}::timestamptz`] : []),
  ...(until ? [Prisma.sql`item.starts_at < ${until}::timestamptz`] : []),
]
