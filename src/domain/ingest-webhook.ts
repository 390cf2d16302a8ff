import type { RawRequest } from '../channels/channel.ts'
import type { Fact } from '../channels/fact.ts'
import { isDatabaseAway } from '../db/away.ts'
import type { WebhookReceiptStatus } from '../db/generated/enums.ts'
import type { Deps } from '../deps.ts'
import { type Applied, applyFacts } from './apply-facts.ts'
import type { Delivery, Routing } from './route-webhook.ts'
import { type RawReceipt, rawReceipt, storeWebhook } from './store-webhook.ts'
import type { WebhookAccount } from './webhook-accounts.ts'

export type IngestOutcome = 'applied' | 'duplicate' | 'unparsed' | 'unrouted'

type IngestDeps = Pick<Deps, 'db' | 'pool' | 'bus' | 'storage' | 'log' | 'channels' | 'clock' | 'config'>

type Place = { wire: string; segment: string }

/** What is stored as one receipt. */
type Arrival = { organizationId: string; body: Buffer; deliveries: Delivery[] }

/**
 * Stores a verified webhook together with what it says. It is safe to acknowledge when this resolves, and not before. Each organization gets
 * what is said to it: the request as it came, or, where it concerns others too, the parts that are its own.
 */
export async function ingestWebhook(
  deps: IngestDeps,
  place: Place,
  request: RawRequest,
  { deliveries, unrouted }: Routing,
  verifiedFor: string | null,
): Promise<IngestOutcome> {
  const outcomes: IngestOutcome[] = []
  for (const { organizationId, body, deliveries: own } of arrivals(request, deliveries, unrouted.length > 0)) {
    const [first] = own
    const raw = await rawReceipt(deps, { ...place, organizationId, channelAccountId: first?.to.account.id ?? null }, request, body)
    outcomes.push(outcomeOf[await applyArrival(deps, raw, own)])
  }
  for (const { excerpt, to } of unrouted) {
    const body = excerpt?.() ?? request.body
    const raw = await rawReceipt(deps, { ...place, organizationId: verifiedFor, channelAccountId: null }, request, body)
    const problem = `no active channel account has the address ${to?.addresses?.join(' or ') ?? 'of this webhook'}`
    deps.log.warn({ wire: place.wire, webhookReceiptId: raw.id, organizationId: verifiedFor }, problem)
    await storeWebhook(deps.db, raw, 'UNROUTED', problem)
    outcomes.push('unrouted')
  }
  return (['applied', 'unparsed', 'unrouted'] as const).find((outcome) => outcomes.includes(outcome)) ?? 'duplicate'
}

function arrivals(request: RawRequest, deliveries: Delivery[], shared: boolean): Arrival[] {
  const organizations = new Set(deliveries.map(({ to }) => to.account.organizationId))
  const [only] = organizations
  if (only === undefined) return []
  if (organizations.size === 1 && !shared) return [{ organizationId: only, body: request.body, deliveries }]
  return deliveries.map((delivery) => ({
    organizationId: delivery.to.account.organizationId,
    body: delivery.part.excerpt?.() ?? request.body,
    deliveries: [delivery],
  }))
}

/** Applies what a kept webhook says and writes down how that went. */
export async function applyArrival(deps: IngestDeps, raw: RawReceipt, deliveries: Delivery[]): Promise<WebhookReceiptStatus> {
  const done: Applied[] = []
  for (const { account, facts } of perAccount(deliveries)) {
    done.push(...(await applyFacts(deps, account, raw, facts)))
    const away = done.find((applied) => 'error' in applied && isDatabaseAway(applied.error))
    // Nothing is acknowledged that is not stored: the provider will repeat all of it.
    if (away !== undefined && 'error' in away) throw away.error
  }
  const { status, problem } = summary(deps, raw, done)
  // Applying has stored it as APPLIED already.
  if (status === 'APPLIED') return status
  await storeWebhook(deps.db, raw, status, problem)
  await deps.db.webhookReceipt.update({ where: { id: raw.id }, data: { status, problem } })
  return status
}

function perAccount(deliveries: Delivery[]): { account: WebhookAccount; facts: Fact[] }[] {
  const runs: { account: WebhookAccount; facts: Fact[] }[] = []
  for (const { to, part } of deliveries) {
    const last = runs.at(-1)
    if (last?.account.account.id === to.account.id) last.facts.push(...part.facts)
    else runs.push({ account: to, facts: [...part.facts] })
  }
  return runs
}

function summary(deps: IngestDeps, raw: RawReceipt, done: Applied[]): { status: WebhookReceiptStatus; problem: string | null } {
  const applied = done.some((one) => 'outcome' in one && one.outcome === 'applied')
  const failed = done.flatMap((one) => ('error' in one ? [one.error] : []))
  for (const error of failed)
    deps.log.error({ err: error, webhookReceiptId: raw.id, wire: raw.wire }, 'a part of a webhook could not be applied')
  const reasons = [
    ...new Set(done.flatMap((one) => ('reason' in one ? [one.reason] : []))),
    ...(failed.length === 0 ? [] : [`${failed.length} of ${done.length} parts could not be applied: the server's log says why`]),
  ]
  const problem = reasons.length === 0 ? null : reasons.slice(0, 10).join('; ')
  if (applied) return { status: problem === null ? 'APPLIED' : 'PARTIAL', problem }
  if (failed.length > 0) return { status: 'FAILED', problem }
  if (problem !== null) return { status: 'UNPARSED', problem }
  return done.length === 0 ? { status: 'UNPARSED', problem: 'there is nothing in it' } : { status: 'DUPLICATE', problem: null }
}

const outcomeOf = {
  APPLIED: 'applied',
  PARTIAL: 'applied',
  DUPLICATE: 'duplicate',
  UNPARSED: 'unparsed',
  FAILED: 'unparsed',
  UNROUTED: 'unrouted',
} as const satisfies Record<WebhookReceiptStatus, IngestOutcome>
