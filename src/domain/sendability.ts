import type { Capabilities } from '../channels/channel.ts'
import type { ChannelAccount } from '../db/generated/client.ts'
import type { Deps } from '../deps.ts'
import { messagingWindow } from './policies.ts'
import { addressOn } from './resolve-recipient.ts'

export type SendabilityReason = 'NO_ADDRESS' | 'OPTED_OUT' | 'MESSAGING_WINDOW_CLOSED'

export type Sendability = {
  account: ChannelAccount
  capabilities: Capabilities
  /** Some message can be sent now; with `templatesOnly`, only an approved template. */
  canSend: boolean
  templatesOnly: boolean
  reason: SendabilityReason | null
  windowExpiresAt: Date | null
}

/** For each connected channel account: may this customer be written to now, and if not, why not? The policies of sendMessage. */
export async function sendability(
  deps: Pick<Deps, 'db' | 'channels' | 'clock'>,
  organizationId: string,
  customerId: string,
): Promise<Sendability[]> {
  const [accounts, customer] = await Promise.all([
    deps.db.channelAccount.findMany({ where: { organizationId, status: 'CONNECTED' }, orderBy: { id: 'asc' } }),
    deps.db.customer.findFirstOrThrow({
      where: { id: customerId, organizationId },
      include: { identities: { orderBy: { id: 'asc' } }, conversations: true, optOuts: true },
    }),
  ])
  return accounts.map((account) => {
    const adapter = deps.channels.get(account.provider, account.channel)
    const conversation = customer.conversations.find((candidate) => candidate.channelAccountId === account.id)
    const hasAddress = conversation !== undefined || addressOn(adapter, customer.identities) !== null
    const optedOut = customer.optOuts.some((optOut) => optOut.channel === account.channel)
    const window = messagingWindow(adapter.capabilities, conversation?.windowExpiresAt ?? null, deps.clock())
    const reason = optedOut ? 'OPTED_OUT' : !hasAddress ? 'NO_ADDRESS' : !window.isOpen ? 'MESSAGING_WINDOW_CLOSED' : null
    return {
      account,
      capabilities: adapter.capabilities,
      canSend: hasAddress && !optedOut,
      templatesOnly: !window.isOpen,
      reason,
      windowExpiresAt: window.expiresAt,
    }
  })
}
