import { convert } from 'html-to-text'
import type { OutgoingTemplate } from '../channels/channel.ts'
import { type Content, plainText } from '../channels/content.ts'
import type { Communication, Template } from '../db/generated/client.ts'
import type { MessagePurpose } from '../db/generated/enums.ts'
import type { Tx } from '../events/transact.ts'
import type { Actor } from './actor.ts'
import { cleanHtml } from './clean-html.ts'
import { type Chooser, type ChosenFile, type ComposedFile, chosenFiles } from './compose-files.ts'
import { interactiveContent } from './compose-interactive.ts'
import { filledTemplate, providersTemplate } from './compose-template.ts'
import type { ContentInput, EmailInput, MediaInput } from './content-input.ts'
import { carriesEmail } from './content-limits.ts'
import { replySubject } from './email-threading.ts'
import { ContentNotSupportedError, NotFoundError, ValidationError } from './errors.ts'
import { approvalOf, type Message } from './policies.ts'
import type { Recipient } from './resolve-recipient.ts'
import { optionalText, requiredText } from './text.ts'

/** More than any channel takes: its own limit is the policy's. */
const MAX_TEXT = 400_000
const MAX_SUBJECT = 500
const MAX_HTML = 1_000_000

/** What the communication's payload keeps of a message until it is sent. */
export type SendPayload = { template?: OutgoingTemplate; files?: ChosenFile[] }

export type Composed = {
  content: Content
  body: string
  subject: string | null
  purpose: MessagePurpose
  template: Template | null
  payload: SendPayload | null
  files: ComposedFile[]
  /** Of an e-mail; sanitized. */
  html: string | null
  /** The external id of the message that this one answers or reacts to. */
  inReplyTo: string | null
  /** Our id of the message that this one reacts to. */
  reactsTo: string | null
  path: string[]
}

export type MessageInput = { content: ContentInput; replyToCommunicationId?: string | null; purpose?: MessagePurpose | null }

/** A message that is written anew. */
export type Rewritten = Pick<Communication, 'id' | 'subject'>

type Scope = { tx: Tx; actor: Actor; customerId: string; recipient: Recipient; rewritten: Rewritten | null }

type Part = Pick<Composed, 'content' | 'body'> & Partial<Composed>

/** The message that the input asks for, before any channel's rules. Throws UserErrors. Files that it chooses are locked. */
export async function compose(
  tx: Tx,
  actor: Actor,
  customerId: string,
  recipient: Recipient,
  input: MessageInput,
  rewritten: Rewritten | null = null,
): Promise<Composed> {
  const scope: Scope = { tx, actor, customerId, recipient, rewritten }
  const [kind] = Object.entries(input.content).find(([, value]) => value !== null && value !== undefined) ?? ['text']
  const path = ['input', 'content', kind]
  const part = await partOf(scope, input.content, path)
  const files = part.files ?? []
  const payload: SendPayload = {
    ...part.payload,
    ...(files.length === 0 ? {} : { files: files.map(({ id, media }) => ({ id, media })) }),
  }
  return {
    subject: null,
    template: null,
    html: null,
    reactsTo: null,
    path,
    ...part,
    purpose: part.purpose ?? input.purpose ?? 'TRANSACTIONAL',
    files,
    payload: Object.keys(payload).length === 0 ? null : payload,
    inReplyTo: await answered(scope, input.replyToCommunicationId, part),
    ...(carriesEmail(recipient.adapter.capabilities) ? { subject: await subjectOf(scope, part) } : {}),
  }
}

function partOf(scope: Scope, input: ContentInput, path: string[]): Promise<Part> | Part {
  const { template, media, interactive, reaction, email } = input
  if (template) return fromTemplate(scope, template, path)
  if (media) return fromMedia(scope, media, path)
  if (interactive)
    return { content: interactiveContent(interactive, path), body: requiredText(interactive.body, [...path, 'body'], MAX_TEXT) }
  if (reaction) return fromReaction(scope, reaction, path)
  if (email) return fromEmail(scope, email, path)
  return { content: { kind: 'TEXT' }, body: requiredText(input.text ?? '', path, MAX_TEXT) }
}

async function fromTemplate(scope: Scope, chosen: NonNullable<ContentInput['template']>, path: string[]): Promise<Part> {
  const { template, variables, body, subject, html } = await filledTemplate(
    scope.tx,
    scope.actor,
    scope.customerId,
    scope.recipient,
    chosen,
    path,
  )
  const atProvider = providersTemplate(template, variables)
  return {
    content: { kind: 'TEMPLATE', name: template.name, language: template.language, variables },
    body,
    subject,
    html,
    template,
    ...(template.purpose === 'MARKETING' ? { purpose: 'MARKETING' } : {}),
    ...(atProvider === null ? {} : { payload: { template: atProvider } }),
  }
}

