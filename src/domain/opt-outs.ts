import type { ChannelType } from '../db/generated/enums.ts'
import type { Recorder, Tx } from '../events/transact.ts'
import { newId } from './ids.ts'

export const hasOptedOut = async (tx: Tx, customerId: string, channel: ChannelType): Promise<boolean> =>
  (await tx.optOut.findUnique({ where: { customerId_channel: { customerId, channel } } })) !== null

/** Records the opt-out with its event; a repeated one changes nothing. */
export async function recordOptOut(
  tx: Tx,
  recorder: Recorder,
  organizationId: string,
  customerId: string,
  channel: ChannelType,
): Promise<void> {
  const { count } = await tx.optOut.createMany({ data: [{ id: newId(), organizationId, customerId, channel }], skipDuplicates: true })
  if (count > 0) recorder.event({ type: 'CUSTOMER_OPTED_OUT', customerId, data: { channel } })
}
