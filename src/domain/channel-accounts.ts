import type { AnyChannelAdapter, HealthCheck } from '../channels/channel.ts'
import type { ChannelAccount } from '../db/generated/client.ts'
import { Prisma } from '../db/generated/client.ts'
import type { ChannelType, Provider } from '../db/generated/enums.ts'
import type { Deps } from '../deps.ts'
import { type Tx, transact } from '../events/transact.ts'
import type { Actor } from './actor.ts'
import { credentialsOf, sealedCredentials } from './channel-credentials.ts'
import { AlreadyExistsError, ChannelNotConnectedError, NotFoundError, ValidationError } from './errors.ts'
import { newId } from './ids.ts'
import { requiredText } from './text.ts'
import { ringAccounts } from './watch-accounts.ts'
import { webhookUrl } from './webhook-url.ts'

/** Exactly one is set; its name is the provider's in lower case. */
export type CredentialsInput = Partial<Record<Lowercase<Provider>, object | null>>

export type ConnectChannelAccountInput = { channel: ChannelType; name: string; address: string; credentials: CredentialsInput }
export type UpdateChannelAccountInput = { channelAccountId: string; name?: string | null; credentials?: CredentialsInput | null }

/**
 * Connects a number or address. One that was disconnected before is taken up again, with its conversations.
 * Throws ValidationError, AlreadyExistsError.
 */
export async function connectChannelAccount(deps: Deps, actor: Actor, input: ConnectChannelAccountInput): Promise<ChannelAccount> {
  const { organizationId } = actor
  const { adapter, credentials } = chosenAdapter(deps, input.channel, input.credentials)
  const address = adapter.normalize(input.address)
  if (address === null) throw new ValidationError(`"${input.address}" is not an address for ${input.channel}.`, ['input', 'address'])
  const data = {
    name: requiredText(input.name, ['input', 'name'], 200),
    provider: adapter.provider,
    routingKeys: adapter.routingKeys(credentials),
    status: 'CONNECTED' as const,
    ...sealedCredentials(deps, credentials),
    health: Prisma.DbNull,
    healthCheckedAt: null,
  }
  return changing(deps, organizationId, async (tx, recorder) => {
    const key = { organizationId, channel: input.channel, address }
    const [made] = await tx.channelAccount.createManyAndReturn({ data: [{ ...data, ...key, id: newId() }], skipDuplicates: true })
    // One statement decides and writes: of simultaneous calls, one takes a disconnected account up again.
    const [revived] = made ? [] : await tx.channelAccount.updateManyAndReturn({ where: { ...key, status: 'DISCONNECTED' }, data })
    const account = made ?? revived
    if (account === undefined) throw new AlreadyExistsError(`${address} is connected for ${input.channel} already.`, ['input', 'address'])
    recorder.event({
      type: 'CHANNEL_ACCOUNT_CHANGED',
      actorId: actor.memberId,
      data: { channelAccountId: account.id, change: 'connected' },
    })
    return account
  })
}

/** Changes name or credentials; the provider stays. Throws NotFoundError, ValidationError, ChannelNotConnectedError. */
export async function updateChannelAccount(deps: Deps, actor: Actor, input: UpdateChannelAccountInput): Promise<ChannelAccount> {
  return changeAccount(deps, actor, input.channelAccountId, 'updated', (account) => {
    if (account.status !== 'CONNECTED') {
      throw new ChannelNotConnectedError('The channel account is disconnected; connect it again instead.', ['input', 'channelAccountId'])
    }
    const name = input.name === undefined || input.name === null ? {} : { name: requiredText(input.name, ['input', 'name'], 200) }
    if (input.credentials === undefined || input.credentials === null) return name
    const { adapter, credentials } = chosenAdapter(deps, account.channel, input.credentials)
    if (adapter.provider !== account.provider) {
      throw new ValidationError(`The account's provider is ${account.provider}; credentials must be for it.`, ['input', 'credentials'])
    }
    return { ...name, ...sealedCredentials(deps, credentials), routingKeys: adapter.routingKeys(credentials) }
  })
}

