import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  ConnectChannelAccountDocument,
  CreateCustomerDocument,
  type CreateCustomerInput,
  CustomerPreferencesDocument,
  ResetAutomationTemplateDocument,
  UpdateCustomerDocument,
  type UpdateCustomerInput,
} from '../generated/graphql.ts'
import { startTestApp, type TestApp } from '../support/app.ts'
import { nextPhone } from '../support/automations.ts'
import { type FakeSendgrid, startFakeSendgrid } from '../support/fake-sendgrid.ts'
import { type Configuring, configuring } from '../support/notification-settings.ts'
import { openOrganization, type TestOrganization } from '../support/organization.ts'
import { member, present } from '../support/result.ts'
import { type SimulatedClock, simulateClock } from '../support/simulated-clock.ts'

const STARTS = '2027-02-04T11:30:00.000Z'

let sendgrid: FakeSendgrid
let app: TestApp
let salon: TestOrganization
let own: Configuring
let clock: SimulatedClock

beforeAll(async () => {
  sendgrid = await startFakeSendgrid()
  app = await startTestApp({ SENDGRID_API_URL: sendgrid.url })
  clock = simulateClock(app, '2027-02-01T09:00:00Z')
  salon = await openOrganization(app, { slug: 'salon', name: 'Salon Mavi', timezone: 'Europe/Istanbul' })
  const input = {
    channel: 'EMAIL' as const,
    name: 'Salon',
    address: 'salon@example.org',
    credentials: { sendgrid: { apiKey: sendgrid.apiKey, webhookPublicKey: sendgrid.publicKey, unsubscribeGroupId: 17 } },
  }
  member((await salon.ask(ConnectChannelAccountDocument, { input })).connectChannelAccount, 'ConnectChannelAccountSuccess')
  own = configuring(salon.ask)
  await own.set({ automations: [{ kind: 'BOOKING_CONFIRMATION', channels: ['SMS'] }] })
})
afterAll(async () => {
  await app?.close()
  await sendgrid?.close()
})

async function customer(more: Partial<CreateCustomerInput> = {}) {
  const input = { name: 'Ada Lovelace', identities: [{ kind: 'PHONE' as const, value: nextPhone() }], ...more }
  return member((await salon.ask(CreateCustomerDocument, { input })).createCustomer, 'CreateCustomerSuccess').customer.id
}

/** What a customer is told about a booking. */
async function confirmed(booking: Partial<Parameters<Configuring['book']>[0]> = {}) {
  const { id } = await own.book({ startsAt: STARTS, ...booking })
  await clock.settle()
  const run = present((await own.runs(id)).find(({ kind }) => kind === 'BOOKING_CONFIRMATION'))
  return run.communication?.body ?? `${run.status} ${run.reason}: ${run.detail}`
}

const confirmedTo = async (customerId: string) => confirmed({ customer: { customerId } })

describe('a text of the organization’s own', () => {
  const place = { kind: 'BOOKING_CONFIRMATION' as const, channel: 'SMS' as const }
  const save = (text: object) => own.set({ automations: [{ kind: place.kind, templates: [{ channel: place.channel, ...text }] }] })
  const reset = async (language?: string) => {
    const input = { ...place, ...(language === undefined ? {} : { language }) }
    const answer = (await salon.ask(ResetAutomationTemplateDocument, { input })).resetAutomationTemplate
    return member(answer, 'ResetAutomationTemplateSuccess').automationTemplate
  }

  test('is kept, shown, sent, and taken back', async () => {
    const byDefault = await own.text(place)
    expect(byDefault.isDefault).toBe(true)
    const body =
      '{{customer_full_name}}: {{service_name}} with {{staff_name}}, {{appointment_date}} {{appointment_time}} {{{business_name}}}'
    await save({ body })
    const text = { ...place, language: 'en', subject: null, body, html: null, isDefault: false, template: null, templateVariables: {} }
    expect(await own.text(place)).toMatchObject(text)
    expect(await own.text({ ...place, language: 'tr' })).toMatchObject({ language: 'tr', isDefault: true })
    const staff = { name: 'Deniz' }
    expect(await confirmed({ staff })).toBe('Ada Lovelace: Haircut with Deniz, Thursday, February 4, 2027 2:30 PM Salon Mavi')
    expect(await reset()).toEqual({ ...text, isDefault: true, body: byDefault.body })
    expect(await own.text(place)).toEqual(byDefault)
    expect(await reset()).toMatchObject({ isDefault: true })
    expect(await confirmed()).toBe('Hi Ada, your appointment for Haircut is booked: Thursday, February 4, 2027 at 2:30 PM. Salon Mavi')
  })

  test('stands in for a language without one, and a reset there shows it', async () => {
    await save({ body: 'Booked.' })
    await save({ body: 'Gebucht.', language: 'de' })
    expect(await own.text({ ...place, language: 'de-CH' })).toMatchObject({ language: 'de', body: 'Gebucht.', isDefault: false })
    expect(await own.text({ ...place, language: 'fr' })).toMatchObject({ language: 'en', body: 'Booked.', isDefault: false })
    expect(await reset('de')).toMatchObject({ language: 'en', body: 'Booked.', isDefault: false })
    expect(await reset()).toMatchObject({ language: 'en', isDefault: true })
  })

  test('in another language takes over nothing of the text that stood in for it', async () => {
    const email = { kind: 'BOOKING_CONFIRMATION' as const, channel: 'EMAIL' as const }
    const write = (text: object) => own.set({ automations: [{ kind: email.kind, templates: [{ channel: email.channel, ...text }] }] })
    await write({ subject: 'Booked', body: 'Booked.', html: '<p>Booked.</p>' })
    await write({ language: 'de', subject: 'Gebucht', body: 'Gebucht.' })
    expect(await own.text({ ...email, language: 'de' })).toMatchObject({ subject: 'Gebucht', body: 'Gebucht.', html: null })
    await write({ language: 'de', body: 'Ist gebucht.' })
    expect(await own.text({ ...email, language: 'de' })).toMatchObject({ subject: 'Gebucht', body: 'Ist gebucht.' })
    for (const language of ['de', 'en']) await salon.ask(ResetAutomationTemplateDocument, { input: { ...email, language } })
  })
})

