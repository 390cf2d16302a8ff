import type { Prisma } from '../db/generated/client.ts'
import type { EventType } from '../db/generated/enums.ts'
import type { Deps } from '../deps.ts'
import { organizationTopic } from './bus.ts'

export type Tx = Prisma.TransactionClient

export type NewEvent = {
  type: EventType
  actorId?: string | null
  customerId?: string | null
  conversationId?: string | null
  communicationId?: string | null
  /** What a reader cannot look up later: former values, counts at this point. JSON-serializable. */
  data?: Record<string, unknown>
}

/** Collects what the transaction did; it is written to the log when `work` ends. */
export type Recorder = {
  event(event: NewEvent): void
  /** Adds to the organization's unread count; each change also needs an UNREAD_COUNT_CHANGED event. */
  unread(delta: number): void
}

/**
 * One change of state: rows, events and jobs in one transaction, then a ring.
 *
 * Locks are taken in the order customer, appointment, automation run, conversation, communication, organization; the organization's row comes
 * last, here, because its lock orders the log: sequence numbers have no gaps and become visible in their order.
 */
export async function transact<T>(
  deps: Pick<Deps, 'db' | 'bus'>,
  organizationId: string,
  work: (tx: Tx, recorder: Recorder) => Promise<T>,
): Promise<T> {
  let recorded = false
  const result = await deps.db.$transaction(
    async (tx) => {
      const events: NewEvent[] = []
      let unreadDelta = 0
      const value = await work(tx, {
        event: (event) => events.push(event),
        unread: (delta) => {
          unreadDelta += delta
        },
      })
      recorded = events.length > 0
      if (recorded) await append(tx, organizationId, events, unreadDelta)
      return value
    },
    { maxWait: 10_000, timeout: 30_000 },
  )
  if (recorded) deps.bus.ring(organizationTopic(organizationId))
  return result
}

async function append(tx: Tx, organizationId: string, events: NewEvent[], unreadDelta: number): Promise<void> {
  const column = (pick: (event: NewEvent) => string | null | undefined) => events.map((event) => pick(event) ?? null)
  await tx.$executeRaw`
    WITH bumped AS (
      UPDATE organization SET event_seq = event_seq + ${events.length}, unread_count = unread_count + ${unreadDelta}
      WHERE id = ${organizationId}::uuid
      RETURNING event_seq - ${events.length} AS base, unread_count
    )
    INSERT INTO event (organization_id, seq, type, actor_id, customer_id, conversation_id, communication_id, data)
    SELECT ${organizationId}::uuid, bumped.base + e.ord, e.type::"EventType", e.actor, e.customer, e.conversation, e.communication,
      CASE WHEN e.type = 'UNREAD_COUNT_CHANGED'
        THEN e.data || jsonb_build_object('organizationUnreadCount', bumped.unread_count) ELSE e.data END
    FROM bumped, unnest(
      ${column((event) => event.type)}::text[], ${column((event) => event.actorId)}::uuid[], ${column((event) => event.customerId)}::uuid[],
      ${column((event) => event.conversationId)}::uuid[], ${column((event) => event.communicationId)}::uuid[],
      ${column((event) => JSON.stringify(event.data ?? {}))}::jsonb[]
    ) WITH ORDINALITY AS e(type, actor, customer, conversation, communication, data, ord)`
}
