import { randomBytes } from 'node:crypto'
import { pino } from 'pino'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { z } from 'zod'
import type { AnyChannelAdapter, ChannelRegistry, ProviderTemplate } from '../../src/channels/channel.ts'
import type { TemplateFact } from '../../src/channels/fact.ts'
import { Rejected, Unavailable } from '../../src/channels/failures.ts'
import { applyTemplateFact } from '../../src/domain/apply-template-fact.ts'
import { sealedCredentials } from '../../src/domain/channel-credentials.ts'
import { newId } from '../../src/domain/ids.ts'
import { enqueueTemplateSyncs, syncTemplates, syncTemplatesOfAccount } from '../../src/domain/sync-templates.ts'
import { createMemoryBus } from '../../src/events/memory-bus.ts'
import { createSecrets } from '../../src/secrets.ts'
import { testDatabase } from '../support/database.ts'

let database: Awaited<ReturnType<typeof testDatabase>>
let list: () => Promise<ProviderTemplate[]>
let account: { id: string; organizationId: string }
let now = new Date('2026-11-21T12:00:00Z')

const credentials = { token: 'secret' }
const asked: unknown[] = []
const adapter = {
  credentials: z.object({ token: z.string() }),
  listTemplates: async (...args: unknown[]) => {
    asked.push(args)
    return list()
  },
}
const channels = {
  get: (_provider, channel) =>
    (channel === 'WHATSAPP' ? adapter : { ...adapter, listTemplates: undefined }) as unknown as AnyChannelAdapter,
} as Pick<ChannelRegistry, 'get'> as ChannelRegistry
const deps = () => ({
  db: database.db,
  bus: createMemoryBus(),
  channels,
  secrets: createSecrets([randomKey]),
  clock: () => now,
  log: pino({ level: 'silent' }),
})
const randomKey = randomBytes(32)

beforeAll(async () => {
  database = await testDatabase()
})
afterAll(() => database?.close())

beforeEach(async () => {
  const organizationId = newId()
  await database.db.organization.create({ data: { id: organizationId, slug: organizationId, name: 'Test' } })
  account = await accountOf(organizationId, 'WHATSAPP')
  asked.length = 0
})

async function accountOf(organizationId: string, channel: 'WHATSAPP' | 'SMS', status: 'ACTIVE' | 'PENDING' | 'DISCONNECTED' = 'ACTIVE') {
  const id = newId()
  const sealed = sealedCredentials(deps(), credentials)
  await database.db.channelAccount.create({
    data: { id, organizationId, channel, provider: 'META', name: 'Line', address: id, status, ...sealed },
  })
  return { id, organizationId }
}

const given = (template: Partial<ProviderTemplate> = {}): ProviderTemplate => ({
  providerTemplateId: '1001',
  name: 'permit_ready',
  language: 'en_US',
  status: 'APPROVED',
  statusReason: null,
  category: 'UTILITY',
  quality: 'GREEN',
  body: 'Dear {{1}}, {{2}} is ready.',
  components: [{ type: 'BODY', text: 'Dear {{1}}, {{2}} is ready.' }],
  ...template,
})
const sync = async (...templates: ProviderTemplate[]) => {
  list = async () => templates
  now = new Date(now.getTime() + 60_000)
  return syncTemplates(deps(), { organizationId: account.organizationId, memberId: null }, account.id)
}
const rows = () => database.db.template.findMany({ where: { channelAccountId: account.id }, orderBy: { id: 'asc' } })
const changes = async () => {
  const events = await database.db.event.findMany({ where: { organizationId: account.organizationId }, orderBy: { seq: 'asc' } })
  return events.map(({ type, data }) => [type, (data as { change: string }).change])
}
const waitingJobs = async () => {
  const { rows: jobs } = await database.pool.query<{ id: string; n: number }>(
    `SELECT payload ->> 'channelAccountId' AS id, count(*)::int AS n FROM graphile_worker._private_jobs j
     JOIN graphile_worker._private_tasks t ON t.id = j.task_id WHERE t.identifier = 'sync-templates' GROUP BY 1`,
  )
  return new Map(jobs.map(({ id, n }) => [id, n]))
}

