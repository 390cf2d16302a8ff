import type { AnyChannelAdapter, Part } from '../channels/channel.ts'
import type { Scope, WebhookAccount, WebhookAccounts } from './webhook-accounts.ts'

export type Delivery = { to: WebhookAccount; part: Part }

/** `unrouted`: parts about accounts that are not known or not active. */
export type Routing = { deliveries: Delivery[]; unrouted: Part[] }

/**
 * Finds the accounts that the parts are about. A part without an address is for `verified`. One that means several accounts (a business
 * account with several numbers) is for one of each organization.
 */
export async function routeWebhook(
  accounts: WebhookAccounts,
  scope: Scope,
  adapters: readonly AnyChannelAdapter[],
  parts: readonly Part[],
  verified: WebhookAccount | null,
): Promise<Routing> {
  const routing: Routing = { deliveries: [], unrouted: [] }
  for (const part of parts) {
    const meant = part.to === null ? [verified].filter((account) => account !== null) : await found(accounts, scope, adapters, part.to)
    if (meant.length === 0) routing.unrouted.push(part)
    for (const to of meant) routing.deliveries.push({ to, part })
  }
  return routing
}

async function found(
  accounts: WebhookAccounts,
  scope: Scope,
  adapters: readonly AnyChannelAdapter[],
  to: NonNullable<Part['to']>,
): Promise<WebhookAccount[]> {
  const { accounts: candidates } = await accounts.find(scope, adapters, to)
  const likeliest = new Map(candidates.toReversed().map((candidate) => [candidate.account.organizationId, candidate]))
  return [...likeliest.values()]
}
