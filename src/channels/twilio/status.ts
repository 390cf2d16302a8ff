import type { DeliveryStatus } from '../../db/generated/enums.ts'
import type { ReceiptFact, UnknownFact } from '../channel.ts'
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

/** A status callback's receipt. */
export function parseStatus(form: Form, communicationId: string | null): ReceiptFact | UnknownFact {
  const externalMessageId = messageSidOf(form)
  if (externalMessageId === undefined) return { kind: 'unknown', reason: 'no MessageSid, SmsMessageSid or SmsSid: not about a message' }
  const spoken = messageStatusOf(form)
  const status = STATUSES.get(spoken ?? '')
  if (status === undefined) return { kind: 'unknown', reason: `no delivery status is called ${JSON.stringify(spoken ?? '')}` }
  return { kind: 'receipt', externalMessageId, communicationId, status, error: status === 'FAILED' ? errorIn(form) : null }
}

function errorIn(form: Form): NonNullable<ReceiptFact['error']> {
  const code = form.get('ErrorCode') ?? 'unknown'
  return { code, message: explain(code, form.get('ErrorMessage') ?? form.get('ChannelStatusMessage')) }
}
