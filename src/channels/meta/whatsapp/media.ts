import { type Media, tooLarge } from '../../download.ts'
import { Rejected } from '../../failures.ts'
import type { MetaApp } from '../app.ts'
import { graphRequest } from '../graph.ts'
import { textIn } from '../json.ts'
import { downloadMedia } from '../media.ts'
import type { WhatsappCredentials } from './credentials.ts'

const META_ORIGIN = 'https://graph.facebook.com'
const MEDIA_ID = /\/v\d+\.\d+\/([\w-]+)$/

/**
 * Fetches what `mediaUrl` names: the id's metadata gives an address that lives five minutes. Throws Rejected for a foreign address, a
 * refusal or more than `maxBytes`; Unavailable for what may work later. Source: https://developers.facebook.com/docs/whatsapp/cloud-api/reference/media
 */
export async function fetchWhatsappMedia(
  app: MetaApp,
  address: string,
  { accessToken }: WhatsappCredentials,
  maxBytes: number,
): Promise<Media> {
  const id = mediaIdIn(app, address)
  if (id === null) throw new Rejected('FOREIGN_MEDIA', 'The attachment is not stored at WhatsApp and was not fetched.')
  const found = await graphRequest(app, accessToken, { method: 'GET', path: id, effect: 'none' })
  if (Number(found.file_size) > maxBytes) throw tooLarge(maxBytes)
  const url = textIn(found.url)
  if (url === null) throw new Rejected('NO_MEDIA', 'WhatsApp no longer has the attachment: it keeps files for a limited time.')
  const { body, contentType } = await downloadMedia(app, url, accessToken, maxBytes)
  return { body, contentType: textIn(found.mime_type) ?? contentType }
}

/** Only the id counts, so that an address from before a change of META_GRAPH_VERSION still works. */
function mediaIdIn(app: MetaApp, address: string): string | null {
  const url = URL.parse(address)
  if (url === null || url.username !== '' || url.password !== '') return null
  if (url.origin !== META_ORIGIN && url.origin !== new URL(app.graphUrl).origin) return null
  return MEDIA_ID.exec(url.pathname)?.[1] ?? null
}
