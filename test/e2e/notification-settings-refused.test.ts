import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  AllAutomationTemplatesDocument,
  type AutomationInput,
  type AutomationTemplateInput,
  ResetAutomationTemplateDocument,
  type UpdateNotificationSettingsInput,
} from '../generated/graphql.ts'
import { startTestApp, type TestApp } from '../support/app.ts'
import { type Configuring, configuring } from '../support/notification-settings.ts'
import { openOrganization, type TestOrganization } from '../support/organization.ts'
import { member } from '../support/result.ts'

let app: TestApp
let org: TestOrganization
let own: Configuring

beforeAll(async () => {
  app = await startTestApp({ WORKER: 'off' })
  org = await openOrganization(app, { slug: 'strict' })
  own = configuring(org.ask)
})
afterAll(() => app?.close())

/** Nothing of it is kept, not even what was right. */
async function refusal(input: UpdateNotificationSettingsInput) {
  const all = () => org.ask(AllAutomationTemplatesDocument)
  const before = await all()
  const { __typename, code, message, path } = await own.refused(input)
  expect({ __typename, code }).toEqual({ __typename: 'ValidationError', code: 'INVALID_INPUT' })
  expect(await all()).toEqual(before)
  return { message, path: path.join('.') }
}

const ZONE = 'timezone must be an IANA name, e.g. Europe/Istanbul.'
const LANGUAGE = 'language must be a language tag such as en, tr or pt-BR.'
const TIME = (field: string) => `${field} must be a time of day such as 21:30, from 00:00 to 23:59.`
const LINK = 'reviewLink must be a web address that starts with https:// or http://.'
const EQUAL = 'from and until must differ: quiet all day, nothing would ever be sent.'
const hours = (from: string, until: string) => ({ quietHours: { from, until } })

test.each<[string, UpdateNotificationSettingsInput, string, string]>([
  ['a time zone that is none', { timezone: 'Europe/Atlantis' }, 'timezone', ZONE],
  ['an offset for a time zone', { timezone: '+03:00' }, 'timezone', ZONE],
  ['an empty time zone', { timezone: '' }, 'timezone', ZONE],
  ['a language that is none', { language: 'türkçe' }, 'language', LANGUAGE],
  ['an empty language', { language: '' }, 'language', LANGUAGE],
  ['an endless language', { language: `en-x-${'abcdefgh-'.repeat(500)}z` }, 'language', LANGUAGE],
  ['quiet hours without end', hours('22:00', '22:00'), 'quietHours.until', EQUAL],
  ['24:00', hours('22:00', '24:00'), 'quietHours.until', TIME('until')],
  ['a time of day with one digit', hours('9:00', '10:00'), 'quietHours.from', TIME('from')],
  ['minutes past 59', hours('09:60', '10:00'), 'quietHours.from', TIME('from')],
  ['an empty time of day', hours('', '10:00'), 'quietHours.from', TIME('from')],
  ['javascript: for a link', { reviewLink: 'javascript:alert(1)' }, 'reviewLink', LINK],
  ['a link without its scheme', { reviewLink: 'g.page/salon' }, 'reviewLink', LINK],
  ['a link without its slashes', { reviewLink: 'https:g.page' }, 'reviewLink', LINK],
  ['a link of two lines', { reviewLink: 'https://g.page/\nsalon' }, 'reviewLink', LINK],
  ['a link with a space', { reviewLink: 'https://g.page/my salon' }, 'reviewLink', LINK],
  ['a link to nowhere', { reviewLink: 'https://' }, 'reviewLink', LINK],
  [
    'a link that is too long',
    { reviewLink: `https://example.com/${'x'.repeat(2000)}` },
    'reviewLink',
    'reviewLink has 2020 characters; at most 2000 are allowed.',
  ],
  [
    'a name that is too long',
    { businessName: 'x'.repeat(201) },
    'businessName',
    'businessName has 201 characters; at most 200 are allowed.',
  ],
])('%s is refused', async (_name, input, field, message) => {
  expect(await refusal({ ...input, ...(field === 'businessName' ? {} : { businessName: 'New' }) })).toEqual({
    message,
    path: `input.${field}`,
  })
})

const CHANNELS = 'channels must name at least one channel, and none twice.'
const COUNT = 'reminderMinutes must have 1 to 5 different times.'
const AHEAD = 'reminderMinutes must be from 5 to 86400 minutes.'
const DELAY = 'delayMinutes must be from 0 to 43200 minutes.'
const reminders = (...reminderMinutes: number[]): AutomationInput => ({ kind: 'APPOINTMENT_REMINDER', reminderMinutes })
const without = (field: string, kind: string) => `${field} means nothing for ${kind}.`

