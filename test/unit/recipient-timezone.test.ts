import { expect, test } from 'vitest'
import { recipientTimezone } from '../../src/domain/recipient-timezone.ts'

const now = new Date('2027-01-15T12:00:00Z')
const phone = (value: string) => ({ kind: 'PHONE' as const, value })
const of = (...values: string[]) => recipientTimezone({ timezone: null, identities: values.map(phone) }, 'Asia/Tokyo', now)

test('what was entered counts', () => {
  expect(recipientTimezone({ timezone: 'Europe/Paris', identities: [phone('+905551110001')] }, 'Asia/Tokyo', now)).toBe('Europe/Paris')
})

test('else a number from a country with one time of day', () => {
  expect(of('+905551110001')).toBe('Europe/Istanbul')
  expect(of('+447400123456')).toBe('Europe/London')
  // Berlin's and Zurich's clocks are the same.
  expect(new Date(now.toLocaleString('en', { timeZone: of('+4915112345678') }))).toEqual(
    new Date(now.toLocaleString('en', { timeZone: 'Europe/Berlin' })),
  )
})

test('else the organization’s: a number says nothing in a country with several, nor where it is in none', () => {
  expect(of('+14155550100')).toBe('Asia/Tokyo')
  expect(of('+34612345678')).toBe('Asia/Tokyo')
  expect(of('+15005550006')).toBe('Asia/Tokyo')
  expect(of('+883510000000094')).toBe('Asia/Tokyo')
  expect(of()).toBe('Asia/Tokyo')
  expect(recipientTimezone({ timezone: null, identities: [{ kind: 'EMAIL', value: 'a@example.com' }] }, 'Asia/Tokyo', now)).toBe(
    'Asia/Tokyo',
  )
})

test('the first number that says something counts', () => {
  expect(of('+14155550100', '+447400123456', '+905551110001')).toBe('Europe/London')
})
