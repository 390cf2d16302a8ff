import type { Capabilities } from '../channels/channel.ts'
import { type Content, type InteractiveContent, plainText } from '../channels/content.ts'
import type { MediaReference, MessageFact } from '../channels/fact.ts'
import type { Communication } from '../db/generated/client.ts'
import type { Deps } from '../deps.ts'
import type { Visitor } from '../visitor-tokens.ts'
import { mediaKindOf, textLength } from './content-limits.ts'
import { BodyTooLongError, NotFoundError, ValidationError } from './errors.ts'
import { receiveMessages } from './receive-message.ts'
import { cleanText } from './text.ts'
import { openChat } from './webchat-account.ts'
import { uploadedFiles } from './webchat-files.ts'
import { limitMessages } from './webchat-limits.ts'
import { externalIdOf, threadOf, visibleTo } from './webchat-thread.ts'

export type SendWebchatMessageInput = {
  clientMessageId: string
  text?: string | null
  uploadIds?: readonly string[] | null
  /** The answer to a question of the staff's. */
  choice?: { messageId: string; choiceId: string } | null
}

type SendDeps = Pick<Deps, 'config' | 'db' | 'pool' | 'bus' | 'storage' | 'config' | 'limits' | 'channels' | 'secrets'>

type Said = Pick<MessageFact, 'body' | 'content' | 'attachments' | 'inReplyTo'> & { taken?(): Promise<void> }

/**
 * A visitor's message, received as one of any other channel is. The same `clientMessageId` again gives the message that it made first.
 * Throws RateLimitedError, ChannelNotConnectedError, ValidationError, BodyTooLongError, NotFoundError.
 */
export async function sendWebchatMessage(deps: SendDeps, visitor: Visitor, input: SendWebchatMessageInput): Promise<Communication> {
  await limitMessages(deps, visitor)
  const { channel, provider, organizationId, address, id: channelAccountId } = await openChat(deps, visitor)
  if (!/^[\x21-\x7e]{1,100}$/.test(input.clientMessageId))
    throw new ValidationError('clientMessageId must be 1 to 100 letters, digits or signs of ASCII.', ['input', 'clientMessageId'])
  const externalMessageId = externalIdOf(visitor, input.clientMessageId)
  const key = { channelAccountId_externalMessageId: { channelAccountId, externalMessageId } }
  const before = await deps.db.communication.findUnique({ where: key })
  if (before !== null) return before
  const { taken, ...said } = await saidBy(deps, visitor, input)
  const { capabilities, identify } = deps.channels.get(provider, channel)
  const { externalId, name, email } = visitor
  const fact: MessageFact = {
    ...said,
    kind: 'message',
    externalMessageId,
    address: visitor.id,
    identities: [
      identify(visitor.id, address),
      ...(externalId === null ? [] : [{ kind: 'EXTERNAL' as const, scope: '', value: externalId, verified: true }]),
    ],
    profileName: externalId === null ? null : name,
    payload: name === null && email === null ? null : { visitor: { name, email } },
    consent: null,
  }
  const item = { account: { id: channelAccountId, organizationId, channel }, windowHours: capabilities.messagingWindowHours, fact }
  const [outcome] = await receiveMessages(deps, null, [item])
  if (outcome?.status === 'rejected') throw outcome.reason
  await taken?.()
  return deps.db.communication.findUniqueOrThrow({ where: key })
}

async function saidBy(deps: SendDeps, visitor: Visitor, { text, choice, uploadIds }: SendWebchatMessageInput): Promise<Said> {
  const body = cleanText(text ?? '')
  const uploads = uploadIds ?? []
  if (choice !== null && choice !== undefined) {
    if (body !== '' || uploads.length > 0) throw new ValidationError('A choice goes without text and files.', ['input', 'choice'])
    return chosen(deps, visitor, choice)
  }
  if (body.trim() === '' && uploads.length === 0)
    throw new ValidationError('A message needs a text, a file or a choice.', ['input', 'text'])
  const { capabilities } = deps.channels.get('PARLEY', 'WEBCHAT')
  const { textLimit, textLimitUnit, maxAttachments } = capabilities
  const length = textLength(body, textLimitUnit)
  if (length > textLimit) throw new BodyTooLongError(textLimit, length, textLimitUnit, ['input', 'text'])
  const { files, taken } = await uploadedFiles(deps, visitor, uploads, maxAttachments)
  return { body, content: contentOf(capabilities, body, files), attachments: files, taken }
}

function contentOf(capabilities: Capabilities, body: string, [first]: MediaReference[]): Content {
  if (first === undefined) return { kind: 'TEXT' }
  return { kind: 'MEDIA', media: mediaKindOf(capabilities, first.contentType ?? ''), caption: body.trim() === '' ? null : body }
}

/** The choices of a question, buttons first. */
export const choicesOf = (content: InteractiveContent): { id: string; title: string; description: string | null }[] => [
  ...content.buttons.map((button) => ({ ...button, description: null })),
  ...(content.list?.sections.flatMap((section) => section.rows) ?? []),
]

async function chosen(deps: SendDeps, visitor: Visitor, { messageId, choiceId }: { messageId: string; choiceId: string }): Promise<Said> {
  const thread = await threadOf(deps, visitor)
  const visible = thread === null ? null : visibleTo(visitor, thread.conversationId)
  const question =
    visible === null ? null : await deps.db.communication.findFirst({ where: { AND: [visible, { id: messageId, direction: 'OUTBOUND' }] } })
  const asked = (question?.content ?? null) as Content | null
  if (question === null || asked?.kind !== 'INTERACTIVE') throw new NotFoundError('question', ['input', 'choice', 'messageId'])
  const choice = choicesOf(asked).find(({ id }) => id === choiceId)
  if (choice === undefined) throw new NotFoundError('choice', ['input', 'choice', 'choiceId'])
  const { id, title, description } = choice
  const reply = asked.buttons.some((button) => button.id === id) ? 'BUTTON' : 'LIST'
  const content: Content = { kind: 'INTERACTIVE_REPLY', reply, id, title, description, data: null }
  return { body: plainText(content), content, attachments: [], inReplyTo: question.externalMessageId }
}
