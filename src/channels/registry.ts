import type { Config } from '../config.ts'
import type { Provider } from '../db/generated/enums.ts'
import type { AnyChannelAdapter, ChannelRegistry } from './channel.ts'
import { createMetaChannels } from './meta/channels.ts'
import { createSandboxChannels } from './sandbox/channels.ts'
import { createSendgridChannels } from './sendgrid/channels.ts'
import { createTwilioChannels } from './twilio/channels.ts'
import { createWebchatChannels } from './webchat/channels.ts'

type Settings = Pick<
  Config,
  | 'TWILIO_API_URL'
  | 'META_APP_ID'
  | 'META_APP_SECRET'
  | 'META_VERIFY_TOKEN'
  | 'META_GRAPH_URL'
  | 'META_GRAPH_VERSION'
  | 'SENDGRID_API_URL'
  | 'MAX_EMAIL_BYTES'
  | 'PROVIDER_TIMEOUT_SECONDS'
>

/** Every channel of every provider. */
export function createChannels(config: Settings): ChannelRegistry {
  const timeoutMs = config.PROVIDER_TIMEOUT_SECONDS * 1000
  const byProvider = {
    TWILIO: createTwilioChannels({ apiUrl: config.TWILIO_API_URL, timeoutMs }),
    META: createMetaChannels({
      appId: config.META_APP_ID ?? null,
      appSecret: config.META_APP_SECRET ?? null,
      verifyToken: config.META_VERIFY_TOKEN ?? null,
      graphUrl: config.META_GRAPH_URL,
      version: config.META_GRAPH_VERSION,
      timeoutMs,
    }),
    SENDGRID: createSendgridChannels({ apiUrl: config.SENDGRID_API_URL, timeoutMs, maxEmailBytes: config.MAX_EMAIL_BYTES }),
    PARLEY: createWebchatChannels(),
    SANDBOX: createSandboxChannels(),
  } satisfies Record<Provider, AnyChannelAdapter[]>
  const all: readonly AnyChannelAdapter[] = Object.values(byProvider).flat()
  const find: ChannelRegistry['find'] = (provider, channel) =>
    all.find((adapter) => adapter.provider === provider && adapter.channel === channel)
  return {
    all,
    find,
    get(provider, channel) {
      const adapter = find(provider, channel)
      if (adapter === undefined) throw new Error(`the provider ${provider} does not offer the channel ${channel}`)
      return adapter
    },
    speaking: (path) => all.filter(({ wire }) => wire?.path === path),
  }
}
