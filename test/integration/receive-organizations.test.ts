import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { Identity, MessageFact } from '../../src/channels/fact.ts'
import { type Database, openDatabase } from '../../src/db/client.ts'
import { UserError } from '../../src/domain/errors.ts'
import { newId } from '../../src/domain/ids.ts'
import { markRead } from '../../src/domain/mark-read.ts'
import { mergeCustomers } from '../../src/domain/merge-customers.ts'
import { type ReceivingAccount, receiveMessages } from '../../src/domain/receive-message.ts'
import { rawReceipt } from '../../src/domain/store-webhook.ts'
import { startTestApp, type TestApp } from '../support/app.ts'
import { countStatements } from '../support/count-statements.ts'

let app: TestApp
/** Of another server process. */
let elsewhere: Database
let accounts: ReceivingAccount[]

beforeAll(async () => {
  app = await startTestApp({ WORKER: 'off' })
  elsewhere = openDatabase(app.databaseUrl, { max: 4, log: app.deps.log })
})
afterAll(async () => {
  await elsewhere?.close()
  await app?.close()
})

beforeEach(async () => {
  accounts = []
  for (let n = 0; n < 12; n++) {
    const [organizationId, id] = [newId(), newId()]
    await app.deps.db.organization.create({ data: { id: organizationId, slug: organizationId, name: 'Test' } })
    await app.deps.db.channelAccount.create({
      data: { id, organizationId, channel: 'SMS', provider: 'SANDBOX', status: 'ACTIVE', name: 'SMS', address: '+1' },
    })
    accounts.push({ id, organizationId, channel: 'SMS' })
  }
})

const identity = (kind: Identity['kind'], value: string): Identity => ({ kind, scope: '', value, verified: true })

const message = (number: string, more: Partial<MessageFact> = {}): MessageFact => ({
  kind: 'message',
  externalMessageId: newId(),
  address: number,
  identities: [identity('PHONE', number)],
  profileName: null,
  body: 'Hello',
  content: { kind: 'TEXT' },
  attachments: [],
  payload: null,
  consent: null,
  ...more,
})

/** By a webhook of its own, whose body is the message's. */
async function receive(account: ReceivingAccount, fact: MessageFact, database: Pick<Database, 'db' | 'pool'> = app.deps) {
  const { id: channelAccountId, organizationId } = account
  const deps = { ...app.deps, ...database }
  const request = { method: 'POST', url: 'https://example.test/', headers: {}, body: Buffer.from(fact.body) }
  const raw = await rawReceipt(deps, { organizationId, channelAccountId, wire: 'test', segment: 'in' }, request, request.body)
  const [settled] = await receiveMessages(deps, raw, [{ account, windowHours: null, fact }])
  if (settled?.status !== 'fulfilled') throw settled?.reason
  return settled.value
}

/** What is in the wrong organization, miscounted or misnumbered. */
const faults = async () =>
  (
    await app.deps.pool.query(
      `SELECT 'row of another organization' AS fault, m.id::text FROM communication m JOIN customer u ON u.id = m.customer_id
         JOIN conversation c ON c.id = m.conversation_id JOIN channel_account a ON a.id = m.channel_account_id
         WHERE m.organization_id <> a.organization_id OR u.organization_id <> a.organization_id OR c.organization_id <> a.organization_id
       UNION ALL
       SELECT 'identity of another organization', i.id::text FROM customer_identity i JOIN customer u ON u.id = i.customer_id
         WHERE u.organization_id <> i.organization_id
       UNION ALL
       SELECT 'event of another organization', e.seq::text FROM event e JOIN communication m ON m.id = e.communication_id
         WHERE m.organization_id <> e.organization_id
       UNION ALL
       SELECT 'webhook of another organization', r.id::text FROM webhook_receipt r JOIN channel_account a ON a.id = r.channel_account_id
         WHERE r.organization_id <> a.organization_id
       UNION ALL
       SELECT 'gap in the log', o.slug FROM organization o LEFT JOIN event e ON e.organization_id = o.id
         GROUP BY o.id HAVING o.event_seq <> count(e.seq) OR o.event_seq <> coalesce(max(e.seq), 0)
       UNION ALL
       SELECT 'organization counts', o.slug FROM organization o LEFT JOIN communication m ON m.organization_id = o.id AND NOT m.is_read
         GROUP BY o.id HAVING o.unread_count <> count(m.id)
       UNION ALL
       SELECT 'customer counts', u.id::text FROM customer u LEFT JOIN communication m ON m.customer_id = u.id AND NOT m.is_read
         GROUP BY u.id HAVING u.unread_count <> count(m.id)
       UNION ALL
       SELECT 'conversation counts', c.id::text FROM conversation c LEFT JOIN communication m ON m.conversation_id = c.id
         GROUP BY c.id HAVING c.unread_count <> count(m.id) FILTER (WHERE NOT m.is_read) 
           OR c.inbound_count <> count(m.id) FILTER (WHERE m.direction = 'INBOUND')`,
    )
  ).rows

