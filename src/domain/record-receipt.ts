import type { ReceiptFact } from '../channels/channel.ts'
import type { Communication } from '../db/generated/client.ts'
import type { DeliveryStatus } from '../db/generated/enums.ts'
import type { Deps } from '../deps.ts'
import { type Recorder, type Tx, transact } from '../events/transact.ts'
import { advances, furthest, milestones } from './delivery-status.ts'
import { newId } from './ids.ts'
import type { RawWebhook } from './receive-message.ts'
import { cleanText } from './text.ts'

type Account = { id: string; organizationId: string }

/**
 * Keeps a delivery receipt and moves its communication forward, never back. A receipt for a message we do not know (yet) is kept;
 * `deliverMessage` applies it when the send's answer names the message. `raw` is null for the sandbox's receipts.
 */
export async function recordReceipt(
  deps: Pick<Deps, 'db' | 'bus'>,
  account: Account,
  raw: RawWebhook | null,
  fact: ReceiptFact,
): Promise<void> {
  await transact(deps, account.organizationId, async (tx, recorder) => {
    if (raw !== null) {
      await tx.webhook.create({
        data: {
          id: newId(),
          organizationId: account.organizationId,
          channelAccountId: account.id,
          url: raw.url,
          headers: raw.headers,
          body: new Uint8Array(raw.body),
          status: 'APPLIED',
        },
      })
    }
    const communication = await lockOutbound(tx, account, fact)
    await tx.receipt.create({
      data: {
        id: newId(),
        organizationId: account.organizationId,
        channelAccountId: account.id,
        communicationId: communication?.id ?? null,
        externalMessageId: fact.externalMessageId,
        status: fact.status,
        errorCode: fact.error?.code ?? null,
        errorMessage: fact.error === null ? null : cleanText(fact.error.message),
      },
    })
    if (communication !== null) await advance(tx, recorder, communication, fact)
  })
}

type Advance = { status: DeliveryStatus; error: { code: string; message: string } | null; externalMessageId: string | null }

/** Moves a locked communication to `to.status` where that is further, with its event. */
export async function advance(tx: Tx, recorder: Recorder, communication: Communication, to: Advance): Promise<void> {
  const previous = communication.deliveryStatus ?? 'PENDING'
  const status = furthest(previous, to.status)
  const moved = advances(previous, to.status)
  const learnedId = communication.externalMessageId === null && to.externalMessageId !== null
  if (!moved && !learnedId) return
  await tx.communication.update({
    where: { id: communication.id },
    data: {
      deliveryStatus: status,
      externalMessageId: communication.externalMessageId ?? to.externalMessageId,
      ...(moved
        ? {
            failureCode: status === 'FAILED' ? (to.error?.code ?? null) : null,
            failureMessage: status === 'FAILED' ? (to.error?.message ?? 'The provider could not deliver the message.') : null,
            ...milestones(status, communication, new Date()),
          }
        : {}),
    },
  })
  if (!moved) return
  recorder.event({
    type: 'DELIVERY_STATUS_CHANGED',
    customerId: communication.customerId,
    conversationId: communication.conversationId,
    communicationId: communication.id,
    data: { deliveryStatus: status, previousStatus: previous },
  })
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

/** Applies receipts that overtook the send's answer. */
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
