import type { Conversation } from '../db/generated/client.ts'
import type { Tx } from '../events/transact.ts'
import { newId, timeOfId } from './ids.ts'
import { laterOf, wayOf } from './merge-conversations.ts'
import type { ConversationState, Joined } from './merge-record.ts'

type Counts = { unread: number; inbound: number; outbound: number; last: string | null }

const dateOf = (time: string | null): Date | null => (time === null ? null : new Date(time))

const wayBefore = ({ address, windowExpiresAt, windowReason, lastInboundAt }: ConversationState) => ({
  address,
  windowExpiresAt: dateOf(windowExpiresAt),
  windowReason,
  lastInboundAt: dateOf(lastInboundAt),
})

const latest = (lastActivityAt: string, last: string | null): Date =>
  last === null ? new Date(lastActivityAt) : laterOf(new Date(lastActivityAt), timeOfId(last))

const added = ({ unread, inbound, outbound }: Counts) => ({
  unreadCount: { increment: unread },
  inboundCount: { increment: inbound },
  outboundCount: { increment: outbound },
})

const taken = ({ unread, inbound, outbound }: Counts) => ({
  unreadCount: { decrement: unread },
  inboundCount: { decrement: inbound },
  outboundCount: { decrement: outbound },
})

/** Moves those communications from one conversation to another. Gives their counts, notes and calls being no messages, and the last id. */
async function move(tx: Tx, from: string, to: string, ids: string[]): Promise<Counts> {
  const [counts] = await tx.$queryRaw<Counts[]>`
    WITH moved AS (
      UPDATE communication SET conversation_id = ${to}::uuid WHERE conversation_id = ${from}::uuid AND id = ANY(${ids}::uuid[])
      RETURNING id, is_read, direction, type IN ('INTERNAL_NOTE', 'CALL_LOG') AS internal
    )
    SELECT count(*) FILTER (WHERE NOT is_read)::int AS unread, count(*) FILTER (WHERE direction = 'INBOUND' AND NOT internal)::int AS inbound,
      count(*) FILTER (WHERE direction = 'OUTBOUND' AND NOT internal)::int AS outbound, max(id::text) AS last
    FROM moved`
  if (counts === undefined) throw new Error('an aggregate gives one row')
  return counts
}

const lastOf = async (tx: Tx, conversationId: string): Promise<string | null> =>
  (await tx.communication.findFirst({ where: { conversationId }, orderBy: { id: 'desc' }, select: { id: true } }))?.id ?? null

/**
 * Takes apart what `joinConversations` put together; what came since stays in `into`, but for the address and window of someone who is
 * given back: `isTheirs` tells whose an address is. Gives the two conversations as they are then.
 */
export async function partConversations(
  tx: Tx,
  { from, into, communications, before, after }: Joined,
  isTheirs: (conversation: Conversation) => boolean,
  now: Date,
): Promise<Conversation[]> {
  const counts = await move(tx, into, from, communications)
  const current = await tx.conversation.findUniqueOrThrow({ where: { id: into } })
  const theirs = isTheirs(current)
  const wroteSince = current.lastInboundAt?.getTime() !== dateOf(after.lastInboundAt)?.getTime()
  const { address, ...window } = wayBefore(before)
  const way = theirs ? { address, ...window } : wroteSince ? {} : window
  const last = await lastOf(tx, into)
  const assigneeId = before.assigneeId === null && current.assigneeId === after.assigneeId ? null : current.assigneeId
  const parted = await tx.conversation.update({
    where: { id: into },
    data: {
      ...way,
      ...statusBefore(current, before, after, now),
      ...taken(counts),
      assigneeId,
      lastCommunicationId: last,
      lastActivityAt: latest(before.lastActivityAt, last),
    },
  })
  const restored = await tx.conversation.update({
    where: { id: from },
    data: { ...(theirs && wroteSince ? wayOf(current) : {}), ...added(counts), mergedIntoId: null },
  })
  return [parted, restored]
}

function statusBefore(current: Conversation, before: ConversationState, after: ConversationState, now: Date) {
  const changed = before.status !== after.status && current.statusChangedAt.toISOString() === after.statusChangedAt
  if (!changed) return {}
  const overslept = before.status === 'SNOOZED' && (dateOf(before.snoozedUntil) ?? now) <= now
  return overslept ? {} : { status: before.status, snoozedUntil: dateOf(before.snoozedUntil), statusChangedAt: now }
}

/**
 * Gives a conversation that changed hands back to `customerId`. What came in it since stays with `keeperId`, in a conversation of its own.
 * The communications must be their customers' already. Gives the conversations that there are then.
 */
export async function returnConversation(
  tx: Tx,
  { id, lastActivityAt }: { id: string; lastActivityAt: string },
  customerId: string,
  keeperId: string,
): Promise<{ returned: Conversation; kept: Conversation | null }> {
  const conversation = await tx.conversation.update({ where: { id }, data: { customerId } })
  const since = await tx.communication.findMany({ where: { conversationId: id, customerId: keeperId }, select: { id: true } })
  if (since.length === 0) return { returned: conversation, kept: null }
  const { organizationId, channelAccountId, channel } = conversation
  const own = { id: newId(), organizationId, customerId: keeperId, channelAccountId, channel }
  const made = await tx.conversation.create({ data: { ...own, ...wayOf(conversation), lastActivityAt: conversation.lastActivityAt } })
  const ids = since.map((row) => row.id)
  const counts = await move(tx, id, made.id, ids)
  const last = await lastOf(tx, id)
  const kept = await tx.conversation.update({ where: { id: made.id }, data: { ...added(counts), lastCommunicationId: counts.last } })
  const returned = await tx.conversation.update({
    where: { id },
    data: { ...taken(counts), lastCommunicationId: last, lastActivityAt: latest(lastActivityAt, last) },
  })
  return { returned, kept }
}
