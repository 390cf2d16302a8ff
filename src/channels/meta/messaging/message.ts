import { consentOf } from '../../consent.ts'
import type { Content } from '../../content.ts'
import { plainText } from '../../content.ts'
import type { Fact, MessageFact } from '../../fact.ts'
import type { MetaApp } from '../app.ts'
import { idIn, type Json, objectIn, objectsIn, textIn, webAddressIn } from '../json.ts'
import { type Attached, attached } from './attachments.ts'
import { messageBase, type Occasion } from './occasion.ts'
import { adWindow } from './referral.ts'

/** The id of a communication of ours. */
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/** `messaging[].message`: a message, one taken back, or an echo of what the page or account has sent. */
export function parseMessage(occasion: Occasion, message: Json, app: MetaApp): Fact {
  const mid = idIn(message.mid)
  if (mid === null) return { kind: 'unknown', reason: 'a message without its id (mid)' }
  if (message.is_deleted === true) return { kind: 'revoke', externalMessageId: mid, at: occasion.at ?? new Date() }
  return sentByUs(mid, message, app) ?? written(occasion, mid, message, app)
}

/** An echo of what this app has sent is a receipt: the message is in the log already. */
function sentByUs(mid: string, message: Json, app: MetaApp): Fact | null {
  if (message.is_echo !== true) return null
  const metadata = textIn(message.metadata)
  const communicationId = metadata !== null && UUID.test(metadata) ? metadata.toLowerCase() : null
  const ours = app.appId !== null && idIn(message.app_id) === app.appId
  if (!ours && communicationId === null) return null
  return { kind: 'receipt', externalMessageId: mid, communicationId, status: 'SENT', error: null }
}

function written(occasion: Occasion, mid: string, message: Json, app: MetaApp): MessageFact {
  const parts = onceEach(objectsIn(message.attachments).map((attachment) => attached(attachment, app)))
  const text = textIn(message.text)
  const content = contentOf(message, text, parts)
  const replyTo = objectIn(message.reply_to)
  const inbound = occasion.direction === 'INBOUND'
  return {
    ...messageBase(occasion, mid),
    body: textIn(linesOf(text, parts).join('\n')) ?? plainText(content),
    content,
    attachments: parts.flatMap(({ media }) => media),
    payload: payloadOf(message, replyTo, content, parts),
    inReplyTo: idIn(replyTo?.mid),
    consent: inbound && content.kind === 'TEXT' ? consentOf(text ?? '') : null,
    ...(inbound && adWindow(objectIn(message.referral))),
  }
}

/** Meta says some things in two ways at a time, e.g. a post as `share` and as `ig_post`: the same file is one. */
function onceEach(parts: Attached[]): Attached[] {
  const seen = new Set<string>()
  return parts.filter(({ media: [file] }) => {
    if (file?.url === undefined || file.url === null) return true
    const isNew = !seen.has(file.url)
    seen.add(file.url)
    return isNew
  })
}

/** The text, and what it does not say itself: where a link leads, or, without any text, what the attachments say. */
function linesOf(text: string | null, parts: Attached[]): string[] {
  if (text === null) return parts.map((part) => part.text).filter((line) => line !== null)
  return [
    text,
    ...parts
      .map(({ link }) => link)
      .filter((link) => link !== null)
      .filter((link) => !text.includes(link)),
  ]
}

function contentOf(message: Json, text: string | null, parts: Attached[]): Content {
  const quickReply = objectIn(message.quick_reply)
  if (quickReply !== null) {
    const id = textIn(quickReply.payload)
    return { kind: 'INTERACTIVE_REPLY', reply: 'QUICK_REPLY', id, title: text ?? id ?? '', description: null, data: null }
  }
  const contents = parts.map(({ content }) => content)
  const file = contents.find((content) => content.kind === 'MEDIA')
  if (file !== undefined) return text === null ? file : { ...file, caption: text }
  const understood = contents.find(({ kind }) => kind !== 'UNSUPPORTED' && kind !== 'TEXT')
  if (understood !== undefined) return understood
  const unsupported = contents.find(({ kind }) => kind === 'UNSUPPORTED')
  if (unsupported !== undefined) return unsupported
  if (text !== null || contents.length > 0) return { kind: 'TEXT' }
  return { kind: 'UNSUPPORTED', type: 'message', raw: message }
}

/** What the content does not hold: the story answered or mentioned in, links, where the customer came from, other attachments. */
function payloadOf(message: Json, replyTo: Json | null, content: Content, parts: Attached[]): MessageFact['payload'] {
  const sections = {
    story: storyIn(message, replyTo),
    referral: objectIn(message.referral),
    // Kept as they came: a message has one content, and it went to another attachment.
    otherAttachments: listed(
      parts.map((part) => part.content).filter((other) => !['MEDIA', 'TEXT'].includes(other.kind) && other !== content),
    ),
  }
  const present = Object.entries(sections).filter(([, section]) => section !== null)
  return present.length === 0 ? null : Object.fromEntries(present)
}

function storyIn(message: Json, replyTo: Json | null): Json | null {
  const story = objectIn(replyTo?.story)
  if (story !== null) return { id: idIn(story.id), url: webAddressIn(story.url) }
  const mention = objectsIn(message.attachments).find(({ type }) => type === 'story_mention')
  if (mention === undefined) return null
  const payload = objectIn(mention.payload)
  return { id: idIn(payload?.id), url: webAddressIn(payload?.url), mention: true }
}

const listed = <Item>(items: Item[]): Item[] | null => (items.length === 0 ? null : items)
