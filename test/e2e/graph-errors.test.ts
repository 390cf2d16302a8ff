import { afterAll, beforeAll, expect, test } from 'vitest'
import { globalId, localId } from '../../schema/global-id.ts'
import { newId } from '../../src/domain/ids.ts'
import {
  CreateAppointmentDocument,
  CreateCustomerDocument,
  CreateTemplateDocument,
  InboxDocument,
  SendMessageDocument,
  UpdateCustomerDocument,
} from '../generated/graphql.ts'
import { startTestApp, type TestApp } from '../support/app.ts'
import { errorDocument, printedSchema, resultTypes } from '../support/graph.ts'
import { openOrganization, type TestOrganization } from '../support/organization.ts'
import { member, present } from '../support/result.ts'

type Refusal = { __typename: string; code: string; message: string; path: string[] }

let app: TestApp
let org: TestOrganization
let foreign: Ids
let own: Ids

type Ids = Record<
  | 'customerId'
  | 'conversationId'
  | 'communicationId'
  | 'channelAccountId'
  | 'templateId'
  | 'syncedTemplateId'
  | 'identityId'
  | 'memberId'
  | 'mergeId'
  | 'mergeSuggestionId'
  | 'webhookReceiptId'
  | 'appointmentId',
  string
>

const PHONE = '+905553330000'

/** Makes two customers one; gives the merge's id. */
async function merged(organization: TestOrganization): Promise<string> {
  const made = async (name: string) => {
    const { createCustomer } = await organization.ask(CreateCustomerDocument, { input: { name } })
    return member(createCustomer, 'CreateCustomerSuccess').customer.id
  }
  const input = { survivorId: await made('One'), mergedId: await made('Two') }
  const { mergeCustomers } = await organization.ask<{ mergeCustomers: { merge: { id: string } } }, object>(
    'mutation ($input: MergeCustomersInput!) { mergeCustomers(input: $input) { ... on MergeCustomersSuccess { merge { id } } } }',
    { input },
  )
  return mergeCustomers.merge.id
}

async function fill(organization: TestOrganization): Promise<Ids> {
  await organization.sms.inbound(PHONE, 'hello')
  const row = present((await organization.ask(InboxDocument, { filter: { search: PHONE } })).conversations.nodes[0])
  const template = { name: 'taken', body: 'Hello {{nobody_knows}}' }
  const made = member((await organization.ask(CreateTemplateDocument, { input: template })).createTemplate, 'CreateTemplateSuccess')
  const changed = await organization.ask(UpdateCustomerDocument, { input: { customerId: row.customer.id, name: 'Some Body' } })
  const { viewer } = await organization.ask<{ viewer: { member: { id: string } } }, object>('{ viewer { member { id } } }')
  const channelAccountId = localId('ChannelAccount', organization.sms.id)
  const synced = await app.deps.db.template.create({
    data: { id: newId(), organizationId: organization.id, channelAccountId, scope: channelAccountId ?? '', name: 'synced', body: 'x' },
  })
  const { db } = app.deps
  const other = await organization.ask(CreateCustomerDocument, { input: { name: 'The same, perhaps' } })
  const suggestion = await db.mergeSuggestion.create({
    data: {
      id: newId(),
      organizationId: organization.id,
      customerId: localId('Customer', row.customer.id) ?? '',
      otherCustomerId: localId('Customer', member(other.createCustomer, 'CreateCustomerSuccess').customer.id) ?? '',
      kind: 'EMAIL',
      value: 'perhaps@example.com',
    },
  })
  const booking = {
    customer: { customerId: row.customer.id },
    service: 'x',
    startsAt: inHours(48),
    endsAt: inHours(49),
    externalId: 'taken',
  }
  const booked = member(
    (await organization.ask(CreateAppointmentDocument, { input: booking })).createAppointment,
    'CreateAppointmentSuccess',
  )
  const receipt = await db.webhookReceipt.findFirstOrThrow({ where: { organizationId: organization.id } })
  return {
    mergeId: await merged(organization),
    mergeSuggestionId: globalId('MergeSuggestion', suggestion.id),
    webhookReceiptId: globalId('WebhookReceipt', receipt.id),
    customerId: row.customer.id,
    conversationId: row.id,
    communicationId: present(row.lastCommunication).id,
    channelAccountId: organization.sms.id,
    templateId: made.template.id,
    syncedTemplateId: globalId('Template', synced.id),
    identityId: present(member(changed.updateCustomer, 'UpdateCustomerSuccess').customer.identities[0]).id,
    memberId: viewer.member.id,
    appointmentId: booked.appointment.id,
  }
}

beforeAll(async () => {
  app = await startTestApp()
  org = await openOrganization(app, { slug: 'errors' })
  own = await fill(org)
  foreign = await fill(await openOrganization(app, { slug: 'others' }))
})
afterAll(() => app?.close())

const reached = new Set<string>()

async function refused(mutation: string, input: object): Promise<Refusal> {
  const data = await org.ask<Record<string, Refusal>, { input: object }>(errorDocument(mutation), { input })
  const refusal = present(data[mutation])
  reached.add(`${mutation} ${refusal.__typename}`)
  return refusal
}

