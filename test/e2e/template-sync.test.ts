import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { enqueueTemplateSyncs } from '../../src/domain/sync-templates.ts'
import {
  ConnectChannelAccountDocument,
  CreateTemplateDocument,
  DeleteTemplateDocument,
  InboxDocument,
  PreviewTemplateDocument,
  ProviderTemplatesDocument,
  type ProviderTemplatesQuery,
  SyncTemplatesDocument,
  UpdateTemplateDocument,
} from '../generated/graphql.ts'
import { eventually } from '../support/eventually.ts'
import { dataOf, member, present } from '../support/result.ts'
import { startTwilioInbox, type TwilioInbox } from '../support/twilio-inbox.ts'

const CUSTOMER = '+14155550100'

let inbox: TwilioInbox
beforeAll(async () => {
  inbox = await startTwilioInbox()
  await eventually(noSyncWaits)
})
afterAll(() => inbox?.close())
beforeEach(() => {
  inbox.fake.contents = []
})

async function noSyncWaits(): Promise<void> {
  const { rows } = await inbox.app.deps.pool.query(`SELECT FROM graphile_worker.jobs WHERE task_identifier = 'sync-templates'`)
  expect(rows).toEqual([])
}

let contents = 0
const content = (friendly_name: string, body: string, status = 'approved', more: Record<string, unknown> = {}) => ({
  // Those of a list are made in the order of their ids.
  sid: `HX${String(++contents).padStart(32, '0')}`,
  account_sid: inbox.fake.credentials.accountSid,
  friendly_name,
  language: 'en',
  variables: { 1: 'Ada' },
  types: { 'twilio/text': { body } },
  approval_requests: { name: friendly_name, category: 'UTILITY', content_type: 'twilio/text', status, rejection_reason: '', ...more },
  date_created: '2026-11-01T00:00:00Z',
  date_updated: '2026-11-01T00:00:00Z',
})
type Listed = ProviderTemplatesQuery['templates']['nodes'][number]
const list = async (variables: Parameters<typeof inbox.app.request<ProviderTemplatesQuery, object>>[1] = {}): Promise<Listed[]> =>
  dataOf(await inbox.app.request(ProviderTemplatesDocument, { channelAccountId: inbox.whatsapp.id, ...variables })).templates.nodes
const sync = async (channelAccountId = inbox.whatsapp.id, token?: string) =>
  dataOf(await inbox.app.request(SyncTemplatesDocument, { input: { channelAccountId } }, token)).syncTemplates
const synced = async () => member(await sync(), 'SyncTemplatesSuccess')

test('an account that becomes active brings its templates by itself', async () => {
  inbox.fake.contents = [content('welcome', 'Welcome, {{1}}'), content('later', 'Later', 'pending'), content('third', 'Third page')]
  const input = { channel: 'WHATSAPP' as const, name: 'Second', address: '+15017122663', credentials: { twilio: inbox.fake.credentials } }
  const { channelAccount } = member(
    dataOf(await inbox.app.request(ConnectChannelAccountDocument, { input })).connectChannelAccount,
    'ConnectChannelAccountSuccess',
  )
  const templates = await eventually(async () => {
    const found = await list({ channelAccountId: channelAccount.id })
    expect(found).toHaveLength(3)
    return found
  })
  expect(templates.find(({ name }) => name === 'welcome')).toMatchObject({
    channel: 'WHATSAPP',
    language: 'en',
    purpose: 'UTILITY',
    body: 'Welcome, {{1}}',
    variables: ['1'],
    status: 'APPROVED',
    channelAccount: { id: channelAccount.id, name: 'Second' },
    syncedAt: expect.any(String),
  })
  expect((await list({ channelAccountId: channelAccount.id, status: 'APPROVED' })).map(({ name }) => name)).toEqual(['welcome', 'third'])
})

