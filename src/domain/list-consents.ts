import { Prisma } from '../db/generated/client.ts'
import type { Deps } from '../deps.ts'
import type { Consent } from './consent.ts'
import { cursorArgument, decodeKeys, encodeKeys, type Page, type PageResult, pagesOf } from './page.ts'
import { MILLISECONDS_FORM, UUID_FORM } from './sql.ts'

export const consentCursor = (row: Consent): string => encodeKeys('consents', [String(row.occurredAt.getTime()), row.id])

/** One page of the ledger of each customer, newest first, in one statement. */
export async function listConsents(
  deps: Pick<Deps, 'db'>,
  organizationId: string,
  customerIds: readonly string[],
  page: Page,
): Promise<Map<string, PageResult<Consent>>> {
  const order = page.backwards ? Prisma.sql`ASC` : Prisma.sql`DESC`
  const rows = await deps.db.$queryRaw<Consent[]>`
    SELECT item.* FROM unnest(${[...customerIds]}::uuid[]) AS p(parent), LATERAL (
      SELECT id, customer_id AS "customerId", channel, purpose, state, source, evidence, actor_id AS "actorId",
        communication_id AS "communicationId", occurred_at AS "occurredAt"
      FROM consent_entry WHERE customer_id = p.parent AND organization_id = ${organizationId}::uuid AND ${placeOf(page)}
      ORDER BY occurred_at ${order}, id ${order} LIMIT ${page.limit + 1}
    ) AS item`
  return pagesOf(customerIds, rows, (row) => row.customerId, page)
}

function placeOf(page: Page): Prisma.Sql {
  if (page.cursor === null) return Prisma.sql`true`
  const [time, id] = decodeKeys('consents', page.cursor, [MILLISECONDS_FORM, UUID_FORM], cursorArgument(page))
  const place = Prisma.sql`(${new Date(Number(time))}::timestamptz, ${id}::uuid)`
  return page.backwards ? Prisma.sql`(occurred_at, id) > ${place}` : Prisma.sql`(occurred_at, id) < ${place}`
}