const codes: Record<string, string> = {
  ValidationError: 'INVALID_INPUT',
  NotFoundError: 'NOT_FOUND',
  AlreadyExistsError: 'ALREADY_EXISTS',
  ChannelNotConnectedError: 'CHANNEL_NOT_CONNECTED',
  RecipientOptedOutError: 'RECIPIENT_OPTED_OUT',
  MessagingWindowClosedError: 'MESSAGING_WINDOW_CLOSED',
  BodyTooLongError: 'BODY_TOO_LONG',
  IdempotencyConflictError: 'IDEMPOTENCY_CONFLICT',
  ContentNotSupportedError: 'CONTENT_NOT_SUPPORTED',
  AttachmentTooLargeError: 'ATTACHMENT_TOO_LARGE',
  TemplateNotApprovedError: 'TEMPLATE_NOT_APPROVED',
}

async function expectRefusal(mutation: string, input: object, typename: string, path: string): Promise<void> {
  const refusal = await refused(mutation, input)
  expect(refusal, JSON.stringify(input).slice(0, 300)).toEqual({
    __typename: typename,
    code: codes[typename],
    message: expect.stringMatching(/^\S.*[^\s]$/su),
    path: ['input', ...path.split('.').filter((part) => part !== '')],
  })
}

const inHours = (hours: number) => new Date(Date.now() + hours * 3_600_000).toISOString()
const disconnected = async () => {
  const input = { channel: 'SMS', name: 'gone', address: '+14155550199', credentials: { sandbox: {} } }
  const document = `mutation ($input: ConnectChannelAccountInput!) { connectChannelAccount(input: $input) { ... on ConnectChannelAccountSuccess { channelAccount { id } } } }`
  const data = await org.ask<{ connectChannelAccount: { channelAccount: { id: string } } }, object>(document, { input })
  const { id } = data.connectChannelAccount.channelAccount
  expect((await refused('disconnectChannelAccount', { channelAccountId: id })).__typename).toBe('DisconnectChannelAccountSuccess')
  return id
}

function automationCases(): [mutation: string, path: string, input: object][] {
  const booking = { customer: { customerId: own.customerId }, service: 'x', startsAt: inHours(1), endsAt: inHours(2) }
  const appointment = { appointmentId: own.appointmentId }
  const contact = (identities: object[]) => ({ ...booking, customer: { contact: { identities } } })
  const automation = (more: object) => ({ automations: [{ kind: 'APPOINTMENT_REMINDER', ...more }] })
  return [
    ['createAppointment', 'service', { ...booking, service: ' ' }],
    ['createAppointment', 'externalId', { ...booking, externalId: 'x'.repeat(201) }],
    ['createAppointment', 'endsAt', { ...booking, endsAt: booking.startsAt }],
    ['createAppointment', 'startsAt', { ...booking, startsAt: '2201-01-01T00:00:00Z' }],
    ['createAppointment', 'timezone', { ...booking, timezone: 'Mars' }],
    ['createAppointment', 'staff.name', { ...booking, staff: { name: 'x'.repeat(201) } }],
    ['createAppointment', 'customer.contact.identities', contact([])],
    ['createAppointment', 'customer.contact.identities.0.value', contact([{ kind: 'PHONE', value: '12' }])],
    ['rescheduleAppointment', 'endsAt', { appointment, startsAt: inHours(2), endsAt: inHours(1) }],
    ['updateNotificationSettings', 'timezone', { timezone: 'Mars' }],
    ['updateNotificationSettings', 'language', { language: 'no language at all' }],
    ['updateNotificationSettings', 'reviewLink', { reviewLink: 'javascript:alert(1)' }],
    ['updateNotificationSettings', 'quietHours.from', { quietHours: { from: '24:00', until: '08:00' } }],
    ['updateNotificationSettings', 'quietHours.until', { quietHours: { from: '08:00', until: '08:00' } }],
    ['updateNotificationSettings', 'automations.0.channels', automation({ channels: [] })],
    ['updateNotificationSettings', 'automations.0.reminderMinutes', automation({ reminderMinutes: [1] })],
    ['updateNotificationSettings', 'automations.0.delayMinutes', automation({ delayMinutes: 1 })],
    [
      'updateNotificationSettings',
      'automations.0.templates.0.body',
      automation({ templates: [{ channel: 'SMS', body: '{{nobody_knows}}' }] }),
    ],
    ['updateNotificationSettings', 'automations.0.templates.0.html', automation({ templates: [{ channel: 'SMS', html: '<p>x</p>' }] })],
    ['resetAutomationTemplate', 'language', { kind: 'REVIEW_REQUEST', channel: 'SMS', language: 'no language at all' }],
    ['requestReview', 'idempotencyKey', { customerId: own.customerId, idempotencyKey: '' }],
    ['sendTestNotification', 'to', { kind: 'REVIEW_REQUEST', channel: 'SMS' }],
    ['sendTestNotification', 'to', { kind: 'REVIEW_REQUEST', channel: 'SMS', to: '***' }],
  ]
}