test('syncTemplates tells what has changed, and a template that is gone stays as DISABLED', async () => {
  const [one, two] = [content('one', 'One {{1}}'), content('two', 'Two', 'rejected', { rejection_reason: 'Too short' })]
  inbox.fake.contents = [one, two]
  const first = await synced()
  expect(first).toMatchObject({ created: 2, updated: 0, disabled: 0 })
  expect(first.templates.map(({ name }) => name)).toEqual(['one', 'two'])
  inbox.fake.contents = [{ ...one, types: { 'twilio/text': { body: 'One and {{1}}' } } }]
  expect(await synced()).toMatchObject({ created: 0, updated: 1, disabled: 1 })
  expect(await list()).toMatchObject([
    { name: 'one', body: 'One and {{1}}', status: 'APPROVED' },
    { name: 'two', status: 'DISABLED', statusReason: expect.any(String) },
  ])
})

test('the daily task brings what has changed', async () => {
  inbox.fake.contents = [content('daily', 'Every day')]
  await enqueueTemplateSyncs(inbox.app.deps)
  await eventually(async () => expect((await list()).map(({ name }) => name)).toContain('daily'))
  await eventually(noSyncWaits)
})

test('a template of the provider is previewed and sent with its own variables, outside the window too', async () => {
  const template = content('ready', 'Dear {{1}}, {{2}} is ready.')
  inbox.fake.contents = [template]
  const { templates } = await synced()
  const { id } = present(templates.find(({ name }) => name === 'ready'))
  const to = { address: CUSTOMER }
  const send = (variables: unknown) =>
    inbox.trySend({ to, channel: 'WHATSAPP', channelAccountId: inbox.whatsapp.id, content: { template: { templateId: id, variables } } })
  expect(member(await send({ 1: 'Ada' }), 'ValidationError')).toMatchObject({
    message: expect.stringContaining('2'),
    path: ['input', 'content', 'template', 'variables'],
  })
  const { communication } = member(await send({ 1: 'Ada', 2: 'the permit' }), 'SendMessageSuccess')
  expect(communication.body).toBe('Dear Ada, the permit is ready.')
  await eventually(() => {
    expect(inbox.fake.messages.at(-1)?.params).toMatchObject({ ContentSid: template.sid })
    expect(JSON.parse(String(inbox.fake.messages.at(-1)?.params.ContentVariables))).toEqual({ 1: 'Ada', 2: 'the permit' })
  })
  const { conversations } = dataOf(await inbox.app.request(InboxDocument))
  const customerId = present(conversations.nodes[0]).customer.id
  const preview = dataOf(await inbox.app.request(PreviewTemplateDocument, { id, customerId, variables: { 2: 'it' } })).template?.preview
  expect(preview).toEqual({ subject: null, body: 'Dear {{1}}, it is ready.', missingVariables: ['1'] })
})

test('the provider’s templates are neither edited nor deleted here', async () => {
  inbox.fake.contents = [content('fixed', 'Fixed')]
  const { templates } = await synced()
  const templateId = present(templates.find(({ name }) => name === 'fixed')).id
  const { app } = inbox
  const refusal = {
    message: 'This template is edited at the provider; syncTemplates brings the changes here.',
    path: ['input', 'templateId'],
  }
  const update = dataOf(await app.request(UpdateTemplateDocument, { input: { templateId, body: 'changed' } })).updateTemplate
  expect(member(update, 'ValidationError')).toMatchObject(refusal)
  const deletion = dataOf(await app.request(DeleteTemplateDocument, { input: { templateId } })).deleteTemplate
  expect(member(deletion, 'ValidationError')).toMatchObject(refusal)
  const own = dataOf(await app.request(CreateTemplateDocument, { input: { name: 'fixed', body: 'ours' } })).createTemplate
  const { template } = member(own, 'CreateTemplateSuccess')
  expect((await list()).map(({ id }) => id)).not.toContain(template.id)
  expect((await list({ channelAccountId: null })).map(({ id }) => id)).toEqual(expect.arrayContaining([template.id, templateId]))
})

test('what cannot be synchronized says why', async () => {
  expect(member(await sync(inbox.sms.id), 'ValidationError')).toMatchObject({ path: ['input', 'channelAccountId'] })
  expect(member(await sync('nothing'), 'NotFoundError')).toMatchObject({ path: ['input', 'channelAccountId'] })
  const answer = await inbox.app.request(
    SyncTemplatesDocument,
    { input: { channelAccountId: inbox.whatsapp.id } },
    await inbox.app.token({ role: 'AGENT', subject: 'agent' }),
  )
  expect(answer.errors?.[0]?.extensions).toMatchObject({ code: 'FORBIDDEN' })
})