describe('an e-mail', () => {
  const setMail = (text: object) =>
    own.set({
      automations: [
        {
          kind: 'BOOKING_CONFIRMATION',
          channels: ['EMAIL'],
          templates: [{ channel: 'EMAIL', subject: '{{customer_full_name}}', ...text }],
        },
      ],
    })
  const mailTo = async (email: string, name: string) => {
    await confirmed({ email, name })
    return present(sendgrid.mails.find(({ mail }) => mail.personalizations[0]?.to[0]?.email === email)).mail
  }
  afterAll(() => own.set({ automations: [{ kind: 'BOOKING_CONFIRMATION', channels: ['SMS'] }] }))

  test('loses scripts when it is saved, and its values are texts', async () => {
    const html =
      '<p onclick="x()">Hi {{customer_full_name}}, see <a href="{{review_link}}">us</a><script>alert(1)</script></p><img src="http://t.example/x.png"><form></form>'
    await own.set({ reviewLink: 'https://g.page/mavi?a=1&b=2' })
    await setMail({ html, body: 'Hi {{customer_full_name}}' })
    const saved = '<p>Hi {{customer_full_name}}, see <a href="{{review_link}}" target="_blank" rel="noopener noreferrer">us</a></p>'
    const text = await own.text({ kind: 'BOOKING_CONFIRMATION', channel: 'EMAIL' })
    expect(text.html?.startsWith(saved)).toBe(true)
    expect(text.html).not.toMatch(/script|onclick|form|http:/)
    const { subject, content } = await mailTo('bobby@example.com', '<script>alert(1)</script> & Co')
    expect(subject).toBe('<script>alert(1)</script> & Co')
    expect(content[0]).toEqual({ type: 'text/plain', value: 'Hi <script>alert(1)</script> & Co' })
    expect(content[1]?.type).toBe('text/html')
    expect(content[1]?.value).toContain(
      '<p>Hi &lt;script&gt;alert(1)&lt;/script&gt; &amp; Co, see <a href="https://g.page/mavi?a=1&amp;b=2"',
    )
  })

  test('does not take a customer’s name for a text with variables', async () => {
    await setMail({ html: '<p>{{{customer_full_name}}} {{customer_full_name}}</p>', body: '{{customer_full_name}}' })
    const { subject, content } = await mailTo('braces@example.com', '{{business_name}} {{#x}} <b>')
    expect(subject).toBe('{{business_name}} {{#x}} <b>')
    expect(content[0]?.value).toBe('{{business_name}} {{#x}} <b>')
    expect(content[1]?.value).toBe('<p>{{business_name}} {{#x}} &lt;b&gt; {{business_name}} {{#x}} &lt;b&gt;</p>')
  })
})

