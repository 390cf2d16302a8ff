import type { Communication as Row } from '../src/db/generated/client.ts'
import { scheduledList } from '../src/domain/list-scheduled.ts'
import { checkedPage } from '../src/domain/page.ts'
import { updateScheduled } from '../src/domain/update-scheduled.ts'
import { builder } from './builder.ts'
import { Communication, CommunicationConnection } from './communication.ts'
import { actorOf, organizationOf } from './context.ts'
import { refusals } from './errors.ts'
import { optionalId, requiredId } from './global-id.ts'
import { contentInput, MessageContent } from './message-content.ts'
import { listedPage, pageCost } from './pagination.ts'

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
        const query = await scheduledList(context.deps, organizationOf(context), filter, checkedPage(args))
        return listedPage(context, query, 'organization_id', organizationOf(context))
      },
    },
    CommunicationConnection,
  ),
)

const Input = builder.inputType('UpdateScheduledMessageInput', {
  description: 'Absent fields stay as they are.',
  fields: (t) => ({
    communicationId: t.id({ required: true }),
    sendAt: t.field({ type: 'DateTime', description: 'Later than now, at most 366 days ahead.' }),
    content: t.field({
      type: MessageContent,
      description:
        'In the place of all that it said. Files that it has may be chosen again; those that are not become uploads again, which another message can take up for a day. What it answers stays, the subject of an e-mail too where none is given. Its `purpose` stays, but a MARKETING template brings its own, and takes it along.',
    }),
  }),
})

const Success = builder.objectRef<{ communication: Row }>('UpdateScheduledMessageSuccess').implement({
  fields: (t) => ({ communication: t.field({ type: Communication, resolve: ({ communication }) => communication }) }),
})

builder.mutationField('updateScheduledMessage', (t) =>
  t.field({
    type: Success,
    description:
      'AGENT. Changes when a message is sent, or what it says, while it is SCHEDULED: either the change is in what is sent, or a ValidationError says that its sending had begun. Refused as in `sendMessage`, by the rules as they will be at its `sendAt`.',
    authScopes: { role: 'AGENT' },
    errors: { types: refusals },
    args: { input: t.arg({ type: Input, required: true }) },
    resolve: async (_root, { input }, context) => ({
      communication: await updateScheduled(context.deps, actorOf(context), {
        communicationId: requiredId('Communication', input.communicationId, ['input', 'communicationId']),
        sendAt: input.sendAt ?? null,
        content: input.content ? contentInput(input.content) : null,
      }),
    }),
  }),
)
