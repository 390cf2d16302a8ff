import { Rejected } from '../channels/failures.ts'
import type { Attachment, Communication, Prisma } from '../db/generated/client.ts'
import type { Deps } from '../deps.ts'
import { transact } from '../events/transact.ts'
import { credentialsOf } from './channel-credentials.ts'

/**
 * Fetches one attachment from the provider and stores it. Throws where the job should try again; a final refusal, or the failure of the
 * last try, is kept on the attachment.
 */
export async function fetchAttachment(deps: Deps, attachmentId: string, isLastTry: boolean): Promise<void> {
  const attachment = await deps.db.attachment.findUnique({ where: { id: attachmentId }, include: { communication: true } })
  if (attachment === null || attachment.status !== 'PENDING') return
  const { communication } = attachment
  try {
    await settle(deps, communication, attachmentId, await fetched(deps, attachment, communication))
  } catch (error) {
    if (!(error instanceof Rejected) && !isLastTry) throw error
    const failure = error instanceof Rejected ? error.explanation : 'The provider did not hand over the file, however often it was asked.'
    await settle(deps, communication, attachmentId, { status: 'FAILED', failure })
  }
}

async function fetched(deps: Deps, attachment: Attachment, communication: Communication): Promise<Prisma.AttachmentUpdateInput> {
  if (communication.channelAccountId === null) throw new Error(`communication ${communication.id} has no channel account`)
  const account = await deps.db.channelAccount.findUniqueOrThrow({ where: { id: communication.channelAccountId } })
  if (account.credentials === null) {
    throw new Rejected('CHANNEL_NOT_CONNECTED', 'The channel account was disconnected before the file was fetched.')
  }
  const adapter = deps.channels.get(account.provider, account.channel)
  const media = await adapter.fetchMedia(attachment.sourceUrl, credentialsOf(deps, adapter, account), deps.config.MAX_ATTACHMENT_BYTES)
  const storageKey = `attachments/${attachment.organizationId}/${attachment.id}`
  await deps.storage.put(storageKey, media.body)
  return { status: 'STORED', storageKey, size: media.body.byteLength, contentType: media.contentType ?? attachment.contentType }
}

async function settle(deps: Deps, communication: Communication, id: string, data: Prisma.AttachmentUpdateInput): Promise<void> {
  const { organizationId, customerId, conversationId, id: communicationId } = communication
  await transact(deps, organizationId, async (tx, recorder) => {
    await tx.attachment.update({ where: { id }, data })
    recorder.event({ type: 'COMMUNICATION_CHANGED', customerId, conversationId, communicationId })
  })
}