test.each<[string, AutomationInput, string, string]>([
  ['no channel', { kind: 'REVIEW_REQUEST', channels: [] }, 'channels', CHANNELS],
  ['a channel twice', { kind: 'REVIEW_REQUEST', channels: ['SMS', 'EMAIL', 'SMS'] }, 'channels', CHANNELS],
  ['a negative delay', { kind: 'REVIEW_REQUEST', delayMinutes: -1 }, 'delayMinutes', DELAY],
  ['a delay of more than 30 days', { kind: 'REVIEW_REQUEST', delayMinutes: 43_201 }, 'delayMinutes', DELAY],
  ['no reminder at all', reminders(), 'reminderMinutes', COUNT],
  ['six reminders', reminders(10, 20, 30, 40, 50, 60), 'reminderMinutes', COUNT],
  ['a reminder at the time itself', reminders(60, 0), 'reminderMinutes', AHEAD],
  ['a reminder of four minutes', reminders(4), 'reminderMinutes', AHEAD],
  ['a reminder of more than 60 days', reminders(86_401), 'reminderMinutes', AHEAD],
  [
    'a delay of reminders',
    { kind: 'APPOINTMENT_REMINDER', delayMinutes: 5 },
    'delayMinutes',
    without('delayMinutes', 'APPOINTMENT_REMINDER'),
  ],
  [
    'a reminder of a review',
    { kind: 'REVIEW_REQUEST', reminderMinutes: [60] },
    'reminderMinutes',
    without('reminderMinutes', 'REVIEW_REQUEST'),
  ],
  [
    'late reminders of a notice',
    { kind: 'RESCHEDULE_NOTICE', lateReminder: 'SEND_NOW' },
    'lateReminder',
    without('lateReminder', 'RESCHEDULE_NOTICE'),
  ],
  [
    'a follow-up after completion',
    { kind: 'MISSED_CALL_FOLLOW_UP', afterCompletion: true },
    'afterCompletion',
    without('afterCompletion', 'MISSED_CALL_FOLLOW_UP'),
  ],
])('%s is refused', async (_name, automation, field, message) => {
  const fine: AutomationInput = { kind: 'CANCELLATION_NOTICE', enabled: false }
  expect(await refusal({ automations: [fine, automation] })).toEqual({ message, path: `input.automations.1.${field}` })
})

test('the same automation twice is refused', async () => {
  const twice: AutomationInput[] = [{ kind: 'REVIEW_REQUEST' }, { kind: 'CANCELLATION_NOTICE' }, { kind: 'REVIEW_REQUEST', enabled: false }]
  expect(await refusal({ automations: twice })).toEqual({ message: 'REVIEW_REQUEST is there twice.', path: 'input.automations.2.kind' })
})

const ALLOWED = 'Allowed: {{customer_name}}, {{customer_full_name}}, {{business_name}}, {{review_link}}'
const APPOINTMENTS = `${ALLOWED}, {{service_name}}, {{staff_name}}, {{appointment_date}}, {{appointment_time}}.`
const sms = (body: string): AutomationTemplateInput => ({ channel: 'SMS', body })
const mail = (more: Partial<AutomationTemplateInput>): AutomationTemplateInput => ({ channel: 'EMAIL', ...more })
const unknown = (name: string, allowed = APPOINTMENTS) => `{{${name}}} is not known here. ${allowed}`
const tooLong = (field: string, length: number, max: number) => `${field} has ${length} characters; at most ${max} are allowed.`
const syntax = (value: string) => `{{${value}}} is not a variable: write {{name}} with letters, digits and _ only`

