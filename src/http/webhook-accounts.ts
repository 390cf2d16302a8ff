import { LRUCache } from 'lru-cache'
import type { AnyChannelAdapter, Locator } from '../channels/channel.ts'
import type { ChannelAccount } from '../db/generated/client.ts'
import type { Deps } from '../deps.ts'
import { credentialsOf } from '../domain/channel-credentials.ts'
import { watchAccounts } from '../domain/watch-accounts.ts'

type Row = Pick<ChannelAccount, 'id' | 'organizationId' | 'channel' | 'provider' | 'address' | 'credentials' | 'credentialsKey'>

/** A connected account with its credentials in the clear. `remembered`: not read just now. */
export type WebhookAccount = { account: Row; adapter: AnyChannelAdapter; credentials: unknown; remembered: boolean }

export type WebhookAccounts = {
  /** The account that a webhook means, or null. `fresh`: read from the database, whatever is remembered. */
  find(slug: string, adapters: readonly AnyChannelAdapter[], locator: Locator, fresh?: boolean): Promise<WebhookAccount | null>
}

const REMEMBERED = 1000
// A ring forgets at once; this is for a ring that got lost.
const MEMORY_MS = 10_000

/** Finds accounts by what webhooks say of them, and remembers those found until any account changes. */
export function createWebhookAccounts(deps: Pick<Deps, 'pool' | 'bus' | 'channels' | 'secrets'>): WebhookAccounts {
  const remembered = new LRUCache<string, WebhookAccount>({ max: REMEMBERED, ttl: MEMORY_MS })
  watchAccounts(deps, () => remembered.clear())
  return {
    async find(slug, adapters, locator, fresh = false) {
      const key = JSON.stringify([slug, adapters[0]?.wire.path, locator.channel, locator.addresses])
      const known = fresh ? undefined : remembered.get(key)
      if (known !== undefined) return known
      const account = await read(deps, slug, adapters, locator)
      if (account === null) return null
      const adapter = deps.channels.get(account.provider, account.channel)
      const found = { account, adapter, credentials: credentialsOf(deps, adapter, account), remembered: false }
      // Found by our own id in the URL alone, it says nothing of other webhooks with the same addresses.
      if (locator.communicationId === null || locator.addresses.includes(account.address))
        remembered.set(key, { ...found, remembered: true })
      return found
    },
  }
}

async function read(deps: Pick<Deps, 'pool'>, slug: string, adapters: readonly AnyChannelAdapter[], locator: Locator): Promise<Row | null> {
  const { rows } = await deps.pool.query<Row>({
    name: 'webhook-account',
    text: `
      SELECT a.id, a.organization_id AS "organizationId", a.channel, a.provider, a.address, a.credentials, a.credentials_key AS "credentialsKey"
      FROM organization o JOIN channel_account a ON a.organization_id = o.id
      WHERE o.slug = $1 AND a.status = 'CONNECTED' AND a.provider::text = ANY($2) AND ($3::text IS NULL OR a.channel::text = $3)
        AND (a.address = ANY($4) OR a.routing_keys && $4
          OR a.id = (SELECT channel_account_id FROM communication WHERE id = $5::uuid AND organization_id = o.id))
      ORDER BY (a.address = ANY($4)) DESC, a.id LIMIT 1`,
    values: [slug, [...new Set(adapters.map(({ provider }) => provider))], locator.channel, locator.addresses, locator.communicationId],
  })
  return rows[0] ?? null
}
