import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  AllAutomationTemplatesDocument,
  type AutomationKind,
  type AutomationTemplatesQueryVariables,
  CancelAppointmentDocument,
  CreateCustomerDocument,
  MergeCustomersDocument,
} from '../generated/graphql.ts'
import { startTestApp, type TestApp } from '../support/app.ts'
import { nextPhone } from '../support/automations.ts'
import { type Configuring, configuring } from '../support/notification-settings.ts'
import { openOrganization, type TestOrganization } from '../support/organization.ts'
import { member, present } from '../support/result.ts'
import { simulateClock } from '../support/simulated-clock.ts'

let app: TestApp
let salon: TestOrganization
let own: Configuring

beforeAll(async () => {
  app = await startTestApp({ WORKER: 'off' })
  simulateClock(app, '2027-02-01T09:20:00Z')
  salon = await openOrganization(app, { slug: 'salon', name: 'Salon Mavi', timezone: 'Europe/Istanbul' })
  own = configuring(salon.ask)
})
afterAll(() => app?.close())

const customer = async (name: string | null, language: string | null = null, ask = salon.ask) => {
  const input = { name, language, identities: [{ kind: 'PHONE' as const, value: nextPhone() }] }
  return member((await ask(CreateCustomerDocument, { input })).createCustomer, 'CreateCustomerSuccess').customer.id
}
const preview = async (variables: AutomationTemplatesQueryVariables) => present((await own.text({ channel: 'SMS', ...variables })).preview)
const read = async (kind: AutomationKind, more: Omit<AutomationTemplatesQueryVariables, 'kind'> = {}) =>
  (await preview({ kind, ...more })).body

describe('for a sample customer', () => {
  test('an appointment is a week ahead, in the language that is asked for', async () => {
    expect(await read('BOOKING_CONFIRMATION')).toBe(
      'Hi Alex, your appointment for Consultation is booked: Monday, February 8, 2027 at 12:00 PM. Salon Mavi',
    )
    expect(await read('APPOINTMENT_REMINDER', { language: 'tr-TR' })).toBe(
      'Merhaba Ayşe, Danışma randevunuzu hatırlatmak isteriz: 8 Şubat 2027 Pazartesi, saat 12:00. Görüşmek üzere! Salon Mavi',
    )
    expect(await read('CANCELLATION_NOTICE', { language: 'en-GB' })).toContain('on Monday, 8 February 2027 at 12:00 has been canceled')
    expect(await read('CANCELLATION_NOTICE', { language: 'de' })).toContain('on Montag, 8. Februar 2027 at 12:00 has been canceled')
  })

  test('a missing review link is listed, and then there', async () => {
    expect(await preview({ kind: 'REVIEW_REQUEST' })).toEqual({
      subject: null,
      body: 'Hi Alex, thank you for choosing Salon Mavi. Would you tell others how it was? {{review_link}}',
      html: null,
      missingVariables: ['review_link'],
    })
    await own.set({ reviewLink: 'https://g.page/mavi' })
    expect(await preview({ kind: 'REVIEW_REQUEST' })).toMatchObject({
      body: 'Hi Alex, thank you for choosing Salon Mavi. Would you tell others how it was? https://g.page/mavi',
      missingVariables: [],
    })
  })

  test('an e-mail has its subject and its HTML', async () => {
    const html = '<p>{{customer_full_name}} &amp; <b>{{business_name}}</b></p>'
    await own.set({
      businessName: 'Mavi <Salon>',
      automations: [{ kind: 'RESCHEDULE_NOTICE', templates: [{ channel: 'EMAIL', subject: '{{business_name}}: moved', html }] }],
    })
    expect(await preview({ kind: 'RESCHEDULE_NOTICE', channel: 'EMAIL' })).toMatchObject({
      subject: 'Mavi <Salon>: moved',
      html: '<p>Alex Morgan &amp; <b>Mavi &lt;Salon&gt;</b></p>',
      missingVariables: [],
    })
    await own.set({ businessName: null })
  })
})

