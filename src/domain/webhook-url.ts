import type { Config } from '../config.ts'
import type { ChannelAccount } from '../db/generated/client.ts'
import type { Deps } from '../deps.ts'

/** The public address that a provider calls, and signs. */
export const webhookUrl = (config: Pick<Config, 'PUBLIC_URL'>, wirePath: string, organizationSlug: string, segment: string): string =>
  `${config.PUBLIC_URL}/webhooks/${wirePath}/${organizationSlug}/${segment}`

/**
 * What is to be entered at the provider: where messages arrive, and where receipts do if that is not told with every message. null where
 * the channel is our own. With `credentials`, the first carries the secret that it may need: for ADMINs only.
 */
export function providerUrls(
  deps: Pick<Deps, 'config' | 'channels'>,
  { provider, channel }: Pick<ChannelAccount, 'provider' | 'channel'>,
  slug: string,
  credentials: { value: unknown } | null,
): { messages: string; events: string | null } | null {
  const { wire } = deps.channels.get(provider, channel)
  if (wire === null) return null
  if (wire.reach === 'app') return { messages: `${deps.config.PUBLIC_URL}/webhooks/${wire.path}`, events: null }
  const query = credentials === null ? undefined : wire.inboundQuery?.(credentials.value)
  const messages = webhookUrl(deps.config, wire.path, slug, wire.inboundSegment(channel))
  return {
    messages: query === undefined || query === '' ? messages : `${messages}?${query}`,
    events: wire.eventsSegment === undefined ? null : webhookUrl(deps.config, wire.path, slug, wire.eventsSegment),
  }
}
