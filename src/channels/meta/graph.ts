import { Rejected, Unavailable, Uncertain } from '../failures.ts'
import { networkFailure } from '../network-failure.ts'
import { readBounded } from '../read-bounded.ts'
import { retryAfterMs } from '../retry-after.ts'
import type { MetaApp } from './app.ts'
import { errorIn, isForLater, refusal } from './errors.ts'
import { type Json, objectIn } from './json.ts'

export type GraphRequest = {
  method: 'GET' | 'POST' | 'DELETE'
  /** Below the version, without a leading slash, e.g. `123/messages`; ids in it are already encoded. */
  path: string
  query?: Record<string, string>
  /** An object goes as JSON. */
  body?: Json | FormData
  /** What repeating it could do twice: a request without an effect is never Uncertain. */
  effect: 'message' | 'none'
}

/** In the form that Meta's API description asks for. */
export const USER_AGENT = 'Parley/1.0.0'

const MAX_ANSWER_BYTES = 4_000_000
/** Of one request that carries a file. */
const UPLOAD_TIMEOUT_MS = 60_000

/**
 * One request to the Graph API; its answer's JSON object. The token goes to `app.graphUrl` and nowhere else: redirects are not followed.
 * Throws Rejected, Unavailable or (with the effect of a message) Uncertain, none with the token in it.
 */
export async function graphRequest(app: MetaApp, accessToken: string, request: GraphRequest): Promise<Json> {
  const { method, path, query, body, effect } = request
  const url = new URL(`${app.graphUrl}/${app.version}/${path}`)
  for (const [name, value] of Object.entries(query ?? {})) url.searchParams.set(name, value)
  const upload = body instanceof FormData
  const signal = AbortSignal.timeout(upload ? Math.max(app.timeoutMs, UPLOAD_TIMEOUT_MS) : app.timeoutMs)
  let answer: Response
  let text: string
  try {
    answer = await fetch(url, {
      method,
      headers: {
        ...bearer(accessToken),
        accept: 'application/json',
        'user-agent': USER_AGENT,
        // A kept connection that the other side has just closed fails like a lost answer: a message that was never sent would count as uncertain.
        connection: 'close',
        ...(body !== undefined && !upload && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body: upload ? body : JSON.stringify(body) }),
      redirect: 'manual',
      signal,
    })
    text = (await readBounded(answer, MAX_ANSWER_BYTES)).toString('utf8')
  } catch (error) {
    throw failureWithoutAnswer(error, effect)
  }
  if (answer.ok) return objectOf(text) ?? unreadable(effect)
  throw failureOfAnswer(answer, text, accessToken, effect)
}

/** The header that carries a token; refuses what no header can hold before it ends up in an error message. */
export function bearer(accessToken: string): { authorization: string } {
  if (!/^[\x21-\x7e]+$/.test(accessToken))
    throw new Rejected('190', 'The access token holds characters that no access token has: enter it again.')
  return { authorization: `Bearer ${accessToken}` }
}

function failureWithoutAnswer(error: unknown, effect: GraphRequest['effect']): Rejected | Unavailable | Uncertain {
  if (error instanceof Rejected) return error
  const { code, neverSent } = networkFailure(error)
  if (effect === 'none' || neverSent) return new Unavailable(`Meta cannot be reached (${code})`)
  return new Uncertain(`Meta did not answer (${code}): the message may have been sent`)
}

function failureOfAnswer(answer: Response, text: string, accessToken: string, effect: GraphRequest['effect']): Error {
  const { status, headers } = answer
  const found = errorIn(objectOf(text)?.error)
  const error = found === null ? null : { ...found, said: found.said?.replaceAll(accessToken, '…') ?? null }
  if (status === 429 || status === 503 || (error !== null && isForLater(error))) {
    return new Unavailable(`Meta asks to try later (${error?.code ?? `HTTP ${status}`})`, retryAfterMs(headers.get('retry-after')))
  }
  if (status === 408 || status >= 500) {
    if (effect === 'none') return new Unavailable(`Meta failed (HTTP ${status})`)
    return new Uncertain(`Meta failed (HTTP ${status}): the message may have been sent`)
  }
  if (error !== null) return refusal(error)
  if (status === 401 || status === 403) return refusal({ code: '190', subcode: null, said: null })
  return new Rejected(`HTTP ${status}`, `Meta’s API answered in a way that it should not (HTTP ${status}).`)
}

function unreadable(effect: GraphRequest['effect']): never {
  if (effect === 'none') throw new Unavailable('Meta’s answer cannot be read')
  throw new Uncertain('Meta took the message, but its answer cannot be read')
}

function objectOf(text: string): Json | null {
  try {
    return objectIn(JSON.parse(text))
  } catch {
    // Not JSON, such as a proxy's page: the caller decides what that means.
    return null
  }
}
