import type { CustomerIdentity as CustomerIdentityRow, Customer as Row } from '../src/db/generated/client.ts'
import type { IdentityKind as IdentityKindName } from '../src/db/generated/enums.ts'
import { createCustomer } from '../src/domain/create-customer.ts'
import { addCustomerIdentity, removeCustomerIdentity, verifyCustomerIdentity } from '../src/domain/customer-identities.ts'
import { AlreadyExistsError, NotFoundError, ValidationError } from '../src/domain/errors.ts'
import type { IdentityInput } from '../src/domain/identities.ts'
import { updateCustomer } from '../src/domain/update-customer.ts'
import { builder } from './builder.ts'
import { actorOf } from './context.ts'
import { Customer, CustomerIdentity } from './customer.ts'
import { IdentityKind } from './enums.ts'
import { globalId, optionalId, requiredId } from './global-id.ts'

export const Identity = builder.inputType('CustomerIdentityInput', {
  fields: (t) => ({
    kind: t.field({ type: IdentityKind, required: true }),
    value: t.string({ required: true, description: 'A phone number in international form, an e-mail address, or an id.' }),
    channelAccountId: t.id({ description: 'Where an id of kind MESSENGER, INSTAGRAM or WEBCHAT means something.' }),
  }),
})

const AddIdentity = builder.inputType('AddCustomerIdentityInput', {
  fields: (t) => ({
    customerId: t.id({ required: true }),
    kind: t.field({ type: IdentityKind, required: true }),
    value: t.string({ required: true, description: 'A phone number in international form, an e-mail address, or an id.' }),
    channelAccountId: t.id({ description: 'Needed for MESSENGER, INSTAGRAM and WEBCHAT, whose ids mean something there only.' }),
  }),
})

const identityInput = (name: string) => builder.inputType(name, { fields: (t) => ({ identityId: t.id({ required: true }) }) })
const VerifyIdentity = identityInput('VerifyCustomerIdentityInput')
const RemoveIdentity = identityInput('RemoveCustomerIdentityInput')

const Create = builder.inputType('CreateCustomerInput', {
  description: 'A name, or identities, or both.',
  fields: (t) => ({
    name: t.string({ description: 'At most 200 characters.' }),
    language: t.string({ description: 'A language tag, e.g. tr or en-GB.' }),
    timezone: t.string({ description: 'IANA name, e.g. Europe/Istanbul.' }),
    identities: t.field({ type: [Identity], description: 'At most 20.' }),
  }),
})

const Update = builder.inputType('UpdateCustomerInput', {
  fields: (t) => ({
    customerId: t.id({ required: true }),
    name: t.string({ description: 'Absent: unchanged; null: removed. So are the next two.' }),
    language: t.string({ description: 'A language tag, e.g. tr or en-GB.' }),
    timezone: t.string({ description: 'IANA name, e.g. Europe/Istanbul.' }),
    addIdentities: t.field({ type: [Identity], description: 'At most 20.' }),
    removeIdentityIds: t.idList({ description: 'Their conversations stay.' }),
  }),
})

const success = (name: string) =>
  builder.objectRef<{ customer: Row }>(name).implement({
    fields: (t) => ({ customer: t.field({ type: Customer, resolve: ({ customer }) => customer }) }),
  })

type GivenIdentity = { kind: IdentityKindName; value: string; channelAccountId?: string | null }

const identitySuccess = (name: string) =>
  builder.objectRef<{ identity: CustomerIdentityRow }>(name).implement({
    fields: (t) => ({
      identity: t.field({ type: CustomerIdentity, resolve: ({ identity }) => identity }),
      customer: t.field({ type: Customer, resolve: ({ identity }) => identity.customerId }),
    }),
  })

const RemoveIdentitySuccess = builder.objectRef<{ identityId: string; customerId: string }>('RemoveCustomerIdentitySuccess').implement({
  fields: (t) => ({
    identityId: t.id({
      description: 'That of the identity that is gone.',
      resolve: ({ identityId }) => globalId('CustomerIdentity', identityId),
    }),
    customer: t.field({ type: Customer, resolve: ({ customerId }) => customerId }),
  }),
})

