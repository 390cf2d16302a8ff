import { Rejected, Unavailable } from '../failures.ts'
import { retryAfterMs } from '../retry-after.ts'
import type { TwilioCredentials } from './credentials.ts'
import type { TwilioApi } from './http.ts'

const TWILIO_ORIGIN = 'https://api.twilio.com'
const MAX_REDIRECTS = 3

type Media = { body: Buffer; contentType: string | null }

/**
 * Fetches a webhook's MediaUrl. Twilio wants HTTP Basic there and redirects to a CDN: the credentials go to Twilio's API only.
 * Throws Rejected for a foreign address, a refusal or more than `maxBytes`; Unavailable for what may work later.
 */
export async function fetchTwilioMedia(api: TwilioApi, address: string, credentials: TwilioCredentials, maxBytes: number): Promise<Media> {
  const apiOrigin = new URL(api.apiUrl).origin
  let url = URL.parse(address)
  if (url === null || url.username !== '' || url.password !== '' || (url.origin !== TWILIO_ORIGIN && url.origin !== apiOrigin)) {
    throw new Rejected('FOREIGN_MEDIA', 'The attachment is not stored at Twilio and was not fetched.')
  }
  // Where TWILIO_API_URL names another server, that server stands for Twilio's API here too.
  url = Object.assign(new URL(apiOrigin), { pathname: url.pathname, search: url.search })
  const basic = Buffer.from(`${credentials.accountSid}:${credentials.authToken}`).toString('base64')
  const signal = AbortSignal.timeout(api.timeoutMs)
  for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
    const answer = await reach(url, redirects === 0 ? { authorization: `Basic ${basic}` } : {}, signal)
    if (answer.ok) return { body: await read(answer, maxBytes), contentType: answer.headers.get('content-type') }
    await answer.body?.cancel()
    url = redirectOf(answer, url, apiOrigin)
  }
  throw new Rejected('TOO_MANY_REDIRECTS', 'The attachment could not be fetched: Twilio redirected too often.')
}

async function reach(url: URL, headers: Record<string, string>, signal: AbortSignal): Promise<Response> {
  try {
    return await fetch(url, { headers, redirect: 'manual', signal })
  } catch (error) {
    throw new Unavailable(`the media at ${url.host} cannot be reached (${codeOf(error)})`)
  }
}

/** The next address, or the failure that an answer other than 2xx means. */
function redirectOf(answer: Response, from: URL, apiOrigin: string): URL {
  const { status } = answer
  const location = answer.headers.get('location')
  if (status >= 300 && status < 400 && location !== null) {
    const to = URL.parse(location, from.href)
    if (to !== null && to.username === '' && to.password === '' && (to.protocol === 'https:' || to.origin === apiOrigin)) return to
    throw new Rejected('FOREIGN_MEDIA', 'Twilio redirected the attachment to an address that is not safe to fetch.')
  }
  // Media can be announced before it can be read: 404 is not final.
  if (status === 404 || status === 408 || status === 429 || status >= 500) {
    throw new Unavailable(`the media cannot be read yet (HTTP ${status})`, retryAfterMs(answer.headers.get('retry-after')))
  }
  throw new Rejected(`HTTP ${status}`, `Twilio refused to hand out the attachment (HTTP ${status}).`)
}

async function read(answer: Response, maxBytes: number): Promise<Buffer> {
  const tooLarge = new Rejected('MEDIA_TOO_LARGE', `The attachment is larger than the ${maxBytes} bytes that are allowed.`)
  const chunks: Uint8Array[] = []
  let size = 0
  try {
    for await (const chunk of answer.body ?? []) {
      size += chunk.byteLength
      if (size > maxBytes) throw tooLarge
      chunks.push(chunk)
    }
  } catch (error) {
    if (error === tooLarge) throw error
    throw new Unavailable(`the media broke off (${codeOf(error)})`)
  }
  return Buffer.concat(chunks)
}

function codeOf(error: unknown): string {
  const { cause, name } = error as { cause?: { code?: unknown }; name?: unknown }
  return String(cause?.code ?? name)
}
