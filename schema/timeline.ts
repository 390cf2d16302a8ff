import { listTimeline, type TimelineRow, type TimelineType, timelineCursor, timelineTypes } from '../src/domain/list-timeline.ts'
import { checkedPage } from '../src/domain/page.ts'
import { builder } from './builder.ts'
import { Communication } from './communication.ts'
import { organizationOf } from './context.ts'
import { Conversation } from './conversation.ts'
import { Customer } from './customer.ts'
import { batched } from './loaders.ts'
import { Member } from './organization.ts'
import { connectionOf, pageCost } from './pagination.ts'

const TimelineEventType = builder.enumType('TimelineEventType', { description: 'What happened.', values: timelineTypes })

export const TimelineEvent = builder.objectRef<TimelineRow>('TimelineEvent').implement({
  description: 'Something that happened with a customer, from the log of events.',
  fields: (t) => ({
    id: t.id({ resolve: (row) => `${row.customerId}:${row.seq}` }),
    type: t.field({ type: TimelineEventType, resolve: (row) => row.type as TimelineType }),
    occurredAt: t.field({ type: 'DateTime', resolve: (row) => row.occurredAt }),
    actor: t.field({
      type: Member,
      nullable: true,
      description: 'null: the customer, an API key or the system.',
      resolve: (row) => row.actorId,
    }),
    communication: t.field({ type: Communication, nullable: true, resolve: (row) => row.communicationId }),
    conversation: t.field({ type: Conversation, nullable: true, resolve: (row) => row.conversationId }),
    data: t.field({ type: 'JSON', description: 'Details by type, e.g. deliveryStatus and previousStatus.', resolve: (row) => row.data }),
  }),
})

const TimelineEventConnection = builder.connectionObject(
  { type: TimelineEvent, name: 'TimelineEventConnection', description: 'A page of a timeline.' },
  { name: 'TimelineEventEdge' },
)

builder.objectField(Customer, 'timeline', (t) =>
  t.connection(
    {
      type: TimelineEvent,
      description: 'Newest first.',
      complexity: pageCost,
      resolve: async (customer, args, context) => {
        const page = checkedPage(args)
        const result = await batched(context, 'timeline', page, customer.id, (ids) =>
          listTimeline(context.deps, organizationOf(context), ids, page),
        )
        return connectionOf(result, timelineCursor, (row) => row)
      },
    },
    TimelineEventConnection,
  ),
)
