import type { Conversation, Customer, CustomerMerge } from '../db/generated/client.ts'
import type { Deps } from '../deps.ts'
import { type Recorder, type Tx, transact } from '../events/transact.ts'
import type { Actor } from './actor.ts'
import { lockCustomers, lockIdentities } from './customers.ts'
import { NotFoundError, ValidationError } from './errors.ts'
import { newId } from './ids.ts'
import { moveAppointments } from './merge-appointments.ts'
import { mergeConsents } from './merge-consents.ts'
import { joinConversations } from './merge-conversations.ts'
import type { Moved } from './merge-record.ts'
import { mergeSuggestionsInto } from './merge-suggestions.ts'

export type MergeCustomersInput = { survivorId: string; mergedId: string }

/**
 * Everything of one customer becomes the other's; `unmergeCustomers` undoes it. Where both have a conversation on a channel account the two
 * become one. The merged row stays, empty, and leads to the survivor. Customers who are merged already stand for their survivors. Throws
 * NotFoundError, and ValidationError where they are one customer already.
 */
export function mergeCustomers(deps: Pick<Deps, 'db' | 'bus' | 'clock'>, actor: Actor, input: MergeCustomersInput): Promise<CustomerMerge> {
  const { organizationId, memberId: actorId } = actor
  const now = deps.clock()
  return transact(deps, organizationId, async (tx, recorder) => {
    const { survivor, merged } = await lockBoth(tx, organizationId, input)
    const appointments = await moveAppointments(tx, survivor.id, merged.id)
    const conversations = await moveConversations(tx, survivor.id, merged.id, now)
    const consents = await mergeConsents(tx, recorder, { organizationId, survivorId: survivor.id, mergedId: merged.id, actorId, now })
    const moved: Moved = {
      name: survivor.name === null ? merged.name : null,
      customers: await redirectCustomers(tx, organizationId, survivor.id, merged.id),
      identities: await moveIdentities(tx, survivor.id, merged.id),
      ...conversations.moved,
      consents,
      ...appointments,
      ...(await mergeSuggestionsInto(tx, survivor.id, merged.id)),
    }
    await moveCounts(tx, recorder, actorId, survivor, merged)
    // Its id comes after those of all that it made.
    const mergeId = newId()
    const data = { mergeId, survivorId: survivor.id, mergedId: merged.id, mergedName: merged.name }
    for (const customerId of [survivor.id, merged.id]) recorder.event({ type: 'CUSTOMERS_MERGED', actorId, customerId, data })
    recordConversations(recorder, actorId, mergeId, conversations.changed)
    const row = { id: mergeId, organizationId, survivorId: survivor.id, mergedId: merged.id, moved, actorId, createdAt: now }
    return tx.customerMerge.create({ data: row })
  })
}

/** Says to those who follow an inbox that these conversations are not as they were. */
export function recordConversations(
  recorder: Recorder,
  actorId: string | null,
  mergeId: string,
  changed: { before: Conversation | null; after: Conversation }[],
): void {
  for (const { before, after } of changed) {
    const { customerId, id: conversationId, status, assigneeId } = after
    const previous = { previousStatus: before?.status ?? status, previousAssigneeId: before?.assigneeId ?? null }
    const data = before === null ? { status, created: true, mergeId } : { status, assigneeId, ...previous, mergeId }
    recorder.event({ type: 'CONVERSATION_CHANGED', actorId, customerId, conversationId, data })
  }
}

async function lockBoth(tx: Tx, organizationId: string, input: MergeCustomersInput): Promise<{ survivor: Customer; merged: Customer }> {
  const ids = [input.survivorId, input.mergedId]
  await lockIdentities(tx, organizationId, ids)
  await lockCustomers(tx, organizationId, ids)
  const rows = await tx.customer.findMany({ where: { organizationId, id: { in: ids } } })
  const livingId = (field: keyof MergeCustomersInput) => {
    const row = rows.find(({ id }) => id === input[field])
    if (row === undefined) throw new NotFoundError('customer', ['input', field])
    return row.mergedIntoId ?? row.id
  }
  const [survivorId, mergedId] = [livingId('survivorId'), livingId('mergedId')]
  if (survivorId === mergedId) throw new ValidationError('The two are one customer already.', ['input', 'mergedId'])
  const living = await tx.customer.findMany({ where: { id: { in: [survivorId, mergedId] } } })
  const [survivor, merged] = [survivorId, mergedId].map((id) => living.find((row) => row.id === id))
  if (survivor === undefined || merged === undefined) throw new Error('a merged customer leads nowhere')
  return { survivor, merged }
}

