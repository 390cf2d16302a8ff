import type { CustomerIdentity } from '../db/generated/client.ts'
import type { Deps } from '../deps.ts'
import type { Recorder, Tx } from '../events/transact.ts'
import type { Actor } from './actor.ts'
import { keyOf, MAX_IDENTITIES, refuseUnlessPlaced } from './customer-identities.ts'
import { ensureCustomer, lockCustomers } from './customers.ts'
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
  // In one order for all, so that two who name the same person do not wait for each other.
  const sorted = keys.toSorted((a, b) => (`${a.kind} ${a.scope} ${a.value}` < `${b.kind} ${b.scope} ${b.value}` ? -1 : 1))
  const known = await tx.customerIdentity.findMany({
    where: { organizationId, OR: sorted.map(({ kind, scope, value }) => ({ kind, scope, value })) },
  })
  const isKnown = (key: (typeof sorted)[number]) =>
    known.some(({ kind, scope, value }) => kind === key.kind && scope === key.scope && value === key.value)
  const first = keys.find(isKnown) ?? sorted[0]
  if (first === undefined) throw new Error('a contact without identities')
  const made = await ensureCustomer(tx, recorder, organizationId, { ...first, verified: false }, memberId)
  const [id = made] = await lockCustomers(tx, organizationId, [made])
  const added: Pick<CustomerIdentity, 'kind' | 'value'>[] = []
  for (const key of sorted) {
    const { count } = await tx.customerIdentity.createMany({ data: [{ ...key, id: newId(), customerId: id }], skipDuplicates: true })
    if (count === 1) {
      added.push({ kind: key.kind, value: key.value })
      continue
    }
    const holder = await tx.customerIdentity.findUniqueOrThrow({ where: { organizationId_kind_scope_value: key } })
    if (holder.customerId !== id) await suggestMerge(tx, recorder, organizationId, id, holder.customerId, key)
  }
  const named = name === null ? 0 : (await tx.customer.updateMany({ where: { id, name: null }, data: { name } })).count
  const changed = known.length > 0 && (named > 0 || added.length > 0)
  if (changed) recorder.event({ type: 'CUSTOMER_CHANGED', actorId: memberId, customerId: id, data: { identitiesAdded: added } })
  return id
}
