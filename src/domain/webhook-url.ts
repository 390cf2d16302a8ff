import type { Config } from '../config.ts'

/** The public address that a provider calls, and signs. */
export const webhookUrl = (config: Pick<Config, 'PUBLIC_URL'>, wirePath: string, organizationSlug: string, segment: string): string =>
  `${config.PUBLIC_URL}/webhooks/${wirePath}/${organizationSlug}/${segment}`
