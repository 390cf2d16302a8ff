import type { ChannelAdapter, Outgoing } from '../channel.ts'
import { identifyRcs, normalizeRcs } from './address.ts'
import { rcsCapabilities } from './capabilities.ts'
import { checkRcs } from './check.ts'
import { TwilioCredentials } from './credentials.ts'
import type { TwilioApi } from './http.ts'
import { fetchTwilioMedia } from './media.ts'
import { sendByTwilio } from './send.ts'
import { contentSidFault } from './template-fault.ts'
import { listContentTemplates } from './templates.ts'
import { namingRcs, twilioWire } from './wire.ts'

const prefixed = (address: string): string => `rcs:${address}`

/**
 * RCS through Twilio. In a Messaging Service Twilio falls back to SMS by itself, which needs the plain number; without one the message
 * goes by RCS or not at all. Source: https://www.twilio.com/docs/rcs/send-an-rcs-message
 */
export function createTwilioRcs(api: TwilioApi): ChannelAdapter<TwilioCredentials> {
  return {
    provider: 'TWILIO',
    channel: 'RCS',
    sandbox: false,
    capabilities: rcsCapabilities,
    credentials: TwilioCredentials,
    wire: twilioWire,
    addressForm: 'a phone number with its country code, e.g. +905551112233, or the id of an RCS sender',
    normalize: normalizeRcs,
    identify: identifyRcs,
    routingKeys: ({ messagingServiceSid }) => (messagingServiceSid === undefined ? [] : [messagingServiceSid]),
    send(message, credentials) {
      const to = credentials.messagingServiceSid === undefined ? prefixed : (address: string) => address
      return sendByTwilio(api, { ...message, statusCallbackUrl: callbackOf(message) }, credentials, { to, from: prefixed })
    },
    check: (_account, credentials) => checkRcs(api, credentials),
    fetchMedia: (url, credentials, maxBytes) => fetchTwilioMedia(api, url, credentials, maxBytes),
    templateFault: contentSidFault,
    listTemplates: (_account, credentials) => listContentTemplates(api, credentials, { approved: false }),
  }
}

const callbackOf = ({ statusCallbackUrl }: Outgoing): string => namingRcs(statusCallbackUrl)
