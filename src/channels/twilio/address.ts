import type { Identity } from '../channel.ts'
import { normalizePhone } from '../phone.ts'

const SHORT_CODE = /^[1-9]\d{2,7}$/
/** Source: https://www.twilio.com/docs/glossary/what-alphanumeric-sender-id (11 characters, at least one letter). */
const ALPHANUMERIC_SENDER = /^(?=.*[A-Za-z])[A-Za-z0-9 &._-]{1,11}$/
/** A WhatsApp user without a visible number: country, dot, id; `ENT` where the id is scoped to a whole enterprise. */
const BUSINESS_SCOPED_ID = /^[A-Z]{2}\.(ENT\.)?[A-Za-z0-9]{1,128}$/

const WHATSAPP_PREFIX = /^whatsapp:/i

/** E.164, a short code or an alphanumeric sender; null for anything else. */
export function normalizeSms(address: string): string | null {
  const spelled = address.trim()
  if (SHORT_CODE.test(spelled) || ALPHANUMERIC_SENDER.test(spelled)) return spelled
  return normalizePhone(spelled)
}

/** E.164 or a business-scoped user id, without Twilio's `whatsapp:`; null for anything else. */
export function normalizeWhatsapp(address: string): string | null {
  const spelled = address.trim().replace(WHATSAPP_PREFIX, '').trim()
  return BUSINESS_SCOPED_ID.test(spelled) ? spelled : normalizePhone(spelled)
}

/** The identity of a normalized SMS address. The same kind as WhatsApp's numbers: one person, one customer. */
export const identifySms = (address: string): Identity => ({ kind: 'PHONE', scope: '', value: address, verified: false })

/** The identity of a normalized WhatsApp address. */
export const identifyWhatsapp = (address: string): Identity => ({
  kind: BUSINESS_SCOPED_ID.test(address) ? 'WHATSAPP' : 'PHONE',
  scope: '',
  value: address,
  verified: false,
})

/** The channel that a prefix of Twilio's channel addresses names; none is SMS, an unknown one null. */
export function channelOf(...addresses: (string | undefined)[]): 'SMS' | 'WHATSAPP' | null {
  const prefixes = addresses
    .map((address) => /^([a-z_]+):/i.exec(address ?? '')?.[1]?.toLowerCase())
    .filter((prefix) => prefix !== undefined)
  if (prefixes.length === 0) return 'SMS'
  return prefixes.every((prefix) => prefix === 'whatsapp') ? 'WHATSAPP' : null
}
