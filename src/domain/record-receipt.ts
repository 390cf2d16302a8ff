import type { ReceiptFact } from '../channels/fact.ts'
import { isDatabaseAway } from '../db/away.ts'
import type { Communication } from '../db/generated/client.ts'
import type { Deps } from '../deps.ts'
import { type Recorder, type Tx, transact } from '../events/transact.ts'
import { advance } from './advance.ts'
import { newId } from './ids.ts'
import { type RawReceipt, storeWebhook } from './store-webhook.ts'
import { cleanText } from './text.ts'

type Account = { id: string; organizationId: string }

type Recorded = { outcome: 'applied' | 'duplicate' } | { error: unknown }

const MAX_TOGETHER = 250

/**
 * Keeps delivery receipts and moves their communications forward, never back. A receipt for a message we do not know (yet) is kept; it is
 * applied when the send's answer, or a receipt that carries our id, names the message. `raw` is null where no webhook brought them.
 */
export async function recordReceipts(
  deps: Pick<Deps, 'db' | 'bus'>,
  account: Account,
  raw: RawReceipt | null,
  facts: readonly ReceiptFact[],
): Promise<Recorded[]> {
  const done: Recorded[] = []
  for (let start = 0; start < facts.length; start += MAX_TOGETHER) {
    done.push(...(await together(deps, account, raw, facts.slice(start, start + MAX_TOGETHER))))
  }
  return done
}

/** One receipt, as `recordReceipts`. */
export async function recordReceipt(
  deps: Pick<Deps, 'db' | 'bus'>,
  account: Account,
  raw: RawReceipt | null,
  fact: ReceiptFact,
): Promise<void> {
  const [recorded] = await together(deps, account, raw, [fact])
  if (recorded !== undefined && 'error' in recorded) throw recorded.error
}

/** In one transaction; where that fails one by one, so that none takes another with it. */
async function together(
  deps: Pick<Deps, 'db' | 'bus'>,
  account: Account,
  raw: RawReceipt | null,
  facts: readonly ReceiptFact[],
): Promise<Recorded[]> {
  try {
    return await transact(deps, account.organizationId, async (tx, recorder) => {
      if (raw !== null) await storeWebhook(tx, raw, 'APPLIED')
      const fresh = await unrepeated(tx, account, facts)
      await record(tx, recorder, account, fresh)
      return facts.map((fact) => ({ outcome: fresh.includes(fact) ? 'applied' : 'duplicate' }))
    })
  } catch (error) {
    if (facts.length <= 1 || isDatabaseAway(error)) return facts.map(() => ({ error }))
    const done: Recorded[] = []
    for (const fact of facts) done.push(...(await together(deps, account, raw, [fact])))
    return done
  }
}

/** Without those that were recorded before, by the provider's ids of them. */
async function unrepeated(tx: Tx, account: Account, facts: readonly ReceiptFact[]): Promise<ReceiptFact[]> {
  const named = facts.flatMap(({ eventId }) => (eventId === undefined ? [] : [`event:${cleanText(eventId)}`]))
  if (named.length === 0) return [...facts]
  const gates = [...new Set(named)].sort().map((externalMessageId) => ({
    channelAccountId: account.id,
    organizationId: account.organizationId,
    externalMessageId,
  }))
  const passed = await tx.receivedMessage.createManyAndReturn({ data: gates, skipDuplicates: true })
  const open = new Set(passed.map(({ externalMessageId }) => externalMessageId))
  return facts.filter(({ eventId }) => eventId === undefined || open.delete(`event:${cleanText(eventId)}`))
}

