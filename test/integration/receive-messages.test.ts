import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { ConsentWord, Identity, MessageFact } from '../../src/channels/fact.ts'
import type { Config } from '../../src/config.ts'
import type { Database } from '../../src/db/client.ts'
import { newId } from '../../src/domain/ids.ts'
import { type ReceivingAccount, receiveMessages } from '../../src/domain/receive-message.ts'
import type { Received } from '../../src/domain/store-received.ts'
import { rawReceipt } from '../../src/domain/store-webhook.ts'
import { createMemoryBus } from '../../src/events/memory-bus.ts'
import type { Storage } from '../../src/storage/storage.ts'
import { testDatabase } from '../support/database.ts'

let database: Database
let sms: ReceivingAccount
let whatsapp: ReceivingAccount

/** Bytes by key. */
let stored: Map<string, Buffer>
const storage: Pick<Storage, 'put'> = {
  async put(key, body) {
    stored.set(key, body)
  },
}

const OPT_OUT: ConsentWord = { state: 'OPTED_OUT', source: 'KEYWORD' }
const OPT_IN: ConsentWord = { state: 'OPTED_IN', source: 'KEYWORD' }

const phone = (value: string): Identity => ({ kind: 'PHONE', scope: '', value, verified: true })
const whatsappId = (value: string): Identity => ({ kind: 'WHATSAPP', scope: '', value, verified: true })

const message = (sid: string, identities: Identity[], more: Partial<MessageFact> = {}): MessageFact => ({
  kind: 'message',
  externalMessageId: sid,
  address: identities[0]?.value ?? '',
  identities,
  profileName: null,
  body: `body of ${sid}`,
  content: { kind: 'TEXT' },
  attachments: [],
  payload: null,
  consent: null,
  ...more,
})

async function receive(fact: MessageFact, account = sms): Promise<Received | null> {
  const [settled] = await receiveAll([fact], account)
  if (settled?.status === 'fulfilled') return settled.value
  throw settled?.reason
}

const config = { ENCRYPTION_KEY: [Buffer.alloc(32)] } as Config

/** As one webhook brings them. */
async function receiveAll(facts: MessageFact[], account = sms) {
  const { organizationId, id: channelAccountId } = account
  const deps = { db: database.db, pool: database.pool, bus: createMemoryBus(), storage: storage as Storage, config }
  const request = { method: 'POST', url: 'https://example.test/', headers: {}, body: Buffer.from('Body=x') }
  const raw = await rawReceipt(deps, { organizationId, channelAccountId, wire: 'test', segment: 'in' }, request, request.body)
  const items = facts.map((one) => ({ account, windowHours: null, fact: one }))
  return receiveMessages(deps, raw, items)
}

/** The first runs alone; all others wait for it and share the next statement. */
const together = (...facts: (MessageFact | [MessageFact, ReceivingAccount])[]) =>
  Promise.all([receive(message(newId(), [phone('+0')])), ...facts.map((fact) => (Array.isArray(fact) ? receive(...fact) : receive(fact)))])

const events = async () =>
  (await database.db.event.findMany({ where: { organizationId: sms.organizationId }, orderBy: { seq: 'asc' } })).slice(4)

beforeAll(async () => {
  database = await testDatabase()
})
afterAll(() => database?.close())

beforeEach(async () => {
  stored = new Map()
  const organizationId = newId()
  await database.db.organization.create({ data: { id: organizationId, slug: organizationId, name: 'Test' } })
  const connect = async (channel: 'SMS' | 'WHATSAPP') => {
    const id = newId()
    await database.db.channelAccount.create({
      data: { id, organizationId, channel, provider: 'SANDBOX', status: 'ACTIVE', name: channel, address: '+1' },
    })
    return { id, organizationId, channel }
  }
  sms = await connect('SMS')
  whatsapp = await connect('WHATSAPP')
})

async function expectCountersToAgree(): Promise<void> {
  const organizationId = sms.organizationId
  const unread = await database.db.communication.count({ where: { organizationId, isRead: false } })
  const organization = await database.db.organization.findUniqueOrThrow({ where: { id: organizationId } })
  expect(organization.unreadCount).toBe(unread)
  const all = await database.db.event.findMany({ where: { organizationId }, orderBy: { seq: 'asc' } })
  expect(all.map((event) => event.seq)).toEqual(all.map((_event, index) => BigInt(index + 1)))
  expect(organization.eventSeq).toBe(BigInt(all.length))
  for (const customer of await database.db.customer.findMany({ where: { organizationId }, include: { conversations: true } })) {
    expect(customer.unreadCount).toBe(await database.db.communication.count({ where: { customerId: customer.id, isRead: false } }))
    for (const conversation of customer.conversations) {
      expect(conversation.unreadCount).toBe(
        await database.db.communication.count({ where: { conversationId: conversation.id, isRead: false } }),
      )
    }
  }
}

