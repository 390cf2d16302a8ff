import type { ChannelAdapter, HealthCheck } from '../channel.ts'
import { Rejected } from '../failures.ts'
import { identifyWebchat, normalizeWebchat } from './address.ts'
import { webchatCapabilities } from './capabilities.ts'
import { WebchatCredentials } from './credentials.ts'

const OUR_OWN: HealthCheck = {
  name: 'webchat',
  ok: true,
  message: 'The web chat is part of this server: it works as long as the server does, and nothing has to be set up at a provider.',
}

/** The web chat: our own channel, over the graph. A message is delivered by being written down: the visitor's subscription reads it. */
export const createWebchatChannels = (): ChannelAdapter<WebchatCredentials>[] => [
  {
    provider: 'PARLEY',
    channel: 'WEBCHAT',
    sandbox: false,
    capabilities: webchatCapabilities,
    credentials: WebchatCredentials,
    wire: null,
    addressForm: 'a key of 3 to 63 letters, digits, - and _ that begins with a letter, or a visitor’s id',
    normalize: normalizeWebchat,
    identify: identifyWebchat,
    routingKeys: () => [],
    send: async ({ communicationId }) => ({ externalMessageId: communicationId }),
    check: async () => [OUR_OWN],
    fetchMedia: async () => {
      throw new Rejected('FOREIGN_MEDIA', 'Files of a web chat are uploaded here and are fetched from nowhere.')
    },
  },
]
