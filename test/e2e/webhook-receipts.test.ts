import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { localId } from '../../schema/global-id.ts'
import { pruneWebhooks } from '../../src/domain/prune-webhooks.ts'
import { ReplayWebhookReceiptDocument, WebhookReceiptDocument, WebhookReceiptsDocument } from '../generated/graphql.ts'
import {
  type ContractServer,
  INBOUND_SECRET,
  multipartOf,
  sendgridCredentials,
  startContractServer,
  twilioCredentials,
} from '../support/contract-files.ts'
import { remember } from '../support/known-messages.ts'
import { dataOf, member, present } from '../support/result.ts'

let server: ContractServer
let admin: string

beforeAll(async () => {
  server = await startContractServer()
  admin = await server.app.token({ organization: 'contracts' })
  await server.account('META', 'WHATSAPP', '+15550001', { accessToken: 't', phoneNumberId: '111', businessAccountId: '9' }, ['111', '9'])
  await server.account('SENDGRID', 'EMAIL', 'us@parley.example', { ...sendgridCredentials, inboundSecret: INBOUND_SECRET })
})
afterAll(() => server?.app.close())
beforeEach(() => server.clear())

const change = (value: object) =>
  JSON.stringify({
    object: 'whatsapp_business_account',
    entry: [
      {
        id: '9',
        changes: [{ field: 'messages', value: { messaging_product: 'whatsapp', metadata: { phone_number_id: '111' }, ...value } }],
      },
    ],
  })
const text = (id: string, body: string) => ({ from: '905551112233', id, timestamp: '1730000000', type: 'text', text: { body } })
const revoke = (id: string) => ({
  from: '905551112233',
  id: `${id}.revoke`,
  timestamp: '1730000001',
  type: 'revoke',
  revoke: { original_message_id: id },
})

const ask = async (variables = {}) => present(dataOf(await server.app.request(WebhookReceiptsDocument, variables, admin)).webhookReceipts)
const replay = async (webhookReceiptId: string) =>
  member(
    dataOf(await server.app.request(ReplayWebhookReceiptDocument, { input: { webhookReceiptId } }, admin)).replayWebhookReceipt,
    'ReplayWebhookReceiptSuccess',
  ).webhookReceipt

async function inboundTo(address: string): Promise<void> {
  const email = `From: a@example.com\r\nTo: ${address}\r\nSubject: Hi\r\nMessage-ID: <${address}>\r\n\r\nHello`
  const { body, boundary } = multipartOf({ email, envelope: JSON.stringify({ to: [address], from: 'a@example.com' }) })
  expect((await server.sendgridInbound(body, boundary)).status).toBe(200)
}

describe('what came in', () => {
  test('is listed newest first, with what became of it, and filtered', async () => {
    await server.meta(change({ messages: [text('w1', 'one')] }))
    await server.meta(change({ messages: [text('w1', 'one')] }))
    await server.meta(change({ messages: [revoke('unknown')] }))
    await inboundTo('nobody@parley.example')
    const { nodes } = await ask()
    expect(nodes.map(({ source, segment, status }) => [source, segment, status])).toEqual([
      ['sendgrid', 'inbound', 'UNROUTED'],
      ['meta', '', 'UNPARSED'],
      ['meta', '', 'DUPLICATE'],
      ['meta', '', 'APPLIED'],
    ])
    expect(nodes[1]?.problem).toMatch(/not known \(yet\): unknown/)
    expect(nodes[3]?.channelAccount?.name).toBe('+15550001')
    const page = await ask({ first: 2 })
    expect(page.nodes).toEqual(nodes.slice(0, 2))
    expect((await ask({ first: 2, after: page.pageInfo.endCursor })).nodes).toEqual(nodes.slice(2))
    expect((await ask({ filter: { statuses: ['UNROUTED', 'UNPARSED'] } })).nodes).toEqual(nodes.slice(0, 2))
    expect((await ask({ filter: { channelAccountId: nodes[3]?.channelAccount?.id } })).nodes).toHaveLength(3)
    expect((await ask({ filter: { until: nodes[0]?.receivedAt } })).nodes).toEqual(nodes.slice(1))
  })

  test('is shown as it came', async () => {
    const body = change({ messages: [text('w1', 'ünïcödé')] })
    await server.meta(body)
    const [first] = (await ask()).nodes
    const shown = dataOf(await server.app.request(WebhookReceiptDocument, { id: first?.id ?? '' }, admin)).node
    expect(shown).toMatchObject({
      body,
      size: Buffer.byteLength(body),
      headers: { 'x-hub-signature-256': expect.stringMatching(/^sha256=/) },
    })
  })

  test('is for ADMINs of the organization', async () => {
    await server.meta(change({ messages: [text('w1', 'one')] }))
    const [first] = (await ask()).nodes
    const agent = await server.app.token({ organization: 'contracts', role: 'AGENT' })
    expect((await server.app.request(WebhookReceiptsDocument, {}, agent)).errors?.[0]?.extensions?.code).toBe('FORBIDDEN')
    for (const token of [agent, await server.app.token({ organization: 'demo' })]) {
      expect(dataOf(await server.app.request(WebhookReceiptDocument, { id: first?.id ?? '' }, token)).node).toBeNull()
    }
    const input = { webhookReceiptId: first?.id ?? '' }
    const foreign = dataOf(
      await server.app.request(ReplayWebhookReceiptDocument, { input }, await server.app.token({ organization: 'demo' })),
    )
    expect(foreign.replayWebhookReceipt).toMatchObject({ __typename: 'NotFoundError', path: ['input', 'webhookReceiptId'] })
  })
})

