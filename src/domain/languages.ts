import { ValidationError } from './errors.ts'

/** What RFC 5646 (4.4.1) says a program must at least have room for. */
const MAX_TAG = 35

/** A BCP 47 tag in its canonical form; WhatsApp's spelling with an underscore (en_US) is taken too. Throws ValidationError. */
export function checkedLanguage(language: string, path: string[]): string {
  try {
    const [canonical] = Intl.getCanonicalLocales(language.replaceAll('_', '-'))
    if (canonical !== undefined && canonical.length <= MAX_TAG) return canonical
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
  }
  throw new ValidationError('language must be a language tag such as en, tr or pt-BR.', path)
}

/** `sr-Latn-RS`, then `sr-Latn`, then `sr` (RFC 4647, 3.4). */
export function withBases(language: string): string[] {
  const shorter = language.replace(/(-[^-])?-[^-]+$/, '')
  return shorter === language ? [language] : [language, ...withBases(shorter)]
}

export const isSameLanguage = (one: string, other: string): boolean => new Intl.Locale(one).language === new Intl.Locale(other).language
