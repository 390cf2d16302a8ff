import type { Content, InteractiveReplyContent, MediaKind, SharedContact } from '../../content.ts'
import { plainText } from '../../content.ts'
import type { MediaReference } from '../../fact.ts'
import type { MetaApp } from '../app.ts'
import { idIn, type Json, objectIn, objectsIn, textIn, webAddressIn } from '../json.ts'

export type Read = { body: string; content: Content; attachments: MediaReference[] }

const MEDIA: Readonly<Record<string, MediaKind>> = {
  image: 'IMAGE',
  audio: 'AUDIO',
  video: 'VIDEO',
  document: 'DOCUMENT',
  sticker: 'STICKER',
}

/**
 * What a message says. What is not understood is kept whole.
 * Source: https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/messages
 */
export function readContent(app: MetaApp, message: Json): Read {
  const type = textIn(message.type) ?? 'unknown'
  const part = objectIn(message[type])
  const media = MEDIA[type]
  if (type === 'text' && typeof part?.body === 'string') return { body: part.body, content: { kind: 'TEXT' }, attachments: [] }
  if (media !== undefined && part !== null) return mediaOf(app, media, part) ?? unsupported(type, message)
  const content = part === null ? null : contentOf(type, part)
  if (content !== null) return { body: plainText(content), content, attachments: [] }
  // Contacts are a list, not an object.
  if (type === 'contacts' && Array.isArray(message.contacts)) return contactsOf(message.contacts)
  return unsupported(type, message)
}

function unsupported(type: string, message: Json): Read {
  // Of what the Cloud API does not pass on, WhatsApp says what it was, e.g. unsupported/poll_creation.
  const kind = type === 'interactive' || type === 'unsupported' ? textIn(objectIn(message[type])?.type) : null
  return { body: '', content: { kind: 'UNSUPPORTED', type: kind === null ? type : `${type}/${kind}`, raw: message }, attachments: [] }
}

/** The address that `fetchMedia` takes: the id under the Graph API. The `url` of the webhook itself lives five minutes only. */
export const mediaUrl = (app: MetaApp, id: string): string => `${app.graphUrl}/${app.version}/${encodeURIComponent(id)}`

function mediaOf(app: MetaApp, kind: MediaKind, part: Json): Read | null {
  const id = idIn(part.id)
  if (id === null) return null
  const caption = textIn(part.caption)
  const filename = textIn(part.filename)
  const media = kind === 'AUDIO' && part.voice === true ? 'VOICE' : kind
  const attachment: MediaReference = { url: mediaUrl(app, id), contentType: textIn(part.mime_type), ...(filename !== null && { filename }) }
  return { body: caption ?? '', content: { kind: 'MEDIA', media, caption }, attachments: [attachment] }
}

function contentOf(type: string, part: Json): Content | null {
  switch (type) {
    case 'location':
      return locationOf(part)
    case 'button':
      return reply('QUICK_REPLY', { id: textIn(part.payload), title: textIn(part.text) ?? '' })
    case 'interactive':
      return interactiveOf(part)
    case 'order':
      return reply('ORDER', { id: idIn(part.catalog_id), title: orderTitle(part), data: part })
    case 'reaction':
      return reactionOf(part)
    default:
      return null
  }
}

const reply = (
  kind: InteractiveReplyContent['reply'],
  said: Pick<InteractiveReplyContent, 'id' | 'title'> & Partial<InteractiveReplyContent>,
): InteractiveReplyContent => ({ description: null, data: null, ...said, kind: 'INTERACTIVE_REPLY', reply: kind })

function interactiveOf(part: Json): Content | null {
  const button = objectIn(part.button_reply)
  if (button !== null) return reply('BUTTON', { id: textIn(button.id), title: textIn(button.title) ?? '' })
  const row = objectIn(part.list_reply)
  if (row !== null) return reply('LIST', { id: textIn(row.id), title: textIn(row.title) ?? '', description: textIn(row.description) })
  const flow = objectIn(part.nfm_reply)
  if (flow !== null) return reply('FLOW', { id: null, title: textIn(flow.body) ?? '', data: flowData(flow.response_json) })
  return null
}

function flowData(json: unknown): Json | null {
  if (typeof json !== 'string') return objectIn(json)
  try {
    return objectIn(JSON.parse(json)) ?? { response_json: json }
  } catch {
    // A flow answers with whatever its maker wanted: kept as it is.
    return { response_json: json }
  }
}

/** The customer's own words with the order, or what was ordered. */
function orderTitle(part: Json): string {
  const items = objectsIn(part.product_items).map(
    ({ quantity, product_retailer_id }) => `${String(quantity)} × ${String(product_retailer_id)}`,
  )
  return textIn(part.text) ?? items.join(', ')
}

function reactionOf(part: Json): Content | null {
  const target = idIn(part.message_id)
  return target === null ? null : { kind: 'REACTION', emoji: textIn(part.emoji), target }
}

function locationOf(part: Json): Content | null {
  const { latitude, longitude } = part
  if (!isWithin(latitude, 90) || !isWithin(longitude, 180)) return null
  const [name, address, url] = [textIn(part.name), textIn(part.address), webAddressIn(part.url)]
  return { kind: 'LOCATION', latitude, longitude, name, address, url }
}

const isWithin = (degrees: unknown, limit: number): degrees is number => typeof degrees === 'number' && Math.abs(degrees) <= limit

function contactsOf(list: unknown[]): Read {
  const contacts = objectsIn(list).map((contact): SharedContact => {
    const name = objectIn(contact.name)
    const spelled = [name?.first_name, name?.last_name].map(textIn).filter((part) => part !== null)
    return {
      name: textIn(name?.formatted_name) ?? spelled.join(' '),
      organization: textIn(objectIn(contact.org)?.company),
      phones: valuesIn(contact.phones, ({ phone, wa_id }) => textIn(phone) ?? textIn(wa_id)),
      emails: valuesIn(contact.emails, ({ email }) => textIn(email)),
    }
  })
  const content: Content = { kind: 'CONTACTS', contacts }
  return { body: plainText(content), content, attachments: [] }
}

const valuesIn = (list: unknown, read: (entry: Json) => string | null): { value: string; type: string | null }[] =>
  objectsIn(list).flatMap((entry) => {
    const value = read(entry)
    return value === null ? [] : [{ value, type: textIn(entry.type) }]
  })
