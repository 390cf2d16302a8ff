import type { Outgoing, OutgoingFile, SendResult } from '../../channel.ts'
import { Rejected, Unavailable, Uncertain } from '../../failures.ts'
import type { MetaApp } from '../app.ts'
import { graphRequest } from '../graph.ts'
import { idIn, objectsIn } from '../json.ts'
import type { WhatsappCredentials } from './credentials.ts'
import { requestBody } from './outgoing.ts'

/** Uploads the file, if any, then sends. Throws Rejected, Unavailable or Uncertain. */
export async function sendByWhatsapp(app: MetaApp, message: Outgoing, credentials: WhatsappCredentials): Promise<SendResult> {
  const [file, ...more] = message.files
  if (more.length > 0)
    throw new Rejected('TOO_MANY_FILES', 'WhatsApp takes one file in a message: send the others as messages of their own.')
  const mediaId = file === undefined ? null : await upload(app, file, credentials)
  const { accessToken, phoneNumberId } = credentials
  const body = requestBody(message, mediaId)
  const answer = await graphRequest(app, accessToken, { method: 'POST', path: `${phoneNumberId}/messages`, body, effect: 'message' })
  const externalMessageId = idIn(objectsIn(answer.messages)[0]?.id)
  if (externalMessageId === null) throw new Uncertain('WhatsApp took the message, but its answer does not name it')
  return { externalMessageId }
}

/** The two blue ticks. Source: https://developers.facebook.com/docs/whatsapp/cloud-api/guides/mark-message-as-read */
export async function markWhatsappRead(app: MetaApp, externalMessageId: string, credentials: WhatsappCredentials): Promise<void> {
  const body = { messaging_product: 'whatsapp', status: 'read', message_id: externalMessageId }
  const path = `${credentials.phoneNumberId}/messages`
  await graphRequest(app, credentials.accessToken, { method: 'POST', path, body, effect: 'none' })
}

/** Source: https://developers.facebook.com/docs/whatsapp/cloud-api/reference/media#upload-media */
async function upload(app: MetaApp, file: OutgoingFile, { accessToken, phoneNumberId }: WhatsappCredentials): Promise<string> {
  const type = mediaType(file.contentType)
  const form = new FormData()
  form.set('messaging_product', 'whatsapp')
  form.set('type', type)
  form.set('file', new Blob([new Uint8Array(await file.read())], { type }), file.filename ?? 'file')
  const answer = await graphRequest(app, accessToken, { method: 'POST', path: `${phoneNumberId}/media`, body: form, effect: 'none' })
  const id = idIn(answer.id)
  if (id === null) throw new Unavailable('WhatsApp took the file, but its answer does not name it')
  return id
}

/** WhatsApp plays Opus in Ogg only where the type says so, and takes no parameter with any other type. */
const mediaType = (contentType: string): string =>
  /^audio\/(ogg|opus)\b/i.test(contentType) ? 'audio/ogg; codecs=opus' : contentType.replace(/\s*;.*$/s, '').toLowerCase()