test('new templates are taken over as the provider has them', async () => {
  const { templates, ...counts } = await sync(given(), given({ providerTemplateId: '1002', language: 'tr', status: 'PENDING' }))
  expect(counts).toEqual({ created: 2, updated: 0, disabled: 0 })
  expect(templates).toHaveLength(2)
  expect(asked).toEqual([[{ address: account.id }, credentials]])
  expect(templates.find(({ language }) => language === 'en_US')).toMatchObject({
    name: 'permit_ready',
    channel: 'WHATSAPP',
    channelAccountId: account.id,
    scope: account.id,
    providerTemplateId: '1001',
    status: 'APPROVED',
    purpose: 'UTILITY',
    quality: 'GREEN',
    body: 'Dear {{1}}, {{2}} is ready.',
    components: [{ type: 'BODY', text: 'Dear {{1}}, {{2}} is ready.' }],
    syncedAt: now,
  })
  expect(await changes()).toEqual([
    ['TEMPLATE_CHANGED', 'created'],
    ['TEMPLATE_CHANGED', 'created'],
  ])
})

test('the same again changes nothing but the time, and says nothing', async () => {
  await sync(given())
  const [before] = await rows()
  const { templates, ...counts } = await sync(given())
  expect(counts).toEqual({ created: 0, updated: 0, disabled: 0 })
  expect(templates).toEqual([{ ...before, syncedAt: now }])
  expect(await changes()).toHaveLength(1)
})

test('what has changed is changed, on the same row', async () => {
  await sync(given())
  const [before] = await rows()
  const { templates, updated } = await sync(
    given({ providerTemplateId: '2001', status: 'PAUSED', statusReason: 'too many blocks', body: 'New {{1}}' }),
  )
  expect(updated).toBe(1)
  expect(templates).toMatchObject([
    { id: before?.id, providerTemplateId: '2001', status: 'PAUSED', statusReason: 'too many blocks', body: 'New {{1}}', updatedAt: now },
  ])
  expect(await changes()).toEqual([
    ['TEMPLATE_CHANGED', 'created'],
    ['TEMPLATE_CHANGED', 'updated'],
  ])
})

test('what is gone stays as DISABLED, is said once, and comes back', async () => {
  await sync(given(), given({ name: 'other', providerTemplateId: '1002' }))
  expect(await sync(given())).toMatchObject({ created: 0, updated: 0, disabled: 1 })
  expect(await sync(given())).toMatchObject({ disabled: 0 })
  const [gone] = (await rows()).filter(({ name }) => name === 'other')
  expect(gone).toMatchObject({ status: 'DISABLED', statusReason: 'The provider does not have it any more.' })
  expect(await sync(given(), given({ name: 'other', providerTemplateId: '1002' }))).toMatchObject({ created: 0, updated: 1, disabled: 0 })
  expect((await rows()).map(({ status }) => status)).toEqual(['APPROVED', 'APPROVED'])
})

test('several of one name and language are told apart by their ids, the same ones at every time', async () => {
  const twins = [given({ providerTemplateId: 'HX2' }), given({ providerTemplateId: 'HX1' })]
  await sync(...twins)
  expect(await sync(...twins.toReversed())).toMatchObject({ created: 0, updated: 0, disabled: 0 })
  expect((await rows()).map(({ name, providerTemplateId }) => [name, providerTemplateId]).sort()).toEqual([
    ['permit_ready (HX2)', 'HX2'],
    ['permit_ready', 'HX1'],
  ])
})

test('a name of our own is not in the way, and another account has its own', async () => {
  const { organizationId } = account
  const own = { id: newId(), organizationId, name: 'permit_ready', language: 'en_US', body: 'ours' }
  await database.db.template.create({ data: own })
  await sync(given())
  account = await accountOf(organizationId, 'WHATSAPP')
  expect(await sync(given())).toMatchObject({ created: 1 })
  expect(await database.db.template.count({ where: { organizationId } })).toBe(3)
})

test('texts that the database or the variables could not take are made harmless', async () => {
  const { templates } = await sync(given({ body: 'broken {{ braces\u0000', components: { text: '\u0000\ud800' }, category: 'constructor' }))
  expect(templates).toMatchObject([{ body: 'broken { { braces', components: { text: '\ufffd' }, purpose: 'GENERAL' }])
})

