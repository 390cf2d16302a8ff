import type { Deps } from '../deps.ts'
import { enqueue } from '../jobs/enqueue.ts'

const BATCH = 1000

/** Deletes webhooks that were kept for WEBHOOK_RETENTION_DAYS, with their bytes, and the gate's memory of their messages. Gives how many. */
export async function pruneWebhooks(deps: Pick<Deps, 'db' | 'storage' | 'config' | 'clock'>): Promise<number> {
  const before = new Date(deps.clock().getTime() - deps.config.WEBHOOK_RETENTION_DAYS * 86_400_000)
  let pruned = 0
  for (;;) {
    const old = await deps.db.webhookReceipt.findMany({
      where: { receivedAt: { lt: before } },
      select: { id: true, storageKey: true },
      orderBy: { receivedAt: 'asc' },
      take: BATCH,
    })
    const { count } = await deps.db.webhookReceipt.deleteMany({ where: { id: { in: old.map(({ id }) => id) } } })
    pruned += count
    // The row first: bytes without a row are waste, a row without bytes would be a lie.
    for (const { storageKey } of old) if (storageKey !== null) await deleteFile(deps, storageKey)
    if (old.length < BATCH) break
  }
  // The communication itself keeps a message from being received again; the gate matters only while two deliveries race.
  await deps.db.receivedMessage.deleteMany({ where: { receivedAt: { lt: before } } })
  return pruned
}

/** A storage that is away must not leave the bytes of a whole batch behind: a job tries again. */
async function deleteFile({ db, storage }: Pick<Deps, 'db' | 'storage'>, storageKey: string): Promise<void> {
  try {
    await storage.delete(storageKey)
  } catch {
    await enqueue(db, 'delete-stored-file', { storageKey })
  }
}
