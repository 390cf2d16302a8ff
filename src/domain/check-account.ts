import type { AnyChannelAdapter, HealthCheck } from '../channels/channel.ts'
import { Rejected, Unavailable, Uncertain } from '../channels/failures.ts'
import type { ChannelAccount } from '../db/generated/client.ts'
import type { ChannelAccountStatus } from '../db/generated/enums.ts'
import type { Deps } from '../deps.ts'
import type { Tx } from '../events/transact.ts'
import { providerUrls } from './webhook-url.ts'

type Named = Pick<ChannelAccount, 'provider' | 'channel' | 'address' | 'organizationId'>

/** Asks the provider whether the account works with these credentials. Takes as long as the provider does: never inside a transaction. */
export async function askProvider(deps: Deps, account: Named, credentials: unknown): Promise<HealthCheck[]> {
  const adapter = deps.channels.get(account.provider, account.channel)
  const { slug } = await deps.db.organization.findUniqueOrThrow({ where: { id: account.organizationId } })
  const urls = providerUrls(deps, account, slug, { value: credentials })
  try {
    return await adapter.check({ address: account.address, webhookUrl: urls?.messages ?? '' }, credentials)
  } catch (error) {
    if (error instanceof Rejected) return [{ name: 'provider', ok: false, required: true, message: error.explanation }]
    if (!(error instanceof Unavailable || error instanceof Uncertain)) throw error
    deps.log.warn({ err: error, provider: account.provider }, 'the provider gave no answer to a check')
    const message = 'The provider could not be reached. Try again later.'
    return [{ name: 'provider', ok: false, required: true, unanswered: true, message }]
  }
}

/**
 * PENDING where a required check has failed, else ACTIVE. `keeps`: the account is active with these same credentials, and the provider's
 * silence alone does not change that.
 */
export function statusAfter(checks: readonly HealthCheck[], keeps: boolean): ChannelAccountStatus {
  const missing = checks.filter(({ ok, required, unanswered }) => !ok && required === true && !(keeps && unanswered === true))
  return missing.length === 0 ? 'ACTIVE' : 'PENDING'
}

/**
 * Where one webhook address serves all organizations, only one account may be active under a name that webhooks use for it alone: its
 * address, or its first routing key. No check where that is so or does not matter, nor where the account cannot become active by what the
 * provider `answered`: whom the number belongs to is nobody else's business. Locks the names until the end of the transaction.
 */
export async function exclusiveChecks(
  tx: Tx,
  adapter: AnyChannelAdapter,
  account: Named & { id: string; routingKeys: readonly string[] },
  answered: readonly HealthCheck[],
): Promise<HealthCheck[]> {
  const { provider, channel } = adapter
  if (adapter.wire?.reach !== 'app' || statusAfter(answered, false) !== 'ACTIVE') return []
  const names = [...new Set([account.address, ...account.routingKeys.slice(0, 1)])].sort()
  for (const name of names) await tx.$queryRaw`SELECT pg_advisory_xact_lock(hashtextextended(${`${provider} ${channel} ${name}`}, 0))::text`
  const [other] = await tx.$queryRaw<Pick<ChannelAccount, 'organizationId' | 'name'>[]>`
    SELECT organization_id AS "organizationId", name FROM channel_account
    WHERE provider::text = ${provider} AND channel::text = ${channel} AND status = 'ACTIVE' AND id <> ${account.id}::uuid
      AND (address = ANY(${names}) OR routing_keys[1] = ANY(${names}))
    ORDER BY (organization_id = ${account.organizationId}::uuid) DESC LIMIT 1`
  if (other === undefined) return []
  const message =
    other.organizationId === account.organizationId
      ? `The same number or page is active already as “${other.name}”: disconnect one of the two, then check again.`
      : `${account.address} is active in another organization on this server: disconnect it there, then check again.`
  return [{ name: 'exclusive', ok: false, required: true, message }]
}
