import { Rejected, Unavailable, Uncertain } from '../failures.ts'
import { networkFailure } from '../network-failure.ts'
import { retryAfterMs } from '../retry-after.ts'

export const BAD_KEY = 'SendGrid does not accept the API key of this channel: check that it is right and not deleted.'

/** SendGrid's refusals in the words of a business owner, by what it says. Source: https://www.twilio.com/docs/sendgrid/api-reference/mail-send/errors */
const SENTENCES: [RegExp, string][] = [
  [
    /verified sender identity/i,
    'SendGrid sends nothing from this channel’s address: verify the sender or authenticate its domain in SendGrid.',
  ],
  [/maximum credits exceeded/i, 'The SendGrid account has used up its e-mails: upgrade its plan, or wait until they are renewed.'],
  [/(suspended|under review|deactivated)/i, 'The SendGrid account is suspended or under review: contact SendGrid.'],
  [/does not contain a valid address/i, 'The recipient’s address is not one that SendGrid accepts.'],
  [/unsubscribe group|asm/i, 'SendGrid does not know the unsubscribe group of this channel: check its number.'],
]

/** The failure that an answer means. `secret` is taken out of what SendGrid said. */
export function failureOfAnswer(
  statusCode: number,
  body: unknown,
  headers: Readonly<Record<string, unknown>>,
  secret: string,
): Rejected | Unavailable | Uncertain {
  const code = `HTTP ${statusCode}`
  const said = saidIn(body).replaceAll(secret, '…')
  const sentence = SENTENCES.find(([pattern]) => pattern.test(said))?.[1]
  if (statusCode === 429 || statusCode === 503) {
    const wish = headers['retry-after'] ?? secondsUntil(headers['x-ratelimit-reset'])
    return new Unavailable(`SendGrid asks to try later (${code})`, retryAfterMs(wish === undefined || wish === null ? null : String(wish)))
  }
  if (statusCode === 401) return new Rejected(code, sentence ?? BAD_KEY)
  if (statusCode === 403)
    return new Rejected(code, sentence ?? 'The API key of this channel may not do this: give it the permission "Mail Send" in SendGrid.')
  if (statusCode === 413) return new Rejected(code, 'The e-mail with its attachments is larger than the 30 MB that SendGrid accepts.')
  if (statusCode === 408 || statusCode >= 500) return new Uncertain(`SendGrid failed (${code}): the e-mail may have been sent`)
  return new Rejected(code, sentence ?? (said === '' ? `SendGrid refused the e-mail (${code}).` : `SendGrid refused the e-mail: ${said}`))
}

/** SendGrid's error body: `{"errors":[{"message":"…","field":"…"}]}`. */
function saidIn(body: unknown): string {
  const errors = typeof body === 'object' && body !== null && 'errors' in body && Array.isArray(body.errors) ? body.errors : []
  return errors
    .map((error: unknown) => (typeof error === 'object' && error !== null && 'message' in error ? String(error.message) : ''))
    .filter((message) => message !== '')
    .join(' ')
    .slice(0, 1000)
}

/** `X-RateLimit-Reset` is a time in seconds since 1970. */
function secondsUntil(reset: unknown): number | null {
  const at = Number(reset)
  return Number.isFinite(at) && at > 1_000_000_000 ? Math.max(0, Math.ceil(at - Date.now() / 1000)) : null
}

/** The library's own error carries the request with its Authorization header: only its code may leave this function. */
export function failureWithoutAnswer(error: unknown): Unavailable | Uncertain {
  const { code, neverSent } = networkFailure(error)
  if (neverSent) return new Unavailable(`SendGrid cannot be reached (${code})`)
  return new Uncertain(`SendGrid did not answer (${code}): the e-mail may have been sent`)
}
