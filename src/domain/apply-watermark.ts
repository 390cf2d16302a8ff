import type { WatermarkFact } from '../channels/fact.ts'
import type { Deps } from '../deps.ts'
import { transact } from '../events/transact.ts'
import { advance, lockCommunication } from './advance.ts'

/** Everything sent to the address until then was delivered or read. Compared with the start of the attempt: the answer to a send comes later than the message. */
export async function applyWatermark(
  deps: Pick<Deps, 'db' | 'bus'>,
  account: { id: string; organizationId: string },
  fact: WatermarkFact,
): Promise<void> {
  await transact(deps, account.organizationId, async (tx, recorder) => {
    const rows = await tx.$queryRaw<{ id: string }[]>`
      SELECT m.id FROM conversation c JOIN communication m ON m.conversation_id = c.id
      WHERE c.organization_id = ${account.organizationId}::uuid AND c.channel_account_id = ${account.id}::uuid AND c.address = ${fact.address}
        AND m.direction = 'OUTBOUND' AND m.delivery_status = ANY(${fact.status === 'READ' ? ['SENT', 'UNKNOWN', 'DELIVERED'] : ['SENT', 'UNKNOWN']}::"DeliveryStatus"[])
        AND coalesce(m.attempt_started_at, m.sent_at, m.created_at) <= ${fact.until}
      ORDER BY m.id`
    for (const { id } of rows) {
      const communication = await lockCommunication(tx, id)
      if (communication !== null) await advance(tx, recorder, communication, { status: fact.status, error: null, externalMessageId: null })
    }
  })
}
