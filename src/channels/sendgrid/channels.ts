import type { ChannelAdapter } from '../channel.ts'
import { Rejected } from '../failures.ts'
import { identifyEmail, normalizeEmail } from './address.ts'
import { emailCapabilities } from './capabilities.ts'
import { checkSendgrid } from './check.ts'
import { SendgridCredentials } from './credentials.ts'
import type { SendgridApi } from './http.ts'
import { sendBySendgrid } from './send.ts'
import { sendgridWire } from './wire.ts'

/** The channel that SendGrid offers: e-mail. */
export const createSendgridChannels = (api: SendgridApi): ChannelAdapter<SendgridCredentials>[] => [
  {
    provider: 'SENDGRID',
    channel: 'EMAIL',
    sandbox: false,
    capabilities: emailCapabilities,
    credentials: SendgridCredentials,
    wire: sendgridWire(api.maxEmailBytes),
    addressForm: 'an e-mail address, e.g. desk@example.com',
    normalize: normalizeEmail,
    identify: identifyEmail,
    routingKeys: ({ inboundAddress }) => (inboundAddress === undefined ? [] : [inboundAddress]),
    send: (message, credentials) => sendBySendgrid(api, message, credentials),
    check: (account, credentials) => checkSendgrid(api, account, credentials),
    async fetchMedia() {
      throw new Rejected('FOREIGN_MEDIA', 'The files of an e-mail come with it: nothing is fetched.')
    },
  },
]