test.each<[string, AutomationTemplateInput, string, string]>([
  ['an unknown variable', sms('Hi {{custmer_name}}'), 'body', unknown('custmer_name')],
  ['one of sendMessage’s templates', sms('Hi {{agent_name}}'), 'body', unknown('agent_name')],
  ['an unknown variable in a subject', mail({ subject: '{{when}}' }), 'subject', unknown('when')],
  ['an unknown variable in HTML', mail({ html: '<b>{{when}}</b>' }), 'html', unknown('when')],
  ['an unknown variable in a link', mail({ html: '<a href="{{link}}">x</a>' }), 'html', unknown('link')],
  ['an open brace', sms('Hi {{customer_name'), 'body', 'Unclosed tag at 18'],
  ['a section', sms('{{#customer_name}}Hi{{/customer_name}}'), 'body', syntax('customer_name')],
  ['a section without an end', sms('{{#customer_name}}Hi'), 'body', 'Unclosed section "customer_name" at 20'],
  ['a partial', sms('{{> footer}}'), 'body', syntax('footer')],
  ['other delimiters', sms('{{=<% %>=}}<% customer_name %>'), 'body', syntax('<% %>')],
  ['a path', sms('{{customer.name}}'), 'body', syntax('customer.name')],
  ['an empty text', sms(' \n '), 'body', 'body must not be empty.'],
  ['a text of nothing but NUL', sms('\u0000'), 'body', 'body must not be empty.'],
  ['a text that is too long', sms('x'.repeat(20_001)), 'body', tooLong('body', 20_001, 20_000)],
  ['a subject that is too long', mail({ subject: 'x'.repeat(201) }), 'subject', tooLong('subject', 201, 200)],
  ['HTML that is too long', mail({ html: 'x'.repeat(200_001) }), 'html', tooLong('html', 200_001, 200_000)],
  ['HTML that is too deep', mail({ html: `${'<div>'.repeat(3000)}x` }), 'html', 'html has elements within elements more than 1,000 deep.'],
  ['an e-mail without a subject', mail({ subject: null }), 'subject', 'An e-mail needs a subject.'],
  ['an e-mail with a blank subject', mail({ subject: '  ' }), 'subject', 'An e-mail needs a subject.'],
  ['a subject of an SMS', { ...sms('Hi'), subject: 'Hi' }, 'subject', 'Only e-mails have subject; this is for SMS.'],
  ['HTML of a WhatsApp message', { channel: 'WHATSAPP', html: '<p>' }, 'html', 'Only e-mails have html; this is for WHATSAPP.'],
  ['a language that is none', { ...sms('Hi'), language: 'x y' }, 'language', LANGUAGE],
  ['an empty language', { ...sms('Hi'), language: '' }, 'language', LANGUAGE],
  [
    'no text in a language that has none',
    { channel: 'SMS', language: 'de' },
    'body',
    'There is no text in this language yet: write its body.',
  ],
  ['no subject in a language that has none', mail({ language: 'de', body: 'Hallo' }), 'subject', 'An e-mail needs a subject.'],
  [
    'what fills in the variables of no template',
    { ...sms('Hi'), templateVariables: { 1: 'customer_name' } },
    'templateVariables',
    'No template is chosen whose variables these could be: name it as `templateId`.',
  ],
])('%s is refused', async (_name, text, field, message) => {
  const automations: AutomationInput[] = [{ kind: 'APPOINTMENT_REMINDER', templates: [sms('Fine'), text] }]
  expect(await refusal({ automations })).toEqual({ message, path: `input.automations.0.templates.1.${field}` })
})

test('what only an appointment has is refused where there is none', async () => {
  const of = (kind: AutomationInput['kind'], body: string) => refusal({ automations: [{ kind, templates: [sms(body)] }] })
  const path = 'input.automations.0.templates.0.body'
  expect(await of('MISSED_CALL_FOLLOW_UP', 'On {{appointment_date}}')).toEqual({
    message: unknown('appointment_date', `${ALLOWED}.`),
    path,
  })
  expect(await of('MISSED_CALL_FOLLOW_UP', '{{service_name}}')).toEqual({ message: unknown('service_name', `${ALLOWED}.`), path })
  expect(await of('REVIEW_REQUEST', 'At {{appointment_time}}')).toEqual({
    message: unknown('appointment_time', `${ALLOWED}, {{service_name}}, {{staff_name}}.`),
    path,
  })
})

test('what PostgreSQL or UTF-8 cannot hold is taken out of what is kept', async () => {
  const settings = await own.set({
    businessName: 'Sa\u0000lon \ud800',
    automations: [
      { kind: 'BOOKING_CONFIRMATION', templates: [mail({ subject: 'A\u0000', body: 'B\udc00', html: '<p>C\u0000\ud800</p>' })] },
    ],
  })
  expect(settings.businessName).toBe('Salon \ufffd')
  expect(await own.text({ kind: 'BOOKING_CONFIRMATION', channel: 'EMAIL' })).toMatchObject({
    subject: 'A',
    body: 'B\ufffd',
    html: '<p>C\ufffd</p>',
  })
})

test('a reset in a language that is none is refused, one in WhatsApp’s spelling is not', async () => {
  const reset = async (language: string) =>
    (await org.ask(ResetAutomationTemplateDocument, { input: { kind: 'REVIEW_REQUEST', channel: 'SMS', language } }))
      .resetAutomationTemplate
  expect(member(await reset('x y'), 'ValidationError')).toMatchObject({ message: LANGUAGE, path: ['input', 'language'] })
  const { automationTemplate } = member(await reset('tr_TR'), 'ResetAutomationTemplateSuccess')
  expect(automationTemplate).toMatchObject({ language: 'tr', isDefault: true, body: expect.stringContaining('Merhaba') })
})

test('a language that is none is an error of the query too', async () => {
  const query =
    'query ($language: String) { notificationSettings { automation(kind: REVIEW_REQUEST) { templates(language: $language) { body } } } }'
  for (const language of ['x y', '']) {
    const { errors } = await app.request(query, { language }, org.token)
    expect(errors).toMatchObject([{ message: LANGUAGE, extensions: { code: 'INVALID_INPUT', inputPath: ['language'] } }])
  }
})
