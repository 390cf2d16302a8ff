import type { ChannelAccount, Communication, Conversation } from '../db/generated/client.ts'
import type { Deps } from '../deps.ts'
import type { Recorder, Tx } from '../events/transact.ts'
import { findSurvivors } from './find-survivors.ts'
import { newId, timeOfId } from './ids.ts'

/** The one conversation of customer and account, made where it is missing, and locked. The customer must be locked already. */
export async function ensureConversation(
  tx: Tx,
  recorder: Recorder,
  recipient: { account: Pick<ChannelAccount, 'id' | 'organizationId' | 'channel'>; address: string },
  customerId: string,
  actorId: string | null,
): Promise<Conversation> {
  const { account, address } = recipient
  const key = { customerId, channelAccountId: account.id }
  const found = await tx.conversation.findUnique({ where: { customerId_channelAccountId: key } })
  if (found !== null) return tx.conversation.update({ where: { id: found.id }, data: { address } })
  const id = newId()
  const made = await tx.conversation.create({
    data: { id, ...key, organizationId: account.organizationId, channel: account.channel, address, lastActivityAt: timeOfId(id) },
  })
  recorder.event({ type: 'CONVERSATION_CHANGED', actorId, customerId, conversationId: id, data: { status: 'OPEN', created: true } })
  return made
}

/** Makes a communication that is no message to the customer the conversation's latest. */
export async function touchConversation(tx: Tx, conversationId: string, communicationId: string): Promise<void> {
  await tx.$executeRaw`
    UPDATE conversation SET
      last_communication_id = greatest(last_communication_id, ${communicationId}::uuid),
      last_activity_at = greatest(last_activity_at, ${timeOfId(communicationId)}::timestamptz)
    WHERE id = ${conversationId}::uuid`
}

type Outbound = Pick<Communication, 'id'> & { conversationId: string; address: string }

/** Counts messages to customers in their conversations, each as the latest there; answers go where the latest went. They must be locked. */
export async function addOutbound(tx: Tx, messages: readonly Outbound[]): Promise<void> {
  const latest = [...Map.groupBy(messages, ({ conversationId }) => conversationId)].map(([id, said]) => ({ id, said, last: said.at(-1) }))
  await tx.$executeRaw`
    UPDATE conversation SET
      address = new.address,
      outbound_count = outbound_count + new.outbound,
      last_communication_id = greatest(last_communication_id, new.communication_id),
      last_activity_at = greatest(last_activity_at, new.at)
    FROM unnest(${latest.map(({ id }) => id)}::uuid[], ${latest.map(({ last }) => last?.address)}::text[],
      ${latest.map(({ said }) => said.length)}::int[], ${latest.map(({ last }) => last?.id)}::uuid[],
      ${latest.map(({ last }) => timeOfId(last?.id ?? ''))}::timestamptz[]) AS new(conversation_id, address, outbound, communication_id, at)
    WHERE conversation.id = new.conversation_id`
}

/** Where the customer waits for us it is open again, as after a message of theirs. It must be locked. */
export async function reopenConversation(tx: Tx, recorder: Recorder, conversationId: string, at: Date): Promise<void> {
  const { status, assigneeId, customerId } = await tx.conversation.findUniqueOrThrow({ where: { id: conversationId } })
  if (status === 'OPEN') return
  await tx.conversation.update({ where: { id: conversationId }, data: { status: 'OPEN', snoozedUntil: null, statusChangedAt: at } })
  const data = { status: 'OPEN', previousStatus: status, assigneeId, previousAssigneeId: assigneeId }
  recorder.event({ type: 'CONVERSATION_CHANGED', customerId, conversationId, data })
}

/**
 * The conversations by their ids; the id of one that was joined with another leads to that one. `columns`: a `select` that has id and
 * mergedIntoId; all, where there is none.
 */
export const findConversations = (
  deps: { db: Pick<Deps['db'], 'conversation'> },
  organizationId: string,
  ids: readonly string[],
  columns: object = {},
): Promise<Map<string, Conversation>> =>
  findSurvivors(ids, (wanted) => deps.db.conversation.findMany({ where: { id: { in: wanted }, organizationId }, ...columns }))
