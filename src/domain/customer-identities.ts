import type { CustomerIdentity } from '../db/generated/client.ts'
import { IdentityKind } from '../db/generated/enums.ts'
import type { Deps } from '../deps.ts'
import { type Recorder, type Tx, transact } from '../events/transact.ts'
import type { Actor } from './actor.ts'
import { lockCustomers } from './customers.ts'
import { AlreadyExistsError, NotFoundError, ValidationError } from './errors.ts'
import { type IdentityInput, normalizeIdentity } from './identities.ts'
import { newId } from './ids.ts'

export const MAX_IDENTITIES = 20

export type Key = { organizationId: string; kind: IdentityKind; scope: string; value: string }

/** All others are ids that mean something only inside one page or account. */
const GLOBAL: ReadonlySet<IdentityKind> = new Set(['PHONE', 'EMAIL', 'WHATSAPP', 'EXTERNAL'])

/** Throws ValidationError where nobody could tell whose id it is. */
export function refuseUnlessPlaced({ kind, channelAccountId }: IdentityInput, path: string[]): void {
  if (GLOBAL.has(kind) || channelAccountId) return
  throw new ValidationError(`An id of kind ${kind} means something on one channel account only: say which.`, [...path, 'channelAccountId'])
}

/** What is stored of an identity that staff types in. Throws ValidationError, NotFoundError. */
export async function keyOf(
  tx: Tx,
  channels: Deps['channels'],
  organizationId: string,
  { kind, value, channelAccountId }: IdentityInput,
  path: string[],
): Promise<Key> {
  if (!channelAccountId) return { organizationId, kind, scope: '', value: normalizeIdentity(kind, value, [...path, 'value']) }
  const account = await tx.channelAccount.findFirst({ where: { id: channelAccountId, organizationId } })
  if (account === null) throw new NotFoundError('channel account', [...path, 'channelAccountId'])
  const adapter = channels.get(account.provider, account.channel)
  const address = adapter.normalize(value)
  if (address === null)
    throw new ValidationError(`"${value}" is not an address of ${account.channel}: it must be ${adapter.addressForm}.`, [...path, 'value'])
  const identity = adapter.identify(address, account.address)
  if (identity.kind === kind) return { organizationId, kind, scope: identity.scope, value: identity.value }
  throw new ValidationError(`On ${account.channel} "${value}" is of kind ${identity.kind}, not ${kind}.`, [...path, 'kind'])
}

/** Adds an identity that staff typed in, so an unverified one. null: the customer has it already. Throws AlreadyExistsError. */
async function add(tx: Tx, customerId: string, key: Key, path: string[]): Promise<CustomerIdentity | null> {
  const id = newId()
  const find = () => tx.customerIdentity.findUnique({ where: { organizationId_kind_scope_value: key } })
  // To insert it would wait for who receives a message from it, and they for the customer.
  const known = await find()
  const { count } =
    known === null ? await tx.customerIdentity.createMany({ data: [{ ...key, id, customerId }], skipDuplicates: true }) : { count: 0 }
  if (count === 1) return tx.customerIdentity.findUniqueOrThrow({ where: { id } })
  const holder = known ?? (await find())
  if (holder?.customerId === customerId) return null
  throw new AlreadyExistsError(`${key.value} belongs to another customer.`, [...path, 'value'], holder?.customerId ?? null)
}

/** Several at once, for a customer who is made or changed. */
export async function addIdentities(
  tx: Tx,
  channels: Deps['channels'],
  organizationId: string,
  customerId: string,
  inputs: IdentityInput[],
  path: string[],
): Promise<void> {
  if (inputs.length > MAX_IDENTITIES) throw new ValidationError(`At most ${MAX_IDENTITIES} identities are allowed.`, path)
  const keys: { key: Key; place: string[] }[] = []
  for (const [index, input] of inputs.entries()) {
    const place = [...path, String(index)]
    keys.push({ key: await keyOf(tx, channels, organizationId, input, place), place })
  }
  for (const { key, place } of keys.toSorted((a, b) => inLockOrder(a.key, b.key))) await add(tx, customerId, key, place)
}

