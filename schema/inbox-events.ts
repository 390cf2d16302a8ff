import { GraphQLError, type GraphQLResolveInfo } from 'graphql'
import { decodeCursor } from '../src/events/cursor.ts'
import type { LogEntry, LoggedEvent } from '../src/events/event.ts'
import { createLogFeed, type LogFeed } from '../src/live/log-feed.ts'
import { builder } from './builder.ts'
import { Communication } from './communication.ts'
import { type Context, organizationOf } from './context.ts'
import { Customer } from './customer.ts'
import { localId, type NodeType } from './global-id.ts'
import { InboxEvent, InboxEventType, isInboxEvent } from './inbox-event-types.ts'
import { checkLimits } from './query-limits.ts'

const Filter = builder.inputType('InboxEventFilter', {
  description: 'Conditions that all hold. ResyncRequiredEvent always comes.',
  fields: (t) => ({ customerId: t.id(), conversationId: t.id(), types: t.field({ type: [InboxEventType] }) }),
})

/** What is wanted of the log: whoever delivers it follows. */
function follow(context: Context, info: GraphQLResolveInfo, after: bigint | null, wanted: (entry: LogEntry) => boolean): LogFeed {
  checkLimits(context, info)
  return createLogFeed(context.events, { organizationId: organizationOf(context), after, wanted })
}

const badInput = (message: string): GraphQLError => new GraphQLError(message, { extensions: { code: 'INVALID_INPUT' } })

/** A filter's id; one that cannot exist is a mistake worth telling, one of another organization simply matches nothing. */
function filterId(type: NodeType, id: string | null | undefined, name: string): string | null {
  if (id === null || id === undefined) return null
  const local = localId(type, id)
  if (local === null) throw badInput(`${name} is not the id of a ${type}.`)
  return local
}

type Scope = { customerId?: string | null; conversationId?: string | null }

function inScope(scope: Scope): (event: LoggedEvent) => boolean {
  const customerId = filterId('Customer', scope.customerId, 'customerId')
  const conversationId = filterId('Conversation', scope.conversationId, 'conversationId')
  return (event) =>
    (customerId === null || event.customerId === customerId) && (conversationId === null || event.conversationId === conversationId)
}

const UnreadCountChange = builder.objectRef<LoggedEvent>('UnreadCountChange').implement({
  description: 'The counts after something was received or read.',
  fields: (t) => ({
    organizationUnreadCount: t.int({ resolve: (event) => Number(event.data.organizationUnreadCount) }),
    customer: t.field({ type: Customer, nullable: true, resolve: (event) => event.customerId }),
  }),
})

const eventOf = (entry: LogEntry): LoggedEvent => {
  if (entry.kind !== 'event') throw new Error('a resync entry has no event')
  return entry.event
}

builder.subscriptionFields((t) => ({
  communicationReceived: t.field({
    type: Communication,
    description: 'Each inbound communication from now on. After a disconnection some may be missed: see `inboxEvents`.',
    args: { customerId: t.arg.id(), conversationId: t.arg.id() },
    subscribe: (_root, args, context, info) => {
      const matches = inScope(args)
      return follow(
        context,
        info,
        null,
        (entry) => entry.kind === 'event' && entry.event.type === 'COMMUNICATION_RECEIVED' && matches(entry.event),
      )
    },
    resolve: (entry) => eventOf(entry).communicationId ?? '',
  }),
  unreadCountChanged: t.field({
    type: UnreadCountChange,
    args: { customerId: t.arg.id() },
    subscribe: (_root, args, context, info) => {
      const matches = inScope(args)
      return follow(
        context,
        info,
        null,
        (entry) => entry.kind === 'event' && entry.event.type === 'UNREAD_COUNT_CHANGED' && matches(entry.event),
      )
    },
    resolve: (entry) => eventOf(entry),
  }),
  inboxEvents: t.field({
    type: InboxEvent,
    description:
      'Everything that happened after the cursor, then live: in order, none missing, none twice. Without `after`: from now. A cursor that is older than what is kept gives one ResyncRequiredEvent.',
    args: { after: t.arg.string({ description: 'The `cursor` of the last event that was handled.' }), filter: t.arg({ type: Filter }) },
    subscribe: (_root, { after, filter }, context, info) => {
      const cursor = after === null || after === undefined ? null : decodeCursor(after)
      if (cursor === null && after !== null && after !== undefined) throw badInput('after is not a cursor of inboxEvents.')
      const matches = inScope(filter ?? {})
      const types = filter?.types ?? null
      return follow(
        context,
        info,
        cursor,
        (entry) =>
          entry.kind === 'resync' ||
          (isInboxEvent(entry.event.type) && (types === null || types.includes(entry.event.type)) && matches(entry.event)),
      )
    },
    resolve: (entry) => entry,
  }),
}))
