import type { Capabilities, SendableContent } from '../channels/channel.ts'
import type { Content, InteractiveContent, MediaKind } from '../channels/content.ts'
import { AttachmentTooLargeError, BodyTooLongError, ContentNotSupportedError, ValidationError } from './errors.ts'

/** Bytes; `path` names the input that chose the file. */
export type DraftFile = { media: MediaKind; contentType: string; size: number; path: string[] }

/** What a message is, as far as a channel's limits go. */
export type Draft = {
  content: Content
  body: string
  files: DraftFile[]
  /** Of an e-mail's HTML. Absent: it has none. */
  htmlBytes?: number
  /** It quotes the message that it answers. */
  quotes: boolean
  /** A template of the provider's, or with a counterpart there. */
  atProvider: boolean
  /** The input that the content came from. */
  path: string[]
}

/** Whatever goes out by this channel is an e-mail. */
export const carriesEmail = ({ content }: Pick<Capabilities, 'content'>): boolean => content.includes('EMAIL')

/** Length in the channel's own unit: Unicode code points, or bytes of UTF-8. */
export const textLength = (text: string, unit: Capabilities['textLimitUnit']): number =>
  unit === 'BYTES' ? Buffer.byteLength(text, 'utf8') : [...text].length

const MAX_HEADER = 60
const MAX_DESCRIPTION = 72
const MAX_ID = 200

/** Throws the UserError that names what the channel does not take, or what is too long, too many or too large for it. */
export function checkLimits(capabilities: Capabilities, draft: Draft): void {
  const { content, path } = draft
  const kind = sendableKind(draft)
  if (!capabilities.content.includes(kind)) throw new ContentNotSupportedError(`This channel cannot carry ${nouns[kind]}.`, path)
  if (draft.quotes && kind !== 'REACTION' && !capabilities.quotedReplies)
    throw new ContentNotSupportedError('On this channel a message cannot quote another one.', ['input', 'replyToCommunicationId'])
  if (content.kind === 'MEDIA') checkCaption(capabilities, draft)
  else if (content.kind === 'INTERACTIVE') checkInteractive(capabilities, content, draft.body, path)
  else checkLength(draft.body, capabilities.textLimit, capabilities.textLimitUnit, content.kind === 'EMAIL' ? [...path, 'text'] : path)
  checkFiles(capabilities, draft.files, path)
  checkWhole(capabilities, draft)
}

const nouns = {
  TEXT: 'text',
  EMAIL: 'e-mails',
  TEMPLATE: 'templates of the provider',
  MEDIA: 'files',
  INTERACTIVE: 'buttons and lists',
  REACTION: 'reactions',
} as const satisfies Record<SendableContent, string>

function sendableKind({ content, atProvider }: Draft): SendableContent {
  switch (content.kind) {
    case 'TEMPLATE':
      return atProvider ? 'TEMPLATE' : 'TEXT'
    case 'EMAIL':
    case 'MEDIA':
    case 'INTERACTIVE':
    case 'REACTION':
      return content.kind
    default:
      return 'TEXT'
  }
}

function checkLength(text: string, limit: number, unit: Capabilities['textLimitUnit'], path: string[]): void {
  const length = textLength(text, unit)
  if (length > limit) throw new BodyTooLongError(limit, length, unit, path)
}

function checkCaption(capabilities: Capabilities, draft: Draft): void {
  const { body: caption, files } = draft
  const path = [...draft.path, 'caption']
  const limit = Math.min(capabilities.captionLimit ?? capabilities.textLimit, capabilities.textLimit)
  if (limit === 0 && caption !== '') throw new ContentNotSupportedError('On this channel files go without a caption.', path)
  const silent = files.find(({ media }) => capabilities.media[media]?.captions === false)
  if (silent !== undefined && caption !== '')
    throw new ContentNotSupportedError(
      `On this channel ${silent.media} goes without a caption: send the text as a message of its own.`,
      path,
    )
  checkLength(caption, limit, capabilities.textLimitUnit, path)
}

