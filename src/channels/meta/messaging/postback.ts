import type { MessageFact } from '../../fact.ts'
import { idIn, type Json, objectIn, textIn } from '../json.ts'
import { madeId, messageBase, type Occasion } from './occasion.ts'
import { adWindow } from './referral.ts'

/** `messaging[].postback`: a button, the persistent menu, an ice breaker or "Get started". Older ones have no id of their own. */
export function parsePostback(occasion: Occasion, postback: Json): MessageFact {
  const { account, customer, at } = occasion
  const payload = textIn(postback.payload)
  const title = textIn(postback.title) ?? payload ?? ''
  const referral = objectIn(postback.referral)
  return {
    ...messageBase(occasion, idIn(postback.mid) ?? madeId('postback', [account, customer, at, payload, title])),
    body: title,
    content: { kind: 'INTERACTIVE_REPLY', reply: 'POSTBACK', id: payload, title, description: null, data: null },
    payload: referral === null ? null : { referral },
    ...adWindow(referral),
  }
}
