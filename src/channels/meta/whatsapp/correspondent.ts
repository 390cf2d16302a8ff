import type { Identity } from '../../fact.ts'
import { identifyWhatsapp, normalizeWhatsapp } from '../../whatsapp-address.ts'
import { idIn, type Json, objectIn, objectsIn, textIn } from '../json.ts'

/** The customer of a message: how to answer, and who it is. */
export type Correspondent = { address: string; identities: Identity[]; profileName: string | null; username: string | null }

/** The `contacts` of a change by each of their ids, and the one where it is alone. */
export type Contacts = { byId: ReadonlyMap<string, Json>; only: Json | null }

export function contactsIn(value: Json): Contacts {
  const contacts = objectsIn(value.contacts)
  const byId = new Map<string, Json>()
  for (const contact of contacts) {
    for (const id of [contact.wa_id, contact.user_id]) if (typeof id === 'string' && id !== '') byId.set(id, contact)
  }
  return { byId, only: contacts.length === 1 ? (contacts[0] ?? null) : null }
}

/** A WhatsApp id (a number without its `+`), a phone number or a business-scoped id in the spelling that is stored; null for anything else. */
export function addressIn(id: unknown): string | null {
  if (typeof id !== 'string') return null
  return normalizeWhatsapp(/^\d+$/.test(id) ? `+${id}` : id)
}

/** The provider vouches for it. */
export const proven = (address: string): Identity => ({ ...identifyWhatsapp(address), verified: true })

/** The identities of all that are addresses, each once, in their order. An id that comes twice is read once: numbers are slow to read. */
export const provenIdentities = (...ids: unknown[]): Identity[] =>
  [...new Set([...new Set(ids)].map(addressIn))].filter((address) => address !== null).map(proven)

/**
 * Who wrote, or was written to: by phone number, by business-scoped id, or both; by whatever Meta calls them where it is neither. null
 * where nobody is named. A contact's ids count only where one of them is the message's own; a contact that is alone still lends its name.
 */
export function correspondentOf(contacts: Contacts, phone: unknown, userId: unknown, parentId: unknown): Correspondent | null {
  const known = [phone, userId].map((id) => (typeof id === 'string' ? contacts.byId.get(id.replace(/^\+/, '')) : undefined))
  const contact = known.find((found) => found !== undefined) ?? null
  const identities = provenIdentities(phone, userId, contact?.wa_id, contact?.user_id, parentId, contact?.parent_user_id)
  // A parent id alone does answer, but the id of this very business comes first.
  const [first = opaque(phone, userId, contact?.wa_id)] = identities
  if (first === null) return null
  const profile = objectIn((contact ?? contacts.only)?.profile)
  const username = textIn(profile?.username)?.replace(/^@/, '') ?? null
  return {
    address: first.value,
    identities: byNumberFirst(identities.length === 0 ? [first] : identities),
    profileName: textIn(profile?.name) ?? username,
    username,
  }
}

const MAX_ID = 128

/** An id of a form that nobody knows yet is still one that Meta gave: the message is somebody's, and must not get lost. */
function opaque(...ids: unknown[]): Identity | null {
  const value = ids.map(idIn).find((id) => id !== null && id.length <= MAX_ID) ?? null
  return value === null ? null : { kind: 'WHATSAPP', scope: '', value, verified: true }
}

/** A stable order: the identity that stands for the address stays first. */
function byNumberFirst(identities: Identity[]): Identity[] {
  const [first, ...others] = identities
  if (first === undefined) return []
  return [first, ...others.filter(({ kind }) => kind === 'PHONE'), ...others.filter(({ kind }) => kind !== 'PHONE')]
}