const countIn = (account: ReceivingAccount) => app.deps.db.communication.count({ where: { organizationId: account.organizationId } })

/** Each message with its own webhook's body. */
async function expectReceiptsOf({ organizationId }: ReceivingAccount): Promise<void> {
  const kept = await app.deps.db.webhookReceipt.findMany({ where: { organizationId } })
  const said = await app.deps.db.communication.findMany({ where: { organizationId } })
  expect(kept.map(({ body }) => Buffer.from(body ?? []).toString()).sort()).toEqual(said.map(({ body }) => body).sort())
}

// The same people write to all of them.
const NUMBERS = ['+905550000001', '+905550000002', '+905550000003', '+905550000004']

/** `n` messages to each organization, in turn. */
const toAll = (n: number) =>
  Array.from({ length: n }, (_, index) => accounts.map((account) => [account, NUMBERS[index % NUMBERS.length] ?? ''] as const)).flat()

test('messages of many organizations share a statement, and each is its own organization’s', async () => {
  const statements = countStatements()
  const received = await Promise.all(
    Array.from({ length: 10 }, (_, n) =>
      accounts.map((account) => receive(account, message(`+90555000000${n}`, { body: `body ${n}` }))),
    ).flat(),
  )
  // The first goes alone; the others wait for it.
  expect(statements.count()).toBe(2)
  statements.stop()
  expect(received.filter((one) => one === null)).toEqual([])
  for (const account of accounts) {
    expect(await countIn(account)).toBe(10)
    expect(await app.deps.db.customer.count({ where: { organizationId: account.organizationId } })).toBe(10)
    await expectReceiptsOf(account)
  }
  expect(await faults()).toEqual([])
})

test('messages of one sender come in their order, each beside those of other senders', async () => {
  const statements = countStatements()
  await Promise.all(toAll(12).map(([account, number], n) => receive(account, message(number, { body: `body ${n}` }))))
  // The first goes alone, and each of the four numbers writes three times to each organization.
  expect(statements.count()).toBe(4)
  statements.stop()
  for (const account of accounts) {
    const { organizationId } = account
    expect(await app.deps.db.customer.count({ where: { organizationId } })).toBe(NUMBERS.length)
    await expectReceiptsOf(account)
    const events = await app.deps.db.event.findMany({ where: { organizationId, type: 'COMMUNICATION_RECEIVED' }, orderBy: { seq: 'asc' } })
    const logged = new Map(events.map(({ communicationId }, place) => [communicationId, place]))
    for (const { communications } of await app.deps.db.customer.findMany({
      where: { organizationId },
      select: { communications: { orderBy: { id: 'asc' } } },
    })) {
      const places = communications.map(({ id }) => logged.get(id) ?? Number.NaN)
      expect(places).toHaveLength(3)
      expect(places).toEqual(places.toSorted((a, b) => a - b))
    }
  }
  expect(await faults()).toEqual([])
})

