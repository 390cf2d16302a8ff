import type { HealthCheck } from '../channels/channel.ts'
import type { ChannelAccount } from '../db/generated/client.ts'
import { Prisma } from '../db/generated/client.ts'
import type { ChannelType } from '../db/generated/enums.ts'
import type { Deps } from '../deps.ts'
import { type Tx, transact } from '../events/transact.ts'
import type { Actor } from './actor.ts'
import { type CredentialsInput, chosenAdapter, credentialsOf, sealedCredentials } from './channel-credentials.ts'
import { askProvider, exclusiveChecks, statusAfter } from './check-account.ts'
import { AlreadyExistsError, ChannelNotConnectedError, NotFoundError, ValidationError } from './errors.ts'
import { newId } from './ids.ts'
import { enqueueSyncWhereActive } from './sync-templates.ts'
import { requiredText } from './text.ts'
import { ringAccounts } from './watch-accounts.ts'

export type ConnectChannelAccountInput = { channel: ChannelType; name: string; address: string; credentials: CredentialsInput }
export type UpdateChannelAccountInput = {
  channelAccountId: string
  name?: string | null
  credentials?: CredentialsInput | null
  /** null: the channel's usual limit. */
  messagesPerSecond?: number | null
}

/** What is stored of the latest check. */
export type Health = { status: 'HEALTHY' | 'UNHEALTHY'; checks: HealthCheck[] }

export const healthOf = (checks: HealthCheck[]): Health => ({ status: checks.every(({ ok }) => ok) ? 'HEALTHY' : 'UNHEALTHY', checks })

/**
 * Connects a number or address: ACTIVE where the provider confirms the credentials, else PENDING with what is wrong in its health. One that
 * was disconnected before is taken up again, with its conversations. Throws ValidationError, AlreadyExistsError.
 */
export async function connectChannelAccount(deps: Deps, actor: Actor, input: ConnectChannelAccountInput): Promise<ChannelAccount> {
  const { organizationId } = actor
  const { channel } = input
  const { adapter, credentials } = chosenAdapter(deps, channel, input.credentials)
  const { provider } = adapter
  const name = requiredText(input.name, ['input', 'name'], 200)
  const address = adapter.normalize(input.address)
  if (address === null)
    throw new ValidationError(`"${input.address}" is not an address for ${channel}: it must be ${adapter.addressForm}.`, [
      'input',
      'address',
    ])
  const key = { organizationId, channel, address }
  const exists = new AlreadyExistsError(`${address} is connected for ${channel} already.`, ['input', 'address'])
  const known = await deps.db.channelAccount.findUnique({ where: { organizationId_channel_address: key }, select: { status: true } })
  if (known !== null && known.status !== 'DISCONNECTED') throw exists
  const answers = await askProvider(deps, { ...key, provider }, credentials)
  return changing(deps, organizationId, async (tx, recorder) => {
    const id = newId()
    const routingKeys = adapter.routingKeys(credentials)
    const checks = [...answers, ...(await exclusiveChecks(tx, adapter, { ...key, provider, id, routingKeys }, answers))]
    const status = statusAfter(checks, false)
    const health = { health: healthOf(checks), healthCheckedAt: deps.clock() }
    const data = { name, provider, routingKeys, status, ...sealedCredentials(deps, credentials), ...health }
    const [made] = await tx.channelAccount.createManyAndReturn({ data: [{ ...data, ...key, id }], skipDuplicates: true })
    // One statement decides and writes: of simultaneous calls, one takes a disconnected account up again.
    const [revived] = made ? [] : await tx.channelAccount.updateManyAndReturn({ where: { ...key, status: 'DISCONNECTED' }, data })
    const account = made ?? revived
    if (account === undefined) throw exists
    recorder.event({
      type: 'CHANNEL_ACCOUNT_CHANGED',
      actorId: actor.memberId,
      data: { channelAccountId: account.id, change: 'connected' },
    })
    await enqueueSyncWhereActive(deps, tx, account)
    return account
  })
}

/**
 * Changes name or credentials; the provider stays. New credentials are checked as when connecting: the account is then ACTIVE or PENDING.
 * Throws NotFoundError, ValidationError, ChannelNotConnectedError.
 */
export async function updateChannelAccount(deps: Deps, actor: Actor, input: UpdateChannelAccountInput): Promise<ChannelAccount> {
  const account = await connectedAccount(deps.db, actor.organizationId, input.channelAccountId)
  const name = input.name === undefined || input.name === null ? {} : { name: requiredText(input.name, ['input', 'name'], 200) }
  const plain = { ...name, ...checkedPace(input.messagesPerSecond) }
  if (input.credentials === undefined || input.credentials === null) {
    return changeAccount(deps, actor, account.id, 'updated', () => plain)
  }
  const { adapter, credentials } = chosenAdapter(deps, account.channel, input.credentials)
  if (adapter.provider !== account.provider) {
    throw new ValidationError(`The account's provider is ${account.provider}; credentials must be for it.`, ['input', 'credentials'])
  }
  const answers = await askProvider(deps, account, credentials)
  return changeAccount(deps, actor, account.id, 'updated', async (current, tx) => {
    const routingKeys = adapter.routingKeys(credentials)
    const checks = [...answers, ...(await exclusiveChecks(tx, adapter, { ...current, routingKeys }, answers))]
    const health = { health: healthOf(checks), healthCheckedAt: deps.clock() }
    return { ...plain, ...sealedCredentials(deps, credentials), routingKeys, status: statusAfter(checks, false), ...health }
  })
}

