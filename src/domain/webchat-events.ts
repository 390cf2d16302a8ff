import { setTimeout as delay } from 'node:timers/promises'
import { isDatabaseAway } from '../db/away.ts'
import type { Communication, Prisma } from '../db/generated/client.ts'
import type { ConversationStatus } from '../db/generated/enums.ts'
import type { Deps } from '../deps.ts'
import type { LogEntry, LoggedEvent } from '../events/event.ts'
import type { EventLog } from '../events/event-log.ts'
import { retryDelay } from '../events/page.ts'
import type { Visitor } from '../visitor-tokens.ts'
import { type Audience, audienceFor } from './webchat-audience.ts'
import { recordProgress } from './webchat-read.ts'
import { threadOf, visibleTo } from './webchat-thread.ts'

/** What a visitor is told. `seq`: its place in the log. */
export type WebchatEvent = { seq: bigint; occurredAt: Date } & (
  | { kind: 'message' | 'changed' | 'read'; message: Communication }
  | { kind: 'status'; status: ConversationStatus }
  | { kind: 'resync'; reason: string }
)

type FollowDeps = Pick<Deps, 'db' | 'pool' | 'bus' | 'clock' | 'log'>

/**
 * The visitor's own conversation out of the organization's log: after `after`, then live; null: from now. A message of the staff becomes
 * DELIVERED when the one after it is asked for, and when a subscription begins after it: what was lost on the way stays SENT and comes again.
 */
export async function followWebchat(
  deps: FollowDeps,
  events: EventLog,
  visitor: Visitor,
  after: bigint | null,
): Promise<AsyncIterableIterator<WebchatEvent>> {
  const leaving = new AbortController()
  const follower = events.follow(visitor.organizationId, after, leaving.signal)
  // From here on nothing is missed: what happens after the subscription has begun is in it.
  await follower.opened
  const delivered = new Set(after === null ? [] : await seenBefore(deps, visitor, after))
  const teller = createTeller(deps, visitor)

  const acknowledge = async () => {
    if (delivered.size === 0) return
    try {
      await recordProgress(deps, visitor, [...delivered], 'DELIVERED')
      delivered.clear()
    } catch (error) {
      deps.log.error(
        { err: error, visitorId: visitor.id },
        'a delivery to a web chat could not be recorded; trying again at its next event',
      )
    }
  }

  const iterator: AsyncIterableIterator<WebchatEvent> = {
    [Symbol.asyncIterator]: () => iterator,
    async next() {
      await acknowledge()
      for (;;) {
        const result = await follower.next()
        if (result.done) return { done: true, value: undefined }
        const told = await insist(() => teller(result.value), leaving.signal)
        if (told === null) continue
        if (told.kind === 'message' && told.message.direction === 'OUTBOUND') delivered.add(told.message.id)
        return { done: false, value: told }
      }
    },
    async return() {
      leaving.abort()
      return { done: true, value: undefined }
    },
  }
  return iterator
}

/** Tries again while the database is away, as the log itself does; null where the visitor has left meanwhile. */
async function insist<T>(look: () => Promise<T>, leaving: AbortSignal): Promise<T | null> {
  for (let failures = 1; !leaving.aborted; failures += 1) {
    try {
      return await look()
    } catch (error) {
      if (!isDatabaseAway(error)) throw error
      await delay(retryDelay(failures), undefined, { signal: leaving }).catch(() => undefined)
    }
  }
  return null
}

/** Of the messages that are not DELIVERED yet, those that the visitor has from before: nothing later will be told of them. */
async function seenBefore(deps: Pick<Deps, 'db' | 'pool'>, visitor: Visitor, seq: bigint): Promise<string[]> {
  const thread = await threadOf(deps, visitor)
  if (thread === null) return []
  const pending = { direction: 'OUTBOUND', deliveryStatus: { in: ['SENT', 'UNKNOWN'] } } satisfies Prisma.CommunicationWhereInput
  const where = { AND: [visibleTo(visitor, thread.conversationId), pending] }
  const rows = await deps.db.communication.findMany({ where, select: { id: true }, orderBy: { id: 'asc' } })
  const later = await deps.pool.query<{ id: string }>(
    'SELECT DISTINCT communication_id AS id FROM event WHERE organization_id = $1 AND seq > $2 AND communication_id = ANY($3::uuid[])',
    [visitor.organizationId, seq.toString(), rows.map(({ id }) => id)],
  )
  const toCome = new Set(later.rows.map(({ id }) => id))
  return rows.flatMap(({ id }) => (toCome.has(id) ? [] : [id]))
}

type Teller = (entry: LogEntry) => Promise<WebchatEvent | null>

/** Remembers what it told of the two states that the log mentions more often than they change. */
function createTeller(deps: FollowDeps, visitor: Visitor): Teller {
  let status: ConversationStatus | null = null
  let lastRead: string | null = null

  const tell = async (event: LoggedEvent, audience: Audience): Promise<WebchatEvent | null> => {
    const at = { seq: event.seq, occurredAt: event.occurredAt }
    switch (event.type) {
      case 'CUSTOMERS_MERGED':
      case 'CUSTOMERS_UNMERGED':
        return { ...at, kind: 'resync', reason: 'The conversation was put together with another one, or taken apart: load it anew.' }
      case 'CONVERSATION_CHANGED': {
        if (audience.status === status) return null
        status = audience.status
        return { ...at, kind: 'status', status }
      }
      case 'UNREAD_COUNT_CHANGED': {
        const read = await newestRead(deps, visitor, audience.conversationId)
        if (read === null || read.id === lastRead) return null
        lastRead = read.id
        return { ...at, kind: 'read', message: read }
      }
      default: {
        const message = await visibleMessage(deps, visitor, audience.conversationId, event.communicationId)
        return message === null ? null : { ...at, kind: isNew(event) ? 'message' : 'changed', message }
      }
    }
  }

  return async (entry) => {
    if (entry.kind === 'resync') return { kind: 'resync', reason: entry.reason, seq: entry.position, occurredAt: deps.clock() }
    const audience = await audienceFor(deps, visitor, entry.event)
    return audience === null ? null : tell(entry.event, audience)
  }
}

/** An outbound message is new to the visitor when it leaves, not when staff wrote or planned it. */
const isNew = ({ type, data }: LoggedEvent): boolean =>
  type === 'COMMUNICATION_RECEIVED' ||
  (type === 'DELIVERY_STATUS_CHANGED' && !['SENT', 'UNKNOWN', 'DELIVERED', 'READ'].includes(String(data.previousStatus)))

async function visibleMessage(
  deps: Pick<Deps, 'db'>,
  visitor: Visitor,
  conversationId: string,
  id: string | null,
): Promise<Communication | null> {
  if (id === null) return null
  return deps.db.communication.findFirst({ where: { AND: [visibleTo(visitor, conversationId), { id }] } })
}

async function newestRead(deps: Pick<Deps, 'db'>, visitor: Visitor, conversationId: string): Promise<Communication | null> {
  return deps.db.communication.findFirst({
    where: { AND: [visibleTo(visitor, conversationId), { direction: 'INBOUND', isRead: true }] },
    orderBy: { id: 'desc' },
  })
}
