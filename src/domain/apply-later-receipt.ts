import type { Deps } from '../deps.ts'
import type { Jobs } from '../jobs/enqueue.ts'
import { recordReceipt } from './record-receipt.ts'

/** A receipt that was announced with the send's answer arrives: it is recorded like one from a webhook. */
export async function applyLaterReceipt(deps: Pick<Deps, 'db' | 'bus'>, job: Jobs['record-receipt']): Promise<void> {
  const communication = await deps.db.communication.findUnique({ where: { id: job.communicationId } })
  if (communication === null) return
  const { organizationId, channelAccountId, externalMessageId } = communication
  if (channelAccountId === null || externalMessageId === null) throw new Error(`communication ${job.communicationId} was not sent`)
  await recordReceipt(deps, { id: channelAccountId, organizationId }, null, {
    kind: 'receipt',
    externalMessageId,
    communicationId: communication.id,
    status: job.status,
    error: job.errorCode === undefined ? null : { code: job.errorCode, message: job.errorMessage ?? job.errorCode },
  })
}
