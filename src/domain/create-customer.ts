import type { Customer } from '../db/generated/client.ts'
import type { Deps } from '../deps.ts'
import { transact } from '../events/transact.ts'
import type { Actor } from './actor.ts'
import { addIdentities } from './customer-identities.ts'
import { type CustomerPreferences, checkedPreferences } from './customer-preferences.ts'
import { ValidationError } from './errors.ts'
import type { IdentityInput } from './identities.ts'
import { newId } from './ids.ts'
import { optionalText } from './text.ts'

export type CreateCustomerInput = CustomerPreferences & { name?: string | null; identities?: IdentityInput[] | null }

/** Throws AlreadyExistsError where an identity belongs to a customer already, ValidationError where it is none. */
export async function createCustomer(
  deps: Pick<Deps, 'db' | 'bus' | 'channels'>,
  actor: Actor,
  input: CreateCustomerInput,
): Promise<Customer> {
  const name = optionalText(input.name, ['input', 'name'], 200)
  const preferences = checkedPreferences(input)
  const identities = input.identities ?? []
  if (name === null && identities.length === 0) throw new ValidationError('A customer needs a name or an identity.', ['input'])
  return transact(deps, actor.organizationId, async (tx, recorder) => {
    const customer = await tx.customer.create({ data: { id: newId(), organizationId: actor.organizationId, name, ...preferences } })
    await addIdentities(tx, deps.channels, actor.organizationId, customer.id, identities, ['input', 'identities'])
    recorder.event({ type: 'CUSTOMER_CREATED', actorId: actor.memberId, customerId: customer.id })
    return customer
  })
}
