import fc from 'fast-check'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { sealedCredentials } from '../../src/domain/channel-credentials.ts'
import { createOrganization } from '../../src/domain/create-organization.ts'
import { newId } from '../../src/domain/ids.ts'
import { type ContractServer, startContractServer } from '../support/contract-files.ts'
import { countStatements } from '../support/count-statements.ts'

let server: ContractServer
let account: string

const ours = { phone_number_id: '111', display_phone_number: '15550001' }

beforeAll(async () => {
  server = await startContractServer()
  account = await server.account('META', 'WHATSAPP', '+15550001', { accessToken: 't', phoneNumberId: '111', businessAccountId: '9' }, [
    '111',
    '9',
  ])
})
afterAll(() => server?.app.close())
beforeEach(() => server.clear())

const text = (id: string, from: string, body = `body of ${id}`) => ({ from, id, timestamp: '1730000000', type: 'text', text: { body } })
const status = (id: string, word: string, more = {}) => ({
  id,
  status: word,
  timestamp: '1730000000',
  recipient_id: '905551112233',
  ...more,
})

const change = (value: object, metadata: object = ours) => ({
  field: 'messages',
  value: { messaging_product: 'whatsapp', metadata, ...value },
})
const webhook = (...changes: object[]) => JSON.stringify({ object: 'whatsapp_business_account', entry: [{ id: '9', changes }] })

const count = (where: object = {}) => server.app.deps.db.communication.count({ where: { organizationId: server.organizationId, ...where } })

test('a plain message is one statement, and so one commit, once the account is known', async () => {
  const one = (id: string) => server.meta(webhook(change({ messages: [text(id, '905550000001')] })))
  expect((await one('wamid.first')).status).toBe(200)
  const statements = countStatements()
  try {
    expect((await one('wamid.second')).status).toBe(200)
    expect(statements.count()).toBe(1)
  } finally {
    statements.stop()
  }
  expect(await count()).toBe(2)
})

describe('a thousand messages in one POST', () => {
  const people = Array.from({ length: 137 }, (_, n) => `90555${String(1_000_000 + n)}`)
  const messages = Array.from({ length: 1000 }, (_, n) => text(`wamid.${n}`, people[n % people.length] ?? ''))

  test('are stored once each, also when the POST comes twice at the same time and once more', async () => {
    const body = webhook(change({ messages }))
    const began = performance.now()
    const answers = await Promise.all([server.meta(body), server.meta(body)])
    expect(answers.map((answer) => answer.status)).toEqual([200, 200])
    console.info(`1,000 messages, posted twice at once: ${Math.round(performance.now() - began)} ms`)
    expect((await server.meta(body)).status).toBe(200)
    expect(await count()).toBe(1000)
    const { db } = server.app.deps
    const { organizationId } = server
    expect(await db.customer.count({ where: { organizationId } })).toBe(people.length)
    expect((await db.organization.findUniqueOrThrow({ where: { id: organizationId } })).unreadCount).toBe(1000)
    const unread = await db.conversation.aggregate({ where: { organizationId }, _sum: { unreadCount: true, inboundCount: true } })
    expect(unread._sum).toEqual({ unreadCount: 1000, inboundCount: 1000 })
  })

  test('and a thousand statuses find their messages', async () => {
    const echoes = Array.from({ length: 1000 }, (_, n) => ({ ...text(`wamid.out${n}`, '15550001'), to: people[n % people.length] }))
    const sent = { field: 'smb_message_echoes', value: { messaging_product: 'whatsapp', metadata: ours, message_echoes: echoes } }
    expect((await server.meta(webhook(sent))).status).toBe(200)
    const began = performance.now()
    expect((await server.meta(webhook(change({ statuses: echoes.map(({ id }) => status(id, 'delivered')) })))).status).toBe(200)
    console.info(`1,000 statuses: ${Math.round(performance.now() - began)} ms`)
    expect(await count({ deliveryStatus: 'DELIVERED' })).toBe(1000)
  })

  test('and one that is broken takes no other with it', async () => {
    const broken = [
      null,
      7,
      'x',
      {},
      { id: 'wamid.b' },
      { id: 5, from: [] },
      { from: '905551112233', type: 'text' },
      [[]],
      { id: 'wamid.c', from: '905551112233', type: 'text', text: 5 },
    ]
    const mixed = messages.slice(0, 60).flatMap((message, n) => (n % 6 === 0 ? [broken[n / 6] ?? null, message] : [message]))
    expect((await server.meta(webhook(change({ messages: mixed })))).status).toBe(200)
    expect(await count({ body: { startsWith: 'body of' } })).toBe(60)
    const kept = await server.app.deps.db.webhookReceipt.findFirstOrThrow({ where: { organizationId: server.organizationId } })
    expect(kept).toMatchObject({ status: 'PARTIAL', problem: expect.stringMatching(/\w/) })
  })
})

