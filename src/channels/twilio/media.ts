import { download, type Media } from '../download.ts'
import { Rejected } from '../failures.ts'
import type { TwilioCredentials } from './credentials.ts'
import type { TwilioApi } from './http.ts'

const TWILIO_ORIGIN = 'https://api.twilio.com'

/**
 * Fetches a webhook's MediaUrl. Twilio wants HTTP Basic there and redirects to a CDN: the credentials go to Twilio's API only.
 * Throws Rejected for a foreign address, a refusal or more than `maxBytes`; Unavailable for what may work later.
 */
export async function fetchTwilioMedia(api: TwilioApi, address: string, credentials: TwilioCredentials, maxBytes: number): Promise<Media> {
  const apiOrigin = new URL(api.apiUrl).origin
  const url = URL.parse(address)
  if (url === null || url.username !== '' || url.password !== '' || (url.origin !== TWILIO_ORIGIN && url.origin !== apiOrigin)) {
    throw new Rejected('FOREIGN_MEDIA', 'The attachment is not stored at Twilio and was not fetched.')
  }
  const basic = Buffer.from(`${credentials.accountSid}:${credentials.authToken}`).toString('base64')
  return download({
    provider: 'Twilio',
    // Where TWILIO_API_URL names another server, that server stands for Twilio's API here too.
    url: Object.assign(new URL(apiOrigin), { pathname: url.pathname, search: url.search }),
    headers: {},
    credentials: { authorization: `Basic ${basic}` },
    mayRedirectTo: (to) => to.protocol === 'https:' || to.origin === apiOrigin,
    announced: true,
    timeoutMs: api.timeoutMs,
    maxBytes,
  })
}
