import type { Capabilities } from '../channels/channel.ts'
import type { Template } from '../db/generated/client.ts'
import type { TemplateStatus, WindowReason } from '../db/generated/enums.ts'
import { checkLimits, type Draft } from './content-limits.ts'
import { ChannelNotConnectedError, MessagingWindowClosedError, RecipientOptedOutError, TemplateNotApprovedError } from './errors.ts'

const HOUR = 3_600_000

/** What a conversation knows of its window; null: there is no conversation yet. */
export type WindowRow = { windowExpiresAt: Date | null; windowReason: WindowReason | null; lastInboundAt: Date | null } | null

export type MessagingWindow = {
  /** Free text is allowed. */
  isOpen: boolean
  /** null: the channel has no window, or the customer has never written. */
  expiresAt: Date | null
  reason: WindowReason | null
  /** Until then a person may still answer; null: the channel knows no such thing, or the customer has never written. */
  humanAgentUntil: Date | null
}

export function messagingWindow(capabilities: Capabilities | undefined, row: WindowRow, now: Date): MessagingWindow {
  if (capabilities === undefined || capabilities.messagingWindowHours === null) {
    return { isOpen: true, expiresAt: null, reason: null, humanAgentUntil: null }
  }
  const expiresAt = row?.windowExpiresAt ?? null
  const { humanAgentHours } = capabilities
  const lastInboundAt = row?.lastInboundAt ?? null
  return {
    isOpen: expiresAt !== null && expiresAt > now,
    expiresAt,
    reason: expiresAt === null ? null : (row?.windowReason ?? null),
    humanAgentUntil: humanAgentHours === null || lastInboundAt === null ? null : new Date(lastInboundAt.getTime() + humanAgentHours * HOUR),
  }
}

/** How things stand between a customer and a channel account. */
export type Standing = {
  capabilities: Capabilities
  accountActive: boolean
  hasAddress: boolean
  /** Of messages with the purpose in question. */
  hasOptedOut: boolean
  window: WindowRow
}

export type SendabilityReason = 'ACCOUNT_NOT_ACTIVE' | 'NO_ADDRESS' | 'OPTED_OUT' | 'NEVER_WROTE' | 'MESSAGING_WINDOW_CLOSED'

/** What may be sent, whatever it says. */
export type Permission = {
  freeText: boolean
  /** Free text, but only by a person who answers now. */
  humanAgent: boolean
  templates: 'ANY' | 'APPROVED' | 'NONE'
  /** Why not everything; null where `freeText`. */
  reason: SendabilityReason | null
}

/** The one policy: the mutation, the worker and `sendability` all ask it. */
export function permission(standing: Standing, at: Date): Permission {
  const { capabilities } = standing
  const nothing = { freeText: false, humanAgent: false, templates: 'NONE' } as const
  if (!standing.accountActive) return { ...nothing, reason: 'ACCOUNT_NOT_ACTIVE' }
  if (standing.hasOptedOut) return { ...nothing, reason: 'OPTED_OUT' }
  if (!standing.hasAddress) return { ...nothing, reason: 'NO_ADDRESS' }
  if (!capabilities.businessInitiated && standing.window?.lastInboundAt == null) return { ...nothing, reason: 'NEVER_WROTE' }
  const { isOpen, humanAgentUntil } = messagingWindow(capabilities, standing.window, at)
  if (isOpen) return { freeText: true, humanAgent: false, templates: 'ANY', reason: null }
  return {
    freeText: false,
    humanAgent: humanAgentUntil !== null && humanAgentUntil > at,
    templates: !capabilities.businessInitiated ? 'NONE' : capabilities.templatesNeedApproval ? 'APPROVED' : 'ANY',
    reason: 'MESSAGING_WINDOW_CLOSED',
  }
}

/** Whether the provider has approved a template; OURS: it was never asked to. */
export type Approval = 'APPROVED' | 'MISSING' | 'OURS'

/** One of ours may name its counterpart at the provider by hand: its `status` is then unknown, and it is taken for approved. */
export function approvalOf(template: Pick<Template, 'channelAccountId' | 'providerTemplateId' | 'status'>): Approval {
  const { channelAccountId, providerTemplateId, status } = template
  if (providerTemplateId === null) return channelAccountId === null ? 'OURS' : 'MISSING'
  return status === 'APPROVED' || (status === null && channelAccountId === null) ? 'APPROVED' : 'MISSING'
}

/** What one message asks of the policy. */
export type Message = Omit<Draft, 'atProvider'> & {
  template: { approval: Approval; status: TemplateStatus | null } | null
  /** Written by a person on the staff who answers now: neither by a program, nor for later, nor as an advertisement. */
  byPerson: boolean
}

/** The inputs that refusals name; of those left out, sendMessage's. */
export type RefusalPaths = { account: string[]; recipient: string[]; template: string[]; window: string[] }

/** Throws the UserError that says why this message may not be sent at that time. */
export function checkMessage(standing: Standing, message: Message, at: Date, paths: Partial<RefusalPaths> = {}): { humanAgent: boolean } {
  const allowed = permission(standing, at)
  if (allowed.reason === 'ACCOUNT_NOT_ACTIVE')
    throw new ChannelNotConnectedError('The channel account is not active: see its health.', paths.account ?? ['input', 'channelAccountId'])
  if (allowed.reason === 'OPTED_OUT') throw new RecipientOptedOutError(paths.recipient)
  const { template } = message
  if (template?.approval === 'MISSING')
    throw new TemplateNotApprovedError(template.status, paths.template ?? [...message.path, 'templateId'])
  const humanAgent = !allowed.freeText && allowed.humanAgent && message.byPerson
  const templated =
    template !== null && (allowed.templates === 'ANY' || (allowed.templates === 'APPROVED' && template.approval === 'APPROVED'))
  if (!allowed.freeText && !humanAgent && !templated) throw windowClosed(standing, allowed, paths.window)
  checkLimits(standing.capabilities, { ...message, atProvider: template?.approval === 'APPROVED' })
  return { humanAgent: humanAgent && !templated }
}

function windowClosed({ capabilities, window }: Standing, allowed: Permission, path: string[] | undefined): MessagingWindowClosedError {
  const expiredAt = window?.windowExpiresAt ?? null
  const since =
    expiredAt === null
      ? 'The customer has not written on this channel yet.'
      : `More than ${capabilities.messagingWindowHours} hours have passed since the customer's last message.`
  const way = allowed.humanAgent
    ? 'Only a person on the staff can answer now, at once and in person.'
    : allowed.templates === 'NONE'
      ? 'Nothing can be sent until they write.'
      : expiredAt === null
        ? 'Only an approved template can start the conversation.'
        : 'Only an approved template can be sent now.'
  return new MessagingWindowClosedError(`${since} ${way}`, expiredAt, path)
}