describe('for a real customer', () => {
  test('it is about the appointment that is given, else about their next one, else about a sample', async () => {
    const customerId = await customer('Grace Hopper')
    const book = (service: string, startsAt: string) => own.book({ customer: { customerId }, service, startsAt })
    expect(await read('BOOKING_CONFIRMATION', { customerId })).toContain('Hi Grace, your appointment for Consultation')
    const later = await book('Later', '2027-03-01T10:00:00.000Z')
    const past = await book('Past', '2027-01-01T10:00:00.000Z')
    const canceled = await book('Canceled', '2027-02-10T10:00:00.000Z')
    await salon.ask(CancelAppointmentDocument, { input: { appointment: { appointmentId: canceled.id } } })
    const next = await book('Next', '2027-02-20T10:00:00.000Z')
    const start = 'Hi Grace, a reminder of your appointment for'
    expect(await read('APPOINTMENT_REMINDER', { customerId })).toContain(`${start} Next on Saturday, February 20, 2027 at 1:00 PM`)
    for (const { id, service } of [later, past, canceled, next]) {
      expect(await read('APPOINTMENT_REMINDER', { customerId, appointmentId: id })).toContain(`${start} ${service} `)
      expect(await read('APPOINTMENT_REMINDER', { appointmentId: id })).toContain(`${start} ${service} `)
    }
  })

  test('a review that is asked for by hand is about no appointment', async () => {
    const body = '{{customer_name}}: {{service_name}} with {{staff_name}}'
    const set = (afterCompletion: boolean) =>
      own.set({ automations: [{ kind: 'REVIEW_REQUEST', afterCompletion, templates: [{ channel: 'SMS', body }] }] })
    await set(false)
    const customerId = await customer('Grace Hopper')
    const { id } = await own.book({ customer: { customerId }, startsAt: '2027-02-20T10:00:00.000Z', staff: { name: 'Deniz' } })
    expect(await read('REVIEW_REQUEST', { customerId })).toBe('Grace: your visit with Salon Mavi')
    expect(await read('REVIEW_REQUEST', { customerId, appointmentId: id })).toBe('Grace: Haircut with Deniz')
    expect(await read('REVIEW_REQUEST')).toBe('Alex: your visit with Salon Mavi')
    await set(true)
    expect(await read('REVIEW_REQUEST')).toBe('Alex: Consultation with Sam')
    expect(await read('REVIEW_REQUEST', { customerId })).toBe('Grace: your visit with Salon Mavi')
  })

  test('without a name and about a missed call, words stand in', async () => {
    const customerId = await customer(null)
    expect(await read('MISSED_CALL_FOLLOW_UP', { customerId })).toBe(
      'Hi there, sorry that we missed your call. How can we help? Just answer this message. Salon Mavi',
    )
    expect(await read('MISSED_CALL_FOLLOW_UP', { customerId, language: 'tr' })).toContain('Merhaba değerli müşterimiz,')
  })

  test('dates are as they would be sent: in their language, where they would get this text', async () => {
    const german = await customer('Ada', 'de')
    expect(await read('BOOKING_CONFIRMATION', { customerId: german })).toContain('booked: Montag, 8. Februar 2027 at 12:00.')
    const turkish = await customer('Ada', 'tr-TR')
    expect(await read('BOOKING_CONFIRMATION', { customerId: turkish, language: 'tr' })).toContain('oluşturuldu: 8 Şubat 2027 Pazartesi')
    // They would get the Turkish one: this is what the English one would be.
    expect(await read('BOOKING_CONFIRMATION', { customerId: turkish })).toContain('booked: Monday, February 8, 2027')
  })

  test('who is merged is the survivor', async () => {
    const [survivorId, mergedId] = [await customer('Grace Hopper'), await customer('G. H.')]
    const { id } = await own.book({ customer: { customerId: mergedId }, startsAt: '2027-02-20T10:00:00.000Z' })
    const input = { survivorId, mergedId }
    member((await salon.ask(MergeCustomersDocument, { input })).mergeCustomers, 'MergeCustomersSuccess')
    expect(await read('BOOKING_CONFIRMATION', { customerId: mergedId, appointmentId: id })).toContain(
      'Hi Grace, your appointment for Haircut',
    )
  })
})

test('what is not this organization’s, or not this customer’s, is not found', async () => {
  const foreign = await openOrganization(app, { slug: 'foreign' })
  const [mine, another, theirs] = [await customer('Mine'), await customer('Another'), await customer('Theirs', null, foreign.ask)]
  const theirAppointment = await configuring(foreign.ask).book({ startsAt: '2027-02-20T10:00:00.000Z' })
  const anothers = await own.book({ customer: { customerId: another }, startsAt: '2027-02-20T10:00:00.000Z' })
  const query = `query ($customerId: ID, $appointmentId: ID) {
    notificationSettings { automation(kind: BOOKING_CONFIRMATION) { templates(channel: SMS) { body preview(customerId: $customerId, appointmentId: $appointmentId) { body } } } }
  }`
  const none = (what: string, field: string) => ({
    message: `There is no such ${what}.`,
    extensions: { code: 'NOT_FOUND', inputPath: [field] },
  })
  const cases = [
    [{ customerId: theirs }, none('customer', 'customerId')],
    [{ customerId: 'nobody' }, none('customer', 'customerId')],
    [{ customerId: anothers.id }, none('customer', 'customerId')],
    [{ appointmentId: theirAppointment.id }, none('appointment', 'appointmentId')],
    [{ customerId: mine, appointmentId: theirAppointment.id }, none('appointment', 'appointmentId')],
    [{ customerId: mine, appointmentId: anothers.id }, none('appointment of this customer', 'appointmentId')],
  ] as const
  for (const [variables, error] of cases) {
    const { data, errors } = await app.request(query, variables, salon.token)
    expect(errors).toMatchObject([error])
    // The text itself is there all the same.
    expect(data).toMatchObject({ notificationSettings: { automation: { templates: [{ body: expect.any(String), preview: null }] } } })
  }
})

test('all texts of all automations on all channels are previewed at once, for a tenth of what a query may cost', async () => {
  const customerId = await customer('Grace Hopper', 'tr')
  const { notificationSettings } = await salon.ask(AllAutomationTemplatesDocument, { customerId })
  const previews = notificationSettings.automations.flatMap(({ templates }) => templates.map((text) => text.preview))
  expect(previews).toHaveLength(42)
  for (const each of previews) expect(each?.body).toMatch(/Grace/)
  expect(app.deps.config.MAX_QUERY_COST).toBe(50_000)
  app.deps.config.MAX_QUERY_COST = 5000
  try {
    await salon.ask(AllAutomationTemplatesDocument, { customerId })
  } finally {
    app.deps.config.MAX_QUERY_COST = 50_000
  }
})
