import type { CustomerMerge } from '../db/generated/client.ts'
import type { Deps } from '../deps.ts'

/** The merges that each customer took part in, newest first, in one statement. */
export async function mergesOf(
  deps: Pick<Deps, 'db'>,
  organizationId: string,
  customerIds: readonly string[],
): Promise<Map<string, MergeRow[]>> {
  const ids = [...customerIds]
  const rows = await deps.db.customerMerge.findMany({
    where: { organizationId, OR: [{ survivorId: { in: ids } }, { mergedId: { in: ids } }] },
    orderBy: { id: 'desc' },
    omit: { moved: true },
  })
  return new Map(ids.map((id) => [id, rows.filter((row) => row.survivorId === id || row.mergedId === id)]))
}

/** A merge without the long list of what it moved. */
export type MergeRow = Omit<CustomerMerge, 'moved'>
