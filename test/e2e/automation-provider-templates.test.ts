import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  type AutomationTemplateInput,
  ConnectChannelAccountDocument,
  CreateTemplateDocument,
  type CreateTemplateInput,
  DeleteTemplateDocument,
  ResetAutomationTemplateDocument,
  SetConsentDocument,
  SyncTemplatesDocument,
  UpdateTemplateDocument,
} from '../generated/graphql.ts'
import { startTestApp, type TestApp } from '../support/app.ts'
import { eventually } from '../support/eventually.ts'
import { type FakeMeta, startFakeMeta } from '../support/fake-meta.ts'
import { type FakeTwilio, startFakeTwilio } from '../support/fake-twilio.ts'
import { type Configuring, configuring } from '../support/notification-settings.ts'
import { openOrganization, type TestOrganization } from '../support/organization.ts'
import { member, present } from '../support/result.ts'
import { type SimulatedClock, simulateClock } from '../support/simulated-clock.ts'
import { connect } from '../support/twilio-inbox.ts'

const STARTS = '2027-02-04T11:30:00.000Z'
const PHONE = '106540352242922'
const BUSINESS = '419561257915477'

let twilio: FakeTwilio
let meta: FakeMeta
let app: TestApp
let salon: TestOrganization
let own: Configuring
let clock: SimulatedClock
let whatsapp: string

/** Its own WhatsApp account is a simulation; that of the provider is its second one. */
async function open(slug: string): Promise<TestOrganization> {
  const organization = await openOrganization(app, { slug, name: 'Salon Mavi', timezone: 'Europe/Istanbul' })
  await configuring(organization.ask).set({ automations: [{ kind: 'BOOKING_CONFIRMATION', channels: ['WHATSAPP', 'SMS'] }] })
  return organization
}

beforeAll(async () => {
  twilio = await startFakeTwilio()
  meta = await startFakeMeta()
  const meta_ = { META_GRAPH_URL: meta.url, META_APP_SECRET: 'the app’s secret', META_VERIFY_TOKEN: 'verify-token' }
  app = await startTestApp({ TWILIO_API_URL: twilio.url, ...meta_ })
  clock = simulateClock(app, '2027-02-01T09:00:00Z')
  salon = await open('salon')
  own = configuring(salon.ask)
  const input = { channel: 'WHATSAPP' as const, name: 'Twilio', address: '+15017122662', credentials: { twilio: twilio.credentials } }
  whatsapp = (await connect(app, input, salon.token)).id
})
afterAll(async () => {
  await app?.close()
  await twilio?.close()
  await meta?.close()
})

let contents = 0
const content = (name: string, body: string, status = 'approved', category = 'UTILITY') => ({
  sid: `HX${String(++contents).padStart(32, '0')}`,
  account_sid: twilio.credentials.accountSid,
  friendly_name: name,
  language: 'en',
  variables: {},
  types: { 'twilio/text': { body } },
  approval_requests: { name, category, content_type: 'twilio/text', status, rejection_reason: '' },
  date_created: '2026-11-01T00:00:00Z',
  date_updated: '2026-11-01T00:00:00Z',
})

/** The account's templates are these now; gives their ids. */
async function synced(channelAccountId: string, ask = salon.ask) {
  const { templates } = member((await ask(SyncTemplatesDocument, { input: { channelAccountId } })).syncTemplates, 'SyncTemplatesSuccess')
  return (name: string) => present(templates.find((template) => template.name === name)).id
}

const text = (more: Omit<AutomationTemplateInput, 'channel'>, channel: AutomationTemplateInput['channel'] = 'WHATSAPP') => ({
  automations: [{ kind: 'BOOKING_CONFIRMATION' as const, templates: [{ channel, ...more }] }],
})
const place = { kind: 'BOOKING_CONFIRMATION' as const, channel: 'WHATSAPP' as const }

async function booked(booking: Partial<Parameters<Configuring['book']>[0]> = {}, by = own) {
  const { id, customer } = await by.book({ startsAt: STARTS, ...booking })
  await clock.settle()
  const runs = (await by.runs(id)).filter(({ kind }) => kind === 'BOOKING_CONFIRMATION')
  return { customer, runs, brief: runs.map(({ channel, status, reason }) => [channel, status, reason].join(' ').trim()) }
}

