import type { Deps } from '../deps.ts'
import { type Recorder, type Tx, transact } from '../events/transact.ts'
import { type Difference, type DifferingRow, differenceOf, differingCounts } from './differing-counts.ts'

/**
 * Counts again while nobody can change the customer's counts, writes what is counted, and tells of what differed. Whoever has written a
 * count holds its row until what is counted is there to be seen, so the rows' locks are enough.
 */
export const mendCustomer = (deps: Pick<Deps, 'db' | 'bus'>, organizationId: string, customerId: string): Promise<Difference[]> =>
  transact(deps, organizationId, async (tx, recorder) => {
    await tx.$queryRaw`SELECT FROM customer WHERE organization_id = ${organizationId}::uuid AND id = ${customerId}::uuid FOR NO KEY UPDATE`
    await tx.$queryRaw`SELECT FROM conversation WHERE organization_id = ${organizationId}::uuid AND customer_id = ${customerId}::uuid
      ORDER BY id FOR NO KEY UPDATE`
    const rows = await differingCounts(tx, organizationId, [customerId])
    for (const row of rows) await mend(tx, recorder, row)
    return rows.map((row) => differenceOf(organizationId, row))
  })

async function mend(tx: Tx, recorder: Recorder, { count, id, customerId, kept, counted }: DifferingRow): Promise<void> {
  const { unreadCount } = counted
  if (count === 'customer') await tx.$executeRaw`UPDATE customer SET unread_count = ${unreadCount}::int WHERE id = ${id}::uuid`
  else {
    await tx.$executeRaw`
      UPDATE conversation SET unread_count = ${unreadCount}::int, inbound_count = ${counted.inboundCount}::int,
        outbound_count = ${counted.outboundCount}::int, last_communication_id = ${counted.lastCommunicationId}::uuid,
        last_activity_at = ${counted.lastActivityAt}::timestamptz
      WHERE id = ${id}::uuid`
  }
  if (kept.unreadCount === unreadCount) return
  const about =
    count === 'customer'
      ? { data: { customerUnreadCount: unreadCount } }
      : { conversationId: id, data: { conversationUnreadCount: unreadCount } }
  recorder.event({ type: 'UNREAD_COUNT_CHANGED', customerId, ...about })
}

/** The same for the organization's own count, whose lock is the last one. */
export const mendOrganization = (deps: Pick<Deps, 'db' | 'bus'>, organizationId: string): Promise<Difference[]> =>
  transact(deps, organizationId, async (tx, recorder) => {
    await tx.$queryRaw`SELECT FROM organization WHERE id = ${organizationId}::uuid FOR NO KEY UPDATE`
    const found = await differingOrganization(tx, organizationId)
    if (found === null) return []
    recorder.unread(found.counted - found.kept)
    recorder.event({ type: 'UNREAD_COUNT_CHANGED' })
    const [kept, counted] = [{ unreadCount: found.kept }, { unreadCount: found.counted }]
    return [{ count: 'organization', organizationId, id: organizationId, kept, counted }]
  })

/** Its unread count, where that is not the number of its unread communications. */
export async function differingOrganization(
  db: Pick<Tx, '$queryRaw'>,
  organizationId: string,
): Promise<{ kept: number; counted: number } | null> {
  const [row] = await db.$queryRaw<{ kept: number; counted: number }[]>`
    SELECT unread_count AS kept, (
      SELECT count(*)::int FROM communication WHERE organization_id = ${organizationId}::uuid AND is_read = false
    ) AS counted
    FROM organization WHERE id = ${organizationId}::uuid`
  return row === undefined || row.kept === row.counted ? null : row
}
