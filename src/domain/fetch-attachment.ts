import { Rejected } from '../channels/failures.ts'
import type { Deps } from '../deps.ts'
import { credentialsOf } from './channel-credentials.ts'

/** Fetches one attachment from the provider and stores it. Throws Unavailable where the job should try again; a final refusal is kept. */
export async function fetchAttachment(deps: Deps, attachmentId: string): Promise<void> {
  const attachment = await deps.db.attachment.findUnique({ where: { id: attachmentId }, include: { communication: true } })
  if (attachment === null || attachment.status !== 'PENDING' || attachment.communication.channelAccountId === null) return
  const account = await deps.db.channelAccount.findUniqueOrThrow({ where: { id: attachment.communication.channelAccountId } })
  if (account.credentials === null) return giveUp(deps, attachmentId, 'The channel account was disconnected before the media was fetched.')
  const adapter = deps.channels.get(account.provider, account.channel)
  try {
    const media = await adapter.fetchMedia(attachment.sourceUrl, credentialsOf(deps, adapter, account), deps.config.MAX_ATTACHMENT_BYTES)
    const storageKey = `attachments/${attachment.organizationId}/${attachmentId}`
    await deps.storage.put(storageKey, media.body)
    await deps.db.attachment.update({
      where: { id: attachmentId },
      data: { status: 'STORED', storageKey, size: media.body.byteLength, contentType: media.contentType ?? attachment.contentType },
    })
  } catch (error) {
    if (!(error instanceof Rejected)) throw error
    await giveUp(deps, attachmentId, error.explanation)
  }
}

async function giveUp(deps: Pick<Deps, 'db'>, id: string, failure: string): Promise<void> {
  await deps.db.attachment.update({ where: { id }, data: { status: 'FAILED', failure } })
}
