import type { ConsentFact } from '../channels/fact.ts'
import type { ConsentEntry } from '../db/generated/client.ts'
import type { ChannelType, ConsentSource, ConsentState, MessagePurpose } from '../db/generated/enums.ts'
import type { Deps } from '../deps.ts'
import { type Recorder, type Tx, transact } from '../events/transact.ts'
import { lockHolder } from './customers.ts'
import { newId } from './ids.ts'
import { cleanText } from './text.ts'

export type NewConsent = {
  organizationId: string
  customerId: string
  channel: ChannelType
  purposes: readonly MessagePurpose[]
  state: ConsentState
  source: ConsentSource
  /** What shows it, for people. */
  evidence: string | null
  actorId?: string | null
  communicationId?: string | null
  occurredAt: Date
}

/** What the customer last said about messages of this purpose on this channel; null: nothing, so they are allowed. */
export async function consentState(
  tx: Tx,
  customerId: string,
  channel: ChannelType,
  purpose: MessagePurpose,
): Promise<ConsentState | null> {
  const latest = await tx.consentEntry.findFirst({
    where: { customerId, channel, purpose },
    orderBy: [{ occurredAt: 'desc' }, { id: 'desc' }],
    select: { state: true },
  })
  return latest?.state ?? null
}

export const hasOptedOut = async (tx: Tx, customerId: string, channel: ChannelType, purpose: MessagePurpose): Promise<boolean> =>
  (await consentState(tx, customerId, channel, purpose)) === 'OPTED_OUT'

/**
 * Appends to the ledger; the customer's row must be locked. The same fact again changes nothing. An event is recorded only where that opts the
 * customer out or in again: an entry that is older than the latest one is kept, but does not count.
 */
export async function recordConsent(tx: Tx, recorder: Recorder, entry: NewConsent): Promise<void> {
  const { organizationId, customerId, channel, state, source, occurredAt, actorId = null, communicationId = null } = entry
  const evidence = entry.evidence === null ? null : cleanText(entry.evidence)
  const changed = { OPTED_OUT: [] as MessagePurpose[], OPTED_IN: [] as MessagePurpose[] }
  for (const purpose of new Set(entry.purposes)) {
    const fact = { customerId, channel, purpose, state, source, evidence, occurredAt }
    if ((await tx.consentEntry.count({ where: fact })) > 0) continue
    const before = await hasOptedOut(tx, customerId, channel, purpose)
    await tx.consentEntry.create({ data: { id: newId(), organizationId, ...fact, actorId, communicationId } })
    const after = await hasOptedOut(tx, customerId, channel, purpose)
    if (after !== before) changed[after ? 'OPTED_OUT' : 'OPTED_IN'].push(purpose)
  }
  for (const [now, purposes] of Object.entries(changed)) {
    if (purposes.length === 0) continue
    const type = now === 'OPTED_OUT' ? 'CUSTOMER_OPTED_OUT' : 'CUSTOMER_OPTED_IN'
    recorder.event({ type, actorId, customerId, communicationId, data: { channel, purposes, source } })
  }
}

export type Consent = Omit<ConsentEntry, 'organizationId'>

/** The entries in force of each customer, one for each channel and purpose on which something was said; in one statement. */
export async function consentsOf(
  deps: { db: Pick<Deps['db'], '$queryRaw'> },
  organizationId: string,
  customerIds: readonly string[],
): Promise<Map<string, Consent[]>> {
  const rows = await deps.db.$queryRaw<Consent[]>`
    SELECT DISTINCT ON (customer_id, channel, purpose) id, customer_id AS "customerId", channel, purpose, state, source, evidence,
      actor_id AS "actorId", communication_id AS "communicationId", occurred_at AS "occurredAt"
    FROM consent_entry WHERE organization_id = ${organizationId}::uuid AND customer_id = ANY(${[...customerIds]}::uuid[])
    ORDER BY customer_id, channel, purpose, occurred_at DESC, id DESC`
  const byCustomer = Map.groupBy(rows, (row) => row.customerId)
  return new Map(customerIds.map((id) => [id, byCustomer.get(id) ?? []]))
}

/** Enters the provider's word in the ledger of the customer who has the identity; false: nobody has it, and nothing changed. */
export function applyConsentFact(
  deps: Pick<Deps, 'db' | 'bus'>,
  account: { organizationId: string; channel: ChannelType },
  fact: ConsentFact,
): Promise<boolean> {
  const { organizationId, channel } = account
  const { purposes, state, source, evidence, at } = fact
  return transact(deps, organizationId, async (tx, recorder) => {
    const customerId = await lockHolder(tx, organizationId, fact.identity)
    if (customerId === null) return false
    await recordConsent(tx, recorder, { organizationId, customerId, channel, purposes, state, source, evidence, occurredAt: at })
    return true
  })
}
