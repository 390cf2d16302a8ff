import { ValidationError } from './errors.ts'

/** A BCP 47 tag in its canonical form; WhatsApp's spelling with an underscore (en_US) is taken too. Throws ValidationError. */
export function checkedLanguage(language: string, path: string[]): string {
  try {
    const [canonical] = Intl.getCanonicalLocales(language.replaceAll('_', '-'))
    if (canonical !== undefined) return canonical
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
  }
  throw new ValidationError('language must be a language tag such as en, tr or pt-BR.', path)
}

/** `pt-BR`, then `pt`. */
export const withBase = (language: string): string[] => [...new Set([language, new Intl.Locale(language).language])]
