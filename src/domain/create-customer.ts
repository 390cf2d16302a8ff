import type { Customer } from '../db/generated/client.ts'
import type { IdentityKind } from '../db/generated/enums.ts'
import type { Deps } from '../deps.ts'
import { type Tx, transact } from '../events/transact.ts'
import type { Actor } from './actor.ts'
import { AlreadyExistsError, ValidationError } from './errors.ts'
import { normalizeIdentity } from './identities.ts'
import { newId } from './ids.ts'
import { optionalText } from './text.ts'

export type IdentityInput = { kind: IdentityKind; value: string }
export type CreateCustomerInput = { name?: string | null; identities?: IdentityInput[] | null }

export const MAX_IDENTITIES = 20

/** Throws AlreadyExistsError where an identity belongs to a customer already, ValidationError where it is none. */
export async function createCustomer(deps: Pick<Deps, 'db' | 'bus'>, actor: Actor, input: CreateCustomerInput): Promise<Customer> {
  const name = optionalText(input.name, ['input', 'name'], 200)
  const identities = input.identities ?? []
  if (name === null && identities.length === 0) throw new ValidationError('A customer needs a name or an identity.', ['input'])
  return transact(deps, actor.organizationId, async (tx, recorder) => {
    const customer = await tx.customer.create({ data: { id: newId(), organizationId: actor.organizationId, name } })
    await addIdentities(tx, actor.organizationId, customer.id, identities, ['input', 'identities'])
    recorder.event({ type: 'CUSTOMER_CREATED', actorId: actor.memberId, customerId: customer.id })
    return customer
  })
}

/** Adds identities that staff typed in, so unverified ones. One that the customer has already is left alone. */
export async function addIdentities(
  tx: Tx,
  organizationId: string,
  customerId: string,
  inputs: IdentityInput[],
  path: string[],
): Promise<void> {
  if (inputs.length > MAX_IDENTITIES) throw new ValidationError(`At most ${MAX_IDENTITIES} identities are allowed.`, path)
  for (const [index, { kind, value: given }] of inputs.entries()) {
    const value = normalizeIdentity(kind, given, [...path, String(index), 'value'])
    const key = { organizationId, kind, scope: '', value }
    const { count } = await tx.customerIdentity.createMany({ data: [{ ...key, id: newId(), customerId }], skipDuplicates: true })
    if (count === 1) continue
    const holder = await tx.customerIdentity.findUnique({ where: { organizationId_kind_scope_value: key } })
    if (holder?.customerId !== customerId)
      throw new AlreadyExistsError(`${value} belongs to another customer.`, [...path, String(index), 'value'])
  }
}
