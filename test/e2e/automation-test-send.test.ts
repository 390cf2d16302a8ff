import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  AutomationRunsDocument,
  ConnectChannelAccountDocument,
  CreateTemplateDocument,
  ResetAutomationTemplateDocument,
  SendTestNotificationDocument,
  type SendTestNotificationInput,
  SetConsentDocument,
  SyncTemplatesDocument,
} from '../generated/graphql.ts'
import { startTestApp, type TestApp } from '../support/app.ts'
import { nextPhone } from '../support/automations.ts'
import { eventually } from '../support/eventually.ts'
import { type FakeSendgrid, startFakeSendgrid } from '../support/fake-sendgrid.ts'
import { type FakeTwilio, startFakeTwilio } from '../support/fake-twilio.ts'
import { type Configuring, configuring } from '../support/notification-settings.ts'
import { openOrganization, type TestOrganization } from '../support/organization.ts'
import { dataOf, member, present } from '../support/result.ts'
import { connect } from '../support/twilio-inbox.ts'

let sendgrid: FakeSendgrid
let twilio: FakeTwilio
let app: TestApp
let salon: TestOrganization
let own: Configuring

beforeAll(async () => {
  sendgrid = await startFakeSendgrid()
  twilio = await startFakeTwilio()
  app = await startTestApp({ SENDGRID_API_URL: sendgrid.url, TWILIO_API_URL: twilio.url })
  salon = await openOrganization(app, { slug: 'salon', name: 'Salon Mavi', timezone: 'Europe/Istanbul' })
  own = configuring(salon.ask)
  const credentials = { sendgrid: { apiKey: sendgrid.apiKey, webhookPublicKey: sendgrid.publicKey, unsubscribeGroupId: 17 } }
  const input = { channel: 'EMAIL' as const, name: 'Salon', address: 'salon@example.org', credentials }
  member((await salon.ask(ConnectChannelAccountDocument, { input })).connectChannelAccount, 'ConnectChannelAccountSuccess')
})
afterAll(async () => {
  await app?.close()
  await sendgrid?.close()
  await twilio?.close()
})

type Input = Partial<SendTestNotificationInput>
const send = async (more: Input = {}, token = salon.token) => {
  const input = { kind: 'BOOKING_CONFIRMATION' as const, channel: 'SMS' as const, ...more }
  return present(dataOf(await app.request(SendTestNotificationDocument, { input }, token)).sendTestNotification)
}
const sent = async (more: Input = {}, token = salon.token) => member(await send(more, token), 'SendTestNotificationSuccess').communication

const runs = async () => (await salon.ask(AutomationRunsDocument)).automationRuns.nodes

test('goes to the number that is given, with sample values, and is no automated message', async () => {
  const { id, body } = await sent({ to: nextPhone() })
  expect(body).toMatch(/^Hi Alex, your appointment for Consultation is booked: \w+day, \w+ \d+, \d{4} at \d+:00 [AP]M\. Salon Mavi$/)
  expect((await sent({ to: nextPhone(), language: 'tr-TR' })).body).toMatch(/^Merhaba Ayşe, Danışma randevunuz oluşturuldu: /)
  await eventually(async () => {
    const { data } = await app.request(
      'query ($id: ID!) { communication(id: $id) { deliveryStatus automationRun { id } author { name } } }',
      { id },
      salon.token,
    )
    expect(data).toMatchObject({ communication: { deliveryStatus: 'READ', automationRun: null, author: { name: 'Tess Ter' } } })
  })
  expect(await runs()).toEqual([])
})

