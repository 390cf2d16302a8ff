import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  AllAutomationTemplatesDocument,
  type AutomationKind,
  type ChannelType,
  CreateTemplateDocument,
  NotificationSettingsDocument,
  ResetAutomationTemplateDocument,
  SendTestNotificationDocument,
  UpdateNotificationSettingsDocument,
  type UpdateNotificationSettingsInput,
} from '../generated/graphql.ts'
import { startTestApp, type TestApp } from '../support/app.ts'
import { type Configuring, configuring } from '../support/notification-settings.ts'
import { openOrganization, type TestOrganization } from '../support/organization.ts'
import { dataOf, member } from '../support/result.ts'

const CHANNELS: ChannelType[] = ['EMAIL', 'INSTAGRAM', 'MESSENGER', 'RCS', 'SMS', 'WEBCHAT', 'WHATSAPP']
const KINDS: AutomationKind[] = [
  'BOOKING_CONFIRMATION',
  'RESCHEDULE_NOTICE',
  'CANCELLATION_NOTICE',
  'APPOINTMENT_REMINDER',
  'MISSED_CALL_FOLLOW_UP',
  'REVIEW_REQUEST',
]

let app: TestApp
let salon: TestOrganization
let own: Configuring

beforeAll(async () => {
  app = await startTestApp()
  salon = await openOrganization(app, { slug: 'salon', name: 'Salon Mavi', timezone: 'Europe/Istanbul' })
  own = configuring(salon.ask)
})
afterAll(() => app?.close())

describe('a new organization', () => {
  test('has six automations, switched on, by WhatsApp, then SMS, then e-mail', async () => {
    const fresh = await openOrganization(app, { slug: 'fresh', name: 'Fresh', timezone: 'Europe/Berlin' })
    const rest = {
      enabled: true,
      channels: ['WHATSAPP', 'SMS', 'EMAIL'],
      delayMinutes: 0,
      reminderMinutes: [],
      lateReminder: null,
      afterCompletion: false,
    }
    const special: Partial<Record<AutomationKind, object>> = {
      APPOINTMENT_REMINDER: { reminderMinutes: [1440], lateReminder: 'SKIP' },
      MISSED_CALL_FOLLOW_UP: { delayMinutes: 15 },
    }
    expect(await configuring(fresh.ask).settings()).toEqual({
      businessName: 'Fresh',
      timezone: 'Europe/Berlin',
      language: 'en',
      reviewLink: null,
      quietHours: null,
      automations: KINDS.map((kind) => ({ kind, ...rest, ...special[kind] })),
    })
  })

  test.each([
    ['en', 'en', 'Hi {{customer_name}}, your appointment for {{service_name}} is booked'],
    ['tr', 'tr', 'Merhaba {{customer_name}}, {{service_name}} randevunuz oluşturuldu'],
    ['tr-TR', 'tr', 'Merhaba {{customer_name}}, {{service_name}} randevunuz oluşturuldu'],
    ['de', 'en', 'Hi {{customer_name}}, your appointment for {{service_name}} is booked'],
  ])('whose language is %s has a default text in %s for each automation on each channel', async (language, of, begins) => {
    const { ask } = await openOrganization(app, { slug: `speaks-${language.toLowerCase()}`, language })
    const { automations } = (await ask(AllAutomationTemplatesDocument)).notificationSettings
    for (const { kind, templates } of automations) {
      expect(templates.map(({ channel }) => channel).toSorted()).toEqual(CHANNELS)
      expect(new Set(templates.map((text) => `${text.kind} ${text.language} ${text.isDefault} ${text.html}`))).toEqual(
        new Set([`${kind} ${of} true null`]),
      )
      for (const { channel, subject, body, preview } of templates) {
        expect([channel, subject !== null]).toEqual([channel, channel === 'EMAIL'])
        expect(body).toMatch(/^(Hi|Merhaba) \{\{customer_name\}\}, .*\{\{business_name\}\}/)
        // A review needs a link, which nobody can know.
        expect(preview?.missingVariables).toEqual(kind === 'REVIEW_REQUEST' ? ['review_link'] : [])
      }
    }
    expect(automations[0]?.templates[0]?.body.slice(0, begins.length)).toBe(begins)
  })

  test('says which variables each automation may use', async () => {
    const { automations } = (await salon.ask(AllAutomationTemplatesDocument)).notificationSettings
    const always = ['customer_name', 'customer_full_name', 'business_name', 'review_link']
    const all = [...always, 'service_name', 'staff_name', 'appointment_date', 'appointment_time']
    expect(Object.fromEntries(automations.map(({ kind, variables }) => [kind, variables]))).toEqual({
      BOOKING_CONFIRMATION: all,
      RESCHEDULE_NOTICE: all,
      CANCELLATION_NOTICE: all,
      APPOINTMENT_REMINDER: all,
      MISSED_CALL_FOLLOW_UP: always,
      REVIEW_REQUEST: [...always, 'service_name', 'staff_name'],
    })
  })
})

