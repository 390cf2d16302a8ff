import type { DeliveryStatus } from '../../db/generated/enums.ts'
import type { ReceiptFact, UnknownFact } from '../fact.ts'
import { channelOf, type TwilioChannel } from './address.ts'
import { explain } from './errors.ts'
import { type Form, messageSidOf, messageStatusOf } from './form.ts'

/** Source: https://www.twilio.com/docs/messaging/api/message-resource#message-status-values */
const STATUSES = new Map<string, DeliveryStatus>([
  ['accepted', 'PENDING'],
  ['scheduled', 'PENDING'],
  ['queued', 'PENDING'],
  ['sending', 'PENDING'],
  ['sent', 'SENT'],
  ['delivered', 'DELIVERED'],
  ['read', 'READ'],
  ['undelivered', 'FAILED'],
  ['failed', 'FAILED'],
  ['canceled', 'CANCELED'],
])

/** What the URL of a status callback says: our id, and the channel that was meant to carry the message, where that is not its address's. */
export type StatusQuery = { communicationId: string | null; intended: TwilioChannel | null }

/**
 * A status callback's receipt. Twilio names no fallback: a message that was meant for RCS and whose `From` is a plain number went by SMS,
 * because a Messaging Service fills in `From` with the sender that it has chosen.
 */
export function parseStatus(form: Form, { communicationId, intended }: StatusQuery): ReceiptFact | UnknownFact {
  const externalMessageId = messageSidOf(form)
  if (externalMessageId === undefined) return { kind: 'unknown', reason: 'no MessageSid, SmsMessageSid or SmsSid: not about a message' }
  const spoken = messageStatusOf(form)
  const status = STATUSES.get(spoken ?? '')
  if (status === undefined) return { kind: 'unknown', reason: `no delivery status is called ${JSON.stringify(spoken ?? '')}` }
  const carriedBy = intended === null ? null : carrierOf(form, intended)
  const receipt: ReceiptFact = {
    kind: 'receipt',
    externalMessageId,
    communicationId,
    status,
    error: status === 'FAILED' ? errorIn(form) : null,
  }
  return carriedBy === null ? receipt : { ...receipt, carriedBy }
}

/** null: not known yet, or as intended. Before the sender is chosen, `From` is absent or names the Messaging Service. */
function carrierOf(form: Form, intended: TwilioChannel): TwilioChannel | null {
  const from = form.get('From')
  if (from === undefined || from.startsWith('MG')) return null
  const carrier = channelOf(from)
  return carrier === intended ? null : carrier
}

function errorIn(form: Form): NonNullable<ReceiptFact['error']> {
  const code = form.get('ErrorCode') ?? 'unknown'
  return { code, message: explain(code, form.get('ErrorMessage') ?? form.get('ChannelStatusMessage')) }
}
