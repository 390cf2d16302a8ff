import type { CallFact, CallWords } from '../channels/fact.ts'
import type { Communication } from '../db/generated/client.ts'
import type { Deps } from '../deps.ts'
import { type Recorder, type Tx, transact } from '../events/transact.ts'
import { lockCommunication } from './advance.ts'
import type { Applied } from './apply-facts.ts'
import { corrected, verdictOf } from './call-verdict.ts'
import { reopenConversation } from './conversations.ts'
import { type CallAccount, createCall } from './create-call.ts'
import { ensureCustomer, lockCustomers } from './customers.ts'
import { timeOfId } from './ids.ts'
import { endOf, isMissed, planMissedCall } from './missed-call.ts'
import type { RawReceipt } from './store-webhook.ts'
import { cleanText } from './text.ts'

/**
 * A call that the provider reports becomes one CALL_LOG of the organization, whichever of its accounts the webhooks were for; what a further
 * webhook knows better corrects it.
 */
export async function recordProviderCall(
  deps: Pick<Deps, 'db' | 'bus'>,
  account: CallAccount,
  raw: Pick<RawReceipt, 'id'>,
  fact: CallFact,
): Promise<Applied> {
  const { organizationId } = account
  const [identity] = fact.identities
  if (identity === undefined) return { reason: 'a call from nobody' }
  // Also of a webhook that is replayed long after.
  const arrivedAt = timeOfId(raw.id)
  return transact(deps, organizationId, async (tx, recorder): Promise<Applied> => {
    const known = await lockCall(tx, organizationId, cleanText(fact.externalMessageId))
    if (known !== null) return { outcome: await correct(tx, recorder, organizationId, known, fact, arrivedAt) }
    const name = fact.profileName === null ? null : cleanText(fact.profileName)
    const customerId = await ensureCustomer(tx, recorder, organizationId, identity, null, name)
    const call = await createCall(tx, recorder, account, customerId, fact, verdictOf(fact, arrivedAt))
    if (isMissedHere(call)) await miss(tx, recorder, call, fact, { endedAt: endOf(call, arrivedAt), arrivedAt })
    return { outcome: 'applied' }
  })
}

type Known = { id: string; customerId: string; conversationId: string | null }

/**
 * The record of the call, if any. The webhooks of one call queue here before they lock anything else, also where they came for several
 * accounts: the unique key on account and external id could not tell these apart. It serves the search, account by account.
 */
async function lockCall(tx: Tx, organizationId: string, externalMessageId: string): Promise<Known | null> {
  const key = `call ${organizationId} ${externalMessageId}`
  await tx.$queryRaw`SELECT pg_advisory_xact_lock(hashtextextended(${key}, 0))::text`
  const [known] = await tx.$queryRaw<Known[]>`
    SELECT c.id, c.customer_id AS "customerId", c.conversation_id AS "conversationId" FROM channel_account a
    JOIN communication c ON c.channel_account_id = a.id AND c.external_message_id = ${externalMessageId} AND c.type = 'CALL_LOG'
    WHERE a.organization_id = ${organizationId}::uuid`
  return known ?? null
}

async function correct(
  tx: Tx,
  recorder: Recorder,
  organizationId: string,
  { id, customerId, conversationId }: Known,
  fact: CallFact,
  arrivedAt: Date,
): Promise<'applied' | 'duplicate'> {
  await lockCustomers(tx, organizationId, [customerId])
  await tx.$queryRaw`SELECT FROM conversation WHERE id = ${conversationId}::uuid FOR NO KEY UPDATE`
  const former = await lockCommunication(tx, id)
  const verdict = former === null ? null : corrected({ ...former, payload: (former.payload ?? {}) as CallWords }, fact, arrivedAt)
  if (former === null || verdict === null) return 'duplicate'
  const call = await tx.communication.update({ where: { id }, data: verdict })
  const about = { customerId: call.customerId, conversationId: call.conversationId, communicationId: id }
  recorder.event({ type: 'COMMUNICATION_CHANGED', ...about, data: { change: 'call' } })
  // Nobody spoke, so it lasts 0 seconds now: it ended when it did as it was known before.
  if (isMissedHere(call) && !isMissed(former.callOutcome))
    await miss(tx, recorder, call, fact, { endedAt: endOf(former, arrivedAt), arrivedAt })
  return 'applied'
}

const isMissedHere = ({ direction, callOutcome }: Communication): boolean => direction === 'INBOUND' && isMissed(callOutcome)

/** Somebody waits for us. Who withholds their number cannot be answered: there is nothing to plan, and nobody to skip it for. */
async function miss(
  tx: Tx,
  recorder: Recorder,
  call: Communication,
  { address }: CallFact,
  { endedAt, arrivedAt }: { endedAt: Date; arrivedAt: Date },
): Promise<void> {
  if (call.conversationId !== null) await reopenConversation(tx, recorder, call.conversationId, arrivedAt)
  if (address !== null) await planMissedCall(tx, recorder, call, endedAt)
}
