import { listScheduled, scheduledCursor } from '../src/domain/list-scheduled.ts'
import { checkedPage } from '../src/domain/page.ts'
import { builder } from './builder.ts'
import { Communication, CommunicationConnection } from './communication.ts'
import { organizationOf } from './context.ts'
import { optionalId } from './global-id.ts'
import { connectionOf, pageCost } from './pagination.ts'

builder.queryField('scheduledMessages', (t) =>
  t.connection(
    {
      type: Communication,
      description:
        'What is SCHEDULED, soonest first. A message whose sending has begun, or that was canceled, is not here any more. Pages of 1 to 100.',
      complexity: pageCost,
      args: {
        customerId: t.arg.id({ description: 'Only to this customer; the id of one who was merged stands for the survivor.' }),
        conversationId: t.arg.id({ description: 'Only in this conversation.' }),
      },
      resolve: async (_root, args, context) => {
        const filter = {
          customerId: optionalId('Customer', args.customerId, ['customerId']),
          conversationId: optionalId('Conversation', args.conversationId, ['conversationId']),
        }
        const result = await listScheduled(context.deps, organizationOf(context), filter, checkedPage(args))
        return connectionOf(result, scheduledCursor, (row) => row.id)
      },
    },
    CommunicationConnection,
  ),
)
