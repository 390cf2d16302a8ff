import type { AnyChannelAdapter } from '../channels/channel.ts'
import type { Attachment, Communication, Template } from '../db/generated/client.ts'
import type { Tx } from '../events/transact.ts'
import { contentOf } from './content-of.ts'
import { filesInOrder, sendPayloadOf } from './outgoing.ts'
import { type Approval, approvalOf, type Message } from './policies.ts'

/** What the policy is asked of a message that was written before. */
export async function storedMessage(
  tx: Tx,
  communication: Communication,
  adapter: Pick<AnyChannelAdapter, 'capabilities'>,
  files: readonly Attachment[],
): Promise<Message> {
  const { templateId, purpose } = communication
  const template = templateId === null ? null : await tx.template.findUnique({ where: { id: templateId } })
  const email = files.length === 0 ? null : await tx.emailMessage.findUnique({ where: { communicationId: communication.id } })
  return {
    content: contentOf(communication),
    body: communication.body,
    files: filesInOrder(adapter, communication, files).map(({ media, attachment }) => ({
      media,
      contentType: attachment.contentType ?? 'application/octet-stream',
      size: attachment.size ?? 0,
      path: [],
    })),
    htmlBytes: Buffer.byteLength(email?.html ?? ''),
    quotes: communication.inReplyTo !== null,
    path: [],
    template: templateId === null ? null : { approval: approvalNow(communication, template), status: template?.status ?? null },
    byPerson: communication.authorId !== null && communication.sendAt === null && purpose === 'TRANSACTIONAL',
  }
}

/** What the message was written with stays with it: a template that is deleted, or was changed since, does not take it back. */
function approvalNow(communication: Communication, template: Template | null): Approval {
  if (sendPayloadOf(communication).template === undefined) return 'OURS'
  return template === null || template.channelAccountId === null ? 'APPROVED' : approvalOf(template)
}