test('an event is about the account that sent, whichever account has signed', async () => {
  const { db } = server.app.deps
  const id = await server.account('SENDGRID', 'EMAIL', 'sales@parley.example', { ...sendgridCredentials, inboundSecret: INBOUND_SECRET })
  const known = ['sg1', 'sg2'].map((external) => ({ id: external, direction: 'OUTBOUND' as const, address: 'ada@example.com' }))
  await remember(server, { id, channel: 'EMAIL' }, known, { kind: 'EMAIL', scope: '' })
  const sent = await db.communication.findMany({ where: { channelAccountId: id }, orderBy: { externalMessageId: 'asc' } })
  const delivered = (n: number, communicationId?: string) => ({
    event: 'delivered',
    email: 'ada@example.com',
    timestamp: 1,
    sg_event_id: `e${n}`,
    sg_message_id: `sg${n}.x`,
    ...(communicationId !== undefined && { communicationId }),
  })
  await server.sendgridEvents(JSON.stringify([delivered(3), delivered(1, sent[0]?.id)]))
  await server.sendgridEvents(JSON.stringify([delivered(2, sent[1]?.id)]))
  const after = await db.communication.findMany({ where: { channelAccountId: id } })
  expect(after.map(({ deliveryStatus }) => deliveryStatus)).toEqual(['DELIVERED', 'DELIVERED'])
})