builder.objectField(AlreadyExistsError, 'existingCustomer', (t) =>
  t.field({
    type: Customer,
    nullable: true,
    description: 'Who has it, where it is an identity: perhaps the two are one person, see `mergeCustomers`.',
    resolve: (error) => error.customerId,
  }),
)

/** The inputs with the rows' own ids. */
export const withAccounts = (inputs: readonly GivenIdentity[] | null | undefined, path: string[]): IdentityInput[] =>
  (inputs ?? []).map((input, index) => withAccount(input, [...path, String(index)]))

const withAccount = <Input extends GivenIdentity>(input: Input, path: string[]) => ({
  ...input,
  channelAccountId: optionalId('ChannelAccount', input.channelAccountId, [...path, 'channelAccountId']),
})

const identityId = (given: string): string => requiredId('CustomerIdentity', given, ['input', 'identityId'])

const authScopes = { role: 'AGENT' } as const

builder.mutationFields((t) => ({
  createCustomer: t.field({
    type: success('CreateCustomerSuccess'),
    description: 'AGENT. An identity belongs to one customer only.',
    authScopes,
    errors: { types: [ValidationError, NotFoundError, AlreadyExistsError] },
    args: { input: t.arg({ type: Create, required: true }) },
    resolve: async (_root, { input }, context) => ({
      customer: await createCustomer(context.deps, actorOf(context), {
        ...input,
        identities: withAccounts(input.identities, ['input', 'identities']),
      }),
    }),
  }),
  updateCustomer: t.field({
    type: success('UpdateCustomerSuccess'),
    description: 'AGENT. Absent fields stay as they are; all of it happens, or nothing.',
    authScopes,
    errors: { types: [ValidationError, NotFoundError, AlreadyExistsError] },
    args: { input: t.arg({ type: Update, required: true }) },
    resolve: async (_root, { input }, context) => ({
      customer: await updateCustomer(context.deps, actorOf(context), {
        ...input,
        customerId: requiredId('Customer', input.customerId, ['input', 'customerId']),
        addIdentities: withAccounts(input.addIdentities, ['input', 'addIdentities']),
        removeIdentityIds: input.removeIdentityIds?.map((id, index) =>
          requiredId('CustomerIdentity', id, ['input', 'removeIdentityIds', String(index)]),
        ),
      }),
    }),
  }),
  addCustomerIdentity: t.field({
    type: identitySuccess('AddCustomerIdentitySuccess'),
    description:
      'AGENT. Another address by which the customer is recognized. One that the customer has already stays as it is; one of another customer is an AlreadyExistsError that names them.',
    authScopes,
    errors: { types: [ValidationError, NotFoundError, AlreadyExistsError] },
    args: { input: t.arg({ type: AddIdentity, required: true }) },
    resolve: async (_root, { input }, context) => ({
      identity: await addCustomerIdentity(context.deps, actorOf(context), {
        ...withAccount(input, ['input']),
        customerId: requiredId('Customer', input.customerId, ['input', 'customerId']),
      }),
    }),
  }),
  verifyCustomerIdentity: t.field({
    type: identitySuccess('VerifyCustomerIdentitySuccess'),
    description: 'AGENT. A member vouches for an identity that was merely typed in.',
    authScopes,
    errors: { types: [NotFoundError] },
    args: { input: t.arg({ type: VerifyIdentity, required: true }) },
    resolve: async (_root, { input }, context) => ({
      identity: await verifyCustomerIdentity(context.deps, actorOf(context), { identityId: identityId(input.identityId) }),
    }),
  }),
  removeCustomerIdentity: t.field({
    type: RemoveIdentitySuccess,
    description: 'AGENT. Conversations stay. Whoever writes from it later is a new customer.',
    authScopes,
    errors: { types: [NotFoundError] },
    args: { input: t.arg({ type: RemoveIdentity, required: true }) },
    resolve: async (_root, { input }, context) => {
      const local = { identityId: identityId(input.identityId) }
      return { ...local, customerId: await removeCustomerIdentity(context.deps, actorOf(context), local) }
    },
  }),
}))
