import { parsePhoneNumberFromString } from 'libphonenumber-js'
import { LRUCache } from 'lru-cache'

// The same few thousand numbers come again and again, and to parse one takes as long as to check a webhook's signature.
const normalized = new LRUCache<string, { number: string | null }>({ max: 20_000 })
const LONGEST = 40

/**
 * E.164 (`+` and 3 to 15 digits) of a phone number in international notation (`+` or `00` first), or null. Numbers outside
 * the numbering plans are kept: providers' test numbers are such. Nothing is guessed beyond the plan: Brazil's ninth digit and
 * Mexico's old `1` stay as they are written.
 */
export function normalizePhone(address: string): string | null {
  if (address.length > LONGEST) return normalize(address)
  const known = normalized.get(address)
  if (known !== undefined) return known.number
  const number = normalize(address)
  normalized.set(address, { number })
  return number
}

function normalize(address: string): string | null {
  const spelled = address.normalize('NFKC').trim()
  // The library would find a number inside any text; here the whole of it has to be one.
  if (!/^(\+|00)[\d\s().\-/]*$/.test(spelled)) return null
  const international = `+${spelled.replace(/^(\+|00)/, '').replace(/\D/g, '')}`
  const number = planned(international)
  return /^\+[1-9]\d{2,14}$/.test(number) ? number : null
}

/** Without the trunk prefixes of its plan: the library takes off one at a time, and what is left may begin with another. */
function planned(number: string): string {
  const parsed = parsePhoneNumberFromString(number)?.number ?? number
  return parsed.length < number.length ? planned(parsed) : parsed
}