test('messages of two names of one customer are told apart from those of two customers', async () => {
  const [account] = accounts as [ReceivingAccount]
  const [number, id] = [identity('PHONE', '+905550000007'), identity('WHATSAPP', 'TR.7')]
  await receive(account, message('+905550000007', { identities: [number, id] }))
  const received = await Promise.all([
    receive(account, message('+905550000008')),
    receive(account, message('+905550000007', { identities: [number] })),
    receive(account, message('+905550000007', { identities: [id] })),
    receive(account, message('+905550000009')),
  ])
  expect(new Set(received.map((one) => one?.customerId)).size).toBe(3)
  expect(received[1]?.conversationId).toBe(received[2]?.conversationId)
  expect(await faults()).toEqual([])
})

test('a plain message becomes the same alone, among plain ones and among those that are not', async () => {
  const [alone, among, amongOthers, third] = accounts as [ReceivingAccount, ReceivingAccount, ReceivingAccount, ReceivingAccount]
  const other = (n: number) => message(`+90555100000${n}`)
  const optOut = () => message('+905550000002', { consent: { state: 'OPTED_OUT', source: 'KEYWORD' } })
  const ways: [ReceivingAccount, (fact: MessageFact) => Promise<unknown>][] = [
    [alone, (fact) => receive(alone, fact)],
    [among, (fact) => Promise.all([receive(third, other(1)), receive(third, other(2)), receive(among, fact)])],
    [amongOthers, (fact) => Promise.all([receive(third, other(3)), receive(third, optOut()), receive(amongOthers, fact)])],
  ]
  const plain = (more: Partial<MessageFact> = {}) =>
    message('+905550000001', { profileName: 'Ayşe', payload: { forwarded: true }, inReplyTo: 'before', body: 'Yes', ...more })
  for (const [{ organizationId }, store] of ways) {
    await store(plain())
    await store(plain({ window: { hours: 72, reason: 'AD_REFERRAL' } }))
    await app.deps.db.conversation.updateMany({ where: { organizationId }, data: { status: 'CLOSED' } })
    await store(plain({ direction: 'OUTBOUND', sentAt: new Date('2026-11-20T10:00:00Z') }))
    await store(plain({ content: { kind: 'MEDIA', media: 'STICKER', caption: null } }))
    await store(plain({ window: { hours: 24, reason: 'CUSTOMER_MESSAGE' } }))
  }
  const madeIn = async ({ organizationId }: ReceivingAccount) => {
    const where = { organizationId }
    const orderBy = { id: 'asc' } as const
    const omit = {
      id: true,
      organizationId: true,
      customerId: true,
      conversationId: true,
      channelAccountId: true,
      createdAt: true,
    } as const
    return {
      customers: await app.deps.db.customer.findMany({ where, select: { name: true, unreadCount: true } }),
      identities: await app.deps.db.customerIdentity.findMany({ where, select: { kind: true, scope: true, value: true, verified: true } }),
      conversations: await app.deps.db.conversation.findMany({
        where,
        select: { status: true, address: true, unreadCount: true, inboundCount: true, outboundCount: true, windowReason: true },
      }),
      communications: await app.deps.db.communication.findMany({ where, omit: { ...omit, externalMessageId: true }, orderBy }),
      receipts: await app.deps.db.webhookReceipt.findMany({
        where,
        omit: { id: true, organizationId: true, channelAccountId: true, receivedAt: true },
        orderBy,
      }),
      events: await app.deps.db.event.findMany({ where, select: { seq: true, type: true, data: true }, orderBy: { seq: 'asc' } }),
    }
  }
  const made = await madeIn(alone)
  expect(made.events.map(({ type }) => type)).toEqual([
    'CUSTOMER_CREATED',
    'CONVERSATION_CHANGED',
    'COMMUNICATION_RECEIVED',
    'UNREAD_COUNT_CHANGED',
    'COMMUNICATION_RECEIVED',
    'UNREAD_COUNT_CHANGED',
    'COMMUNICATION_CREATED',
    'CONVERSATION_CHANGED',
    'COMMUNICATION_RECEIVED',
    'UNREAD_COUNT_CHANGED',
    'COMMUNICATION_RECEIVED',
    'UNREAD_COUNT_CHANGED',
  ])
  expect(await madeIn(among)).toEqual(made)
  expect(await madeIn(amongOthers)).toEqual(made)
})

