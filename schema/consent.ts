import type * as db from '../src/db/generated/enums.ts'
import { type Consent as ConsentShape, consentsOf } from '../src/domain/consent.ts'
import { NotFoundError, ValidationError } from '../src/domain/errors.ts'
import { consentCursor, listConsents } from '../src/domain/list-consents.ts'
import { checkedPage } from '../src/domain/page.ts'
import { setConsent } from '../src/domain/set-consent.ts'
import { builder } from './builder.ts'
import { Communication } from './communication.ts'
import { actorOf, organizationOf } from './context.ts'
import { Customer } from './customer.ts'
import { ChannelType, described, MessagePurpose } from './enums.ts'
import { requiredId } from './global-id.ts'
import { batched } from './loaders.ts'
import { Member } from './organization.ts'
import { connectionOf, pageCost } from './pagination.ts'

const ConsentState = builder.enumType('ConsentState', {
  description: 'What was said about being written to.',
  values: described<typeof db.ConsentState>({
    OPTED_IN: 'Messages are wanted.',
    OPTED_OUT: 'No messages: none of that purpose is sent on that channel.',
  }),
})

const ConsentSource = builder.enumType('ConsentSource', {
  description: 'How it became known.',
  values: described<typeof db.ConsentSource>({
    KEYWORD: 'The customer wrote STOP, START or another of these words.',
    PROVIDER: 'The provider said so, e.g. by refusing a message to someone who had opted out.',
    UNSUBSCRIBE: 'The customer used an unsubscribe link or button.',
    SPAM_REPORT: 'The customer reported a message as spam.',
    BOUNCE: 'The address does not exist.',
    STAFF: 'A member entered it: see `actor`.',
    MERGE: 'One of two customers who were merged had opted out.',
  }),
})

const Consent = builder.objectRef<ConsentShape>('Consent').implement({
  description: 'One entry of the ledger of consent.',
  fields: (t) => ({
    channel: t.field({ type: ChannelType, resolve: (row) => row.channel }),
    purpose: t.field({ type: MessagePurpose, resolve: (row) => row.purpose }),
    state: t.field({ type: ConsentState, resolve: (row) => row.state }),
    source: t.field({ type: ConsentSource, resolve: (row) => row.source }),
    evidence: t.exposeString('evidence', {
      nullable: true,
      description: "What shows it, for people: the customer's words, the provider's, or what staff entered.",
    }),
    occurredAt: t.field({ type: 'DateTime', description: 'When it was said.', resolve: (row) => row.occurredAt }),
    actor: t.field({
      type: Member,
      nullable: true,
      description: 'null: the customer, the provider, an API key or the system.',
      resolve: (row) => row.actorId,
    }),
    communication: t.field({
      type: Communication,
      nullable: true,
      description: 'The message that said it, or whose sending showed it.',
      resolve: (row) => row.communicationId,
    }),
  }),
})

const ConsentConnection = builder.connectionObject(
  { type: Consent, name: 'ConsentConnection', description: 'A page of a ledger of consent.' },
  { name: 'ConsentEdge' },
)

builder.objectFields(Customer, (t) => ({
  consents: t.field({
    type: [Consent],
    description: 'What is in force: the latest word on each channel and purpose. Where nothing was said, messages are allowed.',
    resolve: (customer, _args, context) =>
      batched(context, 'consents', null, customer.id, (ids) => consentsOf(context.deps, organizationOf(context), ids)),
  }),
  consentHistory: t.connection(
    {
      type: Consent,
      description: 'The whole ledger, newest first. Nothing in it is ever changed or taken out.',
      complexity: pageCost,
      resolve: async (customer, args, context) => {
        const page = checkedPage(args)
        const result = await batched(context, 'consentHistory', page, customer.id, (ids) =>
          listConsents(context.deps, organizationOf(context), ids, page),
        )
        return connectionOf(result, consentCursor, (row) => row)
      },
    },
    ConsentConnection,
  ),
}))

const SetConsent = builder.inputType('SetConsentInput', {
  fields: (t) => ({
    customerId: t.id({ required: true }),
    channel: t.field({ type: ChannelType, required: true }),
    purposes: t.field({ type: [MessagePurpose], required: true, description: 'At least one.' }),
    state: t.field({ type: ConsentState, required: true }),
    evidence: t.string({
      required: true,
      description: 'What shows it, e.g. “asked on the phone, 12 May”. At most 1000 characters.',
    }),
  }),
})

const Success = builder.objectRef<{ customerId: string }>('SetConsentSuccess').implement({
  fields: (t) => ({ customer: t.field({ type: Customer, resolve: ({ customerId }) => customerId }) }),
})

builder.mutationField('setConsent', (t) =>
  t.field({
    type: Success,
    description:
      'AGENT. Enters what a customer has told staff. An opt-out is always taken. An opt-in undoes earlier opt-outs, but not a STOP on SMS and RCS: carriers keep their own list, so there only the customer can opt in again, by writing START.',
    authScopes: { role: 'AGENT' },
    errors: { types: [ValidationError, NotFoundError] },
    args: { input: t.arg({ type: SetConsent, required: true }) },
    resolve: async (_root, { input }, context) => ({
      customerId: await setConsent(context.deps, actorOf(context), {
        ...input,
        customerId: requiredId('Customer', input.customerId, ['input', 'customerId']),
      }),
    }),
  }),
)
