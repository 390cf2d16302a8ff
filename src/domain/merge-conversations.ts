import type { Conversation } from '../db/generated/client.ts'
import type { Tx } from '../events/transact.ts'
import type { ConversationState, Joined } from './merge-record.ts'

const iso = (time: Date | null): string | null => time?.toISOString() ?? null

export const stateOf = (conversation: Conversation): ConversationState => ({
  address: conversation.address,
  status: conversation.status,
  snoozedUntil: iso(conversation.snoozedUntil),
  statusChangedAt: conversation.statusChangedAt.toISOString(),
  assigneeId: conversation.assigneeId,
  windowExpiresAt: iso(conversation.windowExpiresAt),
  windowReason: conversation.windowReason,
  lastInboundAt: iso(conversation.lastInboundAt),
  lastActivityAt: conversation.lastActivityAt.toISOString(),
})

export const laterOf = <T extends Date | string>(one: T, other: T): T => (one > other ? one : other)

/** Where the customer wrote last is where an answer goes: address and messaging window belong together. */
export const wayOf = ({ address, windowExpiresAt, windowReason, lastInboundAt }: Conversation) => ({
  address,
  windowExpiresAt,
  windowReason,
  lastInboundAt,
})

/**
 * Puts what is in `from` into `into`, with counts, window and latest activity; both rows must be locked. `from` keeps its own state, for the
 * day it is parted again, and counts nothing until then.
 */
export async function joinConversations(tx: Tx, from: Conversation, into: Conversation, now: Date): Promise<Joined> {
  const moved = await tx.$queryRaw<{ id: string }[]>`
    UPDATE communication SET customer_id = ${into.customerId}::uuid, conversation_id = ${into.id}::uuid
    WHERE conversation_id = ${from.id}::uuid RETURNING id`
  const reached = (from.lastInboundAt?.getTime() ?? 0) > (into.lastInboundAt?.getTime() ?? 0) ? from : into
  const joined = await tx.conversation.update({
    where: { id: into.id },
    data: {
      ...wayOf(reached),
      ...statusAfter(from, into, now),
      assigneeId: into.assigneeId ?? from.assigneeId,
      unreadCount: { increment: from.unreadCount },
      inboundCount: { increment: from.inboundCount },
      outboundCount: { increment: from.outboundCount },
      lastCommunicationId: laterOf(from.lastCommunicationId ?? '', into.lastCommunicationId ?? '') || null,
      lastActivityAt: laterOf(from.lastActivityAt, into.lastActivityAt),
    },
  })
  await tx.conversation.update({
    where: { id: from.id },
    data: { mergedIntoId: into.id, unreadCount: 0, inboundCount: 0, outboundCount: 0 },
  })
  return { from: from.id, into: into.id, communications: moved.map(({ id }) => id), before: stateOf(into), after: stateOf(joined) }
}

// What is open for one of them is open: nothing that waits for an answer may vanish. A snooze ends by the job of its own conversation.
function statusAfter(from: Conversation, into: Conversation, now: Date) {
  const stays = into.status === 'OPEN' || from.status === 'CLOSED' || (from.status === 'SNOOZED' && into.status === 'SNOOZED')
  return stays ? {} : { status: 'OPEN' as const, snoozedUntil: null, statusChangedAt: now }
}
