import type { Conversation, Prisma } from '../db/generated/client.ts'
import type { ConversationStatus } from '../db/generated/enums.ts'
import type { Deps } from '../deps.ts'
import { type Tx, transact } from '../events/transact.ts'
import { enqueue } from '../jobs/enqueue.ts'
import type { Actor } from './actor.ts'
import { findConversations } from './conversations.ts'
import { NotFoundError, ValidationError } from './errors.ts'

const MAX_SNOOZE_DAYS = 366

export type AssignConversationInput = { conversationId: string /** null: nobody */; assigneeId?: string | null }

/** Throws NotFoundError for a conversation or member that is not in the organization. */
export async function assignConversation(
  deps: Pick<Deps, 'db' | 'bus' | 'clock'>,
  actor: Actor,
  input: AssignConversationInput,
): Promise<Conversation> {
  const assigneeId = input.assigneeId ?? null
  return change(deps, actor, await livingId(deps, actor, input.conversationId), async (tx) => {
    if (assigneeId === null) return { assigneeId }
    const member = await tx.member.findFirst({ where: { id: assigneeId, organizationId: actor.organizationId } })
    if (member === null) throw new NotFoundError('member', ['input', 'assigneeId'])
    return { assigneeId }
  })
}

export type SetConversationStatusInput = { conversationId: string; status: ConversationStatus; snoozedUntil?: Date | null }

/** SNOOZED needs `snoozedUntil`, in the future and at most 366 days ahead; the conversation reopens then, or when the customer writes. */
export async function setConversationStatus(
  deps: Pick<Deps, 'db' | 'bus' | 'clock'>,
  actor: Actor,
  input: SetConversationStatusInput,
): Promise<Conversation> {
  const path = ['input', 'snoozedUntil']
  const snoozedUntil = input.snoozedUntil ?? null
  if (input.status !== 'SNOOZED' && snoozedUntil !== null) throw new ValidationError('snoozedUntil goes with status SNOOZED only.', path)
  if (input.status === 'SNOOZED') {
    const ahead = (snoozedUntil?.getTime() ?? 0) - deps.clock().getTime()
    if (ahead <= 0 || ahead > MAX_SNOOZE_DAYS * 86_400_000) {
      throw new ValidationError(`SNOOZED needs snoozedUntil, in the future and at most ${MAX_SNOOZE_DAYS} days ahead.`, path)
    }
  }
  const conversationId = await livingId(deps, actor, input.conversationId)
  return change(deps, actor, conversationId, async (tx) => {
    if (snoozedUntil !== null) await enqueue(tx, 'wake-conversation', { conversationId }, { runAt: snoozedUntil })
    return { status: input.status, snoozedUntil }
  })
}

/** Reopens a conversation whose snooze has ended; anything else is left alone. */
export async function wakeConversation(deps: Pick<Deps, 'db' | 'bus' | 'clock'>, conversationId: string): Promise<void> {
  const found = await deps.db.conversation.findUnique({ where: { id: conversationId }, select: { organizationId: true } })
  if (found === null) return
  await change(deps, { organizationId: found.organizationId, memberId: null }, conversationId, async (_tx, { status, snoozedUntil }) => {
    const due = status === 'SNOOZED' && snoozedUntil !== null && snoozedUntil <= deps.clock()
    return due ? { status: 'OPEN', snoozedUntil: null } : {}
  })
}

// Staff may still have one on their screen that was joined with another.
const livingId = async (deps: Pick<Deps, 'db'>, { organizationId }: Actor, id: string): Promise<string> =>
  (await findConversations(deps, organizationId, [id])).get(id)?.id ?? id

type Change = Pick<Prisma.ConversationUncheckedUpdateInput, 'assigneeId' | 'status' | 'snoozedUntil'>

async function change(
  deps: Pick<Deps, 'db' | 'bus' | 'clock'>,
  actor: Actor,
  conversationId: string,
  decide: (tx: Tx, before: Conversation) => Promise<Change>,
): Promise<Conversation> {
  const { organizationId, memberId } = actor
  return transact(deps, organizationId, async (tx, recorder) => {
    await tx.$queryRaw`SELECT FROM conversation WHERE id = ${conversationId}::uuid AND organization_id = ${organizationId}::uuid FOR NO KEY UPDATE`
    const before = await tx.conversation.findFirst({ where: { id: conversationId, organizationId } })
    if (before === null) throw new NotFoundError('conversation', ['input', 'conversationId'])
    const data = await decide(tx, before)
    const after = { ...before, ...data } as Conversation
    const same =
      after.status === before.status &&
      after.assigneeId === before.assigneeId &&
      after.snoozedUntil?.getTime() === before.snoozedUntil?.getTime()
    if (same) return before
    const statusChangedAt = after.status === before.status ? {} : { statusChangedAt: deps.clock() }
    recorder.event({
      type: 'CONVERSATION_CHANGED',
      actorId: memberId,
      customerId: before.customerId,
      conversationId,
      data: { status: after.status, previousStatus: before.status, assigneeId: after.assigneeId, previousAssigneeId: before.assigneeId },
    })
    return tx.conversation.update({ where: { id: conversationId }, data: { ...data, ...statusChangedAt } })
  })
}