/** Nothing is sent or received any more, and the credentials are erased; conversations stay. */
export async function disconnectChannelAccount(deps: Deps, actor: Actor, channelAccountId: string): Promise<ChannelAccount> {
  return changeAccount(deps, actor, channelAccountId, 'disconnected', () => ({
    status: 'DISCONNECTED',
    credentials: null,
    credentialsKey: null,
    health: Prisma.DbNull,
    healthCheckedAt: null,
  }))
}

export type Health = { status: 'HEALTHY' | 'UNHEALTHY'; checks: HealthCheck[] }

/** Asks the provider whether the account works and keeps the answer. Throws NotFoundError, ChannelNotConnectedError. */
export async function checkChannelAccount(deps: Deps, actor: Actor, channelAccountId: string): Promise<ChannelAccount> {
  const account = await ownAccount(deps.db, actor.organizationId, channelAccountId)
  if (account.status !== 'CONNECTED')
    throw new ChannelNotConnectedError('The channel account is disconnected.', ['input', 'channelAccountId'])
  const adapter = deps.channels.get(account.provider, account.channel)
  const organization = await deps.db.organization.findUniqueOrThrow({ where: { id: actor.organizationId } })
  const checks = await adapter.check(
    { address: account.address, webhookUrl: inboundUrl(deps, account, organization.slug) },
    credentialsOf(deps, adapter, account),
  )
  const health: Health = { status: checks.every((check) => check.ok) ? 'HEALTHY' : 'UNHEALTHY', checks }
  return changeAccount(deps, actor, channelAccountId, 'checked', () => ({ health, healthCheckedAt: deps.clock() }))
}

/** What is to be entered at the provider. */
export function inboundUrl(
  deps: Pick<Deps, 'config' | 'channels'>,
  account: Pick<ChannelAccount, 'provider' | 'channel'>,
  slug: string,
): string {
  const { wire } = deps.channels.get(account.provider, account.channel)
  return webhookUrl(deps.config, wire.path, slug, wire.inboundSegment(account.channel))
}

async function changeAccount(
  deps: Deps,
  actor: Actor,
  id: string,
  change: string,
  decide: (account: ChannelAccount) => Prisma.ChannelAccountUpdateInput,
): Promise<ChannelAccount> {
  return changing(deps, actor.organizationId, async (tx, recorder) => {
    await tx.$queryRaw`SELECT FROM channel_account WHERE id = ${id}::uuid AND organization_id = ${actor.organizationId}::uuid FOR NO KEY UPDATE`
    const account = await ownAccount(tx, actor.organizationId, id)
    recorder.event({ type: 'CHANNEL_ACCOUNT_CHANGED', actorId: actor.memberId, data: { channelAccountId: id, change } })
    return tx.channelAccount.update({ where: { id }, data: decide(account) })
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

function chosenAdapter(deps: Deps, channel: ChannelType, input: CredentialsInput): { adapter: AnyChannelAdapter; credentials: unknown } {
  const chosen = Object.entries(input).flatMap(([name, value]) => (value === null || value === undefined ? [] : [[name, value] as const]))
  const [entry] = chosen
  if (entry === undefined || chosen.length > 1)
    throw new ValidationError('credentials needs exactly one provider.', ['input', 'credentials'])
  const [name, given] = entry
  const provider = name.toUpperCase() as Provider
  const adapter = deps.channels.find(provider, channel)
  if (adapter === undefined) throw new ValidationError(`${provider} does not offer the channel ${channel}.`, ['input', 'channel'])
  const present = Object.fromEntries(
    Object.entries(given as Record<string, unknown>).filter(([, value]) => value !== null && value !== undefined),
  )
  const parsed = adapter.credentials.safeParse(present)
  if (parsed.success) return { adapter, credentials: parsed.data }
  const issue = parsed.error.issues[0]
  const field = issue?.path.map(String) ?? []
  throw new ValidationError(`${field.join('.') || name}: ${issue?.message ?? 'wrong'}`, ['input', 'credentials', name, ...field])
}
