import type { Identity } from '../fact.ts'
import { normalizePhone } from '../phone.ts'

/** The channels that Twilio's messaging webhooks carry. */
export type TwilioChannel = 'SMS' | 'WHATSAPP' | 'RCS'

const SHORT_CODE = /^[1-9]\d{2,7}$/
/** Source: https://www.twilio.com/docs/glossary/what-alphanumeric-sender-id (11 characters, at least one letter). */
const ALPHANUMERIC_SENDER = /^(?=.*[A-Za-z])[A-Za-z0-9 &._-]{1,11}$/
/** A WhatsApp user without a visible number: country, dot, id; `ENT` where the id is scoped to a whole enterprise. */
const BUSINESS_SCOPED_ID = /^[A-Z]{2}\.(ENT\.)?[A-Za-z0-9]{1,128}$/
/** Twilio makes them of the brand's name, e.g. `acme_x7f3_agent`. */
const RCS_SENDER = /^(?=.*[A-Za-z])[A-Za-z0-9][A-Za-z0-9_.-]{2,99}$/

const WHATSAPP_PREFIX = /^whatsapp:/i
const RCS_PREFIX = /^rcs:/i

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

/** E.164 (a customer) or the id of an RCS sender (ours), without Twilio's `rcs:`; null for anything else. */
export function normalizeRcs(address: string): string | null {
  const spelled = address.trim().replace(RCS_PREFIX, '').trim()
  return RCS_SENDER.test(spelled) ? spelled : normalizePhone(spelled)
}

/** The one spelling of an address of `channel`, or null. */
export const normalizers: Readonly<Record<TwilioChannel, (address: string) => string | null>> = {
  SMS: normalizeSms,
  WHATSAPP: normalizeWhatsapp,
  RCS: normalizeRcs,
}

/** The identity of a normalized SMS address. The same kind as WhatsApp's and RCS's numbers: one person, one customer. */
export const identifySms = (address: string): Identity => ({ kind: 'PHONE', scope: '', value: address, verified: false })

/** The identity of a normalized WhatsApp address. */
export const identifyWhatsapp = (address: string): Identity => ({
  kind: BUSINESS_SCOPED_ID.test(address) ? 'WHATSAPP' : 'PHONE',
  scope: '',
  value: address,
  verified: false,
})

/** The identity of a normalized RCS address: people are phone numbers there. */
export const identifyRcs = (address: string): Identity => ({
  kind: address.startsWith('+') ? 'PHONE' : 'EXTERNAL',
  scope: address.startsWith('+') ? '' : 'rcs',
  value: address,
  verified: false,
})

const PREFIXED = new Map<string, TwilioChannel>([
  ['whatsapp', 'WHATSAPP'],
  ['rcs', 'RCS'],
])

/** The channel that a prefix of Twilio's channel addresses names; none is SMS, an unknown one, or two different ones, null. */
export function channelOf(...addresses: (string | undefined)[]): TwilioChannel | null {
  const prefixes = addresses
    .map((address) => /^([a-z_]+):/i.exec(address ?? '')?.[1]?.toLowerCase())
    .filter((prefix) => prefix !== undefined)
  const [first] = prefixes
  if (first === undefined) return 'SMS'
  return prefixes.every((prefix) => prefix === first) ? (PREFIXED.get(first) ?? null) : null
}
