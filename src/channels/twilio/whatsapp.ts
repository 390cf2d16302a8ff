import type { ChannelAdapter } from '../channel.ts'
import { whatsappValueFault } from '../whatsapp-template.ts'
import { identifyWhatsapp, normalizeWhatsapp } from './address.ts'
import { whatsappCapabilities } from './capabilities.ts'
import { checkAccount } from './check.ts'
import { TwilioCredentials } from './credentials.ts'
import type { TwilioApi } from './http.ts'
import { fetchTwilioMedia } from './media.ts'
import { sendByTwilio } from './send.ts'
import { contentSidFault } from './template-fault.ts'
import { listContentTemplates } from './templates.ts'
import { twilioWire } from './wire.ts'

const prefixed = (address: string): string => `whatsapp:${address}`

/** WhatsApp through Twilio. */
export function createTwilioWhatsapp(api: TwilioApi): ChannelAdapter<TwilioCredentials> {
  return {
    provider: 'TWILIO',
    channel: 'WHATSAPP',
    sandbox: false,
    capabilities: whatsappCapabilities,
    credentials: TwilioCredentials,
    wire: twilioWire,
    addressForm: 'a phone number with its country code, e.g. +905551112233, or a user id of WhatsApp’s',
    normalize: normalizeWhatsapp,
    identify: identifyWhatsapp,
    routingKeys: ({ messagingServiceSid }) => (messagingServiceSid === undefined ? [] : [messagingServiceSid]),
    send: (message, credentials) => sendByTwilio(api, message, credentials, { to: prefixed, from: prefixed }),
    check: (_account, credentials) => checkAccount(api, credentials),
    fetchMedia: (url, credentials, maxBytes) => fetchTwilioMedia(api, url, credentials, maxBytes),
    templateFault: (template) => contentSidFault(template) ?? whatsappValueFault(template.variables),
    listTemplates: (_account, credentials) => listContentTemplates(api, credentials, { approved: true }),
  }
}
