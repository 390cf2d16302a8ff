import { Prisma } from '../db/generated/client.ts'
import { type List, type ListQuery, listQuery } from './list-query.ts'
import type { Page } from './page.ts'
import { containing } from './sql.ts'

const list: List = { name: 'customers', table: 'customer', time: null, latestFirst: true }

/** The ids of customers with the pattern in their name or in one of their addresses. */
export const customersFound = (organizationId: string, pattern: string): Prisma.Sql => Prisma.sql`
  SELECT id FROM customer WHERE organization_id = ${organizationId}::uuid AND name ILIKE ${pattern}
  UNION ALL
  SELECT customer_id FROM customer_identity WHERE organization_id = ${organizationId}::uuid AND value ILIKE ${pattern}`

/** Customers of the organization, newest first. `search`: a part of the name or of an address, in any case. Throws ValidationError. */
export function customerList(organizationId: string, search: string | null | undefined, page: Page): ListQuery {
  const pattern = containing(search)
  const conditions = [
    Prisma.sql`item.organization_id = ${organizationId}::uuid`,
    Prisma.sql`item.merged_into_id IS NULL`,
    ...(pattern === null ? [] : [Prisma.sql`item.id IN (${customersFound(organizationId, pattern)})`]),
  ]
  return listQuery(list, page, conditions, pattern !== null)
}
