import type { Config } from '../config.ts'
import type { Provider } from '../db/generated/enums.ts'
import type { AnyChannelAdapter, ChannelRegistry } from './channel.ts'
import { createSandboxChannels } from './sandbox/channels.ts'
import { createTwilioChannels } from './twilio/channels.ts'

/** Every channel of every provider. */
export function createChannels(config: Pick<Config, 'TWILIO_API_URL' | 'PROVIDER_TIMEOUT_SECONDS'>): ChannelRegistry {
  const byProvider = {
    TWILIO: createTwilioChannels({ apiUrl: config.TWILIO_API_URL, timeoutMs: config.PROVIDER_TIMEOUT_SECONDS * 1000 }),
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
    speaking: (path) => all.filter(({ wire }) => wire.path === path),
  }
}
