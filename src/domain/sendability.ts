import type { AnyChannelAdapter, Capabilities } from '../channels/channel.ts'
import type { ChannelAccount, Conversation, CustomerIdentity, Template } from '../db/generated/client.ts'
import type { Deps } from '../deps.ts'
import { providersTemplate } from './compose-template.ts'
import { type Consent, consentsOf } from './consent.ts'
import { approvalOf, type Permission, permission, type SendabilityReason } from './policies.ts'
import { addressOn } from './resolve-recipient.ts'

export type Sendability = {
  account: ChannelAccount
  capabilities: Capabilities
  /** Some message can be sent now, by somebody: see the next two. */
  canSend: boolean
  templatesOnly: boolean
  humanAgentOnly: boolean
  /** Why not, or why not everything. */
  reason: SendabilityReason | null
  windowExpiresAt: Date | null
  /** Those that may be sent now. */
  templates: Template[]
}

type Known = { identities: CustomerIdentity[]; conversations: Conversation[]; consents: Consent[]; templates: Template[] }

/** For each customer and each account that is not disconnected: may they be written to now, and if not, why not? The policy of sendMessage. */
export async function sendability(
  deps: Pick<Deps, 'db' | 'channels' | 'clock'>,
  organizationId: string,
  customerIds: readonly string[],
): Promise<Map<string, Sendability[]>> {
  const [accounts, customers, consents, templates] = await Promise.all([
    deps.db.channelAccount.findMany({ where: { organizationId, status: { not: 'DISCONNECTED' } }, orderBy: { id: 'asc' } }),
    deps.db.customer.findMany({
      where: { id: { in: [...customerIds] }, organizationId },
      include: { identities: { orderBy: { id: 'asc' } }, conversations: true },
    }),
    consentsOf(deps, organizationId, customerIds),
    deps.db.template.findMany({ where: { organizationId }, orderBy: { id: 'asc' } }),
  ])
  return new Map(
    customers.map((customer) => {
      const known = { ...customer, consents: consents.get(customer.id) ?? [], templates }
      return [customer.id, accounts.map((account) => sendabilityOn(deps, account, known))]
    }),
  )
}

function sendabilityOn(deps: Pick<Deps, 'channels' | 'clock'>, account: ChannelAccount, known: Known): Sendability {
  const adapter = deps.channels.get(account.provider, account.channel)
  const { capabilities } = adapter
  const conversation = known.conversations.find((candidate) => candidate.channelAccountId === account.id) ?? null
  const allowed = permission(
    {
      capabilities,
      accountActive: account.status === 'ACTIVE',
      hasAddress: conversation !== null || addressOn({ adapter, account }, known.identities) !== null,
      hasOptedOut: hasOptedOut(known, account, 'TRANSACTIONAL'),
      window: conversation,
    },
    deps.clock(),
  )
  const { freeText, humanAgent } = allowed
  // A person's answer after the window is no advertisement.
  const marketing = !hasOptedOut(known, account, 'MARKETING') && (freeText || allowed.templates !== 'NONE')
  return {
    account,
    capabilities,
    canSend: freeText || humanAgent || allowed.templates !== 'NONE',
    templatesOnly: !freeText && !humanAgent && allowed.templates !== 'NONE',
    humanAgentOnly: !freeText && humanAgent && allowed.templates === 'NONE',
    reason: allowed.reason,
    windowExpiresAt: capabilities.messagingWindowHours === null ? null : (conversation?.windowExpiresAt ?? null),
    templates: known.templates.filter(
      (template) => (marketing || template.purpose !== 'MARKETING') && mayUse(template, account, adapter, allowed),
    ),
  }
}

const hasOptedOut = ({ consents }: Known, { channel }: ChannelAccount, purpose: Consent['purpose']): boolean =>
  consents.some((consent) => consent.channel === channel && consent.purpose === purpose && consent.state === 'OPTED_OUT')

function mayUse(
  template: Template,
  account: ChannelAccount,
  adapter: AnyChannelAdapter,
  { freeText, humanAgent, templates }: Permission,
): boolean {
  if (template.channelAccountId !== null && template.channelAccountId !== account.id) return false
  if (template.channel !== null && template.channel !== account.channel) return false
  const approval = approvalOf(template)
  if (approval === 'MISSING' || (approval === 'APPROVED' && !adapter.capabilities.content.includes('TEMPLATE'))) return false
  if (isUnusable(template, adapter)) return false
  return freeText || humanAgent || templates === 'ANY' || (templates === 'APPROVED' && approval === 'APPROVED')
}

/** The provider would refuse it whatever its values. */
function isUnusable(template: Template, adapter: AnyChannelAdapter): boolean {
  const atProvider = providersTemplate(template, {})
  const fault = atProvider === null ? null : (adapter.templateFault?.(atProvider) ?? null)
  return fault !== null && fault.variable === null
}