async function record(tx: Tx, recorder: Recorder, account: Account, facts: readonly ReceiptFact[]): Promise<void> {
  const externalIds = facts.map((fact) => cleanText(fact.externalMessageId))
  await lockExternalIds(tx, account.id, externalIds)
  const outbound = await lockOutbound(tx, account, facts, externalIds)
  const ofFact = (fact: ReceiptFact, index: number) =>
    outbound.find(({ id }) => id === fact.communicationId) ??
    outbound.find(({ externalMessageId }) => externalMessageId === externalIds[index])
  const meant = facts.map((fact, index) => ofFact(fact, index)?.id ?? null)
  await tx.receipt.createMany({ data: facts.map((fact, index) => rowOf(account, fact, meant[index] ?? null)) })
  const current = new Map(outbound.map((communication) => [communication.id, communication]))
  for (const [index, fact] of facts.entries()) {
    const before = current.get(meant[index] ?? '')
    if (before === undefined) continue
    if (fact.carriedBy) await tx.communication.update({ where: { id: before.id }, data: { carriedBy: fact.carriedBy } })
    const after = await advance(tx, recorder, before, fact)
    current.set(before.id, before.externalMessageId === null ? await applyEarlyReceipts(tx, recorder, after) : after)
  }
}

const rowOf = (account: Account, fact: ReceiptFact, communicationId: string | null) => ({
  id: newId(),
  organizationId: account.organizationId,
  channelAccountId: account.id,
  communicationId,
  externalMessageId: cleanText(fact.externalMessageId),
  status: fact.status,
  carriedBy: fact.carriedBy ?? null,
  isFinal: fact.final ?? false,
  errorCode: fact.error === null ? null : cleanText(fact.error.code),
  errorMessage: fact.error === null ? null : cleanText(fact.error.message),
})

/** In the order of their ids: two webhooks about the same messages cannot wait for each other. */
async function lockOutbound(tx: Tx, account: Account, facts: readonly ReceiptFact[], externalIds: string[]): Promise<Communication[]> {
  const rows = await tx.$queryRaw<{ id: string }[]>`
    SELECT id FROM communication
    WHERE organization_id = ${account.organizationId}::uuid AND channel_account_id = ${account.id}::uuid AND direction = 'OUTBOUND'
      AND (id = ANY(${facts.flatMap((fact) => fact.communicationId ?? [])}::uuid[]) OR external_message_id = ANY(${externalIds}::text[]))
    ORDER BY id FOR NO KEY UPDATE`
  return rows.length === 0 ? [] : tx.communication.findMany({ where: { id: { in: rows.map(({ id }) => id) } } })
}

/** Applies receipts that came before anything named their message, to it as it is now. The external id must be locked. */
export async function applyEarlyReceipts(tx: Tx, recorder: Recorder, communication: Communication): Promise<Communication> {
  let current = communication
  const { id: communicationId, channelAccountId, externalMessageId } = communication
  if (channelAccountId === null || externalMessageId === null) return current
  const early = await tx.receipt.findMany({ where: { channelAccountId, externalMessageId, communicationId: null }, orderBy: { id: 'asc' } })
  for (const receipt of early) {
    await tx.receipt.update({ where: { id: receipt.id }, data: { communicationId } })
    const error = receipt.errorCode === null ? null : { code: receipt.errorCode, message: receipt.errorMessage ?? receipt.errorCode }
    current = await advance(tx, recorder, current, { status: receipt.status, error, externalMessageId, final: receipt.isFinal })
    if (receipt.carriedBy !== null)
      await tx.communication.update({ where: { id: communicationId }, data: { carriedBy: receipt.carriedBy } })
  }
  return current
}

/**
 * A receipt without our id and what names its message may be stored at the same moment: one of the two has to see the other.
 * Taken before the communication is locked, and held until the end of the transaction.
 */
export const lockExternalId = (tx: Tx, channelAccountId: string, externalMessageId: string): Promise<void> =>
  lockExternalIds(tx, channelAccountId, [externalMessageId])

async function lockExternalIds(tx: Tx, channelAccountId: string, externalMessageIds: readonly string[]): Promise<void> {
  const keys = [...new Set(externalMessageIds)].sort().map((externalMessageId) => `${channelAccountId} ${externalMessageId}`)
  await tx.$queryRaw`SELECT pg_advisory_xact_lock(hashtextextended(key, 0))::text FROM unnest(${keys}::text[]) AS k(key)`
}
