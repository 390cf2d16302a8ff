import { type Edit, editsOf, messageKey, messagesByKey, type Reaction, reactionsByKey } from '../src/domain/linked-messages.ts'
import { builder } from './builder.ts'
import { Communication } from './communication.ts'
import { reads } from './compiled/field.ts'
import { type Context, organizationOf } from './context.ts'
import { Customer } from './customer.ts'
import { batched } from './loaders.ts'
import { Member } from './organization.ts'

/** The id of the message that the provider calls so; null where it is not in the log. */
export async function linkedMessage(
  context: Context,
  channelAccountId: string | null,
  externalMessageId: string | null,
): Promise<string | null> {
  if (channelAccountId === null || externalMessageId === null) return null
  const key = messageKey(channelAccountId, externalMessageId)
  const { id } = await batched(context, 'messages by external id', null, key, (keys) =>
    messagesByKey(context.deps, organizationOf(context), keys),
  )
  return id
}

const ReactionRef = builder.objectRef<Reaction>('Reaction').implement({
  description: 'A sign under a message: by the customer, or by us.',
  fields: (t) => ({
    emoji: t.exposeString('emoji'),
    customer: t.field({ type: Customer, nullable: true, description: 'null: it is ours.', resolve: ({ customerId }) => customerId }),
    author: t.field({
      type: Member,
      nullable: true,
      description: 'Of ours: who on the staff; null: an API key, or the customer.',
      resolve: ({ authorId }) => authorId,
    }),
    createdAt: t.field({ type: 'DateTime', resolve: ({ createdAt }) => createdAt }),
  }),
})

const EditRef = builder.objectRef<Edit>('CommunicationEdit').implement({
  description: 'What a message said before.',
  fields: (t) => ({
    body: t.exposeString('body'),
    replacedAt: t.field({ type: 'DateTime', resolve: ({ replacedAt }) => replacedAt }),
  }),
})

builder.objectFields(Communication, (t) => ({
  replyTo: t.field({
    type: Communication,
    nullable: true,
    description: 'The message that this one answers or reacts to; null also where that is not in the log.',
    ...reads('channel_account_id', 'in_reply_to'),
    resolve: (row, _args, context) => linkedMessage(context, row.channelAccountId, row.inReplyTo),
  }),
  reactions: t.field({
    type: [ReactionRef],
    description: 'Of each side the latest, oldest first; one that was taken back is gone.',
    ...reads('channel_account_id', 'external_message_id'),
    resolve: (row, _args, context) => {
      if (row.channelAccountId === null || row.externalMessageId === null) return []
      return batched(context, 'reactions', null, messageKey(row.channelAccountId, row.externalMessageId), (keys) =>
        reactionsByKey(context.deps, organizationOf(context), keys),
      )
    },
  }),
  edits: t.field({
    type: [EditRef],
    description: 'Oldest first; empty where it was never edited.',
    ...reads('edited_at'),
    resolve: (row, _args, context) =>
      row.editedAt === null ? [] : batched(context, 'edits', null, row.id, (ids) => editsOf(context.deps, organizationOf(context), ids)),
  }),
}))
