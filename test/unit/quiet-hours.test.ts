import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ValidationError } from '../../src/domain/errors.ts'
import { checkedTimeZone, minuteOfDay, quietUntil, timeOfDay } from '../../src/domain/time-zones.ts'

const at = (iso: string) => new Date(iso)
const hours = (from: string, until: string) => ({ from: minuteOfDay(from, ['from']), until: minuteOfDay(until, ['until']) })
const NIGHT = hours('21:00', '08:00')

describe('quiet hours', () => {
  it.each([
    ['before they begin', '2026-12-01T17:59:59Z', null],
    ['when they begin', '2026-12-01T18:00:00Z', '2026-12-02T05:00:00Z'],
    ['before midnight', '2026-12-01T20:59:00Z', '2026-12-02T05:00:00Z'],
    ['after midnight', '2026-12-01T21:01:00Z', '2026-12-02T05:00:00Z'],
    ['in their last second', '2026-12-02T04:59:59Z', '2026-12-02T05:00:00Z'],
    ['when they end', '2026-12-02T05:00:00Z', null],
    ['on the last night of a year', '2026-12-31T20:00:00Z', '2027-01-01T05:00:00Z'],
    ['on the last night of a February', '2028-02-28T22:00:00Z', '2028-02-29T05:00:00Z'],
  ])('over midnight, in Istanbul: %s', (_name, now, end) => {
    expect(quietUntil(NIGHT, 'Europe/Istanbul', at(now))).toEqual(end === null ? null : at(end))
  })

  it('hold in the time zone that is given', () => {
    const now = at('2026-12-01T22:30:00Z')
    expect(quietUntil(NIGHT, 'Europe/London', now)).toEqual(at('2026-12-02T08:00:00Z'))
    expect(quietUntil(NIGHT, 'America/Los_Angeles', now)).toBeNull()
  })

  it('within a day', () => {
    const siesta = hours('13:00', '16:00')
    expect(quietUntil(siesta, 'Europe/Madrid', at('2026-07-01T11:00:00Z'))).toEqual(at('2026-07-01T14:00:00Z'))
    expect(quietUntil(siesta, 'Europe/Madrid', at('2026-07-01T14:00:00Z'))).toBeNull()
  })

  it('end where the gap does, when the clock skips their end', () => {
    // In Berlin 02:00 to 03:00 does not exist on 2027-03-28.
    expect(quietUntil(hours('22:00', '02:30'), 'Europe/Berlin', at('2027-03-28T00:30:00Z'))).toEqual(at('2027-03-28T01:00:00Z'))
  })

  it('end again, when the clock passes their end twice', () => {
    // In Berlin 02:00 to 03:00 comes twice on 2026-10-25: at 00:00Z and at 01:00Z.
    const quiet = hours('22:00', '02:30')
    expect(quietUntil(quiet, 'Europe/Berlin', at('2026-10-25T00:10:00Z'))).toEqual(at('2026-10-25T00:30:00Z'))
    expect(quietUntil(quiet, 'Europe/Berlin', at('2026-10-25T00:40:00Z'))).toBeNull()
    expect(quietUntil(quiet, 'Europe/Berlin', at('2026-10-25T01:10:00Z'))).toEqual(at('2026-10-25T01:30:00Z'))
  })

  it('always end later than now, and within 25 hours, whatever the zone and the season', () => {
    const minute = fc.integer({ min: 0, max: 1439 })
    const zone = fc.constantFrom('Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'America/St_Johns', 'Asia/Kathmandu', 'UTC')
    const now = fc.date({ min: at('2026-01-01T00:00:00Z'), max: at('2028-01-01T00:00:00Z'), noInvalidDate: true })
    fc.assert(
      fc.property(minute, minute, zone, now, (from, until, timezone, time) => {
        fc.pre(from !== until)
        const end = quietUntil({ from, until }, timezone, time)
        if (end === null) return
        expect(end.getTime()).toBeGreaterThan(time.getTime())
        expect(end.getTime() - time.getTime()).toBeLessThanOrEqual(25 * 3_600_000)
      }),
      { numRuns: 500 },
    )
  })
})

describe('times of day and time zones', () => {
  it('are read and written', () => {
    for (const time of ['00:00', '08:05', '23:59']) expect(timeOfDay(minuteOfDay(time, ['from']))).toBe(time)
  })
  it.each(['24:00', '8:00', '08:60', '', '08:00:00', ' 08:00'])('refuse %j as a time of day', (time) => {
    expect(() => minuteOfDay(time, ['input', 'quietHours', 'from'])).toThrow(ValidationError)
  })
  it.each(['Mars/Olympus', '+03:00', '', 'Europe/Istanbul ', 'PST', 'IST'])('refuse %j as a time zone', (name) => {
    expect(() => checkedTimeZone(name, ['input', 'timezone'])).toThrow('timezone must be an IANA name')
  })
  it('take every zone that the machine knows', () => {
    for (const name of ['UTC', 'Europe/Istanbul', 'America/Argentina/Buenos_Aires', ...Intl.supportedValuesOf('timeZone')])
      expect(checkedTimeZone(name, ['timezone'])).toBe(name)
  })
  it('know when quiet hours end in every zone, also in those abbreviations that were stored once', () => {
    const now = at('2026-12-01T20:00:00Z')
    const allDay = hours('00:00', '23:59')
    for (const name of [...Intl.supportedValuesOf('timeZone'), 'PST', 'CST', 'IST', 'JST', 'EST', 'GMT', 'Etc/GMT+5'])
      expect(quietUntil(allDay, name, now)?.getTime() ?? Number.POSITIVE_INFINITY, name).toBeGreaterThan(now.getTime())
  })
})
