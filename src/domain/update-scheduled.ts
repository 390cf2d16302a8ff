import type { Communication } from '../db/generated/client.ts'
import type { Deps } from '../deps.ts'
import { type Tx, transact } from '../events/transact.ts'
import type { Actor } from './actor.ts'
import { lockCommunication } from './advance.ts'
import { releaseFiles } from './compose-files.ts'
import { type Composed, compose, messageOf } from './compose-message.ts'
import type { ContentInput } from './content-input.ts'
import { contentOf } from './content-of.ts'
import { lockOwner } from './customers.ts'
import { checkPolicy, columnsOf, keepParts } from './draft-message.ts'
import { NotFoundError, ValidationError } from './errors.ts'
import type { Message, RefusalPaths } from './policies.ts'
import type { Recipient } from './resolve-recipient.ts'
import { checkedSendAt, enqueueDelivery } from './schedule.ts'
import { storedMessage } from './stored-message.ts'

export type UpdateScheduledInput = {
  communicationId: string
  /** Absent: it stays, as the next. */
  sendAt?: Date | null
  content?: ContentInput | null
}

const PATH = ['input', 'communicationId']

/**
 * Changes when a message is sent, or what it says, as long as its sending has not begun: either the change is in what is sent, or this
 * throws. What it says is replaced as a whole; what it answers stays. Throws UserErrors as sendMessage does; a refused change changes nothing.
 */
export async function updateScheduled(deps: Deps, actor: Actor, input: UpdateScheduledInput): Promise<Communication> {
  const sendAt = checkedSendAt(input.sendAt, deps.clock())
  const content = input.content ?? null
  return transact(deps, actor.organizationId, async (tx, recorder) => {
    const communication = await lockScheduled(tx, actor.organizationId, input.communicationId)
    if (sendAt === null && content === null) return communication
    const recipient = await recipientOf(deps, tx, communication)
    const composed = content === null ? null : await recompose(tx, actor, recipient, communication, content)
    const { purpose } = composed ?? communication
    const message = composed === null ? await asItIs(tx, communication, recipient) : messageOf(composed, false)
    const at = sendAt ?? laterOf(communication.sendAt, deps.clock())
    await checkPolicy(tx, recipient, message, purpose, at, pathsOf(composed))
    const changed = await tx.communication.update({
      where: { id: communication.id },
      data: { ...(composed === null ? {} : columnsOf(composed)), ...(sendAt === null ? {} : { sendAt }) },
    })
    if (composed !== null) {
      await releaseFiles(tx, changed.id, composed.files, deps.clock())
      await keepParts(tx, changed, recipient, composed)
    }
    if (sendAt !== null) await enqueueDelivery(tx, changed)
    const { id: communicationId, customerId, conversationId } = changed
    const about = { actorId: actor.memberId, customerId, conversationId, communicationId }
    recorder.event({ type: 'COMMUNICATION_CHANGED', ...about, data: { change: 'schedule' } })
    return changed
  })
}

/** Locks the customer, then the message. Throws NotFoundError, and ValidationError where it cannot be changed, or not any more. */
async function lockScheduled(tx: Tx, organizationId: string, id: string): Promise<Communication> {
  await lockOwner(tx, organizationId, () => tx.communication.findFirst({ where: { id, organizationId }, select: { customerId: true } }))
  const communication = await lockCommunication(tx, id)
  if (communication?.organizationId !== organizationId) throw new NotFoundError('communication', PATH)
  const { deliveryStatus } = communication
  if (deliveryStatus !== 'SCHEDULED') {
    const state = deliveryStatus === null ? 'was never to be sent' : `is ${deliveryStatus}`
    throw new ValidationError(`Only a message that is still SCHEDULED can be changed; this one ${state}.`, PATH)
  }
  return communication
}

async function recipientOf(deps: Deps, tx: Tx, communication: Communication): Promise<Recipient & { customerId: string }> {
  const { id, customerId, conversationId, channelAccountId, address } = communication
  if (conversationId === null || channelAccountId === null || address === null) throw new Error(`communication ${id} goes nowhere`)
  const account = await tx.channelAccount.findUniqueOrThrow({ where: { id: channelAccountId } })
  const adapter = deps.channels.get(account.provider, account.channel)
  return { account, adapter, address, customerId, conversation: await tx.conversation.findUnique({ where: { id: conversationId } }) }
}

async function recompose(
  tx: Tx,
  actor: Actor,
  recipient: Recipient & { customerId: string },
  before: Communication,
  content: ContentInput,
): Promise<Composed> {
  const composed = await compose(tx, actor, recipient.customerId, recipient, { content, purpose: await purposeGiven(tx, before) }, before)
  // What a reaction is on belongs to what it says.
  const answered = contentOf(before).kind === 'REACTION' ? null : before.inReplyTo
  return { ...composed, inReplyTo: composed.inReplyTo ?? answered }
}

/** What the sender said; the purpose of a MARKETING template goes with the template. */
async function purposeGiven(tx: Tx, { templateId, purpose }: Communication): Promise<Composed['purpose']> {
  const template = templateId === null ? null : await tx.template.findUnique({ where: { id: templateId }, select: { purpose: true } })
  return template?.purpose === 'MARKETING' ? 'TRANSACTIONAL' : purpose
}

const asItIs = async (tx: Tx, communication: Communication, { adapter }: Recipient): Promise<Message> =>
  storedMessage(tx, communication, adapter, await tx.attachment.findMany({ where: { communicationId: communication.id } }))

const pathsOf = (composed: Composed | null): Partial<RefusalPaths> => ({
  account: PATH,
  recipient: PATH,
  ...(composed === null ? { template: PATH, window: ['input', 'sendAt'] } : {}),
})

const laterOf = (sendAt: Date | null, now: Date): Date => (sendAt !== null && sendAt > now ? sendAt : now)
