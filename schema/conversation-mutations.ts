import type { Conversation as Row } from '../src/db/generated/client.ts'
import { assignConversation, setConversationStatus } from '../src/domain/change-conversation.ts'
import { NotFoundError, ValidationError } from '../src/domain/errors.ts'
import { builder } from './builder.ts'
import { actorOf } from './context.ts'
import { Conversation } from './conversation.ts'
import { ConversationStatus } from './enums.ts'
import { optionalId, requiredId } from './global-id.ts'

const Assign = builder.inputType('AssignConversationInput', {
  fields: (t) => ({
    conversationId: t.id({ required: true }),
    assigneeId: t.id({ description: 'A member; absent or null: nobody.' }),
  }),
})

const SetStatus = builder.inputType('SetConversationStatusInput', {
  fields: (t) => ({
    conversationId: t.id({ required: true }),
    status: t.field({ type: ConversationStatus, required: true }),
    snoozedUntil: t.field({ type: 'DateTime', description: 'With SNOOZED, and only then: in the future, at most 366 days ahead.' }),
  }),
})

const success = (name: string) =>
  builder.objectRef<{ conversation: Row }>(name).implement({
    fields: (t) => ({ conversation: t.field({ type: Conversation, resolve: ({ conversation }) => conversation }) }),
  })

const authScopes = { role: 'AGENT' } as const
const path = ['input', 'conversationId']

builder.mutationFields((t) => ({
  assignConversation: t.field({
    type: success('AssignConversationSuccess'),
    description: 'AGENT.',
    authScopes,
    errors: { types: [NotFoundError] },
    args: { input: t.arg({ type: Assign, required: true }) },
    resolve: async (_root, { input }, context) => ({
      conversation: await assignConversation(context.deps, actorOf(context), {
        conversationId: requiredId('Conversation', input.conversationId, path),
        assigneeId: optionalId('Member', input.assigneeId, ['input', 'assigneeId']),
      }),
    }),
  }),
  setConversationStatus: t.field({
    type: success('SetConversationStatusSuccess'),
    description: 'AGENT. A snoozed conversation reopens at `snoozedUntil`, or when the customer writes.',
    authScopes,
    errors: { types: [NotFoundError, ValidationError] },
    args: { input: t.arg({ type: SetStatus, required: true }) },
    resolve: async (_root, { input }, context) => ({
      conversation: await setConversationStatus(context.deps, actorOf(context), {
        ...input,
        conversationId: requiredId('Conversation', input.conversationId, path),
      }),
    }),
  }),
}))