async function fromMedia(scope: Scope, input: MediaInput, path: string[]): Promise<Part> {
  const place = [...path, 'attachmentIds']
  if (input.attachmentIds.length === 0) throw new ValidationError('attachmentIds needs at least one file.', place)
  const files = await chosenFiles(scope.tx, chooserIn(scope), input.attachmentIds, input.kind ?? null, place)
  const caption = optionalText(input.caption, [...path, 'caption'], MAX_TEXT)
  return { content: { kind: 'MEDIA', media: files[0]?.media ?? 'DOCUMENT', caption }, body: caption ?? '', files }
}

const chooserIn = ({ actor, recipient, rewritten }: Scope): Chooser => ({
  organizationId: actor.organizationId,
  capabilities: recipient.adapter.capabilities,
  communicationId: rewritten?.id ?? null,
})

async function fromReaction(scope: Scope, input: NonNullable<ContentInput['reaction']>, path: string[]): Promise<Part> {
  const emoji = input.emoji ?? null
  if (emoji !== null && !isEmoji(emoji)) throw new ValidationError('emoji must be one emoji.', [...path, 'emoji'])
  const target = await messageHere(scope, input.communicationId, [...path, 'communicationId'])
  const content: Content = { kind: 'REACTION', emoji, target }
  return { content, body: plainText(content), inReplyTo: target, reactsTo: input.communicationId }
}

const graphemes = new Intl.Segmenter()

const isEmoji = (text: string): boolean =>
  [...graphemes.segment(text)].length === 1 && /\p{Extended_Pictographic}|\p{Regional_Indicator}|\u20e3/u.test(text)

async function fromEmail(scope: Scope, input: EmailInput, path: string[]): Promise<Part> {
  const { account, adapter } = scope.recipient
  const place = [...path, 'attachmentIds']
  const files = await chosenFiles(scope.tx, chooserIn(scope), input.attachmentIds ?? [], null, place)
  if (!carriesEmail(adapter.capabilities))
    throw new ContentNotSupportedError(`The message goes by ${account.channel}, which carries no e-mails.`, path)
  const written = optionalText(input.html, [...path, 'html'], MAX_HTML)
  const html = written === null ? null : cleanHtml(written, [...path, 'html'])
  const text = optionalText(input.text, [...path, 'text'], MAX_TEXT)
  if (text === null && html === null) throw new ValidationError('An e-mail needs a text or HTML.', [...path, 'text'])
  return {
    content: { kind: 'EMAIL' },
    body: text ?? convert(html ?? '', { wordwrap: false, selectors: [{ selector: 'img', format: 'skip' }] }),
    subject: requiredText(input.subject, [...path, 'subject'], MAX_SUBJECT),
    html,
    files,
  }
}

/** An e-mail never goes without a subject: what was written without one keeps its own, or continues the conversation's. */
async function subjectOf({ tx, recipient, rewritten }: Scope, part: Part): Promise<string> {
  const { conversation } = recipient
  const subject = part.subject ?? rewritten?.subject ?? (conversation === null ? null : await replySubject(tx, conversation.id))
  if (subject !== null) return subject
  throw new ValidationError('An e-mail needs a subject.', ['input', 'content', 'email', 'subject'])
}

async function answered(scope: Scope, replyTo: string | null | undefined, part: Part): Promise<string | null> {
  if (replyTo === null || replyTo === undefined) return part.inReplyTo ?? null
  const path = ['input', 'replyToCommunicationId']
  if (part.content.kind === 'REACTION') throw new ValidationError('A reaction names its message itself.', path)
  return messageHere(scope, replyTo, path)
}

/** The external id of a message of this very conversation. */
async function messageHere({ tx, actor, recipient }: Scope, id: string, path: string[]): Promise<string> {
  const { organizationId } = actor
  const { conversation, account } = recipient
  const found: Communication | null =
    conversation === null
      ? null
      : await tx.communication.findFirst({ where: { id, organizationId, conversationId: conversation.id, channelAccountId: account.id } })
  if (found === null) throw new NotFoundError('message in this conversation', path)
  if (found.externalMessageId === null) throw new ValidationError('The message has not been sent yet: the provider does not know it.', path)
  return found.externalMessageId
}

/** What the policy is asked. */
export const messageOf = (composed: Composed, byPerson: boolean): Message => ({
  content: composed.content,
  body: composed.body,
  files: composed.files,
  htmlBytes: Buffer.byteLength(composed.html ?? ''),
  quotes: composed.inReplyTo !== null,
  path: composed.path,
  template: composed.template === null ? null : { approval: approvalOf(composed.template), status: composed.template.status },
  byPerson: byPerson && composed.purpose === 'TRANSACTIONAL',
})