test('every input that is wrong is named by its path', async () => {
  const { customerId, conversationId, channelAccountId, templateId } = own
  const text = { text: 'hello' }
  const connect = { channel: 'SMS', name: 'x', address: '+14155550142', credentials: { sandbox: {} } }
  const cases: [mutation: string, path: string, input: object][] = [
    ['addNote', 'body', { customerId, body: '' }],
    ['addNote', 'body', { customerId, body: ' \n\t ' }],
    ['addNote', 'body', { customerId, body: 'x'.repeat(20_001) }],
    ['addNote', 'body', { customerId, body: '\u0000' }],
    ['logCall', 'body', { customerId, body: ' ' }],
    ['logCall', 'subject', { customerId, body: 'x', subject: 'x'.repeat(201) }],
    ['logCall', 'direction', { customerId, body: 'x', direction: 'INTERNAL' }],
    ['logCall', 'durationSeconds', { customerId, body: 'x', durationSeconds: -1 }],
    ['logCall', 'durationSeconds', { customerId, body: 'x', durationSeconds: 86_401 }],
    ['logCall', 'startedAt', { customerId, body: 'x', startedAt: inHours(1) }],
    ['markRead', 'target.communicationIds', { target: { communicationIds: [] } }],
    [
      'markRead',
      'target.communicationIds',
      { target: { communicationIds: Array.from({ length: 501 }, () => globalId('Communication', newId())) } },
    ],
    ['createCustomer', '', {}],
    ['createCustomer', '', { name: '  ' }],
    ['createCustomer', 'name', { name: 'x'.repeat(201) }],
    ['createCustomer', 'identities.0.value', { identities: [{ kind: 'PHONE', value: '12' }] }],
    [
      'createCustomer',
      'identities.1.value',
      {
        identities: [
          { kind: 'WEBCHAT', value: 'a' },
          { kind: 'EMAIL', value: 'nobody' },
        ],
      },
    ],
    ['createCustomer', 'identities.0.value', { identities: [{ kind: 'WEBCHAT', value: ' ' }] }],
    ['createCustomer', 'identities', { identities: Array.from({ length: 21 }, (_, n) => ({ kind: 'WEBCHAT', value: `v${n}` })) }],
    ['addCustomerIdentity', 'value', { customerId, kind: 'PHONE', value: '12' }],
    ['setConsent', 'purposes', { customerId, channel: 'SMS', state: 'OPTED_OUT', purposes: [], evidence: 'x' }],
    ['setConsent', 'evidence', { customerId, channel: 'SMS', state: 'OPTED_OUT', purposes: ['MARKETING'], evidence: ' ' }],
    ['mergeCustomers', 'mergedId', { survivorId: customerId, mergedId: customerId }],
    ['updateCustomer', 'name', { customerId, name: 'x'.repeat(201) }],
    ['updateCustomer', 'addIdentities.0.value', { customerId, addIdentities: [{ kind: 'PHONE', value: 'call me' }] }],
    ['setConversationStatus', 'snoozedUntil', { conversationId, status: 'SNOOZED' }],
    ['setConversationStatus', 'snoozedUntil', { conversationId, status: 'SNOOZED', snoozedUntil: inHours(-1) }],
    ['setConversationStatus', 'snoozedUntil', { conversationId, status: 'SNOOZED', snoozedUntil: inHours(24 * 367) }],
    ['setConversationStatus', 'snoozedUntil', { conversationId, status: 'CLOSED', snoozedUntil: inHours(1) }],
    ['createTemplate', 'name', { name: ' ', body: 'x' }],
    ['createTemplate', 'body', { name: 'n', body: '' }],
    ['createTemplate', 'body', { name: 'n', body: 'x'.repeat(20_001) }],
    ['createTemplate', 'body', { name: 'n', body: 'Hello {{customer_name' }],
    ['createTemplate', 'body', { name: 'n', body: '{{#section}}x{{/section}}' }],
    ['createTemplate', 'body', { name: 'n', body: '{{a.b}}' }],
    ['createTemplate', 'body', { name: 'n', body: '{{=<% %>=}} <% x %>' }],
    ['createTemplate', 'subject', { name: 'n', body: 'x', subject: '{{' }],
    ['createTemplate', 'language', { name: 'n', body: 'x', language: 'no language at all' }],
    ['createTemplate', 'providerTemplateId', { name: 'n', body: 'x', providerTemplateId: 'x'.repeat(201) }],
    ['createTemplate', 'html', { name: 'n', body: 'x', html: '<p>{{</p>' }],
    ['createTemplate', 'html', { name: 'n', body: 'x', channel: 'SMS', html: '<p>x</p>' }],
    ['updateTemplate', 'body', { templateId, body: ' ' }],
    ['updateTemplate', 'templateId', { templateId: own.syncedTemplateId, body: 'x' }],
    ['deleteTemplate', 'templateId', { templateId: own.syncedTemplateId }],
    ['syncTemplates', 'channelAccountId', { channelAccountId }],
    ['createUpload', 'filename', { filename: ' ', contentType: 'text/plain', size: 1 }],
    ['createUpload', 'contentType', { filename: 'a.txt', contentType: 'text', size: 1 }],
    ['createUpload', 'size', { filename: 'a.txt', contentType: 'text/plain', size: 0 }],
    ['createUpload', 'size', { filename: 'a.txt', contentType: 'text/plain', size: 2_000_000_000 }],
    ['updateTemplate', 'language', { templateId, language: '' }],
    ['connectChannelAccount', 'address', { ...connect, address: 'not a number, nor a sender' }],
    ['connectChannelAccount', 'name', { ...connect, name: '' }],
    ['connectChannelAccount', 'channel', { ...connect, channel: 'EMAIL' }],
    [
      'connectChannelAccount',
      'credentials.twilio.accountSid',
      { ...connect, credentials: { twilio: { accountSid: 'XX', authToken: 't' } } },
    ],
    [
      'connectChannelAccount',
      'credentials.twilio.authToken',
      { ...connect, credentials: { twilio: { accountSid: 'AC1', authToken: '' } } },
    ],
    ['connectChannelAccount', 'credentials.sandbox.authToken', { ...connect, credentials: { sandbox: { authToken: '' } } }],
    ['updateChannelAccount', 'name', { channelAccountId, name: ' ' }],
    ['updateChannelAccount', 'credentials', { channelAccountId, credentials: { twilio: { accountSid: 'AC1', authToken: 't' } } }],
    ['createApiKey', 'name', { name: '', role: 'VIEWER' }],
    ['sendMessage', 'content.text', { to: { conversationId }, content: { text: '' } }],
    ['sendMessage', 'content.text', { to: { conversationId }, content: { text: ' \u0000 ' } }],
    ['sendMessage', 'to.address', { to: { address: '***' }, content: text }],
    ['sendMessage', 'channel', { to: { address: '+905553330001' }, content: text }],
    ['sendMessage', 'channel', { to: { customerId }, channel: 'WHATSAPP', channelAccountId, content: text }],
    ['sendMessage', 'sendAt', { to: { conversationId }, content: text, sendAt: inHours(-1) }],
    ['sendMessage', 'sendAt', { to: { conversationId }, content: text, sendAt: inHours(24 * 367) }],
    ['sendMessage', 'idempotencyKey', { to: { conversationId }, content: text, idempotencyKey: '' }],
    ['sendMessage', 'idempotencyKey', { to: { conversationId }, content: text, idempotencyKey: 'x'.repeat(201) }],
    ['sendMessage', 'content.template.variables', { to: { conversationId }, content: { template: { templateId } } }],
    ['sendMessage', 'content.template.variables', { to: { conversationId }, content: { template: { templateId, variables: 'x' } } }],
    ['sendMessage', 'content.template.variables', { to: { conversationId }, content: { template: { templateId, variables: ['x'] } } }],
    [
      'sendMessage',
      'content.template.variables.nobody_knows',
      { to: { conversationId }, content: { template: { templateId, variables: { nobody_knows: {} } } } },
    ],
    ['cancelMessage', 'communicationId', { communicationId: own.communicationId }],
    ...automationCases(),
    ['updateScheduledMessage', 'communicationId', { communicationId: own.communicationId }],
    ['updateScheduledMessage', 'sendAt', { communicationId: own.communicationId, sendAt: inHours(-1) }],
    ['updateScheduledMessage', 'sendAt', { communicationId: own.communicationId, sendAt: '9999-12-31T23:59:59.999Z' }],
  ]
  for (const [mutation, path, input] of cases) await expectRefusal(mutation, input, 'ValidationError', path)
})

