import { checkedLanguage } from './languages.ts'
import { optionalText } from './text.ts'
import { checkedTimeZone } from './time-zones.ts'

/** How messages that go out by themselves reach them. Absent: unchanged; null or blank: as the organization's. */
export type CustomerPreferences = { language?: string | null; timezone?: string | null }

/** Throws ValidationError. */
export const checkedPreferences = ({ language, timezone }: CustomerPreferences): CustomerPreferences => ({
  ...(language === undefined ? {} : { language: checked(language, ['input', 'language'], checkedLanguage) }),
  ...(timezone === undefined ? {} : { timezone: checked(timezone, ['input', 'timezone'], checkedTimeZone) }),
})

function checked(given: string | null, path: string[], check: (text: string, path: string[]) => string): string | null {
  const text = optionalText(given, path, 100)
  return text === null ? null : check(text, path)
}