describe('a template of Twilio’s', () => {
  const BODY = 'Dear {{1}}, we expect you on {{2}} at {{3}}.'
  const templateVariables = { 1: 'customer_name', 2: 'appointment_date', 3: 'appointment_time' }

  test('is sent in place of the text, outside of the messaging window, with our values', async () => {
    const booking = content('booking', BODY)
    twilio.contents = [booking]
    const templateId = (await synced(whatsapp))('booking')
    await own.set(text({ templateId, templateVariables }))
    const saved = await own.text({ ...place })
    expect(saved).toMatchObject({ isDefault: false, template: { id: templateId, name: 'booking', status: 'APPROVED' }, templateVariables })
    expect(saved.body).toContain('your appointment for {{service_name}} is booked')
    expect(saved.preview).toMatchObject({ body: expect.stringMatching(/^Dear Alex, we expect you on /), missingVariables: [] })
    const { runs, brief } = await booked({ name: 'Ada\n Lovelace' })
    expect(brief).toEqual(['WHATSAPP SENT'])
    expect(runs[0]?.communication?.body).toBe('Dear Ada, we expect you on Thursday, February 4, 2027 at 2:30 PM.')
    const { params } = present(twilio.messages.at(-1))
    expect(params).toMatchObject({ ContentSid: booking.sid, From: 'whatsapp:+15017122662' })
    expect(params.Body).toBeUndefined()
    expect(JSON.parse(String(params.ContentVariables))).toEqual({ 1: 'Ada', 2: 'Thursday, February 4, 2027', 3: '2:30 PM' })
  })

  test('keeps its mapping when only the text changes, and loses it with the template', async () => {
    const before = await own.text(place)
    await own.set(text({ body: 'See you.' }))
    expect(await own.text(place)).toMatchObject({ body: 'See you.', template: before.template, templateVariables })
    await own.set(text({ templateVariables: { ...templateVariables, 1: 'customer_full_name' } }))
    expect(await own.text(place)).toMatchObject({ template: before.template, templateVariables: { 1: 'customer_full_name' } })
    await own.set(text({ body: 'Hallo.', language: 'de' }))
    expect(await own.text({ ...place, language: 'de' })).toMatchObject({ body: 'Hallo.', template: null, templateVariables: {} })
    await own.set(text({ templateId: null }))
    expect(await own.text(place)).toMatchObject({ body: 'See you.', template: null, templateVariables: {}, isDefault: false })
    for (const language of ['en', 'de']) await salon.ask(ResetAutomationTemplateDocument, { input: { ...place, language } })
    expect(await own.text(place)).toMatchObject({ isDefault: true, template: null })
  })

  test('alone makes a text in a language that has none; the one that stands in stays beside it', async () => {
    twilio.contents = [content('buchung', 'Ihr Termin: {{1}}')]
    const templateId = (await synced(whatsapp))('buchung')
    await own.set(text({ templateId, templateVariables: { 1: 'appointment_date' }, language: 'de' }))
    expect(await own.text({ ...place, language: 'de' })).toMatchObject({
      language: 'de',
      body: expect.stringContaining('Hi {{customer_name}}'),
      template: { name: 'buchung' },
      preview: { body: expect.stringMatching(/^Ihr Termin: Montag, /) },
    })
    await salon.ask(ResetAutomationTemplateDocument, { input: { ...place, language: 'de' } })
  })

  test('is refused where its variables are not all filled in by ours', async () => {
    twilio.contents = [content('named', 'Hi {{customer_name}}, {{when}}'), content('plain', 'Hi')]
    const id = await synced(whatsapp)
    const refused = async (templateName: string, variables?: unknown) => {
      const given = variables === undefined ? {} : { templateVariables: variables }
      const { message, path } = await own.refused(text({ templateId: id(templateName), ...given }))
      return { message, path: path.slice(5).join('.') }
    }
    const names =
      'customer_name, customer_full_name, business_name, review_link, service_name, staff_name, appointment_date, appointment_time'
    const say = `Say what fills in {{when}} of the template: one of ${names}, e.g. { "when": "customer_name" }.`
    expect(await refused('named')).toEqual({ message: say, path: 'templateVariables' })
    expect(await refused('named', null)).toEqual({ message: say, path: 'templateVariables' })
    expect(await refused('named', { customer_name: 'customer_full_name' })).toEqual({ message: say, path: 'templateVariables' })
    expect(await refused('named', { when: 'tomorrow' })).toEqual({
      message: expect.stringMatching(/^\{\{tomorrow\}\} is not known here\. Allowed: \{\{customer_name\}\}, /),
      path: 'templateVariables.when',
    })
    expect(await refused('named', { when: 'appointment_date', 7: 'customer_name' })).toEqual({
      message: 'The template has no {{7}}; its variables are {{customer_name}}, {{when}}.',
      path: 'templateVariables.7',
    })
    expect(await refused('plain', { 1: 'customer_name' })).toEqual({
      message: 'The template has no {{1}}; it has no variables.',
      path: 'templateVariables.1',
    })
    for (const given of [['customer_name'], 'customer_name', { when: 1 }])
      expect(await refused('named', given)).toEqual({
        message: 'templateVariables must be an object of names, e.g. { "1": "customer_name" }.',
        path: 'templateVariables',
      })
    await own.set(text({ templateId: id('named'), templateVariables: { when: 'appointment_date' } }))
    expect((await own.text(place)).templateVariables).toEqual({ customer_name: 'customer_name', when: 'appointment_date' })
    await own.set(text({ templateId: id('plain') }))
    expect((await own.text(place)).templateVariables).toEqual({})
  })

  test('is refused on another channel, and one of ours without a counterpart on any', async () => {
    twilio.contents = [content('only', 'Hi')]
    const templateId = (await synced(whatsapp))('only')
    const path = ['input', 'automations', '0', 'templates', '0', 'templateId']
    expect(await own.refused(text({ templateId }, 'SMS'))).toMatchObject({ message: 'The template is for WHATSAPP, not for SMS.', path })
    expect(await own.refused(text({ templateId }, 'EMAIL'))).toMatchObject({
      message: 'The template is for WHATSAPP, not for EMAIL.',
      path,
    })
    const create = async (input: CreateTemplateInput) =>
      member((await salon.ask(CreateTemplateDocument, { input })).createTemplate, 'CreateTemplateSuccess').template.id
    expect(await own.refused(text({ templateId: await create({ name: 'ours', body: 'Hi' }) }))).toMatchObject({
      message: 'This template is not the provider’s: write its text here instead, as `body`.',
      path,
    })
    const counterpart = await create({ name: 'mail', body: 'Hi', channel: 'EMAIL', providerTemplateId: 'd-1' })
    expect(await own.refused(text({ templateId: counterpart }))).toMatchObject({
      message: 'The template is for EMAIL, not for WHATSAPP.',
      path,
    })
  })

  test.each([
    ['paused', 'PAUSED'],
    ['rejected', 'REJECTED'],
    ['pending', 'PENDING'],
  ])('that is %s later is passed over: the next channel carries the text', async (status, shown) => {
    const one = content(`later-${status}`, 'Hi {{1}}')
    twilio.contents = [one]
    const templateId = (await synced(whatsapp))(one.friendly_name)
    await own.set(text({ templateId, templateVariables: { 1: 'customer_name' } }))
    twilio.contents = [{ ...one, approval_requests: { ...one.approval_requests, status } }]
    await synced(whatsapp)
    expect((await own.text(place)).template).toMatchObject({ status: shown })
    const { runs, brief } = await booked()
    expect(brief).toEqual(['WHATSAPP SKIPPED TEMPLATE_NOT_APPROVED', 'SMS SENT'])
    expect(runs[0]?.detail).toBe(`The provider has not approved the template: it is ${shown}. Only an approved one can be sent.`)
    expect(runs[1]).toMatchObject({ fallbackOf: { channel: 'WHATSAPP', reason: 'TEMPLATE_NOT_APPROVED' } })
    expect(runs[1]?.communication?.body).toContain('Hi Ada, your appointment for Haircut is booked')
  })

  test('that has got another variable since says which value is missing', async () => {
    const one = content('grows', 'Hi {{1}}')
    twilio.contents = [one]
    const templateId = (await synced(whatsapp))('grows')
    await own.set(text({ templateId, templateVariables: { 1: 'customer_name' } }))
    twilio.contents = [{ ...one, types: { 'twilio/text': { body: 'Hi {{1}}, {{service_name}}: {{2}}' } } }]
    await synced(whatsapp)
    const { runs, brief } = await booked()
    expect(brief).toEqual(['WHATSAPP SKIPPED MISSING_VALUE', 'SMS SENT'])
    expect(runs[0]?.detail).toBe('There is no value for {{2}}: take it out of the text, or use words that hold for every customer.')
  })

  test('for MARKETING asks for the consent to that', async () => {
    twilio.contents = [content('advert', 'Hi {{1}}', 'approved', 'MARKETING')]
    const templateId = (await synced(whatsapp))('advert')
    await own.set(text({ templateId, templateVariables: { 1: 'customer_name' } }))
    const first = await booked()
    expect(first.brief).toEqual(['WHATSAPP SENT'])
    const { id: customerId } = first.customer
    const refusal = { channel: 'WHATSAPP' as const, state: 'OPTED_OUT' as const, evidence: 'said so' }
    await salon.ask(SetConsentDocument, { input: { ...refusal, customerId, purposes: ['MARKETING'] } })
    expect((await booked({ customer: { customerId } })).brief).toEqual(['WHATSAPP SKIPPED OPTED_OUT', 'SMS SENT'])
  })

  test('by a counterpart of ours is sent, and when that is deleted the own text is again', async () => {
    const input = { name: 'counterpart', body: 'Dear {{1}}', channel: 'WHATSAPP' as const, providerTemplateId: content('x', 'x').sid }
    const { template } = member((await salon.ask(CreateTemplateDocument, { input })).createTemplate, 'CreateTemplateSuccess')
    await own.set(text({ templateId: template.id, templateVariables: { 1: 'customer_full_name' }, body: 'Our own.' }))
    expect((await own.text(place)).template).toMatchObject({ name: 'counterpart', status: null })
    expect((await booked()).runs[0]?.communication?.body).toBe('Dear Ada Lovelace')
    const edit = { templateId: template.id, body: 'Dear {{1}}!' }
    member((await salon.ask(UpdateTemplateDocument, { input: edit })).updateTemplate, 'UpdateTemplateSuccess')
    expect((await booked()).runs[0]?.communication?.body).toBe('Dear Ada Lovelace!')
    const deletion = (await salon.ask(DeleteTemplateDocument, { input: { templateId: template.id } })).deleteTemplate
    member(deletion, 'DeleteTemplateSuccess')
    expect(await own.text(place)).toMatchObject({ template: null, templateVariables: {}, body: 'Our own.', isDefault: false })
    expect((await booked()).brief).toEqual(['WHATSAPP SKIPPED MESSAGING_WINDOW_CLOSED', 'SMS SENT'])
    await own.set(text({ body: 'Changed.' }))
    await salon.ask(ResetAutomationTemplateDocument, { input: place })
  })
})

