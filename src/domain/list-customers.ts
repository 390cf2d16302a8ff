import { Prisma } from '../db/generated/client.ts'
import type { Deps } from '../deps.ts'
import { cursorArgument, decodeKeys, encodeKeys, type Page, type PageResult, pageOf } from './page.ts'
import { containing, listRows, UUID_FORM } from './sql.ts'

export const customerCursor = (row: { id: string }): string => encodeKeys('customers', [row.id])

/** Ids of one page, newest customer first. `search`: a part of the name or of an address, in any case. */
export async function listCustomers(
  deps: Pick<Deps, 'pool'>,
  organizationId: string,
  search: string | null | undefined,
  page: Page,
): Promise<PageResult<{ id: string }>> {
  const pattern = containing(search)
  const cursor = page.cursor === null ? null : decodeKeys('customers', page.cursor, [UUID_FORM], cursorArgument(page))[0]
  const conditions = [
    Prisma.sql`organization_id = ${organizationId}::uuid`,
    Prisma.sql`merged_into_id IS NULL`,
    ...(cursor === null ? [] : [page.backwards ? Prisma.sql`id > ${cursor}::uuid` : Prisma.sql`id < ${cursor}::uuid`]),
    ...(pattern === null
      ? []
      : [
          Prisma.sql`id IN (
            SELECT id FROM customer WHERE organization_id = ${organizationId}::uuid AND name ILIKE ${pattern}
            UNION ALL
            SELECT customer_id FROM customer_identity WHERE organization_id = ${organizationId}::uuid AND value ILIKE ${pattern})`,
        ]),
  ]
  const rows = await listRows<{ id: string }>(
    deps,
    Prisma.sql`
    SELECT id FROM customer WHERE ${Prisma.join(conditions, ' AND ')}
    ORDER BY id ${page.backwards ? Prisma.sql`ASC` : Prisma.sql`DESC`} LIMIT ${page.limit + 1}`,
    { search },
  )
  return pageOf(rows, page)
}
