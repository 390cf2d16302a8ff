import { encodeGlobalID } from '@pothos/plugin-relay'
import type {
  ChannelType as ChannelTypeName,
  DeliveryStatus as DeliveryStatusName,
  EventType,
  MessagePurpose as MessagePurposeName,
} from '../src/db/generated/enums.ts'
import { encodeCursor } from '../src/events/cursor.ts'
import type { LogEntry } from '../src/events/event.ts'
import { builder } from './builder.ts'
import { Communication } from './communication.ts'
import { organizationOf } from './context.ts'
import { Conversation } from './conversation.ts'
import { Customer } from './customer.ts'
import { ChannelType, DeliveryStatus, described, MessagePurpose } from './enums.ts'
import { globalId } from './global-id.ts'
import { Member } from './organization.ts'

type EventEntry = Extract<LogEntry, { kind: 'event' }>
type ResyncEntry = Extract<LogEntry, { kind: 'resync' }>

/** The log's types that an inbox follows, by the graph's type; the others are the audit trail's. */
const graphTypes = {
  COMMUNICATION_RECEIVED: 'CommunicationReceivedEvent',
  COMMUNICATION_CREATED: 'CommunicationCreatedEvent',
  COMMUNICATION_CHANGED: 'CommunicationChangedEvent',
  DELIVERY_STATUS_CHANGED: 'DeliveryStatusChangedEvent',
  UNREAD_COUNT_CHANGED: 'UnreadCountChangedEvent',
  CONVERSATION_CHANGED: 'ConversationChangedEvent',
  CUSTOMER_CREATED: 'CustomerChangedEvent',
  CUSTOMER_CHANGED: 'CustomerChangedEvent',
  CUSTOMER_OPTED_OUT: 'OptOutChangedEvent',
  CUSTOMER_OPTED_IN: 'OptOutChangedEvent',
  CUSTOMERS_MERGED: 'CustomersMergedEvent',
  CUSTOMERS_UNMERGED: 'CustomersUnmergedEvent',
  MERGE_SUGGESTED: 'MergeSuggestedEvent',
} as const satisfies Partial<Record<EventType, string>>

type InboxEventTypeName = keyof typeof graphTypes

export const isInboxEvent = (type: EventType): type is InboxEventTypeName => type in graphTypes

const changes = ['ATTACHMENT', 'EDITED', 'REVOKED', 'REACTION', 'REREAD', 'SCHEDULE'] as const

const CommunicationChange = builder.enumType('CommunicationChange', {
  description: 'What became different about a communication.',
  values: described<{ [Name in (typeof changes)[number]]: Name }>({
    ATTACHMENT: 'A file of it was fetched, or could not be.',
    EDITED: 'The customer changed it: see `edits`.',
    REVOKED: 'The sender took it back.',
    REACTION: 'Its `reactions` are others.',
    REREAD: 'It was read again from what the provider had sent.',
    SCHEDULE: 'Its time or content was changed before it was sent.',
  }),
})

export const InboxEventType = builder.enumType('InboxEventType', {
  description: 'What an inbox can follow.',
  values: Object.keys(graphTypes) as InboxEventTypeName[],
})

const positionOf = (entry: LogEntry): bigint => (entry.kind === 'event' ? entry.event.seq : entry.position)

export const InboxEvent = builder.interfaceRef<LogEntry>('InboxEvent').implement({
  description: 'Something that happened. Keep the `cursor` of the last one seen: `inboxEvents(after:)` goes on from there.',
  resolveType: (entry) => (entry.kind === 'resync' ? 'ResyncRequiredEvent' : graphTypes[entry.event.type as InboxEventTypeName]),
  fields: (t) => ({
    id: t.id({ resolve: (entry, _args, context) => encodeGlobalID('InboxEvent', `${organizationOf(context)}:${positionOf(entry)}`) }),
    cursor: t.string({ description: 'Opaque: to be given as `after`.', resolve: (entry) => encodeCursor(positionOf(entry)) }),
    occurredAt: t.field({
      type: 'DateTime',
      resolve: (entry, _args, { deps }) => (entry.kind === 'event' ? entry.event.occurredAt : deps.clock()),
    }),
  }),
})

const eventType = (name: string, description: string) => {
  const ref = builder.objectRef<EventEntry>(name)
  ref.implement({
    description,
    interfaces: [InboxEvent],
    fields: (t) => ({
      actor: t.field({
        type: Member,
        nullable: true,
        description: 'Who did it; null: the customer, an API key or the system.',
        resolve: ({ event }) => event.actorId,
      }),
    }),
  })
  return ref
}

