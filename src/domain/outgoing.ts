import { buffer } from 'node:stream/consumers'
import { signAttachmentLink } from '../attachment-links.ts'
import type { AnyChannelAdapter, Outgoing, OutgoingFile } from '../channels/channel.ts'
import type { Attachment, ChannelAccount, Communication } from '../db/generated/client.ts'
import type { Deps } from '../deps.ts'
import type { Tx } from '../events/transact.ts'
import type { ChosenFile } from './compose-files.ts'
import type { SendPayload } from './compose-message.ts'
import { carriesEmail, mediaKindOf } from './content-limits.ts'
import { contentOf } from './content-of.ts'
import { outgoingEmail } from './email-threading.ts'
import { webhookUrl } from './webhook-url.ts'

type Sending = { communication: Communication; account: ChannelAccount; adapter: AnyChannelAdapter; files: readonly Attachment[] }

export const sendPayloadOf = (communication: Pick<Communication, 'payload'>): SendPayload =>
  (communication.payload as SendPayload | null) ?? {}

/** The files of a message in its own order, each with what it is sent as. */
export function filesInOrder(
  adapter: Pick<AnyChannelAdapter, 'capabilities'>,
  communication: Pick<Communication, 'payload'>,
  files: readonly Attachment[],
): (ChosenFile & { attachment: Attachment })[] {
  const chosen = sendPayloadOf(communication).files ?? []
  const place = ({ id }: Attachment): number => chosen.findIndex((file) => file.id === id)
  return files
    .toSorted((a, b) => place(a) - place(b))
    .map((attachment) => ({
      id: attachment.id,
      media: chosen[place(attachment)]?.media ?? mediaKindOf(adapter.capabilities, attachment.contentType ?? ''),
      attachment,
    }))
}

/** What the adapter is given to send. */
export async function outgoingOf(
  deps: Pick<Deps, 'config' | 'storage' | 'clock'>,
  tx: Tx,
  { communication, account, adapter, files }: Sending,
  options: { to: string; humanAgent: boolean },
): Promise<Outgoing> {
  const { id, organizationId, conversationId } = communication
  if (conversationId === null) throw new Error(`communication ${id} has no conversation`)
  const template = sendPayloadOf(communication).template ?? null
  const { slug } = await tx.organization.findUniqueOrThrow({ where: { id: organizationId } })
  const content = contentOf(communication)
  const isEmail = carriesEmail(adapter.capabilities)
  return {
    communicationId: id,
    channel: account.channel,
    from: account.address,
    to: options.to,
    body: communication.body,
    subject: communication.subject,
    // A template of ours is a text by now: the provider has never heard of it.
    content: content.kind === 'TEMPLATE' && template === null ? { kind: isEmail ? 'EMAIL' : 'TEXT' } : content,
    template,
    files: await Promise.all(filesInOrder(adapter, communication, files).map((file) => fileOf(deps, file.attachment, file.media))),
    inReplyTo: communication.inReplyTo,
    email: isEmail ? await outgoingEmail(deps, tx, communication, account, { id: conversationId }) : null,
    humanAgent: options.humanAgent,
    statusCallbackUrl: adapter.wire === null ? '' : `${webhookUrl(deps.config, adapter.wire.path, slug, 'status')}?communicationId=${id}`,
  }
}

async function fileOf(
  { config, storage, clock }: Pick<Deps, 'config' | 'storage' | 'clock'>,
  file: Attachment,
  media: OutgoingFile['media'],
): Promise<OutgoingFile> {
  const { id, organizationId, filename, contentType, size, storageKey } = file
  if (storageKey === null) throw new Error(`attachment ${id} is not stored`)
  return {
    filename,
    contentType: contentType ?? 'application/octet-stream',
    size: size ?? 0,
    media,
    url: `${config.PUBLIC_URL}${await signAttachmentLink(config, id, organizationId, clock)}`,
    read: () => buffer(storage.get(storageKey)),
  }
}