const kinds = Object.values(IdentityKind)

/** The order in which everybody locks identities (see `lockIdentities`), so that two who name the same person do not wait for each other. */
export const inLockOrder = (a: Key, b: Key): number =>
  kinds.indexOf(a.kind) - kinds.indexOf(b.kind) || (`${a.scope} ${a.value}` < `${b.scope} ${b.value}` ? -1 : 1)

export type AddCustomerIdentityInput = IdentityInput & { customerId: string }

/** Throws NotFoundError, ValidationError, and AlreadyExistsError with the customer who has it. Adding what is there changes nothing. */
export function addCustomerIdentity(
  deps: Pick<Deps, 'db' | 'bus' | 'channels'>,
  actor: Actor,
  input: AddCustomerIdentityInput,
): Promise<CustomerIdentity> {
  const { organizationId, memberId } = actor
  refuseUnlessPlaced(input, ['input'])
  return transact(deps, organizationId, async (tx, recorder) => {
    const [customerId] = await lockCustomers(tx, organizationId, [input.customerId])
    if (customerId === undefined) throw new NotFoundError('customer', ['input', 'customerId'])
    const key = await keyOf(tx, deps.channels, organizationId, input, ['input'])
    const held = await tx.customerIdentity.count({ where: { customerId } })
    if (held >= MAX_HELD) throw new ValidationError(`A customer has at most ${MAX_HELD} identities.`, ['input'])
    const made = await add(tx, customerId, key, ['input'])
    if (made === null) return tx.customerIdentity.findUniqueOrThrow({ where: { organizationId_kind_scope_value: key } })
    recorder.event({ type: 'CUSTOMER_CHANGED', actorId: memberId, customerId, data: { identityAdded: nameOf(made) } })
    return made
  })
}

const MAX_HELD = 200

const nameOf = ({ kind, value }: Pick<CustomerIdentity, 'kind' | 'value'>) => ({ kind, value })

export type IdentityIdInput = { identityId: string }

/** Staff vouches for it. Throws NotFoundError. */
export const verifyCustomerIdentity = (deps: Pick<Deps, 'db' | 'bus'>, actor: Actor, input: IdentityIdInput): Promise<CustomerIdentity> =>
  withIdentity(deps, actor, input, async (tx, recorder, identity) => {
    if (identity.verified) return identity
    const { customerId } = identity
    recorder.event({ type: 'CUSTOMER_CHANGED', actorId: actor.memberId, customerId, data: { identityVerified: nameOf(identity) } })
    return tx.customerIdentity.update({ where: { id: identity.id }, data: { verified: true } })
  })

/** The customer's conversations stay; a message from it makes a new customer. Gives the customer's id. Throws NotFoundError. */
export const removeCustomerIdentity = (deps: Pick<Deps, 'db' | 'bus'>, actor: Actor, input: IdentityIdInput): Promise<string> =>
  withIdentity(deps, actor, input, async (tx, recorder, identity) => {
    const { customerId } = identity
    await tx.customerIdentity.delete({ where: { id: identity.id } })
    recorder.event({ type: 'CUSTOMER_CHANGED', actorId: actor.memberId, customerId, data: { identityRemoved: nameOf(identity) } })
    return customerId
  })

function withIdentity<T>(
  deps: Pick<Deps, 'db' | 'bus'>,
  { organizationId }: Actor,
  { identityId }: IdentityIdInput,
  work: (tx: Tx, recorder: Recorder, identity: CustomerIdentity) => Promise<T>,
): Promise<T> {
  return transact(deps, organizationId, async (tx, recorder) => {
    const where = { id: identityId, organizationId }
    const found = await tx.customerIdentity.findFirst({ where })
    if (found !== null) await lockCustomers(tx, organizationId, [found.customerId])
    const identity = found === null ? null : await tx.customerIdentity.findFirst({ where })
    if (identity === null) throw new NotFoundError('identity', ['input', 'identityId'])
    return work(tx, recorder, identity)
  })
}