/** Source of the lengths that channels share: https://developers.facebook.com/docs/whatsapp/cloud-api/messages/interactive-list-messages */
function checkInteractive(capabilities: Capabilities, content: InteractiveContent, body: string, path: string[]): void {
  const limits = capabilities.interactive
  if (limits === null) throw new ContentNotSupportedError('This channel cannot carry buttons and lists.', path)
  checkLength(body, limits.maxBody, 'CHARACTERS', [...path, 'body'])
  // Channels without a header or footer of their own write all three one below the other.
  const whole = [content.header, body, content.footer].filter((part) => part !== null && part !== '').join('\n\n')
  checkLength(whole, capabilities.textLimit, capabilities.textLimitUnit, [...path, 'body'])
  checkLength(content.header ?? '', MAX_HEADER, 'CHARACTERS', [...path, 'header'])
  checkLength(content.footer ?? '', MAX_HEADER, 'CHARACTERS', [...path, 'footer'])
  const buttons = [...path, 'buttons']
  checkCount(content.buttons.length, limits.maxButtons, 'buttons', buttons)
  content.buttons.forEach(({ id, title }, index) => {
    checkChoice({ id, title, description: null }, limits.maxTitle, [...buttons, String(index)])
  })
  if (content.list === null) return
  const list = [...path, 'list']
  if (limits.maxRows === 0) throw new ContentNotSupportedError('This channel cannot carry lists.', list)
  checkLength(content.list.button, limits.maxTitle, 'CHARACTERS', [...list, 'button'])
  const rows = content.list.sections.flatMap((section) => section.rows)
  checkCount(rows.length, limits.maxRows, 'rows', [...list, 'sections'])
  content.list.sections.forEach((section, index) => {
    const place = [...list, 'sections', String(index)]
    checkLength(section.title ?? '', limits.maxRowTitle, 'CHARACTERS', [...place, 'title'])
    section.rows.forEach((row, number) => {
      checkChoice(row, limits.maxRowTitle, [...place, 'rows', String(number)])
    })
  })
}

function checkChoice(choice: { id: string; title: string; description: string | null }, maxTitle: number, path: string[]): void {
  checkLength(choice.id, MAX_ID, 'CHARACTERS', [...path, 'id'])
  checkLength(choice.title, maxTitle, 'CHARACTERS', [...path, 'title'])
  checkLength(choice.description ?? '', MAX_DESCRIPTION, 'CHARACTERS', [...path, 'description'])
}

function checkCount(count: number, limit: number, what: string, path: string[]): void {
  if (count > limit) throw new ValidationError(`There are ${count} ${what}; this channel allows ${limit}.`, path)
}

function checkFiles(capabilities: Capabilities, files: DraftFile[], path: string[]): void {
  checkCount(files.length, capabilities.maxAttachments, 'files', [...path, 'attachmentIds'])
  for (const file of files) {
    const limit = capabilities.media[file.media]
    if (limit === undefined || !takes(limit, file.contentType)) {
      const allowed = limit === undefined ? `files of the kinds ${Object.keys(capabilities.media).join(', ')}` : limit.types.join(', ')
      throw new ContentNotSupportedError(`This channel cannot carry ${file.contentType} as ${file.media}; it takes ${allowed}.`, file.path)
    }
    if (file.size > limit.maxBytes) throw new AttachmentTooLargeError(limit.maxBytes, file.size, file.path)
  }
}

function checkWhole({ maxMessage }: Capabilities, { body, htmlBytes = 0, files, path }: Draft): void {
  if (maxMessage === undefined) return
  const sizeOf = ({ size }: DraftFile): number => (maxMessage.base64 ? Math.ceil(size / 3) * 4 : size)
  const size = files.reduce((sum, file) => sum + sizeOf(file), Buffer.byteLength(body) + htmlBytes)
  if (size > maxMessage.bytes)
    throw new AttachmentTooLargeError(maxMessage.bytes, size, [...path, 'attachmentIds'], 'The message with all its files')
}

const takes = (limit: { types: readonly string[] }, contentType: string): boolean =>
  limit.types.length === 0 || limit.types.includes(bare(contentType))

const bare = (contentType: string): string => contentType.split(';')[0]?.trim().toLowerCase() ?? ''

/** What a file is sent as: what its type says, or a document where the channel takes it only as that. */
export function mediaKindOf({ media }: Capabilities, contentType: string): MediaKind {
  const [family] = bare(contentType).split('/')
  const natural = family === 'image' ? 'IMAGE' : family === 'audio' ? 'AUDIO' : family === 'video' ? 'VIDEO' : 'DOCUMENT'
  const goesAs = (kind: MediaKind): boolean => media[kind] !== undefined && takes(media[kind], contentType)
  return !goesAs(natural) && goesAs('DOCUMENT') ? 'DOCUMENT' : natural
}