describe('a template of Meta’s', () => {
  test('is sent by its name, with our values as its parameters', async () => {
    const shop = await open('shop')
    const shops = configuring(shop.ask)
    meta.objects.set(PHONE, { id: PHONE })
    meta.objects.set(`${BUSINESS}/phone_numbers`, { data: [{ id: PHONE, display_phone_number: '+1 555-078-3881', status: 'CONNECTED' }] })
    meta.objects.set(`${BUSINESS}/subscribed_apps`, { data: [{ whatsapp_business_api_data: { id: '4711' } }] })
    const components = [{ type: 'BODY', text: 'Dear {{1}}, see you on {{2}}. {{3}}' }]
    const listed = { id: '77', name: 'see_you', language: 'en_US', status: 'APPROVED', category: 'UTILITY', components }
    meta.objects.set(`${BUSINESS}/message_templates`, { data: [listed] })
    const credentials = { meta: { accessToken: meta.accessToken, phoneNumberId: PHONE, businessAccountId: BUSINESS } }
    const input = { channel: 'WHATSAPP' as const, name: 'Meta', address: '+15550783881', credentials }
    const { channelAccount } = member(
      (await shop.ask(ConnectChannelAccountDocument, { input })).connectChannelAccount,
      'ConnectChannelAccountSuccess',
    )
    const templateId = (await synced(channelAccount.id, shop.ask))('see_you')
    const templateVariables = { 1: 'customer_name', 2: 'appointment_date', 3: 'business_name' }
    await shops.set(text({ templateId, templateVariables }))
    const phone = '+905551234567'
    const { brief } = await booked({ phone }, shops)
    expect(brief).toEqual(['WHATSAPP SENT'])
    await eventually(() => expect(meta.messages).toHaveLength(1))
    const parameters = ['Ada', 'Thursday, February 4, 2027', 'Salon Mavi'].map((value) => ({ type: 'text', text: value }))
    expect(meta.messages[0]).toMatchObject({
      sender: PHONE,
      body: {
        to: phone,
        type: 'template',
        template: { name: 'see_you', language: { code: 'en_US' }, components: [{ type: 'body', parameters }] },
      },
    })
    meta.objects.set(`${BUSINESS}/message_templates`, { data: [{ ...listed, status: 'PAUSED' }] })
    await synced(channelAccount.id, shop.ask)
    expect((await booked({}, shops)).brief).toEqual(['WHATSAPP SKIPPED TEMPLATE_NOT_APPROVED', 'SMS SENT'])
    expect(meta.messages).toHaveLength(1)
  })
})
