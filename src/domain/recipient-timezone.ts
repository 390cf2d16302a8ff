import { getTimezonesForCountry } from 'countries-and-timezones'
import { parsePhoneNumberFromString } from 'libphonenumber-js'
import { Temporal } from 'temporal-polyfill'
import type { CustomerIdentity } from '../db/generated/client.ts'

export type RecipientClock = { timezone: string | null; identities: readonly Pick<CustomerIdentity, 'kind' | 'value'>[] }

/**
 * Where the customer's clock is taken to be: as it was entered, or where a phone number of theirs is from, if that country has one time of
 * day at that moment; else the organization's.
 */
export function recipientTimezone({ timezone, identities }: RecipientClock, organizations: string, now: Date): string {
  if (timezone !== null) return timezone
  for (const { kind, value } of identities) {
    const found = kind === 'PHONE' ? timezoneOfNumber(value, now) : null
    if (found !== null) return found
  }
  return organizations
}

function timezoneOfNumber(number: string, now: Date): string | null {
  const country = parsePhoneNumberFromString(number)?.country
  const zones = (country === undefined ? null : getTimezonesForCountry(country)) ?? []
  const instant = Temporal.Instant.fromEpochMilliseconds(now.getTime())
  const offsets = new Set(zones.map(({ name }) => instant.toZonedDateTimeISO(name).offsetNanoseconds))
  return offsets.size === 1 ? (zones[0]?.name ?? null) : null
}
