import type { AnyChannelAdapter, Outgoing, SendResult } from '../channels/channel.ts'
import { Rejected, Unavailable, Uncertain } from '../channels/failures.ts'
import type { Attachment, ChannelAccount, Communication } from '../db/generated/client.ts'
import type { Deps } from '../deps.ts'
import { type Recorder, type Tx, transact } from '../events/transact.ts'
import { conversationQueue, enqueue } from '../jobs/enqueue.ts'
import { advance, lockCommunication } from './advance.ts'
import { credentialsOf } from './channel-credentials.ts'
import { recordConsent } from './consent.ts'
import { lockCustomers } from './customers.ts'
import { UserError } from './errors.ts'
import { holdInQuietHours, reconsider, settingsFor, withdraw } from './hold-message.ts'
import { outgoingOf, sendPayloadOf } from './outgoing.ts'
import { checkMessage } from './policies.ts'
import { applyEarlyReceipts, lockExternalId } from './record-receipt.ts'
import { enqueueDelivery, putOff } from './schedule.ts'
import { standingOf } from './standing.ts'
import { storedMessage } from './stored-message.ts'

type Attempt = { communication: Communication; account: ChannelAccount; outgoing: Outgoing }

export type DeliveryOutcome = 'sent' | 'rejected' | 'retried' | 'unknown' | 'refused' | 'nothing to do'

const MAX_BACKOFF_MS = 10 * 60_000
const MAX_RETRY_AFTER_MS = 60 * 60_000

/**
 * Sends one pending communication. The attempt is committed before the provider is called: if the process dies after that, the
 * communication becomes UNKNOWN and only the provider's receipt settles it, because nobody can know whether it was sent.
 */
export async function deliverMessage(deps: Deps, communicationId: string): Promise<{ provider: string; outcome: DeliveryOutcome }> {
  const attempt = await begin(deps, communicationId)
  if (typeof attempt === 'string') return { provider: 'none', outcome: attempt }
  return { provider: attempt.account.provider, outcome: await send(deps, attempt) }
}

async function send(deps: Deps, attempt: Attempt): Promise<DeliveryOutcome> {
  const { communication, account, outgoing } = attempt
  const adapter = deps.channels.get(account.provider, account.channel)
  const { organizationId } = communication
  let result: SendResult
  try {
    result = await adapter.send(outgoing, credentialsOf(deps, adapter, account))
  } catch (error) {
    return transact(deps, organizationId, (tx, recorder) => settleFailure(deps, tx, recorder, attempt, error))
  }
  await transact(deps, organizationId, (tx, recorder) => settleSuccess(deps, tx, recorder, attempt, result))
  return 'sent'
}

async function begin(deps: Deps, communicationId: string): Promise<Attempt | DeliveryOutcome> {
  const found = await deps.db.communication.findUnique({
    where: { id: communicationId },
    select: { organizationId: true, automationRunId: true, sendAt: true },
  })
  if (found === null) return 'nothing to do'
  const { organizationId, automationRunId } = found
  return transact(deps, organizationId, async (tx, recorder) => {
    const settings = await settingsFor(tx, found)
    const overtaken = await reconsider(deps, tx, settings, automationRunId)
    const communication = await lock(tx, communicationId)
    if (communication.deliveryStatus !== 'SCHEDULED' && communication.deliveryStatus !== 'PENDING') return 'nothing to do'
    if (communication.attemptStartedAt !== null) {
      await advance(tx, recorder, communication, { status: 'UNKNOWN', error: null, externalMessageId: null })
      return 'unknown'
    }
    if (overtaken !== null) {
      await withdraw(deps, tx, recorder, communication, overtaken)
      return 'refused'
    }
    if (await putOff(deps, tx, communication)) return 'nothing to do'
    if (await holdInQuietHours(deps, tx, recorder, settings, communication)) return 'nothing to do'
    const { channelAccountId, address } = communication
    if (channelAccountId === null || address === null) throw new Error(`communication ${communicationId} has no account or address`)
    const account = await tx.channelAccount.findUniqueOrThrow({ where: { id: channelAccountId } })
    const adapter = deps.channels.get(account.provider, account.channel)
    const named = sendPayloadOf(communication).files ?? []
    const files = named.length === 0 ? [] : await tx.attachment.findMany({ where: { communicationId, organizationId } })
    const verdict = await verdictOn(deps, tx, communication, account, adapter, files)
    if ('code' in verdict) {
      await advance(tx, recorder, communication, { status: 'FAILED', error: verdict, externalMessageId: null })
      return 'refused'
    }
    await advance(tx, recorder, communication, { status: 'PENDING', error: null, externalMessageId: null })
    await tx.communication.update({ where: { id: communicationId }, data: { attemptStartedAt: deps.clock(), attempts: { increment: 1 } } })
    const outgoing = await outgoingOf(deps, tx, { communication, account, adapter, files }, { to: address, ...verdict })
    return { communication, account, outgoing }
  })
}

