import type { Identity } from './fact.ts'
import { normalizePhone } from './phone.ts'

/** A WhatsApp user without a visible number: country, dot, id; `ENT` where the id is scoped to a whole enterprise. */
const BUSINESS_SCOPED_ID = /^[A-Z]{2}\.(ENT\.)?[A-Za-z0-9]{1,128}$/

/** Whether a normalized WhatsApp address is a business-scoped user id, and no phone number. */
export const isBusinessScopedId = (address: string): boolean => BUSINESS_SCOPED_ID.test(address)

/** E.164 or a business-scoped user id; null for anything else. */
export function normalizeWhatsapp(address: string): string | null {
  const spelled = address.trim()
  return BUSINESS_SCOPED_ID.test(spelled) ? spelled : normalizePhone(spelled)
}

/** The identity of a normalized WhatsApp address. A number is the same kind as that of a text message: one person, one customer. */
export const identifyWhatsapp = (address: string): Identity => ({
  kind: BUSINESS_SCOPED_ID.test(address) ? 'WHATSAPP' : 'PHONE',
  scope: '',
  value: address,
  verified: false,
})