type MovedConversations = Pick<Moved, 'communications' | 'conversations' | 'joined' | 'redirected'>

async function moveConversations(
  tx: Tx,
  survivorId: string,
  mergedId: string,
  now: Date,
): Promise<{ moved: MovedConversations; changed: { before: Conversation; after: Conversation }[] }> {
  const both = [survivorId, mergedId]
  await tx.$queryRaw`SELECT FROM conversation WHERE customer_id = ANY(${both}::uuid[]) ORDER BY id FOR NO KEY UPDATE`
  const all = await tx.conversation.findMany({ where: { customerId: { in: both } }, orderBy: { id: 'asc' } })
  const moved: MovedConversations = { communications: [], conversations: [], joined: [], redirected: [] }
  const changed: { before: Conversation; after: Conversation }[] = []
  for (const from of all.filter(({ customerId }) => customerId === mergedId)) {
    const into = all.find((other) => other.customerId === survivorId && other.channelAccountId === from.channelAccountId)
    if (into === undefined) {
      moved.conversations.push({ id: from.id, lastActivityAt: from.lastActivityAt.toISOString() })
      changed.push({ before: from, after: await tx.conversation.update({ where: { id: from.id }, data: { customerId: survivorId } }) })
    } else {
      const joined = await joinConversations(tx, from, into, now)
      moved.joined.push(joined)
      moved.communications.push(...joined.communications)
      moved.redirected.push(...(await redirectConversations(tx, from, into)))
      changed.push({ before: into, after: await tx.conversation.findUniqueOrThrow({ where: { id: into.id } }) })
    }
  }
  const rest = await tx.$queryRaw<{ id: string }[]>`
    UPDATE communication SET customer_id = ${survivorId}::uuid WHERE customer_id = ${mergedId}::uuid RETURNING id`
  moved.communications.push(...rest.map(({ id }) => id))
  return { moved, changed }
}

// Who was merged into the merged one has rows of their own, which lead to a conversation in one step.
async function redirectConversations(tx: Tx, from: Conversation, into: Conversation): Promise<Moved['redirected']> {
  const rows = await tx.$queryRaw<{ id: string }[]>`
    UPDATE conversation SET merged_into_id = ${into.id}::uuid WHERE merged_into_id = ${from.id}::uuid AND customer_id IN (
      SELECT id FROM customer WHERE merged_into_id = ${from.customerId}::uuid) RETURNING id`
  return rows.map(({ id }) => ({ id, from: from.id }))
}

async function redirectCustomers(tx: Tx, organizationId: string, survivorId: string, mergedId: string): Promise<string[]> {
  const rows = await tx.$queryRaw<{ id: string }[]>`
    UPDATE customer SET merged_into_id = ${survivorId}::uuid
    WHERE organization_id = ${organizationId}::uuid AND merged_into_id = ${mergedId}::uuid RETURNING id`
  return rows.map(({ id }) => id)
}

async function moveIdentities(tx: Tx, survivorId: string, mergedId: string): Promise<string[]> {
  const rows = await tx.$queryRaw<{ id: string }[]>`
    UPDATE customer_identity SET customer_id = ${survivorId}::uuid WHERE customer_id = ${mergedId}::uuid RETURNING id`
  return rows.map(({ id }) => id)
}

async function moveCounts(tx: Tx, recorder: Recorder, actorId: string | null, survivor: Customer, merged: Customer): Promise<void> {
  const unreadCount = survivor.unreadCount + merged.unreadCount
  await tx.customer.update({ where: { id: survivor.id }, data: { unreadCount, name: survivor.name ?? merged.name } })
  await tx.customer.update({ where: { id: merged.id }, data: { unreadCount: 0, mergedIntoId: survivor.id } })
  if (merged.unreadCount === 0) return
  const counts = [
    { customerId: merged.id, customerUnreadCount: 0 },
    { customerId: survivor.id, customerUnreadCount: unreadCount },
  ]
  for (const { customerId, ...data } of counts) recorder.event({ type: 'UNREAD_COUNT_CHANGED', actorId, customerId, data })
}
