import type { AnyChannelAdapter } from '../channels/channel.ts'
import type { ChannelAccount } from '../db/generated/client.ts'
import type { ChannelType } from '../db/generated/enums.ts'
import type { Deps } from '../deps.ts'
import { ChannelNotConnectedError, NoAddressError, NotFoundError, ValidationError } from './errors.ts'
import type { Lookups } from './recipient-lookups.ts'

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
  conversation: { id: string } | null
}

type Way = { account: ChannelAccount; adapter: AnyChannelAdapter }

/** Chooses account and address. Throws NotFoundError, ChannelNotConnectedError or ValidationError, each naming its field. */
export async function resolveRecipient({ channels }: Pick<Deps, 'channels'>, lookups: Lookups, input: RecipientInput): Promise<Recipient> {
  const accounts = await lookups.accounts()
  const ways = connectedAccounts(accounts, input).map((account) => ({ account, adapter: channels.get(account.provider, account.channel) }))
  const { conversationId, customerId, address } = input.to
  if (conversationId) return byConversation(lookups, conversationId, ways)
  if (customerId) return byCustomer(lookups, customerId, ways)
  if (address) return byAddress(lookups, address, ways)
  throw new ValidationError('to needs exactly one of conversationId, customerId, address.', ['input', 'to'])
}

function connectedAccounts(accounts: readonly ChannelAccount[], { channel, channelAccountId }: RecipientInput): ChannelAccount[] {
  if (channelAccountId) {
    const account = accounts.find(({ id }) => id === channelAccountId)
    if (account === undefined) throw new NotFoundError('channel account', ['input', 'channelAccountId'])
    if (channel && account.channel !== channel) {
      throw new ValidationError(`The channel account is for ${account.channel}, not ${channel}.`, ['input', 'channel'])
    }
    if (account.status !== 'ACTIVE') throw new ChannelNotConnectedError(notActive(account), ['input', 'channelAccountId'])
    return [account]
  }
  const connected = accounts.filter((account) => account.status === 'ACTIVE' && (!channel || account.channel === channel))
  if (connected.length > 0) return connected
  throw new ChannelNotConnectedError(`No ${channel ?? 'channel'} account is connected.`, ['input', 'channel'])
}

const notActive = ({ name, status }: ChannelAccount): string =>
  status === 'PENDING'
    ? `The provider has not confirmed “${name}” yet: see its health, then check it again or enter other credentials.`
    : `“${name}” is disconnected: connect it again first.`

async function byConversation(lookups: Lookups, id: string, ways: Way[]): Promise<Recipient> {
  const conversation = await lookups.conversation(id)
  if (conversation === null) throw new NotFoundError('conversation', ['input', 'to', 'conversationId'])
  if (conversation.mergedIntoId !== null) return byConversation(lookups, conversation.mergedIntoId, ways)
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

async function byCustomer(lookups: Lookups, id: string, ways: Way[]): Promise<Recipient> {
  const path = ['input', 'to', 'customerId']
  const customer = await lookups.customer(id)
  if (customer === null) throw new NotFoundError('customer', path)
  if (customer.mergedIntoId !== null) return byCustomer(lookups, customer.mergedIntoId, ways)
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

async function byAddress(lookups: Lookups, text: string, ways: Way[]): Promise<Recipient> {
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
  const holder = await lookups.holder(first.adapter.identify(first.address, first.account.address))
  if (holder === null) return { ...first, customerId: null, conversation: null }
  const conversation = holder.conversations.find(({ channelAccountId }) => channelAccountId === first.account.id) ?? null
  return { ...first, customerId: holder.customerId, conversation }
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
