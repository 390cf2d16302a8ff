import type { Capabilities } from '../channels/channel.ts'
import type { ChannelAccount, ConsentEntry, Conversation, CustomerIdentity } from '../db/generated/client.ts'
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

/** For each customer and connected channel account: may they be written to now, and if not, why not? The policies of sendMessage. */
export async function sendability(
  deps: Pick<Deps, 'db' | 'channels' | 'clock'>,
  organizationId: string,
  customerIds: readonly string[],
): Promise<Map<string, Sendability[]>> {
  const [accounts, customers] = await Promise.all([
    deps.db.channelAccount.findMany({ where: { organizationId, status: 'ACTIVE' }, orderBy: { id: 'asc' } }),
    deps.db.customer.findMany({
      where: { id: { in: [...customerIds] }, organizationId },
      include: {
        identities: { orderBy: { id: 'asc' } },
        conversations: true,
        consents: { where: { purpose: 'TRANSACTIONAL' }, orderBy: [{ occurredAt: 'desc' }, { id: 'desc' }] },
      },
    }),
  ])
  return new Map(customers.map((customer) => [customer.id, accounts.map((account) => sendabilityOn(deps, account, customer))]))
}

type Known = { identities: CustomerIdentity[]; conversations: Conversation[]; consents: ConsentEntry[] }

function sendabilityOn(deps: Pick<Deps, 'channels' | 'clock'>, account: ChannelAccount, customer: Known): Sendability {
  const adapter = deps.channels.get(account.provider, account.channel)
  const conversation = customer.conversations.find((candidate) => candidate.channelAccountId === account.id)
  const hasAddress = conversation !== undefined || addressOn({ adapter, account }, customer.identities) !== null
  const optedOut = customer.consents.find(({ channel }) => channel === account.channel)?.state === 'OPTED_OUT'
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
}