/** The policy once more: between the request and now the customer may have opted out, or the window closed. */
async function verdictOn(
  deps: Deps,
  tx: Tx,
  communication: Communication,
  account: ChannelAccount,
  adapter: AnyChannelAdapter,
  files: readonly Attachment[],
): Promise<{ humanAgent: boolean } | { code: string; message: string }> {
  const { customerId, purpose } = communication
  const message = await storedMessage(tx, communication, adapter, files)
  try {
    return checkMessage(await standingOf(tx, { account, adapter, customerId }, purpose), message, deps.clock())
  } catch (error) {
    if (error instanceof UserError) return { code: error.code, message: error.message }
    throw error
  }
}

async function settleSuccess(deps: Deps, tx: Tx, recorder: Recorder, attempt: Attempt, result: SendResult): Promise<void> {
  const communicationId = attempt.communication.id
  await lockExternalId(tx, attempt.account.id, result.externalMessageId)
  const communication = await lock(tx, communicationId)
  const sent = await advance(tx, recorder, communication, { status: 'SENT', error: null, externalMessageId: result.externalMessageId })
  await applyEarlyReceipts(tx, recorder, sent)
  for (const receipt of result.laterReceipts ?? []) {
    const error = receipt.error === undefined ? {} : { errorCode: receipt.error.code, errorMessage: receipt.error.message }
    const runAt = new Date(deps.clock().getTime() + receipt.afterMs)
    // One queue, so in the order of their times also where the worker finds several of them due.
    const queue = conversationQueue('receipts', communication.conversationId ?? communicationId)
    await enqueue(tx, 'record-receipt', { communicationId, status: receipt.status, ...error }, { runAt, queue })
  }
}

async function settleFailure(deps: Deps, tx: Tx, recorder: Recorder, attempt: Attempt, error: unknown): Promise<DeliveryOutcome> {
  const { id: communicationId, organizationId, customerId } = attempt.communication
  if (error instanceof Rejected && error.recipientOptedOut) await lockCustomers(tx, organizationId, [customerId])
  const communication = await lock(tx, communicationId)
  if (error instanceof Rejected) {
    if (error.recipientOptedOut)
      await recordConsent(tx, recorder, {
        organizationId: communication.organizationId,
        customerId: communication.customerId,
        channel: channelOf(communication),
        purposes: error.optedOutOf,
        state: 'OPTED_OUT',
        source: 'PROVIDER',
        evidence: `${error.code}: ${error.explanation}`,
        actorId: null,
        communicationId,
        occurredAt: deps.clock(),
      })
    await advance(tx, recorder, communication, {
      status: 'FAILED',
      error: { code: error.code, message: error.explanation },
      externalMessageId: null,
    })
    return 'rejected'
  }
  if (error instanceof Unavailable) return retryLater(deps, tx, recorder, communication, error)
  deps.log.warn({ err: error, communicationId }, error instanceof Uncertain ? 'send outcome uncertain' : 'send failed unexpectedly')
  await advance(tx, recorder, communication, { status: 'UNKNOWN', error: null, externalMessageId: null })
  return 'unknown'
}

async function retryLater(
  deps: Deps,
  tx: Tx,
  recorder: Recorder,
  communication: Communication,
  error: Unavailable,
): Promise<DeliveryOutcome> {
  deps.log.warn({ communicationId: communication.id, attempts: communication.attempts, reason: error.message }, 'provider unavailable')
  if (communication.attempts >= deps.config.SEND_ATTEMPTS) {
    const message = `The provider could not be reached, or asked to wait, in ${communication.attempts} attempts: send it again later.`
    await advance(tx, recorder, communication, {
      status: 'FAILED',
      error: { code: 'PROVIDER_UNAVAILABLE', message },
      externalMessageId: null,
    })
    return 'rejected'
  }
  await tx.communication.update({ where: { id: communication.id }, data: { attemptStartedAt: null } })
  const backoff = Math.min(2 ** communication.attempts * 1000 * (0.75 + Math.random() / 2), MAX_BACKOFF_MS)
  const delay = Math.max(backoff, Math.min(error.retryAfterMs ?? 0, MAX_RETRY_AFTER_MS))
  const runAt = new Date(deps.clock().getTime() + delay)
  await enqueueDelivery(tx, communication, runAt)
  return 'retried'
}

function channelOf(communication: Communication) {
  if (communication.type === 'INTERNAL_NOTE' || communication.type === 'CALL_LOG') throw new Error(`${communication.type} is never sent`)
  return communication.type
}

async function lock(tx: Tx, id: string): Promise<Communication> {
  const communication = await lockCommunication(tx, id)
  if (communication === null) throw new Error(`communication ${id} is gone`)
  return communication
}
