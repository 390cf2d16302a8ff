import { cleanText } from './text.ts'

export const UUID_FORM = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/
export const MILLISECONDS_FORM = /^\d{1,15}$/

/** The ILIKE pattern for "contains", with % and _ taken literally; null where nothing is searched for. */
export function containing(search: string | null | undefined): string | null {
  const text = cleanText(search ?? '').trim()
  return text === '' ? null : `%${text.replaceAll(/[\\%_]/g, (character) => `\\${character}`)}%`
}
