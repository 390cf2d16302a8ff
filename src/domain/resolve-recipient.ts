import type { AnyChannelAdapter } from '../channels/channel.ts'
import type { ChannelAccount, Conversation } from '../db/generated/client.ts'
import type { ChannelType } from '../db/generated/enums.ts'
import type { Deps } from '../deps.ts'
import type { Tx } from '../events/transact.ts'
import { ChannelNotConnectedError, NoAddressError, NotFoundError, ValidationError } from './errors.ts'

export type RecipientInput = {
  to: { conversationId?: string | null; customerId?: string | null; address?: string | null }
  channel?: ChannelType | null
  channelAccountId?: string | null
}

/** Where a message goes. `customerId` is null where the address is not known yet. */
export type Recipient = {
  account: ChannelAccount
  adapter: AnyChannelAdapter
  address: string
  customerId: string | null
  conversation: Conversation | null
}

/** In a transaction, or outside of one. */
type Reading = { db: Tx }

type Way = { account: ChannelAccount; adapter: AnyChannelAdapter }

/** Chooses account and address. Throws NotFoundError, ChannelNotConnectedError or ValidationError, each naming its field. */
export async function resolveRecipient(
  deps: Reading & Pick<Deps, 'channels'>,
  organizationId: string,
  input: RecipientInput,
): Promise<Recipient> {
  const ways = await connectedWays(deps, organizationId, input)
  const { conversationId, customerId, address } = input.to
  if (conversationId) return byConversation(deps, organizationId, conversationId, ways)
  if (customerId) return byCustomer(deps, organizationId, customerId, ways)
  if (address) return byAddress(deps, organizationId, address, ways)
  throw new ValidationError('to needs exactly one of conversationId, customerId, address.', ['input', 'to'])
}

async function connectedWays(deps: Reading & Pick<Deps, 'channels'>, organizationId: string, input: RecipientInput): Promise<Way[]> {
  const { channel, channelAccountId } = input
  if (channelAccountId) {
    const account = await deps.db.channelAccount.findFirst({ where: { id: channelAccountId, organizationId } })
    if (account === null) throw new NotFoundError('channel account', ['input', 'channelAccountId'])
    if (channel && account.channel !== channel) {
      throw new ValidationError(`The channel account is for ${account.channel}, not ${channel}.`, ['input', 'channel'])
    }
    if (account.status !== 'ACTIVE') throw new ChannelNotConnectedError(notActive(account), ['input', 'channelAccountId'])
  }
  const accounts = await deps.db.channelAccount.findMany({
    where: { organizationId, status: 'ACTIVE', ...(channelAccountId ? { id: channelAccountId } : {}), ...(channel ? { channel } : {}) },
    orderBy: { id: 'asc' },
  })
  if (accounts.length === 0) {
    throw new ChannelNotConnectedError(`No ${channel ?? 'channel'} account is connected.`, ['input', 'channel'])
  }
  return accounts.map((account) => ({ account, adapter: deps.channels.get(account.provider, account.channel) }))
}

const notActive = ({ name, status }: ChannelAccount): string =>
  status === 'PENDING'
    ? `The provider has not confirmed “${name}” yet: see its health, then check it again or enter other credentials.`
    : `“${name}” is disconnected: connect it again first.`

async function byConversation(deps: Reading, organizationId: string, id: string, ways: Way[]): Promise<Recipient> {
  const conversation = await deps.db.conversation.findFirst({ where: { id, organizationId } })
  if (conversation === null) throw new NotFoundError('conversation', ['input', 'to', 'conversationId'])
  if (conversation.mergedIntoId !== null) return byConversation(deps, organizationId, conversation.mergedIntoId, ways)
  const way = ways.find(({ account }) => account.id === conversation.channelAccountId)
  if (way === undefined) {
    throw new ChannelNotConnectedError("The conversation's channel account is not connected, or not the one asked for.", [
      'input',
      'to',
      'conversationId',
    ])
  }
  return { ...way, address: conversation.address, customerId: conversation.customerId, conversation }
}

async function byCustomer(deps: Reading, organizationId: string, id: string, ways: Way[]): Promise<Recipient> {
  const path = ['input', 'to', 'customerId']
  const customer = await deps.db.customer.findFirst({
    where: { id, organizationId },
    include: { identities: { orderBy: { id: 'asc' } }, conversations: { orderBy: { lastActivityAt: 'desc' } } },
  })
  if (customer === null) throw new NotFoundError('customer', path)
  if (customer.mergedIntoId !== null) return byCustomer(deps, organizationId, customer.mergedIntoId, ways)
  for (const conversation of customer.conversations) {
    const way = ways.find(({ account }) => account.id === conversation.channelAccountId)
    if (way !== undefined) return { ...way, address: conversation.address, customerId: id, conversation }
  }
  for (const way of ways) {
    const address = addressOn(way, customer.identities)
    if (address !== null) return { ...way, address, customerId: id, conversation: null }
  }
  const channels = [...new Set(ways.map(({ account }) => account.channel))].join(', ')
  throw new NoAddressError(`The customer has no address for ${channels}.`, path)
}

async function byAddress(deps: Reading, organizationId: string, text: string, ways: Way[]): Promise<Recipient> {
  const path = ['input', 'to', 'address']
  const fitting = ways.flatMap((way) => {
    const address = way.adapter.normalize(text)
    return address === null ? [] : [{ ...way, address }]
  })
  const [first] = fitting
  if (first === undefined) throw new ValidationError(noAddress(text, ways), path)
  if (fitting.some(({ account }) => account.channel !== first.account.channel)) {
    const channels = [...new Set(fitting.map(({ account }) => account.channel))].join(' and ')
    throw new ValidationError(`The address fits ${channels}: say which, by channel or channelAccountId.`, ['input', 'channel'])
  }
  const { kind, scope, value } = first.adapter.identify(first.address, first.account.address)
  const identity = await deps.db.customerIdentity.findUnique({
    where: { organizationId_kind_scope_value: { organizationId, kind, scope, value } },
  })
  if (identity === null) return { ...first, customerId: null, conversation: null }
  const conversation = await deps.db.conversation.findUnique({
    where: { customerId_channelAccountId: { customerId: identity.customerId, channelAccountId: first.account.id } },
  })
  return { ...first, customerId: identity.customerId, conversation }
}

function noAddress(text: string, ways: Way[]): string {
  const channels = new Set(ways.map(({ account }) => account.channel))
  const [way] = ways
  const form = way === undefined || channels.size > 1 ? '' : `: it must be ${way.adapter.addressForm}`
  return `"${text}" is not an address of ${[...channels].join(' or ')}${form}.`
}

/** The customer's address on this account among the identities, or null: a name that means something only inside another account is none. */
export function addressOn({ adapter, account }: Way, identities: { kind: string; scope: string; value: string }[]): string | null {
  for (const { kind, scope, value } of identities) {
    const address = adapter.normalize(value)
    if (address === null) continue
    const identity = adapter.identify(address, account.address)
    if (identity.kind === kind && identity.scope === scope) return address
  }
  return null
}