describe('a customer’s language and time zone', () => {
  const preferences = async (id: string) => {
    const { language, timezone } = present((await salon.ask(CustomerPreferencesDocument, { id })).customer)
    return { language, timezone }
  }
  const change = async (input: UpdateCustomerInput) => present((await salon.ask(UpdateCustomerDocument, { input })).updateCustomer)

  test('are set, left, and removed', async () => {
    const id = await customer({ language: 'tr_TR', timezone: 'Asia/Tokyo' })
    expect(await preferences(id)).toEqual({ language: 'tr-TR', timezone: 'Asia/Tokyo' })
    await change({ customerId: id, name: 'Ada' })
    await change({ customerId: id, timezone: 'Europe/Berlin' })
    expect(await preferences(id)).toEqual({ language: 'tr-TR', timezone: 'Europe/Berlin' })
    await change({ customerId: id, language: null, timezone: '' })
    expect(await preferences(id)).toEqual({ language: null, timezone: null })
  })

  test.each([
    [{ language: 'türkçe' }, 'language', 'language must be a language tag such as en, tr or pt-BR.'],
    [{ timezone: 'Istanbul' }, 'timezone', 'timezone must be an IANA name, e.g. Europe/Istanbul.'],
    [{ timezone: '+03:00' }, 'timezone', 'timezone must be an IANA name, e.g. Europe/Istanbul.'],
  ])('%j is refused', async (given, field, message) => {
    const refusal = { __typename: 'ValidationError', message, path: ['input', field] }
    const customerId = await customer({ language: 'tr', timezone: 'Asia/Tokyo' })
    expect(await change({ customerId, name: 'New', ...given })).toMatchObject(refusal)
    expect(await preferences(customerId)).toEqual({ language: 'tr', timezone: 'Asia/Tokyo' })
    const input = { name: 'New', identities: [{ kind: 'PHONE' as const, value: nextPhone() }], ...given }
    expect((await salon.ask(CreateCustomerDocument, { input })).createCustomer).toMatchObject(refusal)
  })

  test.each(['tr', 'tr-TR', 'tr-DE'])('%s: text and date are Turkish, in an English organization', async (language) => {
    expect(await confirmedTo(await customer({ language }))).toBe(
      'Merhaba Ada, Haircut randevunuz oluşturuldu: 4 Şubat 2027 Perşembe, saat 14:30. Salon Mavi',
    )
  })

  test('a language without a text gets the organization’s, with the dates in the customer’s', async () => {
    expect(await confirmedTo(await customer({ language: 'de' }))).toBe(
      'Hi Ada, your appointment for Haircut is booked: Donnerstag, 4. Februar 2027 at 14:30. Salon Mavi',
    )
    const turkish = await openOrganization(app, { slug: 'turkish', name: 'Berber', language: 'tr', timezone: 'Europe/Istanbul' })
    const theirs = configuring(turkish.ask)
    await theirs.set({
      automations: [{ kind: 'BOOKING_CONFIRMATION', templates: [{ channel: 'SMS', body: 'Randevunuz: {{appointment_date}}' }] }],
    })
    const input = { name: 'Ada', language: 'de', identities: [{ kind: 'PHONE' as const, value: nextPhone() }] }
    const { customer: german } = member((await turkish.ask(CreateCustomerDocument, { input })).createCustomer, 'CreateCustomerSuccess')
    const { id } = await theirs.book({ startsAt: STARTS, customer: { customerId: german.id } })
    await clock.settle()
    const sent = (await theirs.runs(id)).find(({ status }) => status === 'SENT')
    expect(sent?.communication?.body).toBe('Randevunuz: Donnerstag, 4. Februar 2027')
  })

  test('the organization’s own text in its variety of a language is for all who speak it', async () => {
    await own.set({
      language: 'en-GB',
      automations: [
        { kind: 'BOOKING_CONFIRMATION', templates: [{ channel: 'SMS', body: 'At {{appointment_time}}, {{appointment_date}}.' }] },
      ],
    })
    expect(await confirmed()).toBe('At 14:30, Thursday, 4 February 2027.')
    expect(await confirmedTo(await customer({ language: 'en-US' }))).toBe('At 2:30 PM, Thursday, February 4, 2027.')
    expect(await confirmedTo(await customer({ language: 'tr' }))).toContain('Merhaba Ada')
    await salon.ask(ResetAutomationTemplateDocument, { input: { kind: 'BOOKING_CONFIRMATION', channel: 'SMS' } })
    await own.set({ language: 'en' })
  })

  test('the appointment’s own time zone says its time', async () => {
    expect(await confirmed({ timezone: 'America/New_York' })).toContain('Thursday, February 4, 2027 at 6:30 AM')
  })
})