describe('updateNotificationSettings', () => {
  test('changes what is given, and leaves what is absent', async () => {
    const whole: UpdateNotificationSettingsInput = {
      businessName: 'Mavi',
      timezone: 'America/New_York',
      language: 'en_GB',
      reviewLink: ' https://g.page/mavi?x=1#review ',
      quietHours: { from: '21:00', until: '08:30' },
      automations: [
        { kind: 'BOOKING_CONFIRMATION', enabled: false, channels: ['SMS'], delayMinutes: 5 },
        { kind: 'APPOINTMENT_REMINDER', reminderMinutes: [60, 2880, 60], lateReminder: 'SEND_NOW' },
        { kind: 'REVIEW_REQUEST', delayMinutes: 43_200, afterCompletion: true, channels: ['EMAIL', 'SMS'] },
      ],
    }
    const before = await own.settings()
    const after = await own.set(whole)
    const changed = [
      { kind: 'BOOKING_CONFIRMATION', enabled: false, channels: ['SMS'], delayMinutes: 5 },
      { kind: 'APPOINTMENT_REMINDER', reminderMinutes: [2880, 60], lateReminder: 'SEND_NOW' },
      { kind: 'REVIEW_REQUEST', delayMinutes: 43_200, afterCompletion: true, channels: ['EMAIL', 'SMS'] },
    ]
    expect(after).toEqual({
      businessName: 'Mavi',
      timezone: 'America/New_York',
      language: 'en-GB',
      reviewLink: 'https://g.page/mavi?x=1#review',
      quietHours: { from: '21:00', until: '08:30' },
      automations: before.automations.map((each) => ({ ...each, ...changed.find(({ kind }) => kind === each.kind) })),
    })
    expect(await own.set({})).toEqual(after)
    expect(await own.set({ businessName: 'Blau' })).toEqual({ ...after, businessName: 'Blau' })
    const nothing = { timezone: null, language: null, automations: null }
    expect(await own.set({ ...nothing, businessName: null, reviewLink: null, quietHours: null })).toEqual({
      ...after,
      businessName: 'Salon Mavi',
      reviewLink: null,
      quietHours: null,
    })
    const nulls = { enabled: null, channels: null, delayMinutes: null, lateReminder: null, reminderMinutes: null, afterCompletion: null }
    expect((await own.set({ automations: [{ kind: 'BOOKING_CONFIRMATION', ...nulls, templates: null }] })).automations).toEqual(
      after.automations,
    )
    expect(await own.settings()).toMatchObject({ businessName: 'Salon Mavi', automations: after.automations })
  })

  test('takes back all that the query gives, as a form may send it', async () => {
    const before = await own.settings()
    expect(await own.set(before)).toEqual(before)
  })

  test('does all of it or nothing', async () => {
    const before = await own.settings()
    const texts = await own.texts({ kind: 'RESCHEDULE_NOTICE' })
    const error = await own.refused({
      businessName: 'Half',
      timezone: 'Asia/Tokyo',
      quietHours: { from: '01:00', until: '02:00' },
      automations: [
        { kind: 'RESCHEDULE_NOTICE', enabled: false, templates: [{ channel: 'SMS', body: 'It moved.' }] },
        { kind: 'CANCELLATION_NOTICE', delayMinutes: 7 },
        {
          kind: 'REVIEW_REQUEST',
          templates: [
            { channel: 'SMS', body: 'Fine' },
            { channel: 'WHATSAPP', body: 'On {{appointment_date}}' },
          ],
        },
      ],
    })
    expect(error).toEqual({
      __typename: 'ValidationError',
      code: 'INVALID_INPUT',
      message:
        '{{appointment_date}} is not known here. Allowed: {{customer_name}}, {{customer_full_name}}, {{business_name}}, {{review_link}}, {{service_name}}, {{staff_name}}.',
      path: ['input', 'automations', '2', 'templates', '1', 'body'],
    })
    expect(await own.settings()).toEqual(before)
    expect(await own.texts({ kind: 'RESCHEDULE_NOTICE' })).toEqual(texts)
  })

  test('of several at the same time loses nobody’s change', async () => {
    const shared = configuring((await openOrganization(app, { slug: 'shared' })).ask)
    const changes: UpdateNotificationSettingsInput[] = [
      { businessName: 'Together' },
      { reviewLink: 'https://example.com/review' },
      { quietHours: { from: '22:00', until: '07:00' } },
      { timezone: 'Asia/Tokyo' },
      { language: 'tr' },
      { automations: [{ kind: 'REVIEW_REQUEST', enabled: false }] },
      { automations: [{ kind: 'REVIEW_REQUEST', channels: ['SMS'] }] },
      { automations: [{ kind: 'REVIEW_REQUEST', delayMinutes: 30 }] },
      { automations: [{ kind: 'APPOINTMENT_REMINDER', reminderMinutes: [30] }] },
      { automations: [{ kind: 'APPOINTMENT_REMINDER', lateReminder: 'SEND_NOW' }] },
    ]
    await Promise.all(changes.map((change) => shared.set(change)))
    const { automations, ...settings } = await shared.settings()
    expect(settings).toEqual({
      businessName: 'Together',
      reviewLink: 'https://example.com/review',
      quietHours: { from: '22:00', until: '07:00' },
      timezone: 'Asia/Tokyo',
      language: 'tr',
    })
    const of = (kind: AutomationKind) => automations.find((each) => each.kind === kind)
    expect(of('REVIEW_REQUEST')).toMatchObject({ enabled: false, channels: ['SMS'], delayMinutes: 30 })
    expect(of('APPOINTMENT_REMINDER')).toMatchObject({ reminderMinutes: [30], lateReminder: 'SEND_NOW' })
  })

  test('of one text’s fields at the same time loses none either', async () => {
    const html = '<p>Booked</p>'
    const texts = [{ subject: 'Booked!' }, { body: 'See you.' }, { html }]
    const save = (text: object) => own.set({ automations: [{ kind: 'BOOKING_CONFIRMATION', templates: [{ channel: 'EMAIL', ...text }] }] })
    await Promise.all(texts.map(save))
    expect(await own.text({ kind: 'BOOKING_CONFIRMATION', channel: 'EMAIL' })).toMatchObject({ subject: 'Booked!', body: 'See you.', html })
  })
})