test('nothing is changed where the provider refuses or is away: a refusal ends the job, silence repeats it', async () => {
  await sync(given())
  const actor = { organizationId: account.organizationId, memberId: null }
  list = () => Promise.reject(new Rejected('190', 'The access token has expired.'))
  await expect(syncTemplates(deps(), actor, account.id)).rejects.toMatchObject({
    name: 'ChannelNotConnectedError',
    message: 'The access token has expired.',
  })
  await syncTemplatesOfAccount(deps(), account.id)
  list = () => Promise.reject(new Unavailable('503'))
  await expect(syncTemplates(deps(), actor, account.id)).rejects.toMatchObject({ name: 'ChannelNotConnectedError' })
  await expect(syncTemplatesOfAccount(deps(), account.id)).rejects.toThrow('503')
  expect(await rows()).toMatchObject([{ status: 'APPROVED' }])
})

test('an account that is not active, not ours, or of a provider without templates is refused by name', async () => {
  const { organizationId } = account
  const actor = { organizationId, memberId: null }
  const [pending, sms] = [await accountOf(organizationId, 'WHATSAPP', 'PENDING'), await accountOf(organizationId, 'SMS')]
  const foreign = await accountOf(newId(), 'WHATSAPP')
  const path = ['input', 'channelAccountId']
  await expect(syncTemplates(deps(), actor, pending.id)).rejects.toMatchObject({ name: 'ChannelNotConnectedError', path })
  await expect(syncTemplates(deps(), actor, sms.id)).rejects.toMatchObject({ name: 'ValidationError', path })
  await expect(syncTemplates(deps(), actor, foreign.id)).rejects.toMatchObject({ name: 'NotFoundError', path })
  for (const { id } of [pending, sms, { id: newId() }]) await syncTemplatesOfAccount(deps(), id)
  expect(asked).toEqual([])
})

test('every day there is a job for each active account of a provider with templates, and never two', async () => {
  const { organizationId } = account
  const others = [await accountOf(organizationId, 'WHATSAPP', 'DISCONNECTED'), await accountOf(organizationId, 'SMS')]
  await enqueueTemplateSyncs(deps())
  await enqueueTemplateSyncs(deps())
  const jobs = await waitingJobs()
  expect([account, ...others].map(({ id }) => jobs.get(id))).toEqual([1, undefined, undefined])
})

const fact = (changed: Partial<TemplateFact> = {}): TemplateFact => ({
  kind: 'template',
  providerTemplateId: '1001',
  name: 'permit_ready',
  language: 'en_US',
  status: 'REJECTED',
  reason: 'INVALID_FORMAT',
  quality: null,
  ...changed,
})
const tell = (changed: Partial<TemplateFact> = {}) => applyTemplateFact(deps(), account, fact(changed))

test('the word of the provider changes its template, found by id or by name and language, and is said once', async () => {
  await sync(given())
  await tell()
  await tell()
  expect(await rows()).toMatchObject([{ status: 'REJECTED', statusReason: 'INVALID_FORMAT', quality: 'GREEN' }])
  await tell({ providerTemplateId: 'unknown', status: null, reason: null, quality: 'RED' })
  expect(await rows()).toMatchObject([{ status: 'REJECTED', statusReason: 'INVALID_FORMAT', quality: 'RED' }])
  await tell({ status: 'APPROVED', reason: null })
  expect(await rows()).toMatchObject([{ status: 'APPROVED', statusReason: null }])
  expect(await changes()).toEqual(['created', 'updated', 'updated', 'updated'].map((change) => ['TEMPLATE_CHANGED', change]))
  expect((await waitingJobs()).get(account.id)).toBeUndefined()
})

test('its word on a template that we do not have fetches all of them, by one job', async () => {
  await tell()
  await tell({ providerTemplateId: '1002', name: 'other' })
  expect(await rows()).toEqual([])
  expect((await waitingJobs()).get(account.id)).toBe(1)
})

test('a word that comes while the list is on its way is newer than the list', async () => {
  await sync(given())
  list = async () => {
    now = new Date(now.getTime() + 1_000)
    await tell()
    return [given()]
  }
  now = new Date(now.getTime() + 60_000)
  await syncTemplatesOfAccount(deps(), account.id)
  expect(await rows()).toMatchObject([{ status: 'REJECTED' }])
  expect(await sync(given())).toMatchObject({ updated: 1 })
  expect(await rows()).toMatchObject([{ status: 'APPROVED' }])
})

test('two synchronizations at the same time make no template twice', async () => {
  list = async () => [given(), given({ name: 'other', providerTemplateId: '1002' })]
  await Promise.all(Array.from({ length: 4 }, () => syncTemplatesOfAccount(deps(), account.id)))
  expect(await rows()).toHaveLength(2)
  expect(await changes()).toHaveLength(2)
})
