import { download, type Media } from '../download.ts'
import { Rejected } from '../failures.ts'
import type { MetaApp } from './app.ts'
import { bearer, USER_AGENT } from './graph.ts'

/** Files are larger than answers of the API. */
const MIN_TIMEOUT_MS = 60_000

/** Where Meta keeps media, over https. Source: https://developers.facebook.com/docs/whatsapp/cloud-api/reference/media and what webhooks hold. */
const META_HOST = /^(lookaside\.(fbsbx|instagram)\.com|([a-z0-9-]+\.)+(fbcdn\.net|fbsbx\.com|cdninstagram\.com|whatsapp\.net))$/
/** Where media ask for the token too. */
const TOKEN_HOST = /^(lookaside\.fbsbx\.com|([a-z0-9-]+\.)+(fbcdn|whatsapp)\.net)$/

/** The address, where media may be fetched from it; null otherwise. Where META_GRAPH_URL names another server, that server is Meta's too. */
export function metaMediaUrl(app: MetaApp, address: string): URL | null {
  const url = URL.parse(address)
  if (url === null || url.username !== '' || url.password !== '') return null
  if (url.origin === new URL(app.graphUrl).origin) return url
  return url.protocol === 'https:' && url.port === '' && META_HOST.test(url.hostname) ? url : null
}

/**
 * Fetches a file of Meta's. `accessToken` null: the address alone opens it. The token goes to the first address only, never after a redirect.
 * Throws Rejected for a foreign address, a refusal or more than `maxBytes`; Unavailable for what may work later.
 */
export async function downloadMedia(app: MetaApp, address: string, accessToken: string | null, maxBytes: number): Promise<Media> {
  const url = metaMediaUrl(app, address)
  if (url === null) throw new Rejected('FOREIGN_MEDIA', 'The attachment is not stored at Meta and was not fetched.')
  const trusted = accessToken !== null && (url.origin === new URL(app.graphUrl).origin || TOKEN_HOST.test(url.hostname))
  return download({
    provider: 'Meta',
    url,
    // Without an agent's name the media host refuses.
    headers: { 'user-agent': USER_AGENT },
    credentials: trusted ? bearer(accessToken) : {},
    mayRedirectTo: (to) => metaMediaUrl(app, to.href) !== null,
    announced: false,
    timeoutMs: Math.max(app.timeoutMs, MIN_TIMEOUT_MS),
    maxBytes,
  })
}
