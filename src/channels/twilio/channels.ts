import type { ChannelAdapter } from '../channel.ts'
import type { TwilioCredentials } from './credentials.ts'
import type { TwilioApi } from './http.ts'
import { createTwilioRcs } from './rcs.ts'
import { createTwilioSms } from './sms.ts'
import { createTwilioWhatsapp } from './whatsapp.ts'

/** The channels that Twilio offers, against the API at `apiUrl` (no trailing slash). */
export const createTwilioChannels = (api: TwilioApi): ChannelAdapter<TwilioCredentials>[] => [
  createTwilioSms(api),
  createTwilioWhatsapp(api),
  createTwilioRcs(api),
]
