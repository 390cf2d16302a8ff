import type { Communication } from '../db/generated/client.ts'
import type { Deps } from '../deps.ts'
import { type Recorder, type Tx, transact } from '../events/transact.ts'
import type { Actor } from './actor.ts'
import { type Composed, compose, type MessageInput, messageOf } from './compose-message.ts'
import { ensureConversation, touchConversation } from './conversations.ts'
import { ensureCustomer, lockCustomers } from './customers.ts'
import { checkPolicy, columnsOf, keepParts } from './draft-message.ts'
import { checkedKey, inputHash, madeBefore } from './idempotency.ts'
import { newId, timeOfId } from './ids.ts'
import type { RefusalPaths } from './policies.ts'
import { type Recipient, type RecipientInput, resolveRecipient } from './resolve-recipient.ts'
import { checkedSendAt, enqueueDelivery } from './schedule.ts'
import { isUniqueViolation } from './unique-violation.ts'

export type SendMessageInput = RecipientInput &
  MessageInput & {
    /** When to send; absent: now. */
    sendAt?: Date | null
    idempotencyKey?: string | null
  }

type Request = { sendAt: Date | null; key: string | null; hash: string; automationRunId?: string }

/** Writes the message, before any channel's rules. */
export type Compose = (tx: Tx, customerId: string, recipient: Recipient) => Promise<Composed>

/**
 * Writes the communication, its event and its job in one transaction; the worker calls the provider. The same `idempotencyKey` with the
 * same input gives the same communication. Throws UserErrors; a refused message leaves nothing behind.
 */
export const sendMessage = (deps: Deps, actor: Actor, input: SendMessageInput): Promise<Communication> =>
  sendComposed(deps, actor, input, (tx, customerId, recipient) => compose(tx, actor, customerId, recipient, input))

/** As `sendMessage`, for a message of any other make; `paths`: what a refusal names. */
export async function sendComposed(
  deps: Deps,
  actor: Actor,
  input: RecipientInput & Pick<SendMessageInput, 'sendAt' | 'idempotencyKey'>,
  composeIt: Compose,
  paths: Partial<RefusalPaths> = {},
): Promise<Communication> {
  const key = checkedKey(input.idempotencyKey)
  const hash = inputHash({ ...input, idempotencyKey: null })
  if (key !== null) {
    const before = await madeBefore(deps, actor.organizationId, key, hash)
    if (before !== null) return before
  }
  const sendAt = checkedSendAt(input.sendAt, deps.clock())
  const recipient = await resolveRecipient(deps, actor.organizationId, input)
  try {
    return await transact(deps, actor.organizationId, async (tx, recorder) => {
      const known = recipient.customerId ?? (await newCustomer(tx, recorder, actor, recipient))
      // Who was merged meanwhile is the survivor.
      const [customerId = known] = await lockCustomers(tx, actor.organizationId, [known])
      const composed = await composeIt(tx, customerId, recipient)
      const message = messageOf(composed, actor.memberId !== null && sendAt === null)
      await checkPolicy(tx, { ...recipient, customerId }, message, composed.purpose, sendAt ?? deps.clock(), paths)
      return storeMessage(tx, recorder, actor, recipient, customerId, composed, { sendAt, key, hash })
    })
  } catch (error) {
    // Concurrent calls with one key: the unique index lets one through, the others find what it made.
    if (key === null || !isUniqueViolation(error)) throw error
    const winner = await madeBefore(deps, actor.organizationId, key, hash)
    if (winner === null) throw error
    return winner
  }
}

const newCustomer = (tx: Tx, recorder: Recorder, actor: Actor, { adapter, account, address }: Recipient): Promise<string> =>
  ensureCustomer(tx, recorder, actor.organizationId, adapter.identify(address, account.address), actor.memberId)

/** Writes a message that the policy allows, with its job. The customer must be locked. */
export async function storeMessage(
  tx: Tx,
  recorder: Recorder,
  actor: Actor,
  recipient: Recipient,
  customerId: string,
  composed: Composed,
  { sendAt, key, hash, automationRunId }: Request,
): Promise<Communication> {
  const { organizationId, memberId } = actor
  const { account } = recipient
  const conversation = await ensureConversation(tx, recorder, recipient, customerId, memberId)
  const id = newId()
  const communication = await tx.communication.create({
    data: {
      id,
      organizationId,
      customerId,
      conversationId: conversation.id,
      channelAccountId: account.id,
      type: account.channel,
      direction: 'OUTBOUND',
      ...columnsOf(composed),
      authorId: memberId,
      automationRunId: automationRunId ?? null,
      deliveryStatus: sendAt === null ? 'PENDING' : 'SCHEDULED',
      address: recipient.address,
      idempotencyKey: key,
      idempotencyHash: key === null ? null : hash,
      sendAt,
      createdAt: timeOfId(id),
    },
  })
  await keepParts(tx, communication, recipient, composed)
  await touchConversation(tx, conversation.id, id, 1)
  await enqueueDelivery(tx, communication)
  const about = { actorId: memberId, customerId, conversationId: conversation.id }
  recorder.event({ type: 'COMMUNICATION_CREATED', ...about, communicationId: id })
  if (composed.reactsTo !== null)
    recorder.event({ type: 'COMMUNICATION_CHANGED', ...about, communicationId: composed.reactsTo, data: { change: 'reaction' } })
  return communication
}
