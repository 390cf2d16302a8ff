import { Temporal } from 'temporal-polyfill'
import { ValidationError } from './errors.ts'

/** An IANA name that this machine knows, as it was given. Throws ValidationError. */
export function checkedTimeZone(name: string, path: string[]): string {
  try {
    // An offset such as +03:00 is no name: it knows no daylight saving. An abbreviation such as PST or IST means several.
    if (/^[A-Za-z]/.test(name) && Temporal.Now.zonedDateTimeISO(name).timeZoneId !== '') return name
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
  }
  throw new ValidationError(`${path.at(-1)} must be an IANA name, e.g. Europe/Istanbul.`, path)
}

/** Times of day in minutes after midnight; where `from` is later than `until`, they span midnight. Never equal. */
export type QuietHours = { from: number; until: number }

/** When the quiet hours that hold `now` end in this time zone; null: it is not in them. Always later than `now`. */
export function quietUntil({ from, until }: QuietHours, timezone: string, now: Date): Date | null {
  const zone = knownZone(timezone)
  const here = Temporal.Instant.fromEpochMilliseconds(now.getTime()).toZonedDateTimeISO(zone)
  const minute = here.hour * 60 + here.minute
  const isQuiet = from < until ? from <= minute && minute < until : from <= minute || minute < until
  if (!isQuiet) return null
  const date = here.toPlainDate().add({ days: from > until && minute >= from ? 1 : 0 })
  const end = date.toPlainDateTime({ hour: Math.floor(until / 60), minute: until % 60 })
  const [first, second] = (['earlier', 'later'] as const).map((disambiguation) => end.toZonedDateTime(zone, { disambiguation }))
  // A time that the clock skips: they end where the gap does. One that it passes twice: at the next of the two.
  const isSkipped = first !== undefined && !first.toPlainDateTime().equals(end)
  const ends = isSkipped ? [first.getTimeZoneTransition('next')] : [first, second]
  const next = ends.map((at) => at?.epochMilliseconds ?? 0).find((at) => at > now.getTime())
  return next === undefined ? null : new Date(next)
}

/** Some abbreviations that Intl takes, and that were stored once, are no zones of Temporal's: they stand for one. */
function knownZone(name: string): string {
  return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone
}

/** `22:30` as minutes after midnight. Throws ValidationError. */
export function minuteOfDay(time: string, path: string[]): number {
  const [, hour, minute] = /^([01]\d|2[0-3]):([0-5]\d)$/.exec(time) ?? []
  if (hour === undefined || minute === undefined)
    throw new ValidationError(`${path.at(-1)} must be a time of day such as 21:30, from 00:00 to 23:59.`, path)
  return Number(hour) * 60 + Number(minute)
}

/** Minutes after midnight as `22:30`. */
export const timeOfDay = (minutes: number): string =>
  [Math.floor(minutes / 60), minutes % 60].map((part) => String(part).padStart(2, '0')).join(':')