test('an id that is malformed, unknown, of another type or of another organization does not exist', async () => {
  const { customerId, conversationId, communicationId } = own
  const text = { text: 'hello' }
  const scoped = { kind: 'MESSENGER', value: '7' }
  const booking = { customer: { customerId }, service: 'x', startsAt: inHours(1), endsAt: inHours(2) }
  const consent = { channel: 'SMS', state: 'OPTED_OUT', purposes: ['MARKETING'], evidence: 'x' }
  const places: [mutation: string, path: string, type: keyof Ids, input: (id: string) => object][] = [
    ['addNote', 'customerId', 'customerId', (id) => ({ customerId: id, body: 'x' })],
    ['addNote', 'conversationId', 'conversationId', (id) => ({ customerId, conversationId: id, body: 'x' })],
    ['logCall', 'customerId', 'customerId', (id) => ({ customerId: id, body: 'x' })],
    ['logCall', 'conversationId', 'conversationId', (id) => ({ customerId, conversationId: id, body: 'x' })],
    ['markRead', 'target.customerId', 'customerId', (id) => ({ target: { customerId: id } })],
    ['markRead', 'target.conversationId', 'conversationId', (id) => ({ target: { conversationId: id } })],
    ['markRead', 'target.communicationIds.1', 'communicationId', (id) => ({ target: { communicationIds: [communicationId, id] } })],
    ['updateCustomer', 'customerId', 'customerId', (id) => ({ customerId: id, name: 'x' })],
    ['updateCustomer', 'removeIdentityIds.0', 'identityId', (id) => ({ customerId, removeIdentityIds: [id] })],
    ['addCustomerIdentity', 'customerId', 'customerId', (id) => ({ customerId: id, kind: 'EXTERNAL', value: 'x' })],
    [
      'createCustomer',
      'identities.0.channelAccountId',
      'channelAccountId',
      (id) => ({ identities: [{ ...scoped, channelAccountId: id }] }),
    ],
    ['verifyCustomerIdentity', 'identityId', 'identityId', (id) => ({ identityId: id })],
    ['removeCustomerIdentity', 'identityId', 'identityId', (id) => ({ identityId: id })],
    ['setConsent', 'customerId', 'customerId', (id) => ({ ...consent, customerId: id })],
    ['mergeCustomers', 'survivorId', 'customerId', (id) => ({ survivorId: id, mergedId: customerId })],
    ['mergeCustomers', 'mergedId', 'customerId', (id) => ({ survivorId: customerId, mergedId: id })],
    ['unmergeCustomers', 'mergeId', 'mergeId', (id) => ({ mergeId: id })],
    ['dismissMergeSuggestion', 'mergeSuggestionId', 'mergeSuggestionId', (id) => ({ mergeSuggestionId: id })],
    ['replayWebhookReceipt', 'webhookReceiptId', 'webhookReceiptId', (id) => ({ webhookReceiptId: id })],
    ['assignConversation', 'conversationId', 'conversationId', (id) => ({ conversationId: id })],
    ['assignConversation', 'assigneeId', 'memberId', (id) => ({ conversationId, assigneeId: id })],
    ['setConversationStatus', 'conversationId', 'conversationId', (id) => ({ conversationId: id, status: 'CLOSED' })],
    ['updateTemplate', 'templateId', 'templateId', (id) => ({ templateId: id, name: 'x' })],
    ['deleteTemplate', 'templateId', 'templateId', (id) => ({ templateId: id })],
    ['syncTemplates', 'channelAccountId', 'channelAccountId', (id) => ({ channelAccountId: id })],
    ['updateChannelAccount', 'channelAccountId', 'channelAccountId', (id) => ({ channelAccountId: id, name: 'x' })],
    ['checkChannelAccount', 'channelAccountId', 'channelAccountId', (id) => ({ channelAccountId: id })],
    ['disconnectChannelAccount', 'channelAccountId', 'channelAccountId', (id) => ({ channelAccountId: id })],
    ['createAppointment', 'customer.customerId', 'customerId', (id) => ({ ...booking, customer: { customerId: id } })],
    ['createAppointment', 'staff.memberId', 'memberId', (id) => ({ ...booking, staff: { memberId: id } })],
    [
      'rescheduleAppointment',
      'appointment.appointmentId',
      'appointmentId',
      (id) => ({ appointment: { appointmentId: id }, startsAt: inHours(1) }),
    ],
    ['cancelAppointment', 'appointment.appointmentId', 'appointmentId', (id) => ({ appointment: { appointmentId: id } })],
    ['completeAppointment', 'appointment.appointmentId', 'appointmentId', (id) => ({ appointment: { appointmentId: id } })],
    ['requestReview', 'customerId', 'customerId', (id) => ({ customerId: id })],
    [
      'updateNotificationSettings',
      'automations.0.templates.0.templateId',
      'templateId',
      (id) => ({ automations: [{ kind: 'REVIEW_REQUEST', templates: [{ channel: 'SMS', templateId: id }] }] }),
    ],
    ['revokeApiKey', 'apiKeyId', 'memberId', (id) => ({ apiKeyId: id })],
    ['cancelMessage', 'communicationId', 'communicationId', (id) => ({ communicationId: id })],
    ['updateScheduledMessage', 'communicationId', 'communicationId', (id) => ({ communicationId: id, content: text })],
    ['sendMessage', 'to.conversationId', 'conversationId', (id) => ({ to: { conversationId: id }, content: text })],
    ['sendMessage', 'to.customerId', 'customerId', (id) => ({ to: { customerId: id }, content: text })],
    ['sendMessage', 'channelAccountId', 'channelAccountId', (id) => ({ to: { customerId }, channelAccountId: id, content: text })],
    [
      'sendMessage',
      'content.template.templateId',
      'templateId',
      (id) => ({ to: { conversationId }, content: { template: { templateId: id } } }),
    ],
  ]
  for (const [mutation, path, type, input] of places) {
    const wrongType = type === 'templateId' ? customerId : own.templateId
    const unknown = Buffer.from(Buffer.from(foreign[type], 'base64').toString().replace(/:.*/, `:${newId()}`)).toString('base64')
    for (const id of ['', 'x', '***', `${foreign[type]}x`, newId(), wrongType, unknown, foreign[type]]) {
      await expectRefusal(mutation, input(id), 'NotFoundError', path)
    }
  }
})

