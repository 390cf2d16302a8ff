import type { Fact } from '../../fact.ts'
import { type Json, objectIn, objectsIn, textIn, timeIn } from '../json.ts'
import { addressIn, proven, provenIdentities } from './correspondent.ts'
import type { Occasion } from './message.ts'
import { unknown } from './unknown.ts'

/**
 * A notice about the customer: another number, another user id, another device.
 * Source: https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/messages/system
 */
export function systemFact({ at }: Pick<Occasion, 'at'>, message: Json): Fact {
  const system = objectIn(message.system)
  if (system === null) return unknown('a system message that says nothing')
  const body = textIn(system.body)
  // A name may hold anything, so the old id is the last word that is one.
  const [, spoken] = / changed from (\S+) to \S+$/.exec(body ?? '') ?? []
  const to = provenIdentities(system.wa_id, system.new_wa_id, system.user_id, system.parent_user_id)
  const old = [system.customer, message.from, system.previous_user_id, message.from_user_id, spoken].map(addressIn)
  const from = old.find((address) => address !== null && !to.some(({ value }) => value === address)) ?? null
  const type = textIn(system.type) ?? 'unknown'
  const when = timeIn(message.timestamp) ?? at
  if (/_changed_(number|user_id)$/.test(type)) return changeOf(from, to, body ?? 'The customer has changed their number or user id.', when)
  const same = addressIn(message.from) ?? addressIn(message.from_user_id)
  if (/identity_changed$/.test(type) && same !== null) {
    const note = body ?? 'The customer uses WhatsApp on a new device, or the number has a new owner.'
    return { kind: 'identity-change', from: proven(same), to: [proven(same)], address: same, note, at: when }
  }
  return unknown(`a system message of the type ${JSON.stringify(type)}`)
}

/** The items of the field `user_id_update`: ids as they were and are, each an object of `previous` and `current`. */
export function userIdUpdates({ at }: Pick<Occasion, 'at'>, value: Json): Fact[] {
  return objectsIn(value.user_id_update).map((update) => {
    const [user, parent] = [objectIn(update.user_id), objectIn(update.parent_user_id)]
    const to = provenIdentities(update.wa_id, user?.current, parent?.current)
    const from = addressIn(user?.previous) ?? addressIn(parent?.previous)
    return changeOf(from, to, textIn(update.detail) ?? 'The customer has a new user id at WhatsApp.', timeIn(update.timestamp) ?? at)
  })
}

function changeOf(from: string | null, to: ReturnType<typeof provenIdentities>, note: string, at: Date): Fact {
  const [first] = to
  if (from === null || first === undefined) return unknown('a customer has changed, but from what or to what is not said')
  return { kind: 'identity-change', from: proven(from), to, address: first.value, note, at }
}
