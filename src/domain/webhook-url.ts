import type { Config } from '../config.ts'
import type { ChannelAccount } from '../db/generated/client.ts'
import type { Deps } from '../deps.ts'

/** The public address that a provider calls, and signs. */
export const webhookUrl = (config: Pick<Config, 'PUBLIC_URL'>, wirePath: string, organizationSlug: string, segment: string): string =>
  `${config.PUBLIC_URL}/webhooks/${wirePath}/${organizationSlug}/${segment}`

/**
 * What is to be entered at the provider: where messages arrive, where receipts do if that is not told with every message, and where calls
 * are told of. null where the channel is our own. With `credentials`, they carry the secret that they may need: for ADMINs only.
 */
export function providerUrls(
  deps: Pick<Deps, 'config' | 'channels'>,
  { provider, channel }: Pick<ChannelAccount, 'provider' | 'channel'>,
  slug: string,
  credentials: { value: unknown } | null,
): { messages: string; events: string | null; calls: string | null } | null {
  const { wire } = deps.channels.get(provider, channel)
  if (wire === null) return null
  if (wire.reach === 'app') return { messages: `${deps.config.PUBLIC_URL}/webhooks/${wire.path}`, events: null, calls: null }
  const { path, eventsSegment } = wire
  const callsSegment = wire.callsSegment?.(channel) ?? null
  const query = credentials === null ? '' : (wire.inboundQuery?.(credentials.value) ?? '')
  const url = (segment: string) => `${webhookUrl(deps.config, path, slug, segment)}${query === '' ? '' : `?${query}`}`
  return {
    messages: url(wire.inboundSegment(channel)),
    events: eventsSegment === undefined ? null : url(eventsSegment),
    calls: callsSegment === null ? null : url(callsSegment),
  }
}