test('what cannot be an id, or is of nothing, is null in every query', async () => {
  const encoded = (text: string) => Buffer.from(text).toString('base64')
  const uuid = newId()
  const texts = [
    'Customer:abc',
    `Customer:${uuid}`,
    `Nothing:${uuid}`,
    `Query:${uuid}`,
    `Node:${uuid}`,
    `InboxEvent:${uuid}`,
    'Customer',
    ':',
  ]
  const strange = [`Customer:${uuid} `, 'Customer:\u0000', `toString:${uuid}`, `Customer:${uuid}\n`, `constructor:${uuid}`]
  for (const id of ['', 'x', '***', uuid, ...[...texts, ...strange].map(encoded)]) {
    const answer = await org.ask(
      `query ($id: ID!) { node(id: $id) { id } nodes(ids: [$id]) { id } customer(id: $id) { id } conversation(id: $id) { id }
         communication(id: $id) { id } template(id: $id) { id } }`,
      { id },
    )
    const nothing = { node: null, nodes: [null], customer: null, conversation: null, communication: null, template: null }
    expect(answer, id).toEqual(nothing)
  }
})

test('nodes are given in the order of their ids, 100 at most', async () => {
  const ids = [own.templateId, 'x', own.customerId, own.conversationId, own.customerId]
  const query = 'query ($ids: [ID!]!) { nodes(ids: $ids) { id } }'
  expect(await org.ask(query, { ids })).toEqual({ nodes: ids.map((id) => (id === 'x' ? null : { id })) })
  const { errors } = await app.request(query, { ids: Array(101).fill(own.customerId) }, org.token)
  expect(errors?.map(({ extensions }) => extensions)).toEqual([{ code: 'INVALID_INPUT', inputPath: ['ids'] }])
})

