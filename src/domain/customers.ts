import type { Identity } from '../channels/fact.ts'
import type { Recorder, Tx } from '../events/transact.ts'
import { newId } from './ids.ts'
import { cleanText } from './text.ts'

/** Finds the customer by the identity or makes one, whatever the concurrency, and locks the row. */
export async function ensureCustomer(
  tx: Tx,
  recorder: Recorder,
  organizationId: string,
  identity: Identity,
  memberId: string | null,
): Promise<string> {
  const fresh = newId()
  const [row] = await tx.$queryRaw<{ customer_id: string }[]>`
    WITH named AS (
      INSERT INTO customer_identity (id, organization_id, customer_id, kind, scope, value, verified)
      VALUES (${newId()}::uuid, ${organizationId}::uuid, ${fresh}::uuid, ${identity.kind}::"IdentityKind", ${identity.scope}, ${identity.value}, ${identity.verified})
      ON CONFLICT (organization_id, kind, scope, value) DO UPDATE SET verified = customer_identity.verified
      RETURNING customer_id
    ), made AS (
      INSERT INTO customer (id, organization_id) SELECT customer_id, ${organizationId}::uuid FROM named WHERE customer_id = ${fresh}::uuid
    )
    SELECT customer_id FROM named`
  const customerId = row?.customer_id ?? fresh
  if (customerId === fresh) recorder.event({ type: 'CUSTOMER_CREATED', actorId: memberId, customerId })
  await lockCustomers(tx, organizationId, [customerId])
  return customerId
}

/** Locks the customers of this organization in a fixed order; returns the ids that exist. */
export async function lockCustomers(tx: Tx, organizationId: string, ids: string[]): Promise<string[]> {
  const rows = await tx.$queryRaw<{ id: string }[]>`
    SELECT id FROM customer WHERE organization_id = ${organizationId}::uuid AND id = ANY(${ids}::uuid[]) ORDER BY id FOR NO KEY UPDATE`
  return rows.map((row) => row.id)
}

/** Locks the customer who has the identity, also where it changes hands meanwhile (a merge); null: nobody has it. */
export async function lockHolder(
  tx: Tx,
  organizationId: string,
  { kind, scope, value }: Pick<Identity, 'kind' | 'scope' | 'value'>,
): Promise<string | null> {
  const holder = async () => {
    const key = { organizationId, kind, scope, value: cleanText(value) }
    const identity = await tx.customerIdentity.findUnique({ where: { organizationId_kind_scope_value: key }, select: { customerId: true } })
    return identity?.customerId ?? null
  }
  for (let customerId = await holder(); customerId !== null; ) {
    await lockCustomers(tx, organizationId, [customerId])
    const now = await holder()
    if (now === customerId) return customerId
    customerId = now
  }
  return null
}