const CommunicationReceived = eventType('CommunicationReceivedEvent', 'A customer has written.')
const CommunicationCreated = eventType('CommunicationCreatedEvent', 'Staff has sent or scheduled a message, added a note or logged a call.')
const CommunicationChanged = eventType('CommunicationChangedEvent', 'A communication is not what it was: see `change`.')
const DeliveryStatusChanged = eventType('DeliveryStatusChangedEvent', 'An outbound message has come further.')
const UnreadCountChanged = eventType('UnreadCountChangedEvent', 'The unread count of a customer, and so of the organization, has changed.')
const ConversationChanged = eventType('ConversationChangedEvent', 'A conversation was made, reopened, snoozed, closed or assigned.')
const CustomerChanged = eventType('CustomerChangedEvent', 'A customer was made or changed.')
const OptOutChanged = eventType('OptOutChangedEvent', 'A customer has opted out of messages on a channel, or in again.')
const CustomersMerged = eventType('CustomersMergedEvent', 'Two customers were made one: it comes once for each of the two.')
const CustomersUnmerged = eventType('CustomersUnmergedEvent', 'A merge was undone: it comes once for each of the two.')
const MergeSuggested = eventType('MergeSuggestedEvent', 'Two customers may be one person: see `mergeSuggestions`.')

for (const ref of [CommunicationReceived, CommunicationCreated, CommunicationChanged, DeliveryStatusChanged]) {
  builder.objectField(ref, 'communication', (t) =>
    t.field({
      type: Communication,
      nullable: true,
      description: 'As it is now; null: erased since.',
      resolve: ({ event }) => event.communicationId,
    }),
  )
}
for (const ref of [UnreadCountChanged, CustomerChanged, OptOutChanged, CustomersMerged, CustomersUnmerged, MergeSuggested]) {
  builder.objectField(ref, 'customer', (t) =>
    t.field({ type: Customer, nullable: true, description: 'As it is now; null: erased since.', resolve: ({ event }) => event.customerId }),
  )
}
builder.objectField(ConversationChanged, 'conversation', (t) =>
  t.field({
    type: Conversation,
    nullable: true,
    description: 'As it is now; null: erased since.',
    resolve: ({ event }) => event.conversationId,
  }),
)
builder.objectFields(DeliveryStatusChanged, (t) => ({
  deliveryStatus: t.field({ type: DeliveryStatus, resolve: ({ event }) => event.data.deliveryStatus as DeliveryStatusName }),
  previousStatus: t.field({ type: DeliveryStatus, resolve: ({ event }) => event.data.previousStatus as DeliveryStatusName }),
}))
builder.objectField(UnreadCountChanged, 'organizationUnreadCount', (t) =>
  t.int({ description: 'At that moment.', resolve: ({ event }) => Number(event.data.organizationUnreadCount) }),
)
builder.objectFields(OptOutChanged, (t) => ({
  channel: t.field({ type: ChannelType, resolve: ({ event }) => event.data.channel as ChannelTypeName }),
  purposes: t.field({
    type: [MessagePurpose],
    description: 'Of the messages in question.',
    // Events of before purposes were told apart are about all messages.
    resolve: ({ event }) => (event.data.purposes ?? ['TRANSACTIONAL', 'MARKETING']) as MessagePurposeName[],
  }),
  optedOut: t.boolean({ description: 'false: opted in again.', resolve: ({ event }) => event.type === 'CUSTOMER_OPTED_OUT' }),
}))

builder.objectField(CommunicationChanged, 'change', (t) =>
  t.field({
    type: CommunicationChange,
    resolve: ({ event }) => changes.find((change) => change.toLowerCase() === event.data.change) ?? 'ATTACHMENT',
  }),
)
for (const ref of [CustomersMerged, CustomersUnmerged]) {
  builder.objectFields(ref, (t) => ({
    survivor: t.field({
      type: Customer,
      nullable: true,
      description: 'Who has, or had, everything.',
      resolve: ({ event }) => String(event.data.survivorId),
    }),
    mergedCustomerId: t.id({
      description: 'Who was merged. While the merge stands, the id leads to the survivor.',
      resolve: ({ event }) => globalId('Customer', String(event.data.mergedId)),
    }),
  }))
}
builder.objectField(MergeSuggested, 'otherCustomer', (t) =>
  t.field({ type: Customer, nullable: true, resolve: ({ event }) => String(event.data.otherCustomerId) }),
)

builder.objectRef<ResyncEntry>('ResyncRequiredEvent').implement({
  description: 'The cursor cannot be continued from: load the state anew. The stream goes on from here.',
  interfaces: [InboxEvent],
  fields: (t) => ({ reason: t.string({ description: 'For people.', resolve: (entry) => entry.reason }) }),
})
