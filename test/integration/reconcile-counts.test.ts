import { afterAll, beforeAll, expect, test } from 'vitest'
import { localId } from '../../schema/global-id.ts'
import type { Difference } from '../../src/domain/differing-counts.ts'
import { foldChannelStats } from '../../src/domain/fold-channel-stats.ts'
import { reconcileCounts } from '../../src/domain/reconcile-counts.ts'
import { enqueue } from '../../src/jobs/enqueue.ts'
import { ChannelStatsDocument, InboxDocument, MarkReadDocument, SendMessageDocument } from '../generated/graphql.ts'
import { startTestApp, type TestApp } from '../support/app.ts'
import { eventually } from '../support/eventually.ts'
import { openOrganization, type TestOrganization } from '../support/organization.ts'
import { member, present } from '../support/result.ts'

const PERSON = '+905557770001'

let app: TestApp
let org: TestOrganization
let customerId: string
let conversationId: string

const reconcile = () => reconcileCounts(app.deps, org.id)
const sql = (text: string, values: unknown[] = []) => app.deps.pool.query(text, values)
const statsNow = async () => (await org.ask(ChannelStatsDocument)).channelStats

beforeAll(async () => {
  app = await startTestApp()
  org = await openOrganization(app, { slug: 'reconciled' })
  for (let n = 0; n < 3; n++) await org.sms.inbound(PERSON, `message ${n}`)
  await org.whatsapp.inbound(PERSON, 'elsewhere')
  const row = present((await org.ask(InboxDocument, { filter: { channels: ['SMS'] } })).conversations.nodes[0])
  await org.ask(SendMessageDocument, { input: { to: { conversationId: row.id }, content: { text: 'answer' } } })
  customerId = present(localId('Customer', row.customer.id))
  conversationId = present(localId('Conversation', row.id))
})
afterAll(() => app?.close())

const other = '01890000-0000-7000-8000-000000000001'

const spoilt: { name: string; spoil: () => Promise<unknown>; found: () => Partial<Difference>; counts: string[] }[] = [
  {
    name: 'the unread count of the organization',
    spoil: () => sql('UPDATE organization SET unread_count = unread_count + 5 WHERE id = $1', [org.id]),
    found: () => ({ count: 'organization', id: org.id, kept: { unreadCount: 9 }, counted: { unreadCount: 4 } }),
    counts: ['unreadCount'],
  },
  {
    name: 'the unread count of a customer',
    spoil: () => sql('UPDATE customer SET unread_count = 0 WHERE id = $1', [customerId]),
    found: () => ({ count: 'customer', id: customerId, kept: { unreadCount: 0 }, counted: { unreadCount: 4 } }),
    counts: ['unreadCount'],
  },
  {
    name: 'the unread count of a conversation',
    spoil: () => sql('UPDATE conversation SET unread_count = 1 WHERE id = $1', [conversationId]),
    found: () => ({ count: 'conversation', id: conversationId, kept: { unreadCount: 1 }, counted: { unreadCount: 3 } }),
    counts: ['unreadCount'],
  },
  {
    name: 'the messages of a conversation',
    spoil: () => sql('UPDATE conversation SET inbound_count = 7, outbound_count = 8 WHERE id = $1', [conversationId]),
    found: () => ({ kept: { inboundCount: 7, outboundCount: 8 }, counted: { inboundCount: 3, outboundCount: 1 } }),
    counts: ['inboundCount', 'outboundCount'],
  },
  {
    name: 'the latest activity of a conversation',
    spoil: () =>
      sql(`UPDATE conversation SET last_communication_id = $2, last_activity_at = '2020-01-01' WHERE id = $1`, [conversationId, other]),
    found: () => ({ count: 'conversation', id: conversationId }),
    counts: ['lastActivityAt', 'lastCommunicationId'],
  },
  {
    name: 'the statistics of a channel, lately',
    spoil: () => sql('UPDATE channel_stat SET inbound = inbound + 2, failed = failed + 3 WHERE organization_id = $1', [org.id]),
    found: () => ({
      count: 'channel_stat',
      kept: expect.objectContaining({ channel: 'WHATSAPP', inbound: 3, outbound: 0, unread: 1, failed: 3 }),
    }),
    counts: ['channel', 'failed', 'inbound', 'outbound', 'quarter', 'unread'],
  },
  {
    name: 'the statistics of a channel, long ago',
    spoil: () => sql(`INSERT INTO channel_stat VALUES ($1, 'SMS', '-infinity', 9, 9, 9, 9)`, [org.id]),
    found: () => ({ counted: { channel: 'SMS', quarter: '-infinity', inbound: 0, outbound: 0, unread: 0, failed: 0 } }),
    counts: ['channel', 'failed', 'inbound', 'outbound', 'quarter', 'unread'],
  },
  {
    name: 'the statistics of a channel that are lost',
    spoil: () => sql('DELETE FROM channel_stat WHERE organization_id = $1', [org.id]),
    found: () => ({ count: 'channel_stat', id: null, counted: expect.objectContaining({ inbound: 3, outbound: 1, unread: 3, failed: 0 }) }),
    counts: ['channel', 'failed', 'inbound', 'outbound', 'quarter', 'unread'],
  },
]

