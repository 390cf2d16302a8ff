import type { AnyChannelAdapter, Part } from '../channels/channel.ts'
import type { Fact } from '../channels/fact.ts'
import type { Scope, WebhookAccount, WebhookAccounts } from './webhook-accounts.ts'

export type Delivery = { to: WebhookAccount; part: Part }

/** `unrouted`: parts about accounts that are not known or not active. */
export type Routing = { deliveries: Delivery[]; unrouted: Part[] }

/**
 * Finds the accounts that the parts are about. A part without an address is for `verified`. One that means several accounts (a business
 * account with several numbers) is for one of each organization; but what it says of the accounts themselves and their templates is for all.
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
    const verifiedAlone = [verified].filter((account) => account !== null)
    const meant = part.to === null ? verifiedAlone : (await accounts.find(scope, adapters, part.to)).accounts
    if (meant.length === 0) routing.unrouted.push(part)
    const [likeliest, others] = onePerOrganization(meant)
    for (const to of likeliest) routing.deliveries.push({ to, part })
    const facts = part.facts.filter(isOfTheAccount)
    if (facts.length > 0) for (const to of others) routing.deliveries.push({ to, part: { ...part, facts } })
  }
  return routing
}

/** What concerns every number of a business account: its state, and the templates that its numbers share. */
const isOfTheAccount = ({ kind }: Fact): boolean => kind === 'account-notice' || kind === 'template'

/** The likeliest account of each organization, and the others. */
function onePerOrganization(accounts: readonly WebhookAccount[]): [WebhookAccount[], WebhookAccount[]] {
  const likeliest = new Map(accounts.toReversed().map((candidate) => [candidate.account.organizationId, candidate]))
  const chosen = new Set(likeliest.values())
  return [[...chosen], accounts.filter((account) => !chosen.has(account))]
}