test('what is there already is told', async () => {
  const { customerId, templateId } = own
  const { customer } = member(
    (await org.ask(CreateCustomerDocument, { input: { identities: [{ kind: 'EMAIL', value: 'a@example.com' }] } })).createCustomer,
    'CreateCustomerSuccess',
  )
  const taken = { kind: 'PHONE', value: PHONE }
  await expectRefusal(
    'createCustomer',
    { identities: [{ kind: 'WEBCHAT', value: 'w' }, taken] },
    'AlreadyExistsError',
    'identities.1.value',
  )
  await expectRefusal('updateCustomer', { customerId: customer.id, addIdentities: [taken] }, 'AlreadyExistsError', 'addIdentities.0.value')
  await expectRefusal('addCustomerIdentity', { customerId: customer.id, ...taken }, 'AlreadyExistsError', 'value')
  expect((await refused('updateCustomer', { customerId, addIdentities: [taken] })).__typename).toBe('UpdateCustomerSuccess')
  expect((await refused('createTemplate', { name: 'taken', body: 'x', language: 'tr' })).__typename).toBe('CreateTemplateSuccess')
  await expectRefusal('createTemplate', { name: 'taken', body: 'x' }, 'AlreadyExistsError', 'name')
  await expectRefusal('updateTemplate', { templateId, language: 'tr' }, 'AlreadyExistsError', 'name')
  const connect = { channel: 'SMS', name: 'x', address: org.sms.address, credentials: { sandbox: {} } }
  await expectRefusal('connectChannelAccount', connect, 'AlreadyExistsError', 'address')
})

test('a disconnected or missing account is told', async () => {
  const channelAccountId = await disconnected()
  const { customerId } = own
  await expectRefusal('updateChannelAccount', { channelAccountId, name: 'x' }, 'ChannelNotConnectedError', 'channelAccountId')
  await expectRefusal('checkChannelAccount', { channelAccountId }, 'ChannelNotConnectedError', 'channelAccountId')
  await expectRefusal('syncTemplates', { channelAccountId }, 'ChannelNotConnectedError', 'channelAccountId')
  const send = { to: { customerId }, content: { text: 'x' } }
  await expectRefusal('sendMessage', { ...send, channelAccountId }, 'ChannelNotConnectedError', 'channelAccountId')
  await expectRefusal('sendMessage', { ...send, channel: 'RCS' }, 'ChannelNotConnectedError', 'channel')
  const { conversationId } = own
  const elsewhere = { to: { conversationId }, channel: 'WHATSAPP', content: { text: 'x' } }
  await expectRefusal('sendMessage', elsewhere, 'ChannelNotConnectedError', 'to.conversationId')
})

test('a text that is too long is measured in the channel’s unit, by code points', async () => {
  const send = async (text: string) =>
    (await org.ask(SendMessageDocument, { input: { to: { conversationId: own.conversationId }, content: { text } } })).sendMessage
  reached.add('sendMessage BodyTooLongError')
  expect(member(await send('🙂'.repeat(1601)), 'BodyTooLongError')).toEqual({
    __typename: 'BodyTooLongError',
    code: 'BODY_TOO_LONG',
    message: expect.stringContaining('1601'),
    path: ['input', 'content', 'text'],
    limit: 1600,
    length: 1601,
    unit: 'CHARACTERS',
  })
  member(await send('🙂'.repeat(1600)), 'SendMessageSuccess')
})