test('goes to the member’s own e-mail address, where that is known', async () => {
  const html = '<p>{{customer_full_name}}, {{service_name}}</p>'
  await own.set({ automations: [{ kind: 'BOOKING_CONFIRMATION', templates: [{ channel: 'EMAIL', html }] }] })
  const token = await app.token({ organization: 'salon', subject: 'with e-mail', email: 'tess@example.com' })
  const { id } = await sent({ channel: 'EMAIL' }, token)
  const mail = await eventually(() =>
    present(sendgrid.mails.find(({ mail }) => mail.personalizations[0]?.to[0]?.email === 'tess@example.com')),
  )
  expect(mail.mail).toMatchObject({
    subject: 'Your appointment at Salon Mavi',
    content: [
      { type: 'text/plain', value: expect.stringMatching(/^Hi Alex, /) },
      { type: 'text/html', value: '<p>Alex Morgan, Consultation</p>' },
    ],
  })
  expect(id).toBeTruthy()
  const needed = { message: 'Say where to, as EMAIL spells an address: only your e-mail address can be known.', path: ['input', 'to'] }
  expect(member(await send({ channel: 'EMAIL' }), 'ValidationError')).toMatchObject(needed)
  expect(member(await send({ channel: 'SMS' }, token), 'ValidationError')).toMatchObject({ path: ['input', 'to'] })
})

test('is refused where the address, the language or the channel is none', async () => {
  expect(member(await send({ to: '***' }), 'ValidationError')).toMatchObject({
    message: expect.stringMatching(/^"\*\*\*" is not an address of SMS: it must be /),
    path: ['input', 'to'],
  })
  expect(member(await send({ to: '' }), 'ValidationError')).toMatchObject({ path: ['input', 'to'] })
  for (const language of ['x y', ''])
    expect(member(await send({ to: nextPhone(), language }), 'ValidationError')).toMatchObject({
      message: 'language must be a language tag such as en, tr or pt-BR.',
      path: ['input', 'language'],
    })
  expect(member(await send({ to: '1', channel: 'MESSENGER' }), 'ChannelNotConnectedError')).toMatchObject({
    message: 'No MESSENGER account is connected.',
    path: ['input', 'channel'],
  })
})

test('is refused by the channel’s rules, with what they say', async () => {
  const to = nextPhone()
  expect(member(await send({ to, channel: 'WHATSAPP' }), 'MessagingWindowClosedError')).toMatchObject({
    message: 'The customer has not written on this channel yet. Only an approved template can start the conversation.',
    expiredAt: null,
    path: ['input', 'channel'],
  })
  expect(member(await send({ to, kind: 'REVIEW_REQUEST' }), 'ValidationError')).toMatchObject({
    message: 'There is no value for {{review_link}}: set the review link in the notification settings, or take it out of the text.',
    path: ['input', 'channel'],
  })
  await own.set({ automations: [{ kind: 'RESCHEDULE_NOTICE', templates: [{ channel: 'SMS', body: 'x'.repeat(1601) }] }] })
  expect(member(await send({ to, kind: 'RESCHEDULE_NOTICE' }), 'BodyTooLongError')).toMatchObject({
    limit: 1600,
    length: 1601,
    path: ['input', 'channel'],
  })
  const { rows } = await app.deps.pool.query('SELECT FROM customer_identity WHERE value = $1', [to])
  expect(rows).toEqual([])
  await sent({ to })
  const { data } = await app.request<{ customers: { nodes: { id: string }[] } }, object>(
    'query ($search: String) { customers(search: $search) { nodes { id } } }',
    { search: to },
    salon.token,
  )
  const customerId = present(data?.customers.nodes[0]).id
  const input = { customerId, channel: 'SMS' as const, purposes: ['TRANSACTIONAL' as const], state: 'OPTED_OUT' as const, evidence: 'x' }
  await salon.ask(SetConsentDocument, { input })
  expect(member(await send({ to }), 'RecipientOptedOutError')).toMatchObject({ path: ['input', 'to'] })
})

