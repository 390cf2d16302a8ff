import type { DeliveryStatus } from '../../../db/generated/enums.ts'
import type { Fact, ReceiptFact } from '../../fact.ts'
import { errorIn, explain, MARKETING_OPTED_OUT } from '../errors.ts'
import { idIn, type Json, objectsIn, timeIn } from '../json.ts'
import { addressIn, proven } from './correspondent.ts'
import type { Occasion } from './message.ts'
import { unknown } from './unknown.ts'

const STATUSES = new Map<unknown, DeliveryStatus>([
  ['accepted', 'PENDING'],
  ['sent', 'SENT'],
  ['delivered', 'DELIVERED'],
  ['read', 'READ'],
  // Of a voice message.
  ['played', 'READ'],
  ['failed', 'FAILED'],
])

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/** A message's receipt. Source: https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/messages/status */
export function statusFacts({ at }: Pick<Occasion, 'at'>, item: Json): Fact[] {
  if (item.type === 'payment') return [unknown('the state of a payment, which is not that of the message')]
  if (item.type === 'call') return [unknown('the state of a call that is still going on')]
  const externalMessageId = idIn(item.id)
  if (externalMessageId === null) return [unknown('a status without a message id')]
  const status = STATUSES.get(item.status)
  if (status === undefined) return [unknown(`no delivery status is called ${JSON.stringify(String(item.status).slice(0, 50))}`)]
  const error = status === 'FAILED' ? failureIn(item) : null
  const receipt: ReceiptFact = { kind: 'receipt', externalMessageId, communicationId: communicationIdIn(item), status, error }
  const recipient = addressIn(item.recipient_id) ?? addressIn(item.recipient_user_id)
  if (error?.code !== MARKETING_OPTED_OUT || recipient === null) return [receipt]
  return [
    receipt,
    {
      kind: 'consent',
      identity: proven(recipient),
      purposes: ['MARKETING'],
      state: 'OPTED_OUT',
      source: 'PROVIDER',
      evidence: `${error.code}: ${error.message}`,
      at: timeIn(item.timestamp) ?? at,
    },
  ]
}

function communicationIdIn({ biz_opaque_callback_data: id }: Json): string | null {
  return typeof id === 'string' && UUID.test(id) ? id.toLowerCase() : null
}

function failureIn(item: Json): NonNullable<ReceiptFact['error']> {
  const error =
    objectsIn(item.errors)
      .map(errorIn)
      .find((found) => found !== null) ?? null
  if (error === null) return { code: 'unknown', message: 'WhatsApp did not deliver the message and gave no reason.' }
  return { code: error.code, message: explain(error) }
}
