import type { Customer } from '../db/generated/client.ts'
import type { Deps } from '../deps.ts'
import { transact } from '../events/transact.ts'
import type { Actor } from './actor.ts'
import { addIdentities } from './customer-identities.ts'
import { type CustomerPreferences, checkedPreferences } from './customer-preferences.ts'
import { lockCustomers } from './customers.ts'
import { NotFoundError } from './errors.ts'
import type { IdentityInput } from './identities.ts'
import { optionalText } from './text.ts'

export type UpdateCustomerInput = CustomerPreferences & {
  customerId: string
  /** Absent: unchanged; null or blank: removed. */
  name?: string | null
  addIdentities?: IdentityInput[] | null
  removeIdentityIds?: string[] | null
}

/** Throws NotFoundError, ValidationError, AlreadyExistsError. */
export async function updateCustomer(
  deps: Pick<Deps, 'db' | 'bus' | 'channels'>,
  actor: Actor,
  input: UpdateCustomerInput,
): Promise<Customer> {
  const { organizationId, memberId } = actor
  return transact(deps, organizationId, async (tx, recorder) => {
    const [customerId] = await lockCustomers(tx, organizationId, [input.customerId])
    if (customerId === undefined) throw new NotFoundError('customer', ['input', 'customerId'])
    for (const [index, id] of (input.removeIdentityIds ?? []).entries()) {
      const { count } = await tx.customerIdentity.deleteMany({ where: { id, customerId } })
      if (count === 0) throw new NotFoundError('identity of this customer', ['input', 'removeIdentityIds', String(index)])
    }
    await addIdentities(tx, deps.channels, organizationId, customerId, input.addIdentities ?? [], ['input', 'addIdentities'])
    const name = input.name === undefined ? {} : { name: optionalText(input.name, ['input', 'name'], 200) }
    recorder.event({ type: 'CUSTOMER_CHANGED', actorId: memberId, customerId })
    return tx.customer.update({ where: { id: customerId }, data: { ...name, ...checkedPreferences(input) } })
  })
}
