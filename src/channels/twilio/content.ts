import type { Content, MediaKind } from '../content.ts'
import type { MediaReference } from '../fact.ts'
import type { Form } from './form.ts'

/** What a customer's message is. `attachments` are its files; `body` its text. */
export function contentOf(form: Form, attachments: readonly MediaReference[], body: string): Content {
  const caption = body === '' ? null : body
  const [file] = attachments
  const type = form.get('MessageType')
  const special = locationIn(form) ?? listReplyIn(form, body) ?? buttonReplyIn(form, body) ?? flowReplyIn(form, body)
  if (special !== null) return special
  if (file !== undefined) return { kind: 'MEDIA', media: mediaKindOf(file.contentType, type), caption }
  if (body !== '' || type === undefined || type === 'text') return { kind: 'TEXT' }
  return { kind: 'UNSUPPORTED', type, raw: Object.fromEntries(form) }
}

function locationIn(form: Form): Content | null {
  const [latitude, longitude] = [Number(form.get('Latitude')), Number(form.get('Longitude'))]
  // NaN is within nothing.
  if (!(Math.abs(latitude) <= 90 && Math.abs(longitude) <= 180)) return null
  return { kind: 'LOCATION', latitude, longitude, name: form.get('Label') ?? null, address: form.get('Address') ?? null, url: null }
}

function listReplyIn(form: Form, body: string): Content | null {
  const [id, title] = [form.get('ListId'), form.get('ListTitle')]
  if (id === undefined && title === undefined) return null
  return {
    kind: 'INTERACTIVE_REPLY',
    reply: 'LIST',
    id: id ?? null,
    title: title ?? body,
    description: form.get('ListDescription') ?? null,
    data: null,
  }
}

function buttonReplyIn(form: Form, body: string): Content | null {
  const [id, title] = [form.get('ButtonPayload'), form.get('ButtonText')]
  if (id === undefined && title === undefined) return null
  return { kind: 'INTERACTIVE_REPLY', reply: 'BUTTON', id: id ?? null, title: title ?? body, description: null, data: null }
}

/** A filled-in WhatsApp Flow. Source: https://www.twilio.com/docs/content/twilio-flows */
function flowReplyIn(form: Form, body: string): Content | null {
  const json = form.get('InteractiveData') ?? form.get('FlowData')
  if (json === undefined) return null
  const data = objectIn(json)
  return data === null ? null : { kind: 'INTERACTIVE_REPLY', reply: 'FLOW', id: null, title: body, description: null, data }
}

function objectIn(json: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(json)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : null
  } catch {
    return null
  }
}

const BY_TYPE = new Map<string, MediaKind>([
  ['image', 'IMAGE'],
  ['audio', 'AUDIO'],
  ['video', 'VIDEO'],
])

/** `messageType`: Twilio's word, which tells a sticker from a picture. A vCard, and what is unknown, is a document. */
export function mediaKindOf(contentType: string | null, messageType?: string): MediaKind {
  if (messageType === 'sticker') return 'STICKER'
  return BY_TYPE.get(contentType?.split('/')[0]?.trim().toLowerCase() ?? '') ?? 'DOCUMENT'
}
