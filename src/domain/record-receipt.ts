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

const MAX_TOGETHER = 100

/**
 * Keeps delivery receipts and moves their communications forward, never back. A receipt for a message we do not know (yet) is kept; it is
 * applied when the send's answer, or a receipt that carries our id, names the message. `raw` is null where no webhook brought them.
 */
export async function recordReceipts(
  deps: Pick<Deps, 'db' | 'bus'>,
  account: Account,
  raw: RawReceipt | null,
  facts: readonly ReceiptFact[],
): Promise<({ outcome: 'applied' } | { error: unknown })[]> {
  // One order of locks for all: two webhooks about the same messages cannot wait for each other.
  const ordered = [...facts].sort((a, b) =>
    a.externalMessageId < b.externalMessageId ? -1 : a.externalMessageId > b.externalMessageId ? 1 : 0,
  )
  const done: ({ outcome: 'applied' } | { error: unknown })[] = []
  for (let start = 0; start < ordered.length; start += MAX_TOGETHER) {
    done.push(...(await together(deps, account, raw, ordered.slice(start, start + MAX_TOGETHER))))
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
  await transact(deps, account.organizationId, async (tx, recorder) => {
    if (raw !== null) await storeWebhook(tx, raw, 'APPLIED')
    await record(tx, recorder, account, fact)
  })
}

async function together(
  deps: Pick<Deps, 'db' | 'bus'>,
  account: Account,
  raw: RawReceipt | null,
  facts: readonly ReceiptFact[],
): Promise<({ outcome: 'applied' } | { error: unknown })[]> {
  try {
    await transact(deps, account.organizationId, async (tx, recorder) => {
      if (raw !== null) await storeWebhook(tx, raw, 'APPLIED')
      for (const fact of facts) await record(tx, recorder, account, fact)
    })
    return facts.map(() => ({ outcome: 'applied' }))
  } catch (error) {
    if (facts.length <= 1 || isDatabaseAway(error)) return facts.map(() => ({ error }))
    return (await Promise.all(facts.map((fact) => together(deps, account, raw, [fact])))).flat()
  }
}

async function record(tx: Tx, recorder: Recorder, account: Account, fact: ReceiptFact): Promise<void> {
  await lockExternalId(tx, account.id, fact.externalMessageId)
  const communication = await lockOutbound(tx, account, fact)
  await tx.receipt.create({
    data: {
      id: newId(),
      organizationId: account.organizationId,
      channelAccountId: account.id,
      communicationId: communication?.id ?? null,
      externalMessageId: cleanText(fact.externalMessageId),
      status: fact.status,
      carriedBy: fact.carriedBy ?? null,
      errorCode: fact.error === null ? null : cleanText(fact.error.code),
      errorMessage: fact.error === null ? null : cleanText(fact.error.message),
    },
  })
  if (communication === null) return
  if (fact.carriedBy) await tx.communication.update({ where: { id: communication.id }, data: { carriedBy: fact.carriedBy } })
  await advance(tx, recorder, communication, fact)
  if (communication.externalMessageId === null) await applyEarlyReceipts(tx, recorder, communication.id)
}

async function lockOutbound(tx: Tx, account: Account, fact: ReceiptFact): Promise<Communication | null> {
  const [row] = await tx.$queryRaw<{ id: string }[]>`
    SELECT id FROM communication
    WHERE organization_id = ${account.organizationId}::uuid AND channel_account_id = ${account.id}::uuid AND direction = 'OUTBOUND'
      AND (id = ${fact.communicationId}::uuid OR external_message_id = ${fact.externalMessageId})
    ORDER BY (id = ${fact.communicationId}::uuid) DESC NULLS LAST LIMIT 1
    FOR NO KEY UPDATE`
  return row === undefined ? null : tx.communication.findUnique({ where: { id: row.id } })
}

/** Applies receipts that came before anything named their message. The external id must be locked. */
export async function applyEarlyReceipts(tx: Tx, recorder: Recorder, communicationId: string): Promise<void> {
  const communication = await tx.communication.findUniqueOrThrow({ where: { id: communicationId } })
  const { channelAccountId, externalMessageId } = communication
  if (channelAccountId === null || externalMessageId === null) return
  const early = await tx.receipt.findMany({ where: { channelAccountId, externalMessageId, communicationId: null }, orderBy: { id: 'asc' } })
  let current = communication
  for (const receipt of early) {
    await tx.receipt.update({ where: { id: receipt.id }, data: { communicationId } })
    const error = receipt.errorCode === null ? null : { code: receipt.errorCode, message: receipt.errorMessage ?? receipt.errorCode }
    await advance(tx, recorder, current, { status: receipt.status, error, externalMessageId })
    current = await tx.communication.findUniqueOrThrow({ where: { id: communicationId } })
  }
}

/**
 * A receipt without our id and what names its message may be stored at the same moment: one of the two has to see the other.
 * Taken before the communication is locked, and held until the end of the transaction.
 */
export async function lockExternalId(tx: Tx, channelAccountId: string, externalMessageId: string): Promise<void> {
  await tx.$queryRaw`SELECT pg_advisory_xact_lock(hashtextextended(${`${channelAccountId} ${externalMessageId}`}, 0))::text`
}
