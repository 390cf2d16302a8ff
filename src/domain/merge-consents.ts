import type { ConsentState } from '../db/generated/enums.ts'
import type { Recorder, Tx } from '../events/transact.ts'
import { type Consent, consentsOf, recordConsent } from './consent.ts'
import { newId } from './ids.ts'
import { laterOf } from './merge-conversations.ts'

type Pair = { organizationId: string; survivorId: string; mergedId: string; actorId: string | null; now: Date }

const keyOf = ({ channel, purpose }: Consent): string => `${channel} ${purpose}`

async function inForce(tx: Tx, { organizationId }: Pair, customerId: string): Promise<Map<string, Consent>> {
  const found = await consentsOf({ db: tx }, organizationId, [customerId])
  return new Map((found.get(customerId) ?? []).map((consent) => [keyOf(consent), consent]))
}

const isOut = (state: ConsentState | undefined): boolean => state === 'OPTED_OUT'

/**
 * The survivor's ledger takes in the other one. Where either had opted out they have both: where a later word of the other one says
 * otherwise, an entry is added. Gives the ids that go back when the merge is undone: an added entry belongs to the one who had opted out, so
 * that both are then as they were, and nothing is ever taken out of a ledger.
 */
export async function mergeConsents(tx: Tx, recorder: Recorder, pair: Pair): Promise<string[]> {
  const { organizationId, survivorId, mergedId, actorId, now } = pair
  const before = await inForce(tx, pair, survivorId)
  const others = await inForce(tx, pair, mergedId)
  const moved = await tx.$queryRaw<{ id: string }[]>`
    UPDATE consent_entry SET customer_id = ${survivorId}::uuid WHERE customer_id = ${mergedId}::uuid RETURNING id`
  const ids = moved.map(({ id }) => id)
  for (const [key, latest] of await inForce(tx, pair, survivorId)) {
    const optedOut = [before.get(key), others.get(key)].find((consent) => isOut(consent?.state))
    if (optedOut === undefined || isOut(latest.state)) continue
    const id = newId()
    await tx.consentEntry.create({
      data: {
        id,
        organizationId,
        customerId: survivorId,
        channel: latest.channel,
        purpose: latest.purpose,
        state: 'OPTED_OUT',
        source: 'MERGE',
        evidence: 'One of the two merged customers had opted out.',
        actorId,
        occurredAt: laterOf(latest.occurredAt, now),
      },
    })
    if (optedOut.customerId === mergedId) ids.push(id)
  }
  recordChanges(recorder, pair, before, await inForce(tx, pair, survivorId))
  return ids
}

/** The way back. Who of the two opted out since cannot be told: it holds for both. */
export async function partConsents(tx: Tx, recorder: Recorder, pair: Pair, moved: string[], mergeId: string): Promise<void> {
  const { organizationId, survivorId, mergedId, actorId, now } = pair
  const before = await inForce(tx, pair, survivorId)
  await tx.consentEntry.updateMany({ where: { id: { in: moved }, customerId: survivorId }, data: { customerId: mergedId } })
  const after = await inForce(tx, pair, survivorId)
  recordChanges(recorder, pair, before, after)
  const since = [...after.values()].filter(({ id, state }) => isOut(state) && id > mergeId)
  for (const [channel, entries] of Map.groupBy(since, (entry) => entry.channel)) {
    await recordConsent(tx, recorder, {
      organizationId,
      customerId: mergedId,
      channel,
      purposes: entries.map(({ purpose }) => purpose),
      state: 'OPTED_OUT',
      source: 'MERGE',
      evidence: 'Opted out while merged with another customer.',
      actorId,
      occurredAt: now,
    })
  }
}

function recordChanges(recorder: Recorder, pair: Pair, before: Map<string, Consent>, after: Map<string, Consent>): void {
  const wasOut = (one: Consent) => isOut(before.get(keyOf(one))?.state)
  const isNowOut = (one: Consent) => isOut(after.get(keyOf(one))?.state)
  const changed = [...new Map([...before, ...after]).values()].filter((one) => wasOut(one) !== isNowOut(one))
  for (const type of ['CUSTOMER_OPTED_OUT', 'CUSTOMER_OPTED_IN'] as const) {
    const ofType = changed.filter((one) => isNowOut(one) === (type === 'CUSTOMER_OPTED_OUT'))
    for (const [channel, some] of Map.groupBy(ofType, (one) => one.channel)) {
      const data = { channel, purposes: some.map(({ purpose }) => purpose), source: 'MERGE' }
      recorder.event({ type, actorId: pair.actorId, customerId: pair.survivorId, data })
    }
  }
}
