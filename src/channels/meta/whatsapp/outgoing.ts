import type { Outgoing, OutgoingFile } from '../../channel.ts'
import type { InteractiveContent } from '../../content.ts'
import { Rejected } from '../../failures.ts'
import { isBusinessScopedId } from '../../whatsapp-address.ts'
import type { Json } from '../json.ts'
import { templateBody } from './template-body.ts'

/**
 * The body of POST /{phone-number-id}/messages. `mediaId`: of the message's one file, uploaded before. Throws Rejected for what WhatsApp
 * has no message for. Source: https://developers.facebook.com/docs/whatsapp/cloud-api/reference/messages
 */
export function requestBody(message: Outgoing, mediaId: string | null): Json {
  const { to, communicationId, inReplyTo, content } = message
  const quoted = content.kind === 'REACTION' ? null : inReplyTo
  return {
    messaging_product: 'whatsapp',
    recipient_type: 'individual',
    ...(isBusinessScopedId(to) ? { recipient: to } : { to }),
    ...(quoted !== null && { context: { message_id: quoted } }),
    ...typed(message, mediaId),
    biz_opaque_callback_data: communicationId,
  }
}

function typed(message: Outgoing, mediaId: string | null): Json {
  const { content, template, files, body } = message
  const [file] = files
  if (template !== null) return { type: 'template', template: templateBody(template, mediaId) }
  if (file !== undefined && mediaId !== null) return mediaBody(file, mediaId, body)
  if (content.kind === 'REACTION') return { type: 'reaction', reaction: { message_id: content.target, emoji: content.emoji ?? '' } }
  if (content.kind === 'INTERACTIVE') return { type: 'interactive', interactive: interactiveBody(content, body) }
  return { type: 'text', text: { body, preview_url: /https?:\/\//i.test(body) } }
}

function mediaBody(file: OutgoingFile, id: string, caption: string): Json {
  const captioned = { id, ...(caption !== '' && { caption }) }
  switch (file.media) {
    case 'IMAGE':
      return { type: 'image', image: captioned }
    case 'VIDEO':
      return { type: 'video', video: captioned }
    case 'DOCUMENT':
      return { type: 'document', document: { ...captioned, ...(file.filename !== null && { filename: file.filename }) } }
    case 'AUDIO':
      return { type: 'audio', audio: uncaptioned(id, caption) }
    case 'VOICE':
      return { type: 'audio', audio: { ...uncaptioned(id, caption), voice: true } }
    case 'STICKER':
      return { type: 'sticker', sticker: uncaptioned(id, caption) }
  }
}

/** Nothing of a message is dropped without a word. */
function uncaptioned(id: string, caption: string): Json {
  if (caption === '') return { id }
  throw new Rejected('CAPTION_NOT_ALLOWED', 'WhatsApp shows no text with audio and stickers: send the text as a message of its own.')
}

function interactiveBody({ header, footer, buttons, list }: InteractiveContent, question: string): Json {
  const around = {
    ...(header !== null && { header: { type: 'text', text: header } }),
    body: { text: question },
    ...(footer !== null && { footer: { text: footer } }),
  }
  if (list === null)
    return {
      type: 'button',
      ...around,
      action: { buttons: buttons.map((button) => ({ type: 'reply', reply: { id: button.id, title: button.title } })) },
    }
  const sections = list.sections.map(({ title, rows }) => ({
    ...(title !== null && { title }),
    rows: rows.map(({ id, title: rowTitle, description }) => ({ id, title: rowTitle, ...(description !== null && { description }) })),
  }))
  return { type: 'list', ...around, action: { button: list.button, sections } }
}
