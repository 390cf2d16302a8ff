import type twilio from 'twilio'
import { Rejected, Unavailable, Uncertain } from '../failures.ts'
import { networkFailure } from '../network-failure.ts'
import { retryAfterMs } from '../retry-after.ts'
import type { TwilioCredentials } from './credentials.ts'
import { BAD_CREDENTIALS, explain, refusal } from './errors.ts'

/** Where Twilio's API is (no trailing slash) and how long one request to it may take, in milliseconds. */
export type TwilioApi = { apiUrl: string; timeoutMs: number }

const MAX_ANSWER_BYTES = 1_000_000

/** The `twilio` library against `api`. Whatever goes wrong on the way comes out as Rejected, Unavailable or Uncertain, without credentials in it. */
export async function twilioClient(api: TwilioApi, credentials: TwilioCredentials): Promise<twilio.Twilio> {
  // It is large, and a process that only serves needs none of it.
  const { default: library } = await import('twilio')
  return library(credentials.accountSid, credentials.authToken, { httpClient: httpClient(library, api), logLevel: 'silent' })
}

function httpClient(library: typeof twilio, api: TwilioApi): twilio.RequestClient {
  // A kept connection that the other side has just closed fails like a lost answer: a message that was never sent would count as uncertain.
  const client = new library.RequestClient({ timeout: api.timeoutMs, keepAlive: false, autoRetry: false })
  client.axios.defaults.maxContentLength = MAX_ANSWER_BYTES
  client.axios.interceptors.request.use((config) => {
    // The library's own timeout is one of silence; this one is of the whole request.
    config.signal = AbortSignal.timeout(api.timeoutMs)
    return config
  })
  const request = client.request.bind(client)
  client.request = async (options) => {
    const answer = await request({ ...options, uri: targetOf(api, options.uri) }).catch((error: unknown) => {
      throw failureWithoutAnswer(error)
    })
    if (answer.statusCode >= 200 && answer.statusCode < 300) return answer as never
    throw failureOfAnswer(answer, options.password)
  }
  return client
}

/** Where a request of the library really goes: credentials leave for Twilio's own hosts, or for the server that TWILIO_API_URL names. */
export function targetOf({ apiUrl }: Pick<TwilioApi, 'apiUrl'>, uri: string): string {
  const { protocol, hostname, pathname, search } = new URL(uri)
  const twilioItself = new URL(apiUrl).hostname.endsWith('.twilio.com')
  if (!twilioItself || hostname === 'api.twilio.com') return `${apiUrl}${pathname}${search}`
  // The address of a list's next page comes from an answer.
  if (protocol === 'https:' && hostname.endsWith('.twilio.com')) return uri
  throw new Rejected('FOREIGN_HOST', 'Twilio’s answer points to another host, which was not asked.')
}

/** The library's own error carries the request with its Authorization header: only its code may leave this function. */
function failureWithoutAnswer(error: unknown): Unavailable | Uncertain {
  const { code, neverSent } = networkFailure(error)
  if (neverSent) return new Unavailable(`Twilio cannot be reached (${code})`)
  return new Uncertain(`Twilio did not answer (${code}): the message may have been sent`)
}

function failureOfAnswer(
  answer: { statusCode: number; body: unknown; headers?: unknown },
  secret: string | undefined,
): Rejected | Unavailable | Uncertain {
  const { statusCode } = answer
  const headers = (answer.headers ?? {}) as Record<string, unknown>
  const { code, message } = errorIn(answer.body)
  const said = secret === undefined ? message : message?.replaceAll(secret, '…')
  if (statusCode === 429 || statusCode === 503) {
    const wish = headers['retry-after']
    return new Unavailable(`Twilio asks to try later (HTTP ${statusCode})`, retryAfterMs(wish === undefined ? null : String(wish)))
  }
  if (statusCode === 401 || statusCode === 403) return new Rejected(code ?? `HTTP ${statusCode}`, explain(BAD_CREDENTIALS))
  if (statusCode === 408 || statusCode >= 500) return new Uncertain(`Twilio failed (HTTP ${statusCode}): the message may have been sent`)
  return refusal(code ?? `HTTP ${statusCode}`, said)
}

/** Twilio's error body: `{"code":21211,"message":"…","more_info":"…","status":400}`. */
function errorIn(body: unknown): { code: string | null; message: string | undefined } {
  if (typeof body !== 'object' || body === null) return { code: null, message: undefined }
  const { code, message } = body as { code?: unknown; message?: unknown }
  return {
    code: typeof code === 'number' || typeof code === 'string' ? String(code) : null,
    message: typeof message === 'string' ? message : undefined,
  }
}