test.each(spoilt)('$name is found where it is spoilt, and mended', async ({ spoil, found, counts }) => {
  expect(await reconcile()).toEqual([])
  await foldChannelStats(app.deps)
  const before = await statsNow()
  await spoil()
  const differences = await reconcile()
  expect(differences).toContainEqual(expect.objectContaining({ organizationId: org.id, ...found() }))
  for (const difference of differences) expect(Object.keys(difference.counted).sort()).toEqual(counts)
  expect(await reconcile()).toEqual([])
  expect(await statsNow()).toEqual(before)
})

test('who follows the log learns of a mended unread count', async () => {
  const { eventSeq } = await app.deps.db.organization.findUniqueOrThrow({ where: { id: org.id } })
  await sql('UPDATE customer SET unread_count = 0 WHERE id = $1', [customerId])
  await sql('UPDATE organization SET unread_count = 0 WHERE id = $1', [org.id])
  expect(await reconcile()).toHaveLength(2)
  const events = await app.deps.db.event.findMany({ where: { organizationId: org.id, seq: { gt: eventSeq } }, orderBy: { seq: 'asc' } })
  expect(events).toMatchObject([
    { type: 'UNREAD_COUNT_CHANGED', customerId, data: { customerUnreadCount: 4 } },
    { type: 'UNREAD_COUNT_CHANGED', customerId: null, data: { organizationUnreadCount: 4 } },
  ])
})

test('the job goes through the customers of all organizations, tells of what it finds, and counts it', async () => {
  const second = await openOrganization(app, { slug: 'reconciled-too' })
  // More than are counted by one statement.
  await sql(`INSERT INTO customer (id, organization_id, unread_count) SELECT uuidv7(), $1, n / 700 FROM generate_series(1, 700) AS n`, [
    second.id,
  ])
  await sql('UPDATE customer SET unread_count = 0 WHERE id = $1', [customerId])
  await enqueue(app.deps.db, 'reconcile-counts', {})
  await eventually(async () => {
    const metrics = await (await fetch(`${app.url}/metrics`)).text()
    expect(metrics).toContain('parley_count_differences_total{count="customer"} 2')
  })
  expect(await reconcileCounts(app.deps)).toEqual([])
})

test('nobody who receives, sends, reads and folds at the same time is taken for a difference', async () => {
  const people = Array.from({ length: 5 }, (_, n) => `+90555777010${n}`)
  let writing = true
  const found: Difference[] = []
  let rounds = 0
  const judge = async () => {
    while (writing) {
      found.push(...(await reconcile()))
      rounds += 1
    }
  }
  const fold = async () => {
    while (writing) await Promise.all([foldChannelStats(app.deps), foldChannelStats(app.deps)])
  }
  const write = async (person: string) => {
    for (let n = 0; n < 12; n++) {
      await Promise.all([org.sms.inbound(person, `message ${n}`), org.whatsapp.inbound(person, `message ${n}`)])
      if (n % 3 !== 0) continue
      const { nodes } = (await org.ask(InboxDocument, { filter: { search: person } })).conversations
      const row = present(nodes[0])
      await Promise.all([
        org.ask(SendMessageDocument, { input: { to: { conversationId: row.id }, content: { text: 'answer' } } }),
        org.ask(MarkReadDocument, { input: { target: { customerId: row.customer.id } } }),
      ])
    }
  }
  const judging = Promise.all([judge(), judge(), fold()])
  await Promise.all(people.map(write)).finally(() => {
    writing = false
  })
  await judging
  expect(found).toEqual([])
  expect(rounds).toBeGreaterThan(5)
  const total = (await statsNow()).reduce((sum, { total: messages }) => sum + messages, 0)
  expect(total).toBe(await app.deps.db.communication.count({ where: { organizationId: org.id } }))
  expect(total).toBeGreaterThan(5 * 12 * 2)
})

test('a message that fails, is read, moves and goes is counted once', async () => {
  const { sid } = await org.sms.inbound('+905557770200', 'soon gone')
  const sent = await org.ask(SendMessageDocument, {
    input: { to: { address: '+15005550001' }, channel: 'SMS', content: { text: 'fails' } },
  })
  member(sent.sendMessage, 'SendMessageSuccess')
  const failed = async () => present((await statsNow()).find(({ channel }) => channel === 'SMS')).failed
  await eventually(async () => expect(await failed()).toBe(1))
  const before = present((await statsNow()).find(({ channel }) => channel === 'SMS'))
  await sql(`UPDATE communication SET is_read = true WHERE external_message_id = $1`, [sid])
  expect((await statsNow()).find(({ channel }) => channel === 'SMS')).toMatchObject({ unread: before.unread - 1, total: before.total })
  await sql(`DELETE FROM communication WHERE external_message_id = $1`, [sid])
  expect((await statsNow()).find(({ channel }) => channel === 'SMS')).toMatchObject({
    total: before.total - 1,
    inbound: before.inbound - 1,
  })
  // What the two statements did by hand is what is told of now, and nothing else.
  expect((await reconcile()).map(({ count }) => count).sort()).toEqual(['conversation', 'customer', 'organization'])
})
