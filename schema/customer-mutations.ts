import type { Customer as Row } from '../src/db/generated/client.ts'
import { createCustomer } from '../src/domain/create-customer.ts'
import { AlreadyExistsError, NotFoundError, ValidationError } from '../src/domain/errors.ts'
import { updateCustomer } from '../src/domain/update-customer.ts'
import { builder } from './builder.ts'
import { actorOf } from './context.ts'
import { Customer } from './customer.ts'
import { IdentityKind } from './enums.ts'
import { requiredId } from './global-id.ts'

const Identity = builder.inputType('CustomerIdentityInput', {
  fields: (t) => ({
    kind: t.field({ type: IdentityKind, required: true }),
    value: t.string({ required: true, description: 'A phone number in international form, an e-mail address, or an id.' }),
  }),
})

const Create = builder.inputType('CreateCustomerInput', {
  description: 'A name, or identities, or both.',
  fields: (t) => ({
    name: t.string({ description: 'At most 200 characters.' }),
    identities: t.field({ type: [Identity], description: 'At most 20.' }),
  }),
})

const Update = builder.inputType('UpdateCustomerInput', {
  fields: (t) => ({
    customerId: t.id({ required: true }),
    name: t.string({ description: 'Absent: unchanged; null: removed.' }),
    addIdentities: t.field({ type: [Identity] }),
    removeIdentityIds: t.idList(),
  }),
})

const success = (name: string) =>
  builder.objectRef<{ customer: Row }>(name).implement({
    fields: (t) => ({ customer: t.field({ type: Customer, resolve: ({ customer }) => customer }) }),
  })

const authScopes = { role: 'AGENT' } as const

builder.mutationFields((t) => ({
  createCustomer: t.field({
    type: success('CreateCustomerSuccess'),
    description: 'AGENT. An identity belongs to one customer only.',
    authScopes,
    errors: { types: [ValidationError, AlreadyExistsError] },
    args: { input: t.arg({ type: Create, required: true }) },
    resolve: async (_root, { input }, context) => ({ customer: await createCustomer(context.deps, actorOf(context), input) }),
  }),
  updateCustomer: t.field({
    type: success('UpdateCustomerSuccess'),
    description: 'AGENT.',
    authScopes,
    errors: { types: [ValidationError, NotFoundError, AlreadyExistsError] },
    args: { input: t.arg({ type: Update, required: true }) },
    resolve: async (_root, { input }, context) => ({
      customer: await updateCustomer(context.deps, actorOf(context), {
        ...input,
        customerId: requiredId('Customer', input.customerId, ['input', 'customerId']),
        removeIdentityIds: input.removeIdentityIds?.map((id, index) =>
          requiredId('CustomerIdentity', id, ['input', 'removeIdentityIds', String(index)]),
        ),
      }),
    }),
  }),
}))
