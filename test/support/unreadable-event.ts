import { organizationTopic } from '../../src/events/bus.ts'
import type { TestApp } from './app.ts'

/** An UNREAD_COUNT_CHANGED (7) whose customer cannot be read, because their table has another name until `seen` resolves. */
export async function unreadableEvent(
  { deps: { pool, bus } }: TestApp,
  organizationId: string,
  seen: () => Promise<unknown>,
): Promise<void> {
  await pool.query('ALTER TABLE customer RENAME TO away')
  try {
    await pool.query(
      `WITH bumped AS (UPDATE organization SET event_seq = event_seq + 1 WHERE id = $1 RETURNING event_seq)
       INSERT INTO event (organization_id, seq, type, customer_id, data)
       SELECT $1, event_seq, 'UNREAD_COUNT_CHANGED', (SELECT id FROM away WHERE organization_id = $1 LIMIT 1), '{"organizationUnreadCount": 7}' FROM bumped`,
      [organizationId],
    )
    bus.ring(organizationTopic(organizationId))
    await seen()
  } finally {
    await pool.query('ALTER TABLE away RENAME TO customer')
  }
}
