import { Rejected } from '../channels/failures.ts'
import type { Attachment, Communication } from '../db/generated/client.ts'
import type { Deps } from '../deps.ts'
import { transact } from '../events/transact.ts'
import { credentialsOf } from './channel-credentials.ts'
import { trueContentType } from './content-type.ts'

type Outcome =
  | { status: 'STORED'; storageKey: string; size: number; contentType: string; failure: null }
  | { status: 'FAILED'; failure: string }

/**
 * Fetches one attachment from the provider and stores it. Throws where the job should try again; a final refusal, or the failure of the
 * last try, is kept on the attachment.
 */
export async function fetchAttachment(deps: Deps, attachmentId: string, isLastTry: boolean): Promise<void> {
  const attachment = await deps.db.attachment.findUnique({ where: { id: attachmentId }, include: { communication: true } })
  if (attachment === null || attachment.status !== 'PENDING') return
  const { communication, sourceUrl } = attachment
  if (communication === null || sourceUrl === null) throw new Error(`attachment ${attachmentId} is not at a provider`)
  try {
    await settle(deps, communication, attachmentId, await fetched(deps, attachment, sourceUrl, communication))
  } catch (error) {
    if (!(error instanceof Rejected) && !isLastTry) throw error
    const failure = error instanceof Rejected ? error.explanation : 'The provider did not hand over the file, however often it was asked.'
    await settle(deps, communication, attachmentId, { status: 'FAILED', failure })
  }
}

async function fetched(deps: Deps, attachment: Attachment, sourceUrl: string, communication: Communication): Promise<Outcome> {
  if (communication.channelAccountId === null) throw new Error(`communication ${communication.id} has no channel account`)
  const account = await deps.db.channelAccount.findUniqueOrThrow({ where: { id: communication.channelAccountId } })
  if (account.credentials === null) {
    throw new Rejected('CHANNEL_NOT_CONNECTED', 'The channel account was disconnected before the file was fetched.')
  }
  const limit = deps.config.MAX_ATTACHMENT_BYTES
  const adapter = deps.channels.get(account.provider, account.channel)
  const { body, contentType } = await adapter.fetchMedia(sourceUrl, credentialsOf(deps, adapter, account), limit)
  if (body.byteLength > limit) throw new Rejected('MEDIA_TOO_LARGE', `The file is larger than the ${limit} bytes that are allowed.`)
  const storageKey = `attachments/${attachment.organizationId}/${attachment.id}`
  await deps.storage.put(storageKey, body)
  const declared = saysNothing(contentType) ? attachment.contentType : contentType
  return { status: 'STORED', storageKey, size: body.byteLength, contentType: await trueContentType(body, declared), failure: null }
}

/** Servers that keep files without knowing them call all of them so. */
const saysNothing = (contentType: string | null): boolean =>
  contentType === null || /^(application|binary)\/octet-stream\b/i.test(contentType)

async function settle(deps: Deps, communication: Communication, id: string, outcome: Outcome): Promise<void> {
  const { organizationId, customerId, conversationId, id: communicationId } = communication
  const settled = await transact(deps, organizationId, async (tx, recorder) => {
    const { count } = await tx.attachment.updateMany({ where: { id, status: 'PENDING' }, data: outcome })
    if (count > 0) recorder.event({ type: 'COMMUNICATION_CHANGED', customerId, conversationId, communicationId })
    return count > 0
  })
  if (settled || outcome.status === 'FAILED') return
  // Meanwhile the sender has taken the message back.
  if ((await deps.db.attachment.count({ where: { id } })) === 0) await deps.storage.delete(outcome.storageKey)
}