describe('messages that share a statement', () => {
  it('of one new sender make one customer, one conversation and every message', async () => {
    const sids = Array.from({ length: 30 }, (_, index) => `SM${index}`)
    const received = (await together(...sids.map((sid) => message(sid, [phone('+905551112233')])))).slice(1)
    expect(new Set(received.map((row) => row?.customerId)).size).toBe(1)
    expect(new Set(received.map((row) => row?.conversationId)).size).toBe(1)
    const conversation = await database.db.conversation.findUniqueOrThrow({ where: { id: received[0]?.conversationId ?? '' } })
    expect(conversation).toMatchObject({ unreadCount: 30, lastCommunicationId: received.at(-1)?.communicationId })
    await expectCountersToAgree()
  })

  it('give each its own events, in the order of arrival, with the counts of that moment', async () => {
    await together(message('a', [phone('+901')]), message('b', [phone('+902')]), message('c', [phone('+901')]))
    const logged = await events()
    expect(logged.map((event) => event.type)).toEqual([
      'CUSTOMER_CREATED',
      'CONVERSATION_CHANGED',
      'COMMUNICATION_RECEIVED',
      'UNREAD_COUNT_CHANGED',
      'CUSTOMER_CREATED',
      'CONVERSATION_CHANGED',
      'COMMUNICATION_RECEIVED',
      'UNREAD_COUNT_CHANGED',
      'COMMUNICATION_RECEIVED',
      'UNREAD_COUNT_CHANGED',
    ])
    expect(logged.filter((event) => event.type === 'UNREAD_COUNT_CHANGED').map((event) => event.data)).toEqual([
      { customerUnreadCount: 1, conversationUnreadCount: 1, organizationUnreadCount: 2 },
      { customerUnreadCount: 1, conversationUnreadCount: 1, organizationUnreadCount: 3 },
      { customerUnreadCount: 2, conversationUnreadCount: 2, organizationUnreadCount: 4 },
    ])
  })

  it('count a repeated one once', async () => {
    const received = await together(message('same', [phone('+901')]), message('same', [phone('+901')]), message('same', [phone('+901')]))
    expect(received.slice(1).filter((row) => row !== null)).toHaveLength(1)
    expect(await receive(message('same', [phone('+901')]))).toBeNull()
    await expectCountersToAgree()
  })

  it('reopen a closed conversation once', async () => {
    const first = await receive(message('first', [phone('+901')]))
    await database.db.conversation.update({ where: { id: first?.conversationId ?? '' }, data: { status: 'CLOSED' } })
    const before = await database.db.event.count({ where: { organizationId: sms.organizationId } })
    await together(message('a', [phone('+901')]), message('b', [phone('+901')]))
    const after = await database.db.event.findMany({ where: { organizationId: sms.organizationId, seq: { gt: before } } })
    expect(after.filter((event) => event.type === 'CONVERSATION_CHANGED' && event.conversationId === first?.conversationId)).toHaveLength(1)
    expect(await database.db.conversation.findUniqueOrThrow({ where: { id: first?.conversationId ?? '' } })).toMatchObject({
      status: 'OPEN',
      unreadCount: 3,
    })
  })

  it('find a person by one identity on two channels', async () => {
    const [, a, b] = await together(message('a', [phone('+901')]), [message('b', [phone('+901')]), whatsapp])
    expect(a?.customerId).toBe(b?.customerId)
    expect(a?.conversationId).not.toBe(b?.conversationId)
    await expectCountersToAgree()
  })

  it('take the name and further identities along, and never join two customers', async () => {
    const first = await receive(message('first', [phone('+901')]))
    const other = await receive(message('other', [whatsappId('TR.1')]), whatsapp)
    const [, named] = await together([message('named', [whatsappId('TR.2'), phone('+901')], { profileName: 'Ayşe' }), whatsapp])
    expect(named?.customerId).toBe(first?.customerId)
    const [, torn] = await together([message('torn', [whatsappId('TR.1'), phone('+901')]), whatsapp])
    expect(torn?.customerId).toBe(other?.customerId)
    expect(await database.db.customer.findUniqueOrThrow({ where: { id: first?.customerId ?? '' } })).toMatchObject({ name: 'Ayşe' })
    await expectCountersToAgree()
  })

  it('keep every word on consent, and let the last one count', async () => {
    const person = [phone('+901')]
    const inForce = async () => {
      const entries = await database.db.consentEntry.findMany({
        where: { organizationId: sms.organizationId },
        orderBy: [{ occurredAt: 'desc' }, { id: 'desc' }],
        distinct: ['purpose'],
      })
      return entries.map(({ purpose, state }) => `${purpose} ${state}`).sort()
    }
    await together(
      message('a', person, { consent: OPT_OUT }),
      message('b', person, { consent: OPT_IN }),
      message('c', person, { consent: OPT_OUT }),
    )
    expect(await inForce()).toEqual(['MARKETING OPTED_OUT', 'TRANSACTIONAL OPTED_OUT'])
    expect(await database.db.consentEntry.count({ where: { organizationId: sms.organizationId } })).toBe(6)
    const words = async () => (await events()).filter(({ type }) => type.startsWith('CUSTOMER_OPTED')).map(({ type }) => type)
    expect(await words()).toEqual(['CUSTOMER_OPTED_OUT', 'CUSTOMER_OPTED_IN', 'CUSTOMER_OPTED_OUT'])
    await together(message('d', person, { consent: OPT_OUT }), message('e', person, { consent: OPT_IN }))
    expect(await inForce()).toEqual(['MARKETING OPTED_IN', 'TRANSACTIONAL OPTED_IN'])
    expect(await words()).toHaveLength(4)
  })

  it('suggest, once, to merge two customers whom one message names, and merge nobody', async () => {
    const first = await receive(message('first', [phone('+901')]))
    const other = await receive(message('other', [whatsappId('TR.1')]), whatsapp)
    await together(
      [message('torn', [whatsappId('TR.1'), phone('+901')]), whatsapp],
      [message('again', [whatsappId('TR.1'), phone('+901')]), whatsapp],
    )
    await receive(message('reversed', [phone('+901'), whatsappId('TR.1')]), whatsapp)
    const suggestions = await database.db.mergeSuggestion.findMany({ where: { organizationId: sms.organizationId } })
    expect(suggestions).toMatchObject([
      { customerId: other?.customerId, otherCustomerId: first?.customerId, kind: 'PHONE', value: '+901', status: 'OPEN' },
    ])
    expect((await events()).filter(({ type }) => type === 'MERGE_SUGGESTED')).toMatchObject([
      { customerId: other?.customerId, data: { mergeSuggestionId: suggestions[0]?.id, otherCustomerId: first?.customerId } },
    ])
    await expectCountersToAgree()
  })

  it('that react to another one tell of that one too', async () => {
    const first = await receive(message('first', [phone('+901')]), whatsapp)
    const content = { kind: 'REACTION', emoji: '👍', target: 'first' } as const
    await receive(message('reaction', [phone('+901')], { content, inReplyTo: 'first', body: '👍' }), whatsapp)
    await receive(message('to nothing', [phone('+901')], { content: { ...content, target: 'unknown' }, body: '👍' }), whatsapp)
    const changes = (await database.db.event.findMany({ where: { organizationId: sms.organizationId } })).filter(
      ({ type }) => type === 'COMMUNICATION_CHANGED',
    )
    expect(changes).toMatchObject([{ communicationId: first?.communicationId, data: { change: 'reaction' } }])
  })

  it('of the business itself are sent messages: nobody has to read them, and no window opens', async () => {
    const sentAt = new Date('2026-11-20T10:00:00Z')
    const [, echo, answer] = await together(
      message('echo', [phone('+901')], { direction: 'OUTBOUND', sentAt }),
      message('answer', [phone('+901')]),
    )
    expect(echo?.conversationId).toBe(answer?.conversationId)
    expect(await database.db.communication.findUniqueOrThrow({ where: { id: echo?.communicationId ?? '' } })).toMatchObject({
      direction: 'OUTBOUND',
      deliveryStatus: 'SENT',
      isRead: true,
      sentAt,
    })
    const conversation = await database.db.conversation.findUniqueOrThrow({ where: { id: echo?.conversationId ?? '' } })
    expect(conversation).toMatchObject({ inboundCount: 1, outboundCount: 1, unreadCount: 1, windowExpiresAt: null })
    await database.db.conversation.update({ where: { id: conversation.id }, data: { status: 'CLOSED' } })
    await receive(message('echo 2', [phone('+901')], { direction: 'OUTBOUND' }))
    expect(await database.db.conversation.findUniqueOrThrow({ where: { id: conversation.id } })).toMatchObject({ status: 'CLOSED' })
    const types = (await events()).filter(({ communicationId }) => communicationId === echo?.communicationId).map(({ type }) => type)
    expect(types).toContain('COMMUNICATION_CREATED')
    expect(types).not.toContain('UNREAD_COUNT_CHANGED')
    await expectCountersToAgree()
  })

  it('keep their content, what they answer, the window they open and their e-mail', async () => {
    const content = { kind: 'LOCATION', latitude: 41, longitude: 29, name: 'Office', address: null, url: null } as const
    const email = {
      messageId: 'a@b',
      references: ['x@y', 'z@y'],
      from: { name: 'Ayşe', address: 'a@example.com' },
      to: [{ name: null, address: 'us@example.com' }],
      cc: [],
      html: '<p>Hi</p>',
      quotedText: null,
    }
    const received = await receive(
      message('rich', [phone('+901')], { content, email, inReplyTo: 'before', window: { hours: 72, reason: 'AD_REFERRAL' } }),
      whatsapp,
    )
    const row = await database.db.communication.findUniqueOrThrow({
      where: { id: received?.communicationId ?? '' },
      include: { email: true },
    })
    expect(row).toMatchObject({ content, inReplyTo: 'before', email: { ...email, communicationId: row.id } })
    const conversation = await database.db.conversation.findUniqueOrThrow({ where: { id: received?.conversationId ?? '' } })
    expect(conversation.windowReason).toBe('AD_REFERRAL')
    expect(Number(conversation.windowExpiresAt) - Number(row.createdAt)).toBe(72 * 3_600_000)
    expect(conversation.lastInboundAt).toEqual(row.createdAt)
  })

  it('answer another e-mail only within one customer', async () => {
    const email = (messageId: string, references: string[]) => ({
      email: { messageId, references, from: { name: null, address: 'a@example.com' }, to: [], cc: [], html: null, quotedText: null },
    })
    const mailbox = (value: string): Identity => ({ kind: 'EMAIL', scope: '', value, verified: true })
    await receive(message('first', [mailbox('a@example.com')], email('first@example.com', [])))
    const own = await receive(message('own', [mailbox('a@example.com')], email('own@example.com', ['first@example.com'])))
    const strange = await receive(message('strange', [mailbox('b@example.com')], email('strange@example.com', ['first@example.com'])))
    const parentOf = async (received: Received | null) =>
      (await database.db.communication.findUniqueOrThrow({ where: { id: received?.communicationId ?? '' } })).inReplyTo
    expect(await parentOf(own)).toBe('first')
    expect(await parentOf(strange)).toBeNull()
    expect(strange?.customerId).not.toBe(own?.customerId)
  })

  it('of one webhook are stored with it once, and a webhook that brings nothing new is not', async () => {
    const count = () => database.db.webhookReceipt.count({ where: { organizationId: sms.organizationId } })
    const facts = Array.from({ length: 20 }, (_, n) => message(`batch ${n}`, [phone(`+90${n % 7}1`)]))
    expect((await receiveAll(facts)).map((one) => one.status === 'fulfilled' && one.value !== null)).toEqual(facts.map(() => true))
    expect(await count()).toBe(1)
    expect((await receiveAll(facts)).map((one) => one.status === 'fulfilled' && one.value === null)).toEqual(facts.map(() => true))
    expect(await count()).toBe(1)
    await expectCountersToAgree()
  })

  it('queue a job for each attachment', async () => {
    const attachments = [
      { url: 'https://api.twilio.com/1', contentType: 'image/png' },
      { url: 'https://api.twilio.com/2', contentType: null, filename: 'b' },
    ]
    const [, a] = await together(message('a', [phone('+901')], { attachments }), message('b', [phone('+902')]))
    const kept = await database.db.attachment.findMany({ where: { communicationId: a?.communicationId ?? '' }, orderBy: { id: 'asc' } })
    expect(kept.map((file) => [file.sourceUrl, file.contentType, file.filename])).toEqual([
      ['https://api.twilio.com/1', 'image/png', null],
      ['https://api.twilio.com/2', null, 'b'],
    ])
    const jobs = await database.pool.query(`SELECT count(*)::int AS n FROM graphile_worker.jobs WHERE task_identifier = 'fetch-attachment'`)
    expect(jobs.rows).toEqual([{ n: 2 }])
  })

  it('store what came with the message before any row names it', async () => {
    const received = await receive(
      message('a', [phone('+901')], {
        attachments: [{ url: null, bytes: Buffer.from('bytes'), contentType: 'text/plain', contentId: 'part1' }],
      }),
    )
    const [file] = await database.db.attachment.findMany({ where: { communicationId: received?.communicationId ?? '' } })
    expect(file).toMatchObject({ status: 'STORED', size: 5, contentId: 'part1', sourceUrl: null })
    expect(stored.get(file?.storageKey ?? '')?.toString()).toBe('bytes')
  })

  it('do not fall with one that cannot be stored', async () => {
    const broken = { ...phone('+903'), kind: 'NONE' } as unknown as Identity
    const results = await Promise.allSettled([
      receive(message('alone', [phone('+900')])),
      receive(message('a', [phone('+901')])),
      receive(message('broken', [broken])),
      receive(message('b', [phone('+902')])),
    ])
    expect(results.map((result) => result.status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled'])
    expect(await database.db.communication.count({ where: { organizationId: sms.organizationId } })).toBe(3)
    await expectCountersToAgree()
  })
})
