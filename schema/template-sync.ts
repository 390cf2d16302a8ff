import { ChannelNotConnectedError, NotFoundError, ValidationError } from '../src/domain/errors.ts'
import { type SyncedTemplates, syncTemplates } from '../src/domain/sync-templates.ts'
import { builder } from './builder.ts'
import { actorOf } from './context.ts'
import { requiredId } from './global-id.ts'
import { Template } from './template.ts'

const Input = builder.inputType('SyncTemplatesInput', { fields: (t) => ({ channelAccountId: t.id({ required: true }) }) })

const Success = builder.objectRef<SyncedTemplates>('SyncTemplatesSuccess').implement({
  fields: (t) => ({
    templates: t.field({ type: [Template], description: 'All of the account, oldest first.', resolve: ({ templates }) => templates }),
    created: t.exposeInt('created', { description: 'How many are new.' }),
    updated: t.exposeInt('updated', { description: 'How many have changed.' }),
    disabled: t.exposeInt('disabled', { description: 'How many the provider does not have any more; they stay, as DISABLED.' }),
  }),
})

builder.mutationField('syncTemplates', (t) =>
  t.field({
    type: Success,
    description:
      "ADMIN. Takes over the provider's templates of an account as they are now. It also happens by itself: when the account becomes active, when the provider reports a change, and every day.",
    authScopes: { role: 'ADMIN' },
    errors: { types: [ValidationError, NotFoundError, ChannelNotConnectedError] },
    args: { input: t.arg({ type: Input, required: true }) },
    resolve: (_root, { input }, context) =>
      syncTemplates(context.deps, actorOf(context), requiredId('ChannelAccount', input.channelAccountId, ['input', 'channelAccountId'])),
  }),
)
