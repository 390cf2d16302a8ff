import { Prisma } from '../db/generated/client.ts'
import type { Deps } from '../deps.ts'
import { type Recorder, type Tx, transact } from '../events/transact.ts'
import type { Actor } from './actor.ts'
import { findConversations } from './conversations.ts'
import { lockCustomers } from './customers.ts'
import { NotFoundError, ValidationError } from './errors.ts'
import { announceRead } from './mark-read-at-provider.ts'

export type MarkReadInput = { target: { customerId?: string | null; conversationId?: string | null; communicationIds?: string[] | null } }

export type MarkedRead = {
  markedCount: number
  /** The one customer that was meant; null where the communications belong to several. */
  customerId: string | null
  organizationUnreadCount: number
}

const MAX_COMMUNICATIONS = 500

type MarkedRow = {
  customer_id: string
  conversation_id: string | null
  channel_account_id: string | null
  n: number
  /** Of those that the provider knows. */
  newest_id: string | null
}

type Scope = { customerIds: string[]; condition: Prisma.Sql }

/** Marks inbound communications read and brings all counters along. What is read already stays as it is. */
export async function markRead(
  deps: Pick<Deps, 'db' | 'bus' | 'clock' | 'channels'>,
  actor: Actor,
  input: MarkReadInput,
): Promise<MarkedRead> {
  const { organizationId, memberId } = actor
  const scope = await scopeOf(deps, organizationId, input.target)
  const markedCount = await transact(deps, organizationId, async (tx, recorder) => {
    const customerIds = await lockCustomers(tx, organizationId, scope.customerIds)
    const marked = await tx.$queryRaw<MarkedRow[]>`
      WITH marked AS (
        UPDATE communication SET is_read = true, read_at = ${deps.clock()}
        WHERE organization_id = ${organizationId}::uuid AND is_read = false AND customer_id = ANY(${customerIds}::uuid[]) AND ${scope.condition}
        RETURNING customer_id, conversation_id, channel_account_id, id, external_message_id
      )
      SELECT customer_id, conversation_id, channel_account_id, count(*)::int AS n,
        (array_agg(id ORDER BY id DESC) FILTER (WHERE external_message_id IS NOT NULL))[1] AS newest_id
      FROM marked GROUP BY 1, 2, 3 ORDER BY 2`
    for (const row of marked) {
      if (row.conversation_id === null) continue
      await tx.conversation.update({ where: { id: row.conversation_id }, data: { unreadCount: { decrement: row.n } } })
    }
    for (const customerId of customerIds) await lowerCustomer(tx, recorder, memberId, customerId, marked)
    await announceRead(deps, tx, marked)
    const total = marked.reduce((sum, row) => sum + row.n, 0)
    recorder.unread(-total)
    return total
  })
  const { unreadCount } = await deps.db.organization.findUniqueOrThrow({ where: { id: organizationId }, select: { unreadCount: true } })
  return {
    markedCount,
    customerId: scope.customerIds.length === 1 ? (scope.customerIds[0] ?? null) : null,
    organizationUnreadCount: unreadCount,
  }
}

async function lowerCustomer(tx: Tx, recorder: Recorder, actorId: string | null, customerId: string, marked: MarkedRow[]): Promise<void> {
  const own = marked.filter((row) => row.customer_id === customerId)
  const count = own.reduce((sum, row) => sum + row.n, 0)
  if (count === 0) return
  const { unreadCount } = await tx.customer.update({ where: { id: customerId }, data: { unreadCount: { decrement: count } } })
  const conversationId = own.length === 1 ? (own[0]?.conversation_id ?? null) : null
  recorder.event({ type: 'UNREAD_COUNT_CHANGED', actorId, customerId, conversationId, data: { customerUnreadCount: unreadCount } })
}

async function scopeOf(deps: Pick<Deps, 'db'>, organizationId: string, target: MarkReadInput['target']): Promise<Scope> {
  const { customerId, conversationId, communicationIds } = target
  if (customerId) {
    const customer = await deps.db.customer.findFirst({ where: { id: customerId, organizationId }, select: { id: true } })
    if (customer === null) throw new NotFoundError('customer', ['input', 'target', 'customerId'])
    return { customerIds: [customerId], condition: Prisma.sql`true` }
  }
  if (conversationId) {
    const conversation = (await findConversations(deps, organizationId, [conversationId])).get(conversationId)
    if (conversation === undefined) throw new NotFoundError('conversation', ['input', 'target', 'conversationId'])
    return { customerIds: [conversation.customerId], condition: Prisma.sql`conversation_id = ${conversation.id}::uuid` }
  }
  return communicationsScope(deps, organizationId, communicationIds ?? [])
}

async function communicationsScope(deps: Pick<Deps, 'db'>, organizationId: string, given: string[]): Promise<Scope> {
  const path = ['input', 'target', 'communicationIds']
  const ids = [...new Set(given)]
  if (ids.length < 1 || ids.length > MAX_COMMUNICATIONS)
    throw new ValidationError(`communicationIds must have 1 to ${MAX_COMMUNICATIONS} ids.`, path)
  const found = await deps.db.communication.findMany({ where: { id: { in: ids }, organizationId }, select: { id: true, customerId: true } })
  const missing = ids.find((id) => !found.some((row) => row.id === id))
  if (missing !== undefined) throw new NotFoundError('communication', [...path, String(given.indexOf(missing))])
  return { customerIds: [...new Set(found.map((row) => row.customerId))], condition: Prisma.sql`id = ANY(${ids}::uuid[])` }
}