describe('a replay', () => {
  test('applies what came before its account was connected', async () => {
    await inboundTo('later@parley.example')
    const [receipt] = (await ask()).nodes
    expect(await replay(receipt?.id ?? '')).toMatchObject({ status: 'UNROUTED', replays: 1 })
    await server.account('SENDGRID', 'EMAIL', 'later@parley.example', { ...sendgridCredentials, inboundSecret: INBOUND_SECRET })
    expect(await replay(receipt?.id ?? '')).toMatchObject({ status: 'APPLIED', problem: null, replays: 2 })
    const { organizationId } = server
    expect(await server.app.deps.db.communication.count({ where: { organizationId, type: 'EMAIL', body: 'Hello' } })).toBe(1)
    expect(await replay(receipt?.id ?? '')).toMatchObject({ status: 'APPLIED', replays: 3 })
    expect(await server.app.deps.db.communication.count({ where: { organizationId } })).toBe(1)
  })

  test('applies what came before what it refers to', async () => {
    await server.meta(change({ messages: [revoke('w1')] }))
    const [receipt] = (await ask()).nodes
    await server.meta(change({ messages: [text('w1', 'taken back')] }))
    expect(await replay(receipt?.id ?? '')).toMatchObject({ status: 'APPLIED', problem: null })
    const [message] = await server.app.deps.db.communication.findMany({ where: { organizationId: server.organizationId } })
    expect(message).toMatchObject({ body: '', revokedAt: expect.any(Date) })
  })

  test('reads again what was kept as unsupported, and leaves all else as it is', async () => {
    const { db } = server.app.deps
    await server.meta(change({ messages: [text('w1', 'one'), text('w2', 'two')] }))
    const { organizationId } = server
    await db.communication.updateMany({
      where: { organizationId, externalMessageId: 'w1' },
      data: { body: '', content: { kind: 'UNSUPPORTED', type: 'text', raw: {} } },
    })
    await db.communication.updateMany({ where: { organizationId, externalMessageId: 'w2' }, data: { body: 'as it is' } })
    const [receipt] = (await ask()).nodes
    expect(await replay(receipt?.id ?? '')).toMatchObject({ status: 'APPLIED' })
    const bodies = await db.communication.findMany({
      where: { organizationId },
      orderBy: { externalMessageId: 'asc' },
      select: { body: true, content: true },
    })
    expect(bodies).toEqual([
      { body: 'one', content: null },
      { body: 'as it is', content: null },
    ])
  })

  test('works for one whose bytes are in the storage, because they are many', async () => {
    const body = change({
      messages: [text('w1', 'x'.repeat(4000)), ...Array.from({ length: 100 }, (_, n) => text(`big${n}`, 'y'.repeat(4000)))],
    })
    expect((await server.meta(body)).status).toBe(200)
    const [receipt] = (await ask()).nodes
    const row = await server.app.deps.db.webhookReceipt.findUniqueOrThrow({
      where: { id: present(localId('WebhookReceipt', receipt?.id ?? '')) },
    })
    expect(row).toMatchObject({ body: null, storageKey: expect.stringMatching(/^webhooks\//), size: Buffer.byteLength(body) })
    expect(await replay(receipt?.id ?? '')).toMatchObject({ status: 'APPLIED', replays: 1 })
  })
})

test('each of many accounts of one provider is found, also when its webhook is replayed', async () => {
  const numbers = Array.from({ length: 25 }, (_, n) => `+155502000${n + 10}`)
  for (const number of numbers) await server.account('TWILIO', 'SMS', number, twilioCredentials)
  const [last = ''] = numbers.slice(-1)
  const params = { From: '+905551112233', To: last, Body: 'Hi', MessageSid: `SM${'5'.repeat(32)}` }
  expect((await server.twilio('sms', params)).status).toBe(200)
  const [sms] = (await ask()).nodes
  expect(await replay(sms?.id ?? '')).toMatchObject({ status: 'APPLIED', problem: null, channelAccount: { name: last } })

  for (let n = 0; n < 25; n++)
    await server.account('SENDGRID', 'EMAIL', `desk${n}@parley.example`, {
      ...sendgridCredentials,
      inboundSecret: `the secret of desk ${n}`,
    })
  const { body, boundary } = multipartOf({ headers: 'From: a@example.com\r\nTo: desk24@parley.example\r\n', text: 'Hello' })
  const url = `${server.app.url}/webhooks/sendgrid/contracts/inbound?key=${encodeURIComponent('the secret of desk 24')}`
  const headers = { 'content-type': `multipart/form-data; boundary=${boundary}` }
  expect((await fetch(url, { method: 'POST', headers, body: new Uint8Array(body) })).status).toBe(200)
})

test('what was kept long enough is deleted, with its bytes, and nothing else', async () => {
  const { db, storage, config } = server.app.deps
  const big = change({ messages: Array.from({ length: 100 }, (_, n) => text(`old${n}`, 'y'.repeat(4000))) })
  await server.meta(big)
  await server.meta(change({ messages: [text('fresh', 'fresh')] }))
  const { organizationId } = server
  const old = await db.webhookReceipt.findFirstOrThrow({ where: { organizationId, storageKey: { not: null } } })
  const clock = () => new Date(Date.now() + (config.WEBHOOK_RETENTION_DAYS - 1) * 86_400_000)
  expect(await pruneWebhooks({ db, storage, config, clock })).toBe(0)
  const before = new Date(Date.now() - 2 * 86_400_000)
  await db.webhookReceipt.update({ where: { id: old.id }, data: { receivedAt: before } })
  await db.receivedMessage.updateMany({ where: { externalMessageId: { startsWith: 'old' } }, data: { receivedAt: before } })
  expect(await pruneWebhooks({ db, storage, config, clock })).toBe(1)
  expect(await db.webhookReceipt.count({ where: { organizationId } })).toBe(1)
  await expect(storage.get(old.storageKey ?? '').toArray()).rejects.toMatchObject({ code: 'ENOENT' })
  // The gate has forgotten them; the messages themselves keep them from coming twice.
  expect((await server.meta(big)).status).toBe(200)
  expect(await db.communication.count({ where: { organizationId } })).toBe(101)
})

test('bytes that the storage does not delete now are left to a job', async () => {
  const { db, pool, storage, config } = server.app.deps
  await server.meta(change({ messages: Array.from({ length: 100 }, (_, n) => text(`away${n}`, 'y'.repeat(4000))) }))
  const away = { ...storage, delete: () => Promise.reject(new Error('the storage is away')) }
  const clock = () => new Date(Date.now() + (config.WEBHOOK_RETENTION_DAYS + 1) * 86_400_000)
  const { storageKey } = await db.webhookReceipt.findFirstOrThrow({ where: { storageKey: { not: null } } })
  expect(await pruneWebhooks({ db, storage: away, config, clock })).toBeGreaterThan(0)
  expect(await db.webhookReceipt.count()).toBe(0)
  const { rows } = await pool.query(`SELECT payload FROM graphile_worker._private_jobs WHERE payload::jsonb = $1::jsonb`, [{ storageKey }])
  expect(rows).toHaveLength(1)
})
