import type { AnyChannelAdapter } from '../channels/channel.ts'
import type { ChannelAccount } from '../db/generated/client.ts'
import type { MessagePurpose } from '../db/generated/enums.ts'
import type { Tx } from '../events/transact.ts'
import { hasOptedOut } from './consent.ts'
import type { Standing, WindowRow } from './policies.ts'

type Sides = {
  account: Pick<ChannelAccount, 'channel' | 'status'>
  adapter: Pick<AnyChannelAdapter, 'capabilities'>
  customerId: string
  conversation: WindowRow
}

/** How things stand for a message that has an address: see `permission`. */
export const standingOf = async (tx: Tx, sides: Sides, purpose: MessagePurpose): Promise<Standing> => ({
  capabilities: sides.adapter.capabilities,
  accountActive: sides.account.status === 'ACTIVE',
  hasAddress: true,
  // Who wants no messages at all wants no advertisements either.
  hasOptedOut:
    (await hasOptedOut(tx, sides.customerId, sides.account.channel, 'TRANSACTIONAL')) ||
    (purpose === 'MARKETING' && (await hasOptedOut(tx, sides.customerId, sides.account.channel, 'MARKETING'))),
  window: sides.conversation,
})