test('a template of the provider’s goes by its own account; while it is not approved, nothing does', async () => {
  const account = { channel: 'WHATSAPP' as const, name: 'Twilio', address: '+15017122662', credentials: { twilio: twilio.credentials } }
  const { id: channelAccountId } = await connect(app, account, salon.token)
  const approval = (status: string) => ({ name: 'booking', category: 'UTILITY', content_type: 'twilio/text', status, rejection_reason: '' })
  const content = {
    sid: 'HX00000000000000000000000000000001',
    friendly_name: 'booking',
    language: 'en',
    variables: {},
    types: { 'twilio/text': { body: 'Dear {{1}}, {{2}} it is.' } },
    approval_requests: approval('approved'),
    date_created: '2026-11-01T00:00:00Z',
    date_updated: '2026-11-01T00:00:00Z',
  }
  const sync = async () =>
    member((await salon.ask(SyncTemplatesDocument, { input: { channelAccountId } })).syncTemplates, 'SyncTemplatesSuccess').templates
  twilio.contents = [content]
  const templateId = present((await sync())[0]).id
  const templateVariables = { 1: 'customer_name', 2: 'service_name' }
  const kind = 'BOOKING_CONFIRMATION' as const
  await own.set({ automations: [{ kind, templates: [{ channel: 'WHATSAPP', templateId, templateVariables }] }] })
  const to = nextPhone()
  expect((await sent({ to, channel: 'WHATSAPP' })).body).toBe('Dear Alex, Consultation it is.')
  const { params } = await eventually(() => present(twilio.messages.at(-1)))
  expect(params).toMatchObject({ To: `whatsapp:${to}`, From: 'whatsapp:+15017122662', ContentSid: content.sid })
  expect(JSON.parse(String(params.ContentVariables))).toEqual({ 1: 'Alex', 2: 'Consultation' })
  twilio.contents = [{ ...content, approval_requests: approval('paused') }]
  await sync()
  expect(member(await send({ to, channel: 'WHATSAPP' }), 'TemplateNotApprovedError')).toMatchObject({
    status: 'PAUSED',
    path: ['input', 'channel'],
  })
  await salon.ask(ResetAutomationTemplateDocument, { input: { kind, channel: 'WHATSAPP' } })
})

test('of one key is one message, whatever has changed meanwhile, and of no other input', async () => {
  const input = { to: nextPhone(), idempotencyKey: 'try it' }
  const answers = await Promise.all([sent(input), sent(input), sent(input)])
  expect(new Set(answers.map(({ id }) => id)).size).toBe(1)
  const own_ = { name: 'ours', body: 'Hi', channel: 'SMS' as const, providerTemplateId: 'HX00000000000000000000000000000009' }
  const { template } = member((await salon.ask(CreateTemplateDocument, { input: own_ })).createTemplate, 'CreateTemplateSuccess')
  await own.set({ automations: [{ kind: 'BOOKING_CONFIRMATION', templates: [{ channel: 'SMS', templateId: template.id }] }] })
  expect((await sent(input)).id).toBe(answers[0]?.id)
  for (const other of [{ kind: 'RESCHEDULE_NOTICE' as const }, { to: nextPhone() }, { language: 'tr' }])
    expect(member(await send({ ...input, ...other }), 'IdempotencyConflictError')).toMatchObject({
      code: 'IDEMPOTENCY_CONFLICT',
      message: 'This idempotency key was used before with another input.',
      path: ['input', 'idempotencyKey'],
    })
  for (const idempotencyKey of ['', 'x'.repeat(201)])
    expect(member(await send({ ...input, idempotencyKey }), 'ValidationError')).toMatchObject({ path: ['input', 'idempotencyKey'] })
  await salon.ask(ResetAutomationTemplateDocument, { input: { kind: 'BOOKING_CONFIRMATION', channel: 'SMS' } })
})

test('goes out also where the automation is off, and in quiet hours', async () => {
  const hour = (ahead: number) => `${String((new Date().getUTCHours() + 24 + ahead) % 24).padStart(2, '0')}:00`
  await own.set({
    timezone: 'UTC',
    quietHours: { from: hour(-2), until: hour(3) },
    automations: [{ kind: 'BOOKING_CONFIRMATION', enabled: false }],
  })
  const { id } = await sent({ to: nextPhone() })
  await eventually(async () => {
    const { data } = await app.request('query ($id: ID!) { communication(id: $id) { deliveryStatus } }', { id }, salon.token)
    expect(data).toEqual({ communication: { deliveryStatus: 'READ' } })
  })
})
