import type { Content, LocationContent, MediaKind } from '../../content.ts'
import type { MediaReference } from '../../fact.ts'
import type { MetaApp } from '../app.ts'
import { type Json, objectIn, textIn, webAddressIn } from '../json.ts'
import { metaMediaUrl } from '../media.ts'

/** What one attachment is: files to fetch, a place, a link to show, or nothing that is understood. */
export type Attached = {
  content: Content
  /** The plain-text form of what is not a file. */
  text: string | null
  /** The address that a link leads to. */
  link: string | null
  media: MediaReference[]
}

const FILES: Readonly<Record<string, MediaKind>> = {
  image: 'IMAGE',
  audio: 'AUDIO',
  video: 'VIDEO',
  file: 'DOCUMENT',
  // Since June 2026; before, and beside it for a while, an image with a sticker_id.
  sticker: 'STICKER',
  story_mention: 'IMAGE',
}
/** Posts and stories that were passed on: a picture or film at Meta's, or only the address of a page. */
const SHARED: Readonly<Record<string, MediaKind>> = {
  share: 'IMAGE',
  post: 'IMAGE',
  ig_post: 'IMAGE',
  ig_story: 'IMAGE',
  media_share: 'IMAGE',
  reel: 'VIDEO',
  ig_reel: 'VIDEO',
}

/** Source: https://developers.facebook.com/docs/messenger-platform/reference/webhook-events/messages and its Instagram counterpart. */
export function attached(attachment: Json, app: MetaApp): Attached {
  const type = textIn(attachment.type)?.toLowerCase() ?? 'attachment'
  const payload = objectIn(attachment.payload) ?? {}
  const url = webAddressIn(payload.url)
  const title = textIn(payload.title) ?? textIn(attachment.title)
  const file = lookUp(FILES, type)
  if (file !== null && url !== null) return media(payload.sticker_id === undefined ? file : 'STICKER', url, null)
  const shared = lookUp(SHARED, type)
  if (shared !== null && url !== null) return metaMediaUrl(app, url) !== null ? media(shared, url, title) : link(title, url)
  if (type === 'fallback') {
    const address = url ?? webAddressIn(attachment.url)
    if (address !== null || title !== null) return link(title, address)
  }
  const location = type === 'location' ? locationIn(attachment, payload) : null
  if (location !== null) return { content: location, text: null, link: null, media: [] }
  return { content: { kind: 'UNSUPPORTED', type, raw: attachment }, text: textOfTemplate(payload) ?? title, link: null, media: [] }
}

const lookUp = (kinds: Readonly<Record<string, MediaKind>>, type: string): MediaKind | null =>
  Object.hasOwn(kinds, type) ? (kinds[type] ?? null) : null

const media = (kind: MediaKind, url: string, caption: string | null): Attached => ({
  content: { kind: 'MEDIA', media: kind, caption },
  text: caption,
  link: null,
  media: [{ url, contentType: null }],
})

const link = (title: string | null, url: string | null): Attached => ({
  content: { kind: 'TEXT' },
  text: [title, url].filter((part) => part !== null).join('\n'),
  link: url,
  media: [],
})

function locationIn(attachment: Json, payload: Json): LocationContent | null {
  const { lat, long } = objectIn(payload.coordinates) ?? {}
  if (typeof lat !== 'number' || typeof long !== 'number' || Math.abs(lat) > 90 || Math.abs(long) > 180) return null
  return {
    kind: 'LOCATION',
    latitude: lat,
    longitude: long,
    name: textIn(attachment.title) ?? textIn(payload.title),
    address: null,
    url: webAddressIn(attachment.url) ?? webAddressIn(payload.url),
  }
}

/** A button template has a text, a generic one has cards with titles: they come in echoes. Customers pass on products. */
function textOfTemplate(payload: Json): string | null {
  if (textIn(payload.text) !== null) return textIn(payload.text)
  const cards = payload.elements ?? objectIn(payload.product)?.elements
  const elements = Array.isArray(cards) ? cards : []
  const lines = elements.flatMap((element) => [textIn(objectIn(element)?.title), textIn(objectIn(element)?.subtitle)])
  return textIn(lines.filter((line) => line !== null).join('\n'))
}
