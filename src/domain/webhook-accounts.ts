import { LRUCache } from 'lru-cache'
import type { AnyChannelAdapter, Locator } from '../channels/channel.ts'
import type { ChannelAccount } from '../db/generated/client.ts'
import type { Deps } from '../deps.ts'
import { credentialsOf } from './channel-credentials.ts'
import { watchAccounts } from './watch-accounts.ts'

type Row = Pick<ChannelAccount, 'id' | 'organizationId' | 'channel' | 'provider' | 'address' | 'credentials' | 'credentialsKey'>

/** An active account with its adapter. */
export type WebhookAccount = { account: Row; adapter: AnyChannelAdapter; credentials(): unknown }

/** `remembered`: not read just now. */
export type Found = { accounts: readonly WebhookAccount[]; remembered: boolean }

/** Where to look: one organization, by its slug or id, or all of them. */
export type Scope = { slug: string } | { organizationId: string } | 'everywhere'

export type WebhookAccounts = {
  /** The accounts that a webhook may mean, the likeliest first. `fresh`: read from the database, whatever is remembered. */
  find(scope: Scope, adapters: readonly AnyChannelAdapter[], locator: Locator, fresh?: boolean): Promise<Found>
}

const REMEMBERED = 1000
/** As many secrets may have signed one request: an organization can have a SendGrid account for each of its desks. */
const MAX_CANDIDATES = 200
// A ring forgets at once; this is for a ring that got lost.
const MEMORY_MS = 10_000

/** Finds accounts by what webhooks say of them, and remembers those found until any account changes. */
export function createWebhookAccounts(deps: Pick<Deps, 'pool' | 'bus' | 'channels' | 'secrets'>): WebhookAccounts {
  const remembered = new LRUCache<string, Found>({ max: REMEMBERED, ttl: MEMORY_MS })
  watchAccounts(deps, () => remembered.clear())
  return {
    async find(scope, adapters, locator, fresh = false) {
      const { channel, addresses, communicationId } = locator
      const key = JSON.stringify([scope, adapters[0]?.wire?.path, channel, addresses ?? communicationId])
      const known = fresh ? undefined : remembered.get(key)
      if (known !== undefined) return known
      const rows = await read(deps, scope, adapters, locator)
      const accounts = rows.map((account) => withAdapter(deps, account))
      const [first] = rows
      // Found by our own id alone, it says nothing of other webhooks with the same addresses.
      const byAddress = first !== undefined && (communicationId === null || addresses?.includes(first.address) === true)
      if (byAddress) remembered.set(key, { accounts, remembered: true })
      return { accounts, remembered: false }
    },
  }
}

/** As `createWebhookAccounts`, for a single use: nothing is remembered. */
export const readWebhookAccounts = (deps: Pick<Deps, 'pool' | 'channels' | 'secrets'>): WebhookAccounts => ({
  async find(scope, adapters, locator) {
    const rows = await read(deps, scope, adapters, locator)
    return { accounts: rows.map((account) => withAdapter(deps, account)), remembered: false }
  },
})

function withAdapter(deps: Pick<Deps, 'channels' | 'secrets'>, account: Row): WebhookAccount {
  const adapter = deps.channels.get(account.provider, account.channel)
  let credentials: { value: unknown } | null = null
  return {
    account,
    adapter,
    credentials: () => {
      credentials ??= { value: credentialsOf(deps, adapter, account) }
      return credentials.value
    },
  }
}

// Disjoint, and each by an index of its own: one OR over the three would read every account of the server.
const NAMED = `(
    SELECT * FROM channel_account WHERE address = ANY($3)
    UNION ALL SELECT * FROM channel_account WHERE routing_keys && $3 AND NOT address = ANY($3)
    UNION ALL SELECT * FROM channel_account
      WHERE id = (SELECT channel_account_id FROM communication WHERE id = $4::uuid) AND NOT (address = ANY($3) OR routing_keys && $3)
  )`

/** A statement for each kind of place, so that each has a plan of its own. */
const statement = (named: boolean, place: string): string => `
  SELECT a.id, a.organization_id AS "organizationId", a.channel, a.provider, a.address, a.credentials, a.credentials_key AS "credentialsKey"
  FROM ${named ? NAMED : 'channel_account'} AS a
  WHERE a.status = 'ACTIVE' AND a.provider = ANY($1::"Provider"[]) AND ($2::text IS NULL OR a.channel::text = $2) AND ${place}
  ORDER BY (a.id = (SELECT channel_account_id FROM communication WHERE id = $4::uuid)) DESC NULLS LAST, array_position($3::text[], a.address) NULLS LAST,
    a.id LIMIT ${MAX_CANDIDATES}`

async function read(deps: Pick<Deps, 'pool'>, scope: Scope, adapters: readonly AnyChannelAdapter[], locator: Locator): Promise<Row[]> {
  const { channel, addresses, communicationId } = locator
  const [kind, place, ...values] = placeOf(scope)
  const { rows } = await deps.pool.query<Row>({
    name: `webhook-accounts-${kind}-${addresses === null ? 'all' : 'named'}`,
    text: statement(addresses !== null, place),
    values: [[...new Set(adapters.map(({ provider }) => provider))], channel, addresses, communicationId, ...values],
  })
  return rows
}

function placeOf(scope: Scope): [kind: string, condition: string, ...values: string[]] {
  if (scope === 'everywhere') return ['everywhere', 'true']
  if ('slug' in scope) return ['slug', 'a.organization_id = (SELECT id FROM organization WHERE slug = $5)', scope.slug]
  return ['organization', 'a.organization_id = $5::uuid', scope.organizationId]
}
