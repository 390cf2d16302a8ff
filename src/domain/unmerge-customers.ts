import type { Conversation, CustomerMerge } from '../db/generated/client.ts'
import type { Deps } from '../deps.ts'
import { type Recorder, type Tx, transact } from '../events/transact.ts'
import type { Actor } from './actor.ts'
import { lockCustomerRows, lockIdentities } from './customers.ts'
import { NotFoundError, ValidationError } from './errors.ts'
import { partAppointments } from './merge-appointments.ts'
import { partConsents } from './merge-consents.ts'
import { recordConversations } from './merge-customers.ts'
import type { Moved } from './merge-record.ts'
import { partSuggestions } from './merge-suggestions.ts'
import { partConversations, returnConversation } from './part-conversations.ts'

type Changed = { before: Conversation | null; after: Conversation }

const PATH = ['input', 'mergeId']

/**
 * Gives back all that a merge moved; what came since stays with the survivor. Throws NotFoundError, and ValidationError where the merge is
 * undone already or one of the two was merged again since.
 */
export async function unmergeCustomers(
  deps: Pick<Deps, 'db' | 'bus' | 'channels' | 'clock'>,
  actor: Actor,
  { mergeId }: { mergeId: string },
): Promise<CustomerMerge> {
  const { organizationId, memberId: actorId } = actor
  const now = deps.clock()
  return transact(deps, organizationId, async (tx, recorder) => {
    const found = await tx.customerMerge.findFirst({ where: { id: mergeId, organizationId } })
    if (found === null) throw new NotFoundError('merge', PATH)
    const { survivorId, mergedId } = found
    await lockIdentities(tx, organizationId, [survivorId])
    await lockCustomerRows(tx, organizationId, [survivorId, mergedId])
    await refuseUnlessLatest(tx, found)
    const moved = found.moved as Moved
    await partAppointments(tx, survivorId, mergedId, moved)
    await restoreCustomers(tx, recorder, found, moved, actorId)
    const changed = await restoreConversations(deps, tx, found, moved, now)
    await partConsents(tx, recorder, { organizationId, survivorId, mergedId, actorId, now }, moved.consents, mergeId)
    await partSuggestions(tx, mergedId, moved)
    const data = { mergeId, survivorId, mergedId }
    for (const customerId of [survivorId, mergedId]) recorder.event({ type: 'CUSTOMERS_UNMERGED', actorId, customerId, data })
    recordConversations(recorder, actorId, mergeId, changed)
    return tx.customerMerge.update({ where: { id: mergeId }, data: { undoneAt: now, undoneById: actorId } })
  })
}

async function refuseUnlessLatest(tx: Tx, { id, survivorId, mergedId }: CustomerMerge): Promise<void> {
  const both = [survivorId, mergedId]
  const either = [{ survivorId: { in: both } }, { mergedId: { in: both } }]
  const standing = await tx.customerMerge.findMany({ where: { id: { gte: id }, undoneAt: null, OR: either }, select: { id: true } })
  if (!standing.some((merge) => merge.id === id)) throw new ValidationError('This merge is undone already.', PATH)
  if (standing.length > 1) throw new ValidationError('One of the two was merged again since: undo that first.', PATH)
}

async function restoreCustomers(
  tx: Tx,
  recorder: Recorder,
  { survivorId, mergedId }: CustomerMerge,
  moved: Moved,
  actorId: string | null,
): Promise<void> {
  await tx.customerIdentity.updateMany({ where: { id: { in: moved.identities }, customerId: survivorId }, data: { customerId: mergedId } })
  await tx.customer.updateMany({ where: { id: { in: moved.customers } }, data: { mergedIntoId: mergedId } })
  const [back] = await tx.$queryRaw<{ unread: number }[]>`
    WITH moved AS (
      UPDATE communication SET customer_id = ${mergedId}::uuid WHERE id = ANY(${moved.communications}::uuid[]) AND customer_id = ${survivorId}::uuid
      RETURNING is_read
    )
    SELECT count(*) FILTER (WHERE NOT is_read)::int AS unread FROM moved`
  const unread = back?.unread ?? 0
  const survivor = await tx.customer.update({ where: { id: survivorId }, data: { unreadCount: { decrement: unread } } })
  await tx.customer.update({ where: { id: mergedId }, data: { unreadCount: unread, mergedIntoId: null } })
  if (moved.name !== null && survivor.name === moved.name) await tx.customer.update({ where: { id: survivorId }, data: { name: null } })
  if (unread === 0) return
  const counts = [
    { customerId: survivorId, customerUnreadCount: survivor.unreadCount },
    { customerId: mergedId, customerUnreadCount: unread },
  ]
  for (const { customerId, ...data } of counts) recorder.event({ type: 'UNREAD_COUNT_CHANGED', actorId, customerId, data })
}

async function restoreConversations(
  deps: Pick<Deps, 'channels'>,
  tx: Tx,
  { survivorId, mergedId, organizationId }: CustomerMerge,
  moved: Moved,
  now: Date,
): Promise<Changed[]> {
  const ids = [...moved.conversations.map(({ id }) => id), ...moved.joined.flatMap(({ from, into }) => [from, into])]
  await tx.$queryRaw`SELECT FROM conversation WHERE id = ANY(${ids}::uuid[]) ORDER BY id FOR NO KEY UPDATE`
  const before = await tx.conversation.findMany({ where: { id: { in: ids } } })
  const isTheirs = await addressesOf(deps, tx, organizationId, mergedId)
  const changed: Changed[] = []
  const change = (after: Conversation) => changed.push({ before: before.find(({ id }) => id === after.id) ?? null, after })
  for (const conversation of moved.conversations) {
    const { returned, kept } = await returnConversation(tx, conversation, mergedId, survivorId)
    change(returned)
    if (kept !== null) change(kept)
  }
  for (const joined of moved.joined) for (const after of await partConversations(tx, joined, isTheirs, now)) change(after)
  for (const { id, from } of moved.redirected) await tx.conversation.update({ where: { id }, data: { mergedIntoId: from } })
  return changed
}

/** Whether a conversation's address is one of the customer's identities. */
async function addressesOf(
  { channels }: Pick<Deps, 'channels'>,
  tx: Tx,
  organizationId: string,
  customerId: string,
): Promise<(conversation: Conversation) => boolean> {
  const identities = await tx.customerIdentity.findMany({ where: { customerId } })
  const accounts = new Map((await tx.channelAccount.findMany({ where: { organizationId } })).map((account) => [account.id, account]))
  return ({ channelAccountId, address }) => {
    const account = accounts.get(channelAccountId)
    const adapter = account === undefined ? undefined : channels.find(account.provider, account.channel)
    if (account === undefined || adapter === undefined) return false
    const { kind, scope, value } = adapter.identify(address, account.address)
    return identities.some((identity) => identity.kind === kind && identity.scope === scope && identity.value === value)
  }
}
