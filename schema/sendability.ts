import type { SendabilityReason as Reason } from '../src/domain/policies.ts'
import { type Sendability as SendabilityShape, sendability } from '../src/domain/sendability.ts'
import { builder } from './builder.ts'
import { ChannelAccount } from './channel-account.ts'
import { organizationOf } from './context.ts'
import { Customer } from './customer.ts'
import { ChannelType, described, TextLimitUnit } from './enums.ts'
import { batched } from './loaders.ts'
import { Template } from './template.ts'

const SendabilityReason = builder.enumType('SendabilityReason', {
  description: 'What stands against a message.',
  values: described<{ [Name in Reason]: Name }>({
    ACCOUNT_NOT_ACTIVE: 'The provider has not confirmed the credentials of the account yet.',
    NO_ADDRESS: 'The customer has no address on this channel.',
    OPTED_OUT: 'The customer does not want messages on this channel.',
    NEVER_WROTE: 'On this channel only the customer can begin.',
    MESSAGING_WINDOW_CLOSED: 'Too long since the customer wrote: see `templatesOnly` and `humanAgentOnly`.',
  }),
})

const Sendability = builder.objectRef<SendabilityShape>('Sendability').implement({
  description: 'May this customer be written to now on this account, and if not, why not? The rules are those of `sendMessage`.',
  fields: (t) => ({
    channel: t.field({ type: ChannelType, resolve: ({ account }) => account.channel }),
    channelAccount: t.field({ type: ChannelAccount, resolve: ({ account }) => account }),
    canSend: t.exposeBoolean('canSend', {
      description: 'Some message can be sent; with `templatesOnly`, only a template; with `humanAgentOnly`, only by a member.',
    }),
    templatesOnly: t.exposeBoolean('templatesOnly', { description: 'Only one of `templates` can be sent.' }),
    humanAgentOnly: t.exposeBoolean('humanAgentOnly', {
      description: 'Only a member can answer, at once: no API key, no message for later, no advertisement.',
    }),
    reason: t.field({
      type: SendabilityReason,
      nullable: true,
      description: 'Why not, or why not everything.',
      resolve: (row) => row.reason,
    }),
    windowExpiresAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'Of the messaging window; null: there is none, or the customer never wrote.',
      resolve: (row) => row.windowExpiresAt,
    }),
    textLimit: t.int({ resolve: ({ capabilities }) => capabilities.textLimit }),
    textLimitUnit: t.field({ type: TextLimitUnit, resolve: ({ capabilities }) => capabilities.textLimitUnit }),
    templates: t.field({
      type: [Template],
      description: "Those that can be sent now: ours, and the account's own that the provider has approved. Oldest first.",
      resolve: (row) => row.templates,
    }),
  }),
})

builder.objectField(Customer, 'sendability', (t) =>
  t.field({
    type: [Sendability],
    description: 'One for each channel account that is not disconnected.',
    complexity: 10,
    resolve: (customer, _args, context) =>
      batched(context, 'sendability', null, customer.id, (ids) => sendability(context.deps, organizationOf(context), ids)),
  }),
)
