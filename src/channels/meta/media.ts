import { Rejected, Unavailable } from '../failures.ts'
import { retryAfterMs } from '../retry-after.ts'
import type { MetaApp } from './app.ts'
import { bearer, codeOf, readBounded, TooLarge, USER_AGENT } from './graph.ts'

export type Media = { body: Buffer; contentType: string | null }

const MAX_REDIRECTS = 3
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
  let url = metaMediaUrl(app, address)
  if (url === null) throw new Rejected('FOREIGN_MEDIA', 'The attachment is not stored at Meta and was not fetched.')
  const trusted = accessToken !== null && (url.origin === new URL(app.graphUrl).origin || TOKEN_HOST.test(url.hostname))
  const signal = AbortSignal.timeout(Math.max(app.timeoutMs, MIN_TIMEOUT_MS))
  for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
    const answer = await reach(url, trusted && redirects === 0 ? bearer(accessToken) : {}, signal)
    if (answer.ok) return { body: await read(answer, maxBytes), contentType: answer.headers.get('content-type') }
    await answer.body?.cancel()
    url = redirectOf(app, answer, url)
  }
  throw new Rejected('TOO_MANY_REDIRECTS', 'The attachment could not be fetched: Meta redirected too often.')
}

async function reach(url: URL, headers: Record<string, string>, signal: AbortSignal): Promise<Response> {
  try {
    // Without an agent's name the media host refuses.
    return await fetch(url, { headers: { ...headers, 'user-agent': USER_AGENT }, redirect: 'manual', signal })
  } catch (error) {
    throw new Unavailable(`the media at ${url.host} cannot be reached (${codeOf(error)})`)
  }
}

/** The next address, or the failure that an answer other than 2xx means. */
function redirectOf(app: MetaApp, answer: Response, from: URL): URL {
  const { status } = answer
  const location = answer.headers.get('location')
  if (status >= 300 && status < 400 && location !== null) {
    const to = URL.canParse(location, from) ? metaMediaUrl(app, new URL(location, from).href) : null
    if (to !== null) return to
    throw new Rejected('FOREIGN_MEDIA', 'Meta redirected the attachment to an address that is not safe to fetch.')
  }
  if (status === 408 || status === 429 || status >= 500) {
    throw new Unavailable(`the media cannot be read yet (HTTP ${status})`, retryAfterMs(answer.headers.get('retry-after')))
  }
  throw new Rejected(`HTTP ${status}`, `Meta refused to hand out the attachment (HTTP ${status}): it may have expired.`)
}

async function read(answer: Response, maxBytes: number): Promise<Buffer> {
  try {
    return await readBounded(answer, maxBytes)
  } catch (error) {
    if (error instanceof TooLarge) throw tooLarge(maxBytes)
    throw new Unavailable(`the media broke off (${codeOf(error)})`)
  }
}

export const tooLarge = (maxBytes: number): Rejected =>
  new Rejected('MEDIA_TOO_LARGE', `The attachment is larger than the ${maxBytes} bytes that are allowed.`)