const MAX_PER_SECOND = 10_000

function checkedPace(messagesPerSecond: number | null | undefined): { messagesPerSecond?: number | null } {
  if (messagesPerSecond === undefined) return {}
  if (messagesPerSecond === null || (messagesPerSecond >= 1 && messagesPerSecond <= MAX_PER_SECOND)) return { messagesPerSecond }
  throw new ValidationError(`messagesPerSecond must be from 1 to ${MAX_PER_SECOND}, not ${messagesPerSecond}.`, [
    'input',
    'messagesPerSecond',
  ])
}

/** Nothing is sent or received any more, and the credentials are erased; conversations stay. Throws NotFoundError. */
export async function disconnectChannelAccount(deps: Deps, actor: Actor, channelAccountId: string): Promise<ChannelAccount> {
  const account = await ownAccount(deps.db, actor.organizationId, channelAccountId)
  const nothing = { credentials: null, credentialsKey: null, health: Prisma.DbNull, healthCheckedAt: null }
  return changeAccount(deps, actor, account.id, 'disconnected', () => ({ status: 'DISCONNECTED', ...nothing }), true)
}

/**
 * Asks the provider whether the account works and keeps the answer: it makes the account ACTIVE, or PENDING where it can no longer be used.
 * A provider that gives no answer changes nothing about an active one. Throws NotFoundError, ChannelNotConnectedError.
 */
export async function checkChannelAccount(deps: Deps, actor: Actor, channelAccountId: string): Promise<ChannelAccount> {
  const account = await connectedAccount(deps.db, actor.organizationId, channelAccountId)
  const adapter = deps.channels.get(account.provider, account.channel)
  const answers = await askProvider(deps, account, credentialsOf(deps, adapter, account))
  return changeAccount(deps, actor, channelAccountId, 'checked', async (current, tx) => {
    // Credentials that came meanwhile have brought their own answer.
    if (!sameBytes(current.credentials, account.credentials)) return {}
    const checks = [...answers, ...(await exclusiveChecks(tx, adapter, current, answers))]
    return { status: statusAfter(checks, current.status === 'ACTIVE'), health: healthOf(checks), healthCheckedAt: deps.clock() }
  })
}

const sameBytes = (one: Uint8Array | null, other: Uint8Array | null): boolean =>
  one !== null && other !== null && Buffer.compare(one, other) === 0

type Changes = Prisma.ChannelAccountUpdateInput

async function changeAccount(
  deps: Deps,
  actor: Actor,
  id: string,
  change: string,
  decide: (account: ChannelAccount, tx: Tx) => Changes | Promise<Changes>,
  alsoDisconnected = false,
): Promise<ChannelAccount> {
  return changing(deps, actor.organizationId, async (tx, recorder) => {
    await tx.$queryRaw`SELECT FROM channel_account WHERE id = ${id}::uuid AND organization_id = ${actor.organizationId}::uuid FOR NO KEY UPDATE`
    const account = await (alsoDisconnected ? ownAccount : connectedAccount)(tx, actor.organizationId, id)
    recorder.event({ type: 'CHANNEL_ACCOUNT_CHANGED', actorId: actor.memberId, data: { channelAccountId: id, change } })
    const changed = await tx.channelAccount.update({ where: { id }, data: await decide(account, tx) })
    if (account.status !== 'ACTIVE' || !sameBytes(account.credentials, changed.credentials)) await enqueueSyncWhereActive(deps, tx, changed)
    return changed
  })
}

/** A transaction that changes an account: who remembers accounts is told. */
async function changing(deps: Deps, organizationId: string, work: Parameters<typeof transact<ChannelAccount>>[2]): Promise<ChannelAccount> {
  const account = await transact(deps, organizationId, work)
  ringAccounts(deps)
  return account
}

async function ownAccount(tx: Tx, organizationId: string, id: string): Promise<ChannelAccount> {
  const account = await tx.channelAccount.findFirst({ where: { id, organizationId } })
  if (account === null) throw new NotFoundError('channel account', ['input', 'channelAccountId'])
  return account
}

async function connectedAccount(tx: Tx, organizationId: string, id: string): Promise<ChannelAccount> {
  const account = await ownAccount(tx, organizationId, id)
  if (account.status !== 'DISCONNECTED') return account
  throw new ChannelNotConnectedError('The channel account is disconnected; connect it again instead.', ['input', 'channelAccountId'])
}