describe('one POST about several organizations', () => {
  test('gives each its own, tells none of another, and keeps what is nobody’s', async () => {
    const { deps } = server.app
    const other = await createOrganization(deps, { slug: `other-${newId()}`, name: 'Other' })
    const credentials = sealedCredentials(deps, { accessToken: 't', phoneNumberId: '222', businessAccountId: '8' })
    const row = {
      id: newId(),
      organizationId: other.id,
      provider: 'META',
      channel: 'WHATSAPP',
      address: '+15550002',
      name: 'Other',
      status: 'ACTIVE',
    } as const
    await deps.db.channelAccount.create({ data: { ...row, ...credentials, routingKeys: ['222', '8'] } })
    const body = webhook(
      change({ messages: [text('wamid.ours', '905551112233', 'for us')] }),
      change(
        { messages: [text('wamid.theirs', '905551112233', 'for them')] },
        { phone_number_id: '222', display_phone_number: '15550002' },
      ),
      change(
        { messages: [text('wamid.nobody', '905551112233', 'for nobody')] },
        { phone_number_id: '333', display_phone_number: '15550003' },
      ),
    )
    expect((await server.meta(body)).status).toBe(200)
    const receipts = await deps.db.webhookReceipt.findMany({ orderBy: { id: 'asc' } })
    const seen = receipts.map(({ organizationId, status: became, body: bytes }) => ({
      organizationId,
      became,
      says: [
        ...Buffer.from(bytes ?? [])
          .toString('utf8')
          .matchAll(/for (us|them|nobody)/g),
      ].map(([words]) => words),
    }))
    expect(seen).toEqual([
      { organizationId: server.organizationId, became: 'APPLIED', says: ['for us'] },
      { organizationId: other.id, became: 'APPLIED', says: ['for them'] },
      { organizationId: null, became: 'UNROUTED', says: ['for nobody'] },
    ])
    const stored = await deps.db.communication.findMany({ where: { body: { startsWith: 'for ' } }, orderBy: { id: 'asc' } })
    expect(stored.map(({ organizationId, body: said }) => [organizationId, said])).toEqual([
      [server.organizationId, 'for us'],
      [other.id, 'for them'],
    ])
  })
})

describe('statuses of a message', () => {
  const words = ['sent', 'delivered', 'read', 'failed'] as const
  const rank = ['sent', 'failed', 'delivered', 'read']

  test('in any order, doubled, before or after it: the furthest state, the same at every replay', async () => {
    let n = 0
    await fc.assert(
      fc.asyncProperty(fc.array(fc.constantFrom(...words), { minLength: 1, maxLength: 6 }), fc.nat({ max: 6 }), async (order, cut) => {
        n += 1
        const id = `wamid.s${n}`
        const errors = { errors: [{ code: 131026, title: 'Message undeliverable' }] }
        const post = async (some: readonly string[]) => {
          for (const word of some) {
            const body = webhook(change({ statuses: [status(id, word, word === 'failed' ? errors : {})] }))
            expect((await server.meta(body)).status).toBe(200)
          }
        }
        const echo = {
          field: 'smb_message_echoes',
          value: { messaging_product: 'whatsapp', metadata: ours, message_echoes: [{ ...text(id, '15550001'), to: '905551112233' }] },
        }
        await post(order.slice(0, cut))
        expect((await server.meta(webhook(echo))).status).toBe(200)
        await post(order.slice(cut))
        const furthest = order.toSorted((a, b) => rank.indexOf(b) - rank.indexOf(a))[0] ?? 'sent'
        const key = { channelAccountId_externalMessageId: { channelAccountId: account, externalMessageId: id } }
        const stateNow = async () => (await server.app.deps.db.communication.findUniqueOrThrow({ where: key })).deliveryStatus
        expect(await stateNow()).toBe(furthest.toUpperCase())
        await post(order)
        expect(await stateNow()).toBe(furthest.toUpperCase())
      }),
      { numRuns: 25 },
    )
  })
})