test('a closed window, an opt-out and a used key are told', async () => {
  const { customerId, conversationId } = own
  const text = { text: 'x' }
  await expectRefusal('sendMessage', { to: { customerId }, channel: 'WHATSAPP', content: text }, 'MessagingWindowClosedError', 'content')
  const keyed = { to: { conversationId }, content: text, idempotencyKey: 'once' }
  expect((await refused('sendMessage', keyed)).__typename).toBe('SendMessageSuccess')
  await expectRefusal('sendMessage', { ...keyed, content: { text: 'y' } }, 'IdempotencyConflictError', 'idempotencyKey')
  await expectRefusal('sendMessage', { ...keyed, sendAt: inHours(1) }, 'IdempotencyConflictError', 'idempotencyKey')
  await org.sms.inbound(PHONE, 'STOP')
  await expectRefusal('sendMessage', { to: { conversationId }, content: text }, 'RecipientOptedOutError', 'to')
  await org.sms.inbound(PHONE, 'START')
})

test('a merge that is undone already, and a webhook that nobody can read any more, are told', async () => {
  const input = { mergeId: await merged(org) }
  expect((await refused('unmergeCustomers', input)).__typename).toBe('UnmergeCustomersSuccess')
  await expectRefusal('unmergeCustomers', input, 'ValidationError', 'mergeId')
  const where = { id: localId('WebhookReceipt', own.webhookReceiptId) ?? '' }
  await app.deps.db.webhookReceipt.update({ where, data: { wire: 'pigeon' } })
  await expectRefusal('replayWebhookReceipt', { webhookReceiptId: own.webhookReceiptId }, 'ValidationError', 'webhookReceiptId')
})

test('what a channel cannot carry, and a template that nobody has approved, are told', async () => {
  const to = { conversationId: own.conversationId }
  const send = (content: object, error: string, path: string) => expectRefusal('sendMessage', { to, content }, error, `content.${path}`)
  const buttons = [{ id: 'yes', title: 'Yes' }]
  await send({ interactive: { body: 'Shall we?', buttons } }, 'ContentNotSupportedError', 'interactive')
  await send({ email: { subject: 'x', text: 'x' } }, 'ContentNotSupportedError', 'email')
  await send({ reaction: { communicationId: own.communicationId, emoji: '👍' } }, 'ContentNotSupportedError', 'reaction')
  const file = { id: newId(), organizationId: org.id, contentType: 'image/png', status: 'STORED', size: 5_000_001 } as const
  await app.deps.db.attachment.create({ data: file })
  const attachmentIds = [globalId('Attachment', file.id)]
  await send({ media: { attachmentIds } }, 'AttachmentTooLargeError', 'media.attachmentIds.0')
  await send({ media: { attachmentIds, kind: 'STICKER' } }, 'ContentNotSupportedError', 'media.attachmentIds.0')
  await send({ template: { templateId: own.syncedTemplateId } }, 'TemplateNotApprovedError', 'template.templateId')
})

test('a scheduled message cannot become what could not be sent', async () => {
  const to = { conversationId: own.conversationId }
  const later = async (input: object) => {
    const sent = (await org.ask(SendMessageDocument, { input: { to, content: { text: 'later' }, sendAt: inHours(2), ...input } }))
      .sendMessage
    return member(sent, 'SendMessageSuccess').communication.id
  }
  const communicationId = await later({})
  const change = (content: object, error: string, path: string) =>
    expectRefusal('updateScheduledMessage', { communicationId, content }, error, `content.${path}`)
  await change({ text: '' }, 'ValidationError', 'text')
  await change({ text: 'x'.repeat(1601) }, 'BodyTooLongError', 'text')
  await change({ email: { subject: 'x', text: 'x' } }, 'ContentNotSupportedError', 'email')
  await change({ template: { templateId: own.syncedTemplateId } }, 'TemplateNotApprovedError', 'template.templateId')
  const file = { id: newId(), organizationId: org.id, contentType: 'image/png', status: 'STORED', size: 5_000_001 } as const
  await app.deps.db.attachment.create({ data: file })
  await change({ media: { attachmentIds: [globalId('Attachment', file.id)] } }, 'AttachmentTooLargeError', 'media.attachmentIds.0')
  await change({ media: { attachmentIds: [foreign.templateId] } }, 'NotFoundError', 'media.attachmentIds.0')

  const number = '+905553330077'
  await org.whatsapp.inbound(number, 'Hello')
  const answer = { to: { address: number }, channelAccountId: org.whatsapp.id }
  const answerId = await later(answer)
  const move = { communicationId: answerId, sendAt: inHours(25) }
  await expectRefusal('updateScheduledMessage', move, 'MessagingWindowClosedError', 'sendAt')
  const rewrite = { ...move, content: { text: 'x' } }
  await expectRefusal('updateScheduledMessage', rewrite, 'MessagingWindowClosedError', 'content')
  await org.whatsapp.inbound(number, 'STOP')
  await expectRefusal(
    'updateScheduledMessage',
    { communicationId: answerId, sendAt: inHours(1) },
    'RecipientOptedOutError',
    'communicationId',
  )
  const accountId = localId('ChannelAccount', org.sms.id) ?? ''
  await app.deps.db.channelAccount.update({ where: { id: accountId }, data: { status: 'DISCONNECTED' } })
  await expectRefusal('updateScheduledMessage', { communicationId, sendAt: inHours(1) }, 'ChannelNotConnectedError', 'communicationId')
  await app.deps.db.channelAccount.update({ where: { id: accountId }, data: { status: 'ACTIVE' } })
})

