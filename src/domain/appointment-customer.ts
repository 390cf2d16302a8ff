import type { CustomerIdentity } from '../db/generated/client.ts'
import type { Deps } from '../deps.ts'
import type { Recorder, Tx } from '../events/transact.ts'
import type { Actor } from './actor.ts'
import { inLockOrder, type Key, keyOf, MAX_IDENTITIES, refuseUnlessPlaced } from './customer-identities.ts'
import { findOrMakeCustomer, lockCustomers } from './customers.ts'
import { NotFoundError, ValidationError } from './errors.ts'
import type { IdentityInput } from './identities.ts'
import { newId } from './ids.ts'
import { suggestMerge } from './merge-suggestions.ts'
import { optionalText } from './text.ts'

/** Who it is: exactly one of these. A booking system that knows no ids of ours names the person. */
export type AppointmentCustomer = {
  customerId?: string | null
  contact?: { name?: string | null; identities: IdentityInput[] } | null
}

/**
 * The customer, locked. A contact is found by the first of its identities that is known, or made; an identity that is new is added, and one of
 * another customer suggests that the two may be one person. Throws NotFoundError, ValidationError.
 */
export async function appointmentCustomer(
  tx: Tx,
  recorder: Recorder,
  channels: Deps['channels'],
  { organizationId, memberId }: Actor,
  { customerId, contact }: AppointmentCustomer,
): Promise<string> {
  const path = ['input', 'customer']
  if (customerId) {
    const [found] = await lockCustomers(tx, organizationId, [customerId])
    if (found === undefined) throw new NotFoundError('customer', [...path, 'customerId'])
    return found
  }
  const identities = contact?.identities ?? []
  if (identities.length === 0 || identities.length > MAX_IDENTITIES)
    throw new ValidationError(`identities must have 1 to ${MAX_IDENTITIES} of them.`, [...path, 'contact', 'identities'])
  const name = optionalText(contact?.name, [...path, 'contact', 'name'], 200)
  const keys = await Promise.all(
    identities.map((identity, index) => {
      const place = [...path, 'contact', 'identities', String(index)]
      refuseUnlessPlaced(identity, place)
      return keyOf(tx, channels, organizationId, identity, place)
    }),
  )
  const found = await lockKnown(tx, keys)
  const first = keys.flatMap((key) => found.find((row) => isSame(row, key)) ?? [])[0]
  const fresh = keys.filter((key) => !found.some((row) => isSame(row, key))).toSorted(inLockOrder)
  const made = first?.customerId ?? (await makeOf(tx, recorder, fresh, memberId))
  const added: Pick<Key, 'kind' | 'value'>[] = []
  for (const key of fresh) {
    const { count } = await tx.customerIdentity.createMany({ data: [{ ...key, id: newId(), customerId: made }], skipDuplicates: true })
    if (count === 1) added.push({ kind: key.kind, value: key.value })
  }
  const [id = made] = await lockCustomers(tx, organizationId, [made])
  for (const holder of await tx.customerIdentity.findMany({ where: { OR: keys } }))
    if (holder.customerId !== id) await suggestMerge(tx, recorder, organizationId, id, holder.customerId, holder)
  const named = name === null ? 0 : (await tx.customer.updateMany({ where: { id, name: null }, data: { name } })).count
  const changed = first !== undefined && (named > 0 || added.length > 0)
  if (changed) recorder.event({ type: 'CUSTOMER_CHANGED', actorId: memberId, customerId: id, data: { identitiesAdded: added } })
  return id
}

const isSame = (one: Key, other: Key): boolean => one.kind === other.kind && one.scope === other.scope && one.value === other.value

/** Locks identities before any customer, and in the same order, as a merge does; who receives a message locks one of each. */
async function lockKnown(tx: Tx, keys: readonly Key[]): Promise<CustomerIdentity[]> {
  const where = { OR: [...keys] }
  const ids = (await tx.customerIdentity.findMany({ where, select: { id: true } })).map(({ id }) => id)
  await tx.$queryRaw`SELECT FROM customer_identity WHERE id = ANY(${ids}::uuid[]) ORDER BY kind, scope, value FOR NO KEY UPDATE`
  return tx.customerIdentity.findMany({ where })
}

function makeOf(tx: Tx, recorder: Recorder, [key]: readonly Key[], memberId: string | null): Promise<string> {
  if (key === undefined) throw new Error('a contact without identities')
  return findOrMakeCustomer(tx, recorder, key.organizationId, { ...key, verified: false }, memberId)
}