test('one that cannot be stored takes none of another organization with it', async () => {
  const broken = message('+1', { identities: [{ kind: 'NONE', scope: '', value: '+1', verified: true } as unknown as Identity] })
  const all = toAll(4).map(([account, number]) => [account, message(number)] as const)
  const poisoned = [...all.slice(0, 20), [accounts[3] as ReceivingAccount, broken] as const, ...all.slice(20)]
  const settled = await Promise.allSettled(poisoned.map(([account, fact]) => receive(account, fact)))
  expect(settled.flatMap(({ status }, n) => (status === 'rejected' ? [n] : []))).toEqual([20])
  for (const account of accounts) expect(await countIn(account)).toBe(4)
  expect(await faults()).toEqual([])
})

test('an organization that is locked holds up no other, and gets its messages in their order when it is free', async () => {
  const [slow, ...others] = accounts as [ReceivingAccount, ...ReceivingAccount[]]
  const gate = await app.deps.pool.connect()
  await gate.query('BEGIN')
  await gate.query('SELECT FROM organization WHERE id = $1 FOR UPDATE', [slow.organizationId])
  const stored: string[] = []
  const late = (body: string) => receive(slow, message('+905550000009', { body })).then(() => stored.push(body))
  const first = late('first')
  await Promise.all(others.flatMap((account) => NUMBERS.map((number) => receive(account, message(number)))))
  const second = late('second')
  for (const account of others) await receive(account, message('+905550000001'))
  const third = late('third')
  await receive(others[0] as ReceivingAccount, message('+905550000001'))
  expect(stored).toEqual([])
  await gate.query('COMMIT')
  gate.release()
  await Promise.all([first, second, third])
  for (const account of others.slice(1)) expect(await countIn(account)).toBe(NUMBERS.length + 1)
  const events = await app.deps.db.event.findMany({
    where: { organizationId: slow.organizationId, type: 'COMMUNICATION_RECEIVED' },
    orderBy: { seq: 'asc' },
  })
  const bodies = await app.deps.db.communication.findMany({ where: { organizationId: slow.organizationId } })
  expect(events.map(({ communicationId }) => bodies.find(({ id }) => id === communicationId)?.body)).toEqual(['first', 'second', 'third'])
  expect(await faults()).toEqual([])
})

test('two servers, reading and merging at the same time come to no deadlock and lose nothing', async () => {
  for (const [account, number] of toAll(NUMBERS.length)) await receive(account, message(number))
  let writing = true
  const disturb = async ({ organizationId }: ReceivingAccount) => {
    const actor = { organizationId, memberId: null }
    const customers = await app.deps.db.customer.findMany({ where: { organizationId }, orderBy: { id: 'asc' } })
    for (let n = 0; writing; n++) {
      const customerId = customers[n % customers.length]?.id ?? ''
      const otherId = customers[(n + 1) % customers.length]?.id ?? ''
      try {
        await markRead(app.deps, actor, { target: { customerId } })
        if (n === 3) await mergeCustomers(app.deps, actor, { survivorId: customerId, mergedId: otherId })
      } catch (error) {
        if (!(error instanceof UserError)) throw error
      }
    }
  }
  const disturbed = Promise.all(accounts.slice(0, 4).map(disturb))
  const write = async (database: Pick<Database, 'db' | 'pool'>) => {
    for (let round = 0; round < 8; round++)
      await Promise.all(toAll(4).map(([account, number]) => receive(account, message(number), database)))
  }
  await Promise.all([write(app.deps), write(elsewhere)]).finally(() => {
    writing = false
  })
  await disturbed
  for (const account of accounts) expect(await countIn(account)).toBe(NUMBERS.length + 2 * 8 * 4)
  expect(await faults()).toEqual([])
})
