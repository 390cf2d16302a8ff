import type { Fact } from '../../fact.ts'
import type { MetaApp } from '../app.ts'
import { errorIn, explain } from '../errors.ts'
import { idIn, type Json, objectIn, textIn, timeIn } from '../json.ts'
import { ACCOUNT_FIELDS, noticeFact } from './account-notice.ts'
import { callFact } from './call.ts'
import { addressIn, contactsIn } from './correspondent.ts'
import { echoFact, inboundFact, type Occasion } from './message.ts'
import { preferenceFact } from './preference.ts'
import { statusFacts } from './status.ts'
import { userIdUpdates } from './system.ts'
import { TEMPLATE_FIELDS, templateFact } from './template-update.ts'
import { unknown } from './unknown.ts'

/** Which account a change is about, under which names, and what it says. */
export type ReadChange = { addresses: string[]; facts: Fact[] }

type ReadItem = (occasion: Occasion, item: Json) => Fact | Fact[]

/** The lists that a change can carry, several at once. */
const LISTS: Readonly<Record<string, ReadItem>> = {
  messages: inboundFact,
  message_echoes: echoFact,
  statuses: statusFacts,
  calls: callFact,
  user_preferences: preferenceFact,
}

/**
 * One of `entry[].changes[]`. A number's change is located by its phone number id, the business account's by the id of the entry.
 * Source: https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference
 */
export function parseWhatsappChange(app: MetaApp, entry: Json, change: Json): ReadChange {
  const value = objectIn(change.value)
  if (value === null) return { addresses: accountIn(entry), facts: [unknown('a change without a value')] }
  const field = textIn(change.field) ?? 'messages'
  const at = timeIn(entry.time) ?? new Date()
  const addresses = numberIn(value) ?? accountIn(entry)
  if (ACCOUNT_FIELDS.has(field)) return { addresses, facts: [noticeFact(field, value)] }
  if (TEMPLATE_FIELDS.has(field)) return { addresses, facts: [templateFact(field, value)] }
  const occasion: Occasion = { app, contacts: contactsIn(value), at }
  // What was written before the number came here, its files as plain messages: none of it is news, and it must open no window.
  if (field === 'history') return { addresses, facts: [unknown('the history of a number that was used with the WhatsApp Business app')] }
  if (field === 'user_id_update') return { addresses, facts: orUnknown(userIdUpdates(occasion, value), field) }
  const facts = Object.entries(LISTS).flatMap(([name, read]) => itemsIn(value[name], name).flatMap((item) => factsOf(occasion, item, read)))
  return {
    addresses,
    facts: facts.length > 0 ? facts : [complaintIn(value) ?? unknown(`nothing is done about the field ${JSON.stringify(field)}`)],
  }
}

const orUnknown = (facts: Fact[], field: string): Fact[] => (facts.length > 0 ? facts : [unknown(`an empty ${field}`)])

function itemsIn(list: unknown, name: string): (Json | string)[] {
  if (list === undefined || list === null) return []
  if (!Array.isArray(list)) return [`${name} is no list`]
  return list.map((item) => objectIn(item) ?? `one of the ${name} is no object`)
}

/** One bad item does not lose its neighbours. */
function factsOf(occasion: Occasion, item: Json | string, read: ReadItem): Fact[] {
  if (typeof item === 'string') return [unknown(item)]
  return [read(occasion, item)].flat()
}

/** The phone number id; in news about a number, the number itself. */
function numberIn(value: Json): string[] | null {
  const id = idIn(objectIn(value.metadata)?.phone_number_id)
  if (id !== null) return [id]
  const number = addressIn(value.display_phone_number)
  return number === null ? null : [number]
}

function accountIn(entry: Json): string[] {
  const id = idIn(entry.id)
  return id === null ? [] : [id]
}

/** `errors` outside of any message: for the technician. */
function complaintIn(value: Json): Fact | null {
  if (!Array.isArray(value.errors)) return null
  const errors = value.errors.map(errorIn).filter((error) => error !== null)
  return errors.length === 0 ? null : unknown(`WhatsApp reports: ${errors.map((error) => `${error.code} ${explain(error)}`).join(' ')}`)
}