describe('who may do this', () => {
  const inputs = {
    update: { businessName: 'Mine' },
    reset: { kind: 'REVIEW_REQUEST' as const, channel: 'SMS' as const },
    test: { kind: 'REVIEW_REQUEST' as const, channel: 'SMS' as const, to: '+905550000000' },
  }

  test.each(['VIEWER', 'AGENT'] as const)('a %s reads and changes nothing', async (role) => {
    const token = await app.token({ organization: 'salon', role, subject: role })
    const before = dataOf(await app.request(NotificationSettingsDocument, {}, token)).notificationSettings
    const answers = [
      await app.request(UpdateNotificationSettingsDocument, { input: inputs.update }, token),
      await app.request(ResetAutomationTemplateDocument, { input: inputs.reset }, token),
      await app.request(SendTestNotificationDocument, { input: inputs.test }, token),
    ]
    for (const { errors, data } of answers) {
      expect(errors?.map(({ extensions }) => extensions?.code)).toEqual(['FORBIDDEN'])
      expect(Object.values(data ?? {}).filter((value) => value !== null)).toEqual([])
    }
    expect(await own.settings()).toEqual(before)
  })

  test('nobody sees or changes another organization’s', async () => {
    const other = await openOrganization(app, { slug: 'other', name: 'Other' })
    const theirs = configuring(other.ask)
    await theirs.set({
      businessName: 'Theirs',
      automations: [{ kind: 'BOOKING_CONFIRMATION', enabled: false, templates: [{ channel: 'SMS', body: 'Secret' }] }],
    })
    const input = { name: 'foreign', body: 'Hello', channel: 'SMS' as const, providerTemplateId: 'HX00000000000000000000000000000001' }
    const { template } = member((await other.ask(CreateTemplateDocument, { input })).createTemplate, 'CreateTemplateSuccess')
    expect(JSON.stringify(await salon.ask(AllAutomationTemplatesDocument))).not.toMatch(/Secret|Theirs/)
    const link = (templateId: string) => ({
      automations: [{ kind: 'REVIEW_REQUEST' as const, templates: [{ channel: 'SMS' as const, templateId }] }],
    })
    for (const id of [template.id, 'no id'])
      expect(await own.refused(link(id))).toMatchObject({
        __typename: 'NotFoundError',
        message: 'There is no such template.',
        path: ['input', 'automations', '0', 'templates', '0', 'templateId'],
      })
    await own.set({ automations: [{ kind: 'BOOKING_CONFIRMATION', enabled: true }] })
    const reset = { kind: 'BOOKING_CONFIRMATION' as const, channel: 'SMS' as const }
    await salon.ask(ResetAutomationTemplateDocument, { input: reset })
    expect(await theirs.text(reset)).toMatchObject({ body: 'Secret', isDefault: false })
    expect((await theirs.settings()).automations[0]).toMatchObject({ kind: 'BOOKING_CONFIRMATION', enabled: false })
  })
})
