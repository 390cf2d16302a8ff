import type { Fact } from '../../fact.ts'
import { type Json, textIn, timeIn } from '../json.ts'
import { addressIn, proven } from './correspondent.ts'
import type { Occasion } from './message.ts'
import { unknown } from './unknown.ts'

/** The customer's switch for marketing messages. Source: https://developers.facebook.com/docs/whatsapp/cloud-api/webhooks/reference/user_preferences */
export function preferenceFact({ at }: Pick<Occasion, 'at'>, preference: Json): Fact {
  const address = addressIn(preference.wa_id) ?? addressIn(preference.user_id)
  const { category, value } = preference
  if (address === null || category !== 'marketing_messages' || (value !== 'stop' && value !== 'resume')) {
    return unknown('a preference of a customer that is not about marketing messages')
  }
  const evidence = textIn(preference.detail) ?? `The customer chose to ${value} marketing messages in WhatsApp.`
  const when = timeIn(preference.timestamp) ?? at
  const state = value === 'stop' ? 'OPTED_OUT' : 'OPTED_IN'
  return { kind: 'consent', identity: proven(address), purposes: ['MARKETING'], state, source: 'PROVIDER', evidence, at: when }
}
