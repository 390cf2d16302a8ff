import { parsePhoneNumberFromString } from 'libphonenumber-js'
import { z } from 'zod'
import type { IdentityKind } from '../db/generated/enums.ts'
import { ValidationError } from './errors.ts'
import { cleanText } from './text.ts'

/** `channelAccountId`: where the id means something, for kinds that have a scope. */
export type IdentityInput = { kind: IdentityKind; value: string; channelAccountId?: string | null }

const Email = z.email()

/** The one spelling in which an identity is stored. Throws ValidationError. Phone numbers: E.164; an EXTERNAL id and others: as given, trimmed. */
export function normalizeIdentity(kind: IdentityKind, value: string, path: string[]): string {
  const text = cleanText(value).trim()
  if (text === '' || text.length > 320) throw new ValidationError('value must have 1 to 320 characters.', path)
  if (kind === 'PHONE') {
    const number = parsePhoneNumberFromString(text)
    if (number?.isPossible()) return number.number
    throw new ValidationError(`"${text}" is not a phone number in international form, e.g. +905551112233.`, path)
  }
  if (kind === 'EMAIL') {
    const parsed = Email.safeParse(text.toLowerCase())
    if (parsed.success) return parsed.data
    throw new ValidationError(`"${text}" is not an e-mail address.`, path)
  }
  return text
}