test('what an appointment, a review request and a test send cannot be is told', async () => {
  const booking = {
    customer: { customerId: own.customerId },
    service: 'another',
    startsAt: inHours(48),
    endsAt: inHours(49),
    externalId: 'taken',
  }
  await expectRefusal('createAppointment', booking, 'IdempotencyConflictError', 'externalId')
  const appointment = { externalId: 'nobody has made this' }
  await expectRefusal('cancelAppointment', { appointment }, 'NotFoundError', 'appointment.externalId')
  await setReviewLink('https://example.com/review')
  const request = { customerId: own.customerId, idempotencyKey: 'once' }
  expect((await refused('requestReview', request)).__typename).toBe('RequestReviewSuccess')
  const another = member((await org.ask(CreateCustomerDocument, { input: { name: 'Another' } })).createCustomer, 'CreateCustomerSuccess')
  await expectRefusal('requestReview', { ...request, customerId: another.customer.id }, 'IdempotencyConflictError', 'idempotencyKey')

  const target = { appointment: { appointmentId: own.appointmentId } }
  expect((await refused('cancelAppointment', target)).__typename).toBe('CancelAppointmentSuccess')
  await expectRefusal('rescheduleAppointment', { ...target, startsAt: inHours(5) }, 'ValidationError', 'appointment')
  await expectRefusal('completeAppointment', target, 'ValidationError', 'appointment')
  const done = await refused('completeAppointment', { appointment: { appointmentId: foreign.appointmentId } })
  expect(done.__typename).toBe('NotFoundError')
  const other = await org.ask(CreateAppointmentDocument, { input: { ...booking, externalId: 'to be completed' } })
  const completed = { appointment: { appointmentId: member(other.createAppointment, 'CreateAppointmentSuccess').appointment.id } }
  expect((await refused('completeAppointment', completed)).__typename).toBe('CompleteAppointmentSuccess')
  await expectRefusal('cancelAppointment', completed, 'ValidationError', 'appointment')
})

const setReviewLink = (reviewLink: string) => refused('updateNotificationSettings', { reviewLink })

test('a test send follows the rules of every other message', async () => {
  const kind = 'REVIEW_REQUEST'
  const number = '+905553330088'
  const test = { kind, channel: 'SMS', to: number }
  await setReviewLink('https://example.com/review')
  await expectRefusal('sendTestNotification', { ...test, channel: 'RCS' }, 'ChannelNotConnectedError', 'channel')
  await expectRefusal('sendTestNotification', { ...test, channel: 'WHATSAPP' }, 'MessagingWindowClosedError', 'channel')
  const keyed = { ...test, idempotencyKey: 'test once' }
  expect((await refused('sendTestNotification', keyed)).__typename).toBe('SendTestNotificationSuccess')
  await expectRefusal('sendTestNotification', { ...keyed, kind: 'BOOKING_CONFIRMATION' }, 'IdempotencyConflictError', 'idempotencyKey')
  const long = { automations: [{ kind, templates: [{ channel: 'SMS', body: 'x'.repeat(1601) }] }] }
  expect((await refused('updateNotificationSettings', long)).__typename).toBe('UpdateNotificationSettingsSuccess')
  await expectRefusal('sendTestNotification', test, 'BodyTooLongError', 'channel')
  const where = { id: localId('Template', own.syncedTemplateId) ?? '' }
  await app.deps.db.template.update({ where, data: { providerTemplateId: 'HX1', status: 'REJECTED' } })
  const linked = { automations: [{ kind, templates: [{ channel: 'SMS', templateId: own.syncedTemplateId }] }] }
  expect((await refused('updateNotificationSettings', linked)).__typename).toBe('UpdateNotificationSettingsSuccess')
  await expectRefusal('sendTestNotification', test, 'TemplateNotApprovedError', 'channel')
  await org.sms.inbound(number, 'STOP')
  await expectRefusal('sendTestNotification', test, 'RecipientOptedOutError', 'to')
})

test('what GraphQL itself refuses names the variable and has no stack', async () => {
  const { conversationId, customerId } = own
  const to = { conversationId }
  for (const input of [
    { to: { conversationId, customerId }, content: { text: 'x' } },
    { to: {}, content: { text: 'x' } },
    { to, content: { text: null } },
    { to, content: { text: 7 } },
    { to, content: { text: 'x' }, sendAt: 'tomorrow' },
    { to, content: { text: 'x' }, channel: 'PIGEON' },
    { to, content: { text: 'x' }, unknown: 1 },
    null,
  ]) {
    const answer = await app.request(SendMessageDocument, { input: input as never }, org.token)
    expect(answer.data, JSON.stringify(input)).toBeUndefined()
    expect(answer.errors?.[0]?.message).toContain('$input')
    expect(JSON.stringify(answer)).not.toMatch(/stack|node_modules|\.ts:/i)
  }
})

test('every error of every mutation was reached', () => {
  const declared = resultTypes(printedSchema()).flatMap(({ mutation, errors }) => errors.map((error) => `${mutation} ${error}`))
  expect(declared.length).toBeGreaterThan(30)
  expect(declared.filter((error) => !reached.has(error))).toEqual([])
})
