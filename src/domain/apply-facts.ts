import type { Fact, MessageFact, ReceiptFact } from '../channels/fact.ts'
import type { Deps } from '../deps.ts'
import { transact } from '../events/transact.ts'
import { applyAccountNotice } from './apply-account-notice.ts'
import { applyEdit, applyRevoke } from './apply-edit.ts'
import { applyIdentityChange } from './apply-identity-change.ts'
import { applyTemplateFact } from './apply-template-fact.ts'
import { applyWatermark } from './apply-watermark.ts'
import { beingSent } from './being-sent.ts'
import { applyConsentFact } from './consent.ts'
import { receiveMessages } from './receive-message.ts'
import { recordProviderCall } from './record-provider-call.ts'
import { applyEarlyReceipts, lockExternalId, recordReceipts } from './record-receipt.ts'
import { type RawReceipt, storeWebhook } from './store-webhook.ts'
import { cleanText } from './text.ts'
import type { WebhookAccount } from './webhook-accounts.ts'

/** How it went with one fact. `reason`: why nothing could be made of it. */
export type Applied = { outcome: 'applied' | 'duplicate' } | { reason: string } | { error: unknown }

type ApplyDeps = Pick<Deps, 'db' | 'pool' | 'bus' | 'storage' | 'channels' | 'clock' | 'log' | 'config'>

/** Applies the facts about one account in their order; those of a kind that follow each other share transactions. One that fails takes no other with it. */
export async function applyFacts(deps: ApplyDeps, to: WebhookAccount, raw: RawReceipt, facts: readonly Fact[]): Promise<Applied[]> {
  const done: Applied[] = []
  for (const run of runsOf(facts)) {
    if (isAll('message', run)) done.push(...(await receiveOrRecognize(deps, to, raw, run)))
    else if (isAll('receipt', run)) done.push(...(await recordReceipts(deps, to.account, raw, run)))
    else for (const fact of run as Exclude<Fact, MessageFact | ReceiptFact>[]) done.push(await applyOne(deps, to, raw, fact))
  }
  return done
}

function runsOf(facts: readonly Fact[]): Fact[][] {
  const runs: Fact[][] = []
  for (const fact of facts) {
    const last = runs.at(-1)
    if (last?.[0]?.kind === fact.kind) last.push(fact)
    else runs.push([fact])
  }
  return runs
}

const isAll = <Kind extends Fact['kind']>(kind: Kind, run: Fact[]): run is Extract<Fact, { kind: Kind }>[] => run[0]?.kind === kind

/** An echo of a message that is being sent is that message's receipt. */
async function receiveOrRecognize(deps: ApplyDeps, to: WebhookAccount, raw: RawReceipt, facts: MessageFact[]): Promise<Applied[]> {
  const echoes = facts.filter(({ direction }) => direction === 'OUTBOUND')
  const ours = await beingSent(deps, to.account, echoes)
  const receipts = [...ours].map(([{ externalMessageId }, communicationId]) => ({
    kind: 'receipt' as const,
    externalMessageId,
    communicationId,
    status: 'SENT' as const,
    error: null,
  }))
  const messages = facts.filter((fact) => !ours.has(fact))
  return [...(await recordReceipts(deps, to.account, raw, receipts)), ...(await receive(deps, to, raw, messages))]
}

async function receive(deps: ApplyDeps, { account, adapter }: WebhookAccount, raw: RawReceipt, facts: MessageFact[]): Promise<Applied[]> {
  const windowHours = adapter.capabilities.messagingWindowHours
  const settled = await receiveMessages(
    deps,
    raw,
    facts.map((fact) => ({ account, windowHours, fact })),
  )
  const echoes = facts.filter(({ direction }, index) => direction === 'OUTBOUND' && settled[index]?.status === 'fulfilled')
  return [
    ...settled.map((one) =>
      one.status === 'rejected' ? { error: one.reason } : { outcome: one.value === null ? ('duplicate' as const) : ('applied' as const) },
    ),
    ...(await settleEarly(deps, account, echoes)),
  ]
}

/** What was sent with the provider's own app may have been delivered before we heard of it. Gives the failures only. */
async function settleEarly(deps: ApplyDeps, account: WebhookAccount['account'], echoes: MessageFact[]): Promise<Applied[]> {
  const failures: Applied[] = []
  if (echoes.length === 0) return failures
  const externalMessageId = { in: echoes.map((echo) => cleanText(echo.externalMessageId)) }
  const early = await deps.db.receipt.findMany({
    where: { channelAccountId: account.id, externalMessageId, communicationId: null },
    distinct: ['externalMessageId'],
  })
  for (const receipt of early) {
    try {
      await transact(deps, account.organizationId, async (tx, recorder) => {
        const key = { channelAccountId: account.id, externalMessageId: receipt.externalMessageId }
        await lockExternalId(tx, key.channelAccountId, key.externalMessageId)
        const communication = await tx.communication.findUniqueOrThrow({ where: { channelAccountId_externalMessageId: key } })
        await applyEarlyReceipts(tx, recorder, communication)
      })
    } catch (error) {
      failures.push({ error })
    }
  }
  return failures
}

async function applyOne(
  deps: ApplyDeps,
  { account }: WebhookAccount,
  raw: RawReceipt,
  fact: Exclude<Fact, MessageFact | ReceiptFact>,
): Promise<Applied> {
  if (fact.kind === 'unknown') return { reason: fact.reason }
  try {
    await storeWebhook(deps.db, raw, 'APPLIED')
    switch (fact.kind) {
      case 'watermark':
        await applyWatermark(deps, account, fact)
        break
      case 'edit':
        return await applyEdit(deps, account, fact)
      case 'revoke':
        return await applyRevoke(deps, account, fact)
      case 'consent':
        if (!(await applyConsentFact(deps, account, fact))) return { reason: `nobody is known as ${fact.identity.value}` }
        break
      case 'identity-change':
        await applyIdentityChange(deps, account, fact)
        break
      case 'call':
        return await recordProviderCall(deps, account, raw, fact)
      case 'template':
        await applyTemplateFact(deps, account, fact)
        break
      case 'account-notice':
        await applyAccountNotice(deps, account, fact)
    }
    return { outcome: 'applied' }
  } catch (error) {
    return { error }
  }
}
