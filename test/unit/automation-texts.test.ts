import { describe, expect, it } from 'vitest'
import { AutomationKind, ChannelType } from '../../src/db/generated/enums.ts'
import { defaultLanguages, defaultText } from '../../src/domain/automation-defaults.ts'
import { chooseText } from '../../src/domain/automation-templates.ts'
import { checkVariables, type Scene, valuesOf, variablesOf } from '../../src/domain/automation-variables.ts'
import { renderTemplate } from '../../src/domain/render-template.ts'

const kinds = Object.values(AutomationKind)
const channels = Object.values(ChannelType)

const scene = (more: Partial<Scene> = {}): Scene => ({
  businessName: 'Salon Mavi',
  reviewLink: 'https://g.page/mavi',
  language: 'en',
  dateLanguage: 'en',
  customer: { name: 'Ada Lovelace King' },
  appointment: { service: 'Haircut', startsAt: new Date('2026-12-03T11:30:00Z'), timezone: 'Europe/Istanbul', staffName: 'Deniz' },
  ...more,
})

describe('the default texts', () => {
  it('exist in English and Turkish, for every automation and channel, with known variables only', () => {
    expect(defaultLanguages).toEqual(['en', 'tr'])
    for (const language of defaultLanguages)
      for (const kind of kinds)
        for (const channel of channels) {
          const text = defaultText(kind, channel, language)
          expect(text?.body.length).toBeGreaterThan(20)
          expect(text?.subject !== null).toBe(channel === 'EMAIL')
          for (const part of [text?.subject ?? null, text?.body ?? null]) expect(() => checkVariables(kind, part, ['body'])).not.toThrow()
        }
  })

  it('have all their values, for a customer without a name and a business with a review link', () => {
    for (const language of defaultLanguages)
      for (const kind of kinds) {
        const text = defaultText(kind, 'EMAIL', language)
        if (text === null) throw new Error('no text')
        const about = variablesOf(kind).includes('appointment_date') ? {} : { appointment: null }
        const rendered = renderTemplate(text, valuesOf(scene({ language, customer: { name: null }, ...about })))
        expect(rendered.missingVariables).toEqual([])
        expect(rendered.body).not.toMatch(/undefined|null|\{\{| {2}/)
      }
  })

  it('read as they should', () => {
    const read = (kind: AutomationKind, language: string) =>
      renderTemplate(chooseText([], { kind, channel: 'SMS' }, [language]), valuesOf(scene({ language, dateLanguage: language }))).body
    expect(read('BOOKING_CONFIRMATION', 'en')).toBe(
      'Hi Ada, your appointment for Haircut is booked: Thursday, December 3, 2026 at 2:30 PM. Salon Mavi',
    )
    expect(read('APPOINTMENT_REMINDER', 'tr')).toBe(
      'Merhaba Ada, Haircut randevunuzu hatırlatmak isteriz: 3 Aralık 2026 Perşembe, saat 14:30. Görüşmek üzere! Salon Mavi',
    )
  })
})

describe('the values', () => {
  it('are the eight of the manual', () => {
    expect(valuesOf(scene())).toEqual({
      customer_name: 'Ada',
      customer_full_name: 'Ada Lovelace King',
      business_name: 'Salon Mavi',
      appointment_date: 'Thursday, December 3, 2026',
      appointment_time: '2:30 PM',
      service_name: 'Haircut',
      staff_name: 'Deniz',
      review_link: 'https://g.page/mavi',
    })
  })

  it('say date and time in the zone of the appointment, whose clock may change and whose day may be another', () => {
    const of = (startsAt: string, timezone: string) => {
      const values = valuesOf(
        scene({ dateLanguage: 'en-GB', appointment: { service: 'x', startsAt: new Date(startsAt), timezone, staffName: null } }),
      )
      return `${values.appointment_date} ${values.appointment_time}`
    }
    expect(of('2026-10-24T22:30:00Z', 'Europe/Berlin')).toBe('Sunday, 25 October 2026 00:30')
    expect(of('2026-10-25T00:30:00Z', 'Europe/Berlin')).toBe('Sunday, 25 October 2026 02:30')
    expect(of('2026-10-25T01:30:00Z', 'Europe/Berlin')).toBe('Sunday, 25 October 2026 02:30')
    expect(of('2027-03-28T01:00:00Z', 'Europe/Berlin')).toBe('Sunday, 28 March 2027 03:00')
    expect(of('2026-03-01T03:30:00Z', 'America/New_York')).toBe('Saturday, 28 February 2026 22:30')
  })

  it('keep an SMS in its short alphabet: no narrow spaces', () => {
    for (const dateLanguage of ['en', 'en-US', 'fr', 'de', 'tr', 'pt-BR'])
      expect(Object.values(valuesOf(scene({ dateLanguage }))).join(' ')).not.toMatch(/[\u00a0\u202f\u2009]/)
  })

  it('have one line each, whatever a booking system wrote', () => {
    const appointment = { service: ' Cut\n and\twash ', startsAt: new Date(), timezone: 'UTC', staffName: 'Deniz\r\nAk' }
    expect(valuesOf(scene({ customer: { name: 'Ada \n  Lovelace' }, appointment }))).toMatchObject({
      customer_name: 'Ada',
      customer_full_name: 'Ada Lovelace',
      service_name: 'Cut and wash',
      staff_name: 'Deniz Ak',
    })
  })

  it('let no stranger put a link into the business’s message', () => {
    for (const name of ['http://evil.example', 'Ada www.evil.example', 'HTTPS://evil.example now'])
      expect(valuesOf(scene({ customer: { name } }))).toMatchObject({ customer_name: 'there', customer_full_name: 'there' })
  })

  it('are missing, not empty, where nothing is known', () => {
    const values = valuesOf(scene({ reviewLink: null, appointment: null }))
    expect(Object.keys(values)).not.toContain('review_link')
    expect(Object.keys(values)).not.toContain('appointment_date')
    expect(values).toMatchObject({ service_name: 'your visit', staff_name: 'Salon Mavi' })
  })
})

describe('an unknown variable', () => {
  it.each([
    ['BOOKING_CONFIRMATION', 'Hi {{custmer_name}}'],
    ['MISSED_CALL_FOLLOW_UP', 'On {{appointment_date}}'],
    ['REVIEW_REQUEST', 'On {{appointment_time}}'],
  ] as const)('is refused for %s, with those that are allowed: %s', (kind, text) => {
    expect(() => checkVariables(kind, text, ['body'])).toThrow(/is not known here. Allowed: \{\{customer_name\}\}, /)
  })
  it('is refused where the braces do not match', () => {
    expect(() => checkVariables('REVIEW_REQUEST', 'Hi {{customer_name', ['body'])).toThrow()
    expect(() => checkVariables('REVIEW_REQUEST', '{{#if x}}', ['body'])).toThrow()
  })
})

describe('the choice of a text', () => {
  const row = (language: string, body: string) => ({
    id: language,
    organizationId: 'o',
    kind: 'REVIEW_REQUEST' as const,
    channel: 'SMS' as const,
    language,
    subject: null,
    body,
    html: null,
    templateId: null,
    variables: {},
    updatedAt: new Date(),
  })
  const choose = (rows: ReturnType<typeof row>[], ...languages: [string, ...string[]]) =>
    chooseText(rows, { kind: 'REVIEW_REQUEST', channel: 'SMS' }, languages)

  it('prefers the customer’s language, then its base, then the organization’s, then English', () => {
    const rows = [row('de', 'deutsch'), row('tr', 'özel')]
    expect(choose(rows, 'de-AT', 'tr').body).toBe('deutsch')
    expect(choose(rows, 'fr', 'tr').body).toBe('özel')
    expect(choose(rows, 'en', 'tr')).toMatchObject({ language: 'en', row: null })
    expect(choose([], 'tr-TR', 'en')).toMatchObject({ language: 'tr', row: null })
    expect(choose([], 'fr', 'ja')).toMatchObject({ language: 'en', row: null })
  })

  it('shortens a tag from its end: no Cyrillic where Latin letters are asked for', () => {
    const rows = [row('sr', 'ћирилица'), row('sr-Latn', 'latinica')]
    expect(choose(rows, 'sr-Latn-RS', 'en').body).toBe('latinica')
    expect(choose(rows, 'sr-RS', 'en').body).toBe('ћирилица')
  })

  it('prefers the organization’s own text in its variety of a language to the default one', () => {
    const rows = [row('en-GB', 'own')]
    expect(choose(rows, 'en', 'en-GB')).toMatchObject({ body: 'own', language: 'en-GB', dateLanguage: 'en' })
    expect(choose(rows, 'en-US', 'en-GB').body).toBe('own')
    expect(choose(rows, 'tr', 'en-GB')).toMatchObject({ language: 'tr', row: null })
    expect(choose(rows, 'en', 'tr')).toMatchObject({ language: 'en', row: null })
  })
})
