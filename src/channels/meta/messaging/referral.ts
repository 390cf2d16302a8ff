import type { MessageFact } from '../../fact.ts'
import { idIn, type Json, objectIn, textIn } from '../json.ts'
import { madeId, messageBase, type Occasion } from './occasion.ts'

const AD_WINDOW_HOURS = 168

/** A click on an advertisement opens a longer window than a message; any other way into the conversation does not. */
export function adWindow(referral: Json | null): Pick<MessageFact, 'window'> {
  if (referral === null) return {}
  const source = textIn(referral.source)
  const ad = source === null ? textIn(referral.ad_id) !== null : source.toUpperCase() === 'ADS'
  return ad ? { window: { hours: AD_WINDOW_HOURS, reason: 'AD_REFERRAL' } } : {}
}

/**
 * `messaging[].referral`: the customer came back to the conversation by an advertisement or a link, without a word.
 * A message, because it opens the window. Source: https://developers.facebook.com/docs/messenger-platform/reference/webhook-events/messaging_referrals
 */
export function parseReferral(occasion: Occasion, referral: Json): MessageFact {
  const { account, customer, at } = occasion
  const ref = textIn(referral.ref)
  const title = textIn(objectIn(referral.ads_context_data)?.ad_title) ?? ref ?? textIn(referral.source) ?? ''
  return {
    ...messageBase(occasion, madeId('referral', [account, customer, at, ref, idIn(referral.ad_id)])),
    body: title,
    content: { kind: 'INTERACTIVE_REPLY', reply: 'POSTBACK', id: ref, title, description: null, data: referral },
    payload: { referral },
    ...adWindow(referral),
  }
}
