import type { Identity } from '../channels/fact.ts'
import type { Customer } from '../db/generated/client.ts'
import type { Deps } from '../deps.ts'
import type { Recorder, Tx } from '../events/transact.ts'
import { findSurvivors } from './find-survivors.ts'
import { newId } from './ids.ts'
import { cleanText } from './text.ts'

/** Finds the customer by the identity or makes one, called `name`, whatever the concurrency, and locks the row. */
export async function ensureCustomer(...args: Parameters<typeof findOrMakeCustomer>): Promise<string> {
  const customerId = await findOrMakeCustomer(...args)
  const [tx, , organizationId] = args
  await lockCustomers(tx, organizationId, [customerId])
  return customerId
}

/** As `ensureCustomer`, but only the identity is locked. */
export async function findOrMakeCustomer(
  tx: Tx,
  recorder: Recorder,
  organizationId: string,
  identity: Identity,
  memberId: string | null,
  name: string | null = null,
): Promise<string> {
  const fresh = newId()
  const [row] = await tx.$queryRaw<{ customer_id: string }[]>`
    WITH named AS (
      INSERT INTO customer_identity (id, organization_id, customer_id, kind, scope, value, verified)
      VALUES (${newId()}::uuid, ${organizationId}::uuid, ${fresh}::uuid, ${identity.kind}::"IdentityKind", ${identity.scope}, ${identity.value}, ${identity.verified})
      ON CONFLICT (organization_id, kind, scope, value) DO UPDATE SET verified = customer_identity.verified
      RETURNING customer_id
    ), made AS (
      INSERT INTO customer (id, organization_id, name) SELECT customer_id, ${organizationId}::uuid, ${name}::text FROM named WHERE customer_id = ${fresh}::uuid
    )
    SELECT customer_id FROM named`
  const customerId = row?.customer_id ?? fresh
  if (customerId === fresh) recorder.event({ type: 'CUSTOMER_CREATED', actorId: memberId, customerId })
  return customerId
}

type Locked = { id: string; merged_into_id: string | null }

/** Locks these very rows in a fixed order, merged or not. */
export const lockCustomerRows = (tx: Tx, organizationId: string, ids: readonly string[]): Promise<Locked[]> =>
  tx.$queryRaw<Locked[]>`
    SELECT id, merged_into_id FROM customer WHERE organization_id = ${organizationId}::uuid AND id = ANY(${[...ids]}::uuid[])
    ORDER BY id FOR NO KEY UPDATE`

/**
 * Locks the customers of this organization in a fixed order and returns the ids that exist. Who is merged stands for the customer they are
 * merged into, also where that happens while this waits.
 */
export async function lockCustomers(tx: Tx, organizationId: string, ids: readonly string[]): Promise<string[]> {
  const rows = await tx.$queryRaw<Locked[]>`
    SELECT id, merged_into_id FROM customer WHERE organization_id = ${organizationId}::uuid AND id IN (
      SELECT coalesce(merged_into_id, id) FROM customer WHERE organization_id = ${organizationId}::uuid AND id = ANY(${[...ids]}::uuid[]))
    ORDER BY id FOR NO KEY UPDATE`
  const survivors = rows.map((row) => row.merged_into_id ?? row.id)
  return rows.every((row) => row.merged_into_id === null) ? survivors : lockCustomers(tx, organizationId, survivors)
}

/** Locks the identities of customers, as those who receive a message do before they lock the customer. */
export async function lockIdentities(tx: Tx, organizationId: string, customerIds: readonly string[]): Promise<void> {
  await tx.$queryRaw`
    SELECT FROM customer_identity WHERE customer_id IN (
      SELECT coalesce(merged_into_id, id) FROM customer WHERE organization_id = ${organizationId}::uuid AND id = ANY(${[...customerIds]}::uuid[]))
    ORDER BY kind, scope, value FOR NO KEY UPDATE`
}

/** Locks the customer whom something belongs to, also where it changes hands meanwhile (a merge, or its undoing); null: there is no such thing. */
export async function lockOwner(
  tx: Tx,
  organizationId: string,
  owner: () => Promise<{ customerId: string } | null>,
): Promise<string | null> {
  for (let found = await owner(); found !== null; ) {
    await lockCustomers(tx, organizationId, [found.customerId])
    const now = await owner()
    if (now?.customerId === found.customerId) return now.customerId
    found = now
  }
  return null
}

/** Locks the customer who has the identity; null: nobody has it. */
export function lockHolder(
  tx: Tx,
  organizationId: string,
  { kind, scope, value }: Pick<Identity, 'kind' | 'scope' | 'value'>,
): Promise<string | null> {
  const key = { organizationId, kind, scope, value: cleanText(value) }
  return lockOwner(tx, organizationId, () =>
    tx.customerIdentity.findUnique({ where: { organizationId_kind_scope_value: key }, select: { customerId: true } }),
  )
}

/**
 * The customers by their ids; the id of one who is merged leads to the survivor. `columns`: a `select` that has id and mergedIntoId; all,
 * where there is none.
 */
export const findCustomers = (
  deps: Pick<Deps, 'db'>,
  organizationId: string,
  ids: readonly string[],
  columns: object = {},
): Promise<Map<string, Customer>> =>
  findSurvivors(ids, (wanted) => deps.db.customer.findMany({ where: { id: { in: wanted }, organizationId }, ...columns }))
