import { Rejected, Unavailable } from './failures.ts'
import { networkFailure } from './network-failure.ts'
import { readBounded, TooLarge } from './read-bounded.ts'
import { retryAfterMs } from './retry-after.ts'

export type Media = { body: Buffer; contentType: string | null }

export type Download = {
  /** As people know it. */
  provider: string
  /** Where it may be fetched from is the caller's to know. */
  url: URL
  headers: Record<string, string>
  /** Go to the first address only, never after a redirect. */
  credentials: Record<string, string>
  mayRedirectTo(url: URL): boolean
  /** Media can be announced before it can be read: 404 is then not final. */
  announced: boolean
  /** Of the whole download. */
  timeoutMs: number
  maxBytes: number
}

const MAX_REDIRECTS = 3

/** Fetches a file. Throws Rejected for a redirect that may not be followed, a refusal or too many bytes; Unavailable for what may work later. */
export async function download(what: Download): Promise<Media> {
  const signal = AbortSignal.timeout(what.timeoutMs)
  let { url } = what
  for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
    const answer = await reach(url, { ...what.headers, ...(redirects === 0 ? what.credentials : {}) }, signal)
    if (answer.ok) return { body: await read(answer, what.maxBytes), contentType: answer.headers.get('content-type') }
    await answer.body?.cancel()
    url = redirectOf(what, answer, url)
  }
  throw new Rejected('TOO_MANY_REDIRECTS', `The attachment could not be fetched: ${what.provider} redirected too often.`)
}

async function reach(url: URL, headers: Record<string, string>, signal: AbortSignal): Promise<Response> {
  try {
    return await fetch(url, { headers, redirect: 'manual', signal })
  } catch (error) {
    throw new Unavailable(`the media at ${url.host} cannot be reached (${networkFailure(error).code})`)
  }
}

/** The next address, or the failure that an answer other than 2xx means. */
function redirectOf({ provider, mayRedirectTo, announced }: Download, answer: Response, from: URL): URL {
  const { status } = answer
  const location = answer.headers.get('location')
  if (status >= 300 && status < 400 && location !== null) {
    const to = URL.parse(location, from.href)
    if (to !== null && to.username === '' && to.password === '' && mayRedirectTo(to)) return to
    throw new Rejected('FOREIGN_MEDIA', `${provider} redirected the attachment to an address that is not safe to fetch.`)
  }
  if ((status === 404 && announced) || status === 408 || status === 429 || status >= 500)
    throw new Unavailable(`the media cannot be read yet (HTTP ${status})`, retryAfterMs(answer.headers.get('retry-after')))
  throw new Rejected(`HTTP ${status}`, `${provider} refused to hand out the attachment (HTTP ${status}): it may have expired.`)
}

async function read(answer: Response, maxBytes: number): Promise<Buffer> {
  try {
    return await readBounded(answer, maxBytes)
  } catch (error) {
    if (error instanceof TooLarge) throw tooLarge(maxBytes)
    throw new Unavailable(`the media broke off (${networkFailure(error).code})`)
  }
}

export const tooLarge = (maxBytes: number): Rejected =>
  new Rejected('MEDIA_TOO_LARGE', `The attachment is larger than the ${maxBytes} bytes that are allowed.`)
