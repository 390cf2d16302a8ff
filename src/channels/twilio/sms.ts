import type { ChannelAdapter } from '../channel.ts'
import { identifySms, normalizeSms } from './address.ts'
import { smsCapabilities } from './capabilities.ts'
import { checkAccount, checkNumber } from './check.ts'
import { TwilioCredentials } from './credentials.ts'
import type { TwilioApi } from './http.ts'
import { fetchTwilioMedia } from './media.ts'
import { sendByTwilio } from './send.ts'
import { contentSidFault } from './template-fault.ts'
import { twilioWire } from './wire.ts'

/** SMS and MMS through Twilio. */
export function createTwilioSms(api: TwilioApi): ChannelAdapter<TwilioCredentials> {
  return {
    provider: 'TWILIO',
    channel: 'SMS',
    sandbox: false,
    capabilities: smsCapabilities,
    credentials: TwilioCredentials,
    wire: twilioWire,
    addressForm: 'a phone number with its country code, e.g. +905551112233, a short code or a sender’s name',
    normalize: normalizeSms,
    identify: identifySms,
    routingKeys: ({ messagingServiceSid }) => (messagingServiceSid === undefined ? [] : [messagingServiceSid]),
    send: (message, credentials) => sendByTwilio(api, message, credentials, { to: (address) => address, from: (address) => address }),
    async check(account, credentials) {
      const checks = await checkAccount(api, credentials)
      return checks.every(({ ok }) => ok) ? [...checks, ...(await checkNumber(api, account, credentials))] : checks
    },
    fetchMedia: (url, credentials, maxBytes) => fetchTwilioMedia(api, url, credentials, maxBytes),
    templateFault: contentSidFault,
  }
}
