import type { ConversationStatus, EventType } from '../db/generated/enums.ts'
import type { Deps } from '../deps.ts'
import type { LoggedEvent } from '../events/event.ts'
import type { Visitor } from '../visitor-tokens.ts'

/** A conversation of the web chat that an event is about, with the names of those whose conversation it is. */
export type Audience = { conversationId: string; channelAccountId: string; status: ConversationStatus; names: string[] }

const TYPES: ReadonlySet<EventType> = new Set([
  'COMMUNICATION_RECEIVED',
  'COMMUNICATION_CHANGED',
  'DELIVERY_STATUS_CHANGED',
  'CONVERSATION_CHANGED',
  'UNREAD_COUNT_CHANGED',
  'CUSTOMERS_MERGED',
  'CUSTOMERS_UNMERGED',
])

// Keyed by the log's own event objects: however many visitors follow an organization, an event is looked up once in a process.
const known = new WeakMap<LoggedEvent, Promise<Audience[]>>()

/** The part of the event's audience that the visitor is; null: it is not for them. */
export async function audienceFor(deps: Pick<Deps, 'pool'>, visitor: Visitor, event: LoggedEvent): Promise<Audience | null> {
  if (!TYPES.has(event.type)) return null
  const own = [`WEBCHAT ${visitor.id}`, ...(visitor.externalId === null ? [] : [`EXTERNAL ${visitor.externalId}`])]
  const audiences = await audiencesOf(deps, event)
  return (
    audiences.find(
      ({ channelAccountId, names }) => channelAccountId === visitor.channelAccountId && own.some((name) => names.includes(name)),
    ) ?? null
  )
}

function audiencesOf(deps: Pick<Deps, 'pool'>, event: LoggedEvent): Promise<Audience[]> {
  const audiences = known.get(event) ?? lookUp(deps, event)
  known.set(event, audiences)
  // A failure is not shared with those who ask later: for them the database may be back.
  audiences.catch(() => known.delete(event))
  return audiences
}

async function lookUp({ pool }: Pick<Deps, 'pool'>, event: LoggedEvent): Promise<Audience[]> {
  const { rows } = await pool.query<Audience>({
    name: 'webchat-audience',
    text: `SELECT t.id AS "conversationId", t.channel_account_id AS "channelAccountId", t.status, array_agg(i.kind || ' ' || i.value) AS names
      FROM conversation t JOIN channel_account a ON a.id = t.channel_account_id
      JOIN customer_identity i ON i.customer_id = t.customer_id
        AND (i.kind = 'WEBCHAT' AND i.scope = a.address OR i.kind = 'EXTERNAL' AND i.scope = '')
      WHERE t.organization_id = $1 AND t.channel = 'WEBCHAT' AND t.merged_into_id IS NULL AND (t.id = $2 OR t.customer_id = $3)
      GROUP BY t.id`,
    values: [event.organizationId, event.conversationId, event.conversationId === null ? event.customerId : null],
  })
  return rows
}
