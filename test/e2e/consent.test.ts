import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { localId } from '../../schema/global-id.ts'
import type { ConsentFact } from '../../src/channels/fact.ts'
import { applyConsentFact, consentState, hasOptedOut, type NewConsent, recordConsent } from '../../src/domain/consent.ts'
import { lockCustomers } from '../../src/domain/customers.ts'
import { transact } from '../../src/events/transact.ts'
import {
  ConsentHistoryDocument,
  CreateCustomerDocument,
  CustomerProfileDocument,
  SendMessageDocument,
  SetConsentDocument,
  type SetConsentInput,
} from '../generated/graphql.ts'
import { startTestApp, type TestApp } from '../support/app.ts'
import { openOrganization, type TestOrganization } from '../support/organization.ts'
import { member, present } from '../support/result.ts'

let app: TestApp
let org: TestOrganization
let numbers = 0

beforeAll(async () => {
  app = await startTestApp()
  org = await openOrganization(app, { slug: 'consent' })
})
afterAll(() => app?.close())

const nextNumber = (): string => `+90555700${String(++numbers).padStart(4, '0')}`

/** Someone with a number, as the graph and as the tables know them. */
async function someone(): Promise<{ id: string; row: string; number: string }> {
  const number = nextNumber()
  const made = await org.ask(CreateCustomerDocument, { input: { identities: [{ kind: 'PHONE', value: number }] } })
  const { id } = member(made.createCustomer, 'CreateCustomerSuccess').customer
  return { id, row: present(localId('Customer', id)), number }
}

const record = (row: string, entry: Omit<NewConsent, 'organizationId' | 'customerId'>) =>
  transact(app.deps, org.id, async (tx, recorder) => {
    await lockCustomers(tx, org.id, [row])
    await recordConsent(tx, recorder, { organizationId: org.id, customerId: row, ...entry })
  })

const eventsOf = (row: string) =>
  app.deps.db.event.findMany({
    where: { customerId: row, type: { in: ['CUSTOMER_OPTED_OUT', 'CUSTOMER_OPTED_IN'] } },
    orderBy: { seq: 'asc' },
    select: { type: true, data: true },
  })

const at = (minute: number) => new Date(Date.UTC(2026, 10, 1, 12, minute))

const both: NewConsent['purposes'] = ['TRANSACTIONAL', 'MARKETING']

describe('the ledger', () => {
  test('the latest word on channel and purpose counts; without any, messages are allowed', async () => {
    const { row } = await someone()
    const { db } = app.deps
    expect(await consentState(db, row, 'SMS', 'MARKETING')).toBeNull()
    await record(row, {
      channel: 'SMS',
      purposes: ['MARKETING'],
      state: 'OPTED_OUT',
      source: 'UNSUBSCRIBE',
      evidence: 'a link',
      occurredAt: at(5),
    })
    expect(await consentState(db, row, 'SMS', 'MARKETING')).toBe('OPTED_OUT')
    expect(await hasOptedOut(db, row, 'SMS', 'TRANSACTIONAL')).toBe(false)
    expect(await hasOptedOut(db, row, 'EMAIL', 'MARKETING')).toBe(false)
    await record(row, {
      channel: 'SMS',
      purposes: ['MARKETING'],
      state: 'OPTED_IN',
      source: 'KEYWORD',
      evidence: 'START',
      occurredAt: at(9),
    })
    expect(await hasOptedOut(db, row, 'SMS', 'MARKETING')).toBe(false)
    expect(await eventsOf(row)).toEqual([
      { type: 'CUSTOMER_OPTED_OUT', data: { channel: 'SMS', purposes: ['MARKETING'], source: 'UNSUBSCRIBE' } },
      { type: 'CUSTOMER_OPTED_IN', data: { channel: 'SMS', purposes: ['MARKETING'], source: 'KEYWORD' } },
    ])
  })

  test('an older word that arrives late is kept, but does not count', async () => {
    const { row } = await someone()
    await record(row, { channel: 'EMAIL', purposes: both, state: 'OPTED_IN', source: 'STAFF', evidence: 'asked', occurredAt: at(9) })
    await record(row, { channel: 'EMAIL', purposes: both, state: 'OPTED_OUT', source: 'BOUNCE', evidence: '550', occurredAt: at(5) })
    expect(await hasOptedOut(app.deps.db, row, 'EMAIL', 'TRANSACTIONAL')).toBe(false)
    expect(await app.deps.db.consentEntry.count({ where: { customerId: row } })).toBe(4)
    expect(await eventsOf(row)).toEqual([])
  })

  test('of two words of the same moment the later entry counts', async () => {
    const { row } = await someone()
    for (const state of ['OPTED_IN', 'OPTED_OUT'] as const) {
      await record(row, { channel: 'SMS', purposes: ['MARKETING'], state, source: 'STAFF', evidence: state, occurredAt: at(1) })
    }
    expect(await hasOptedOut(app.deps.db, row, 'SMS', 'MARKETING')).toBe(true)
  })

  test('the same fact twice is one entry, also twice at the same time', async () => {
    const { row, number } = await someone()
    const fact: ConsentFact = {
      kind: 'consent',
      identity: { kind: 'PHONE', scope: '', value: number, verified: true },
      purposes: ['MARKETING', 'TRANSACTIONAL'],
      state: 'OPTED_OUT',
      source: 'SPAM_REPORT',
      evidence: 'sg_event_id 1',
      at: at(3),
    }
    const account = { organizationId: org.id, channel: 'EMAIL' } as const
    expect(await Promise.all([1, 2, 3].map(() => applyConsentFact(app.deps, account, fact)))).toEqual([true, true, true])
    expect(await app.deps.db.consentEntry.count({ where: { customerId: row } })).toBe(2)
    expect(await eventsOf(row)).toHaveLength(1)
    await applyConsentFact(app.deps, account, { ...fact, evidence: 'sg_event_id 2' })
    expect(await app.deps.db.consentEntry.count({ where: { customerId: row } })).toBe(4)
    expect(await eventsOf(row)).toHaveLength(1)
  })

  test('a fact about nobody makes nobody', async () => {
    const before = await app.deps.db.customer.count()
    const identity = { kind: 'EMAIL', scope: '', value: 'nobody@example.com', verified: true } as const
    const fact = { kind: 'consent', identity, purposes: both, state: 'OPTED_OUT', source: 'BOUNCE', evidence: '', at: at(1) } as const
    expect(await applyConsentFact(app.deps, { organizationId: org.id, channel: 'EMAIL' }, { ...fact, purposes: [...both] })).toBe(false)
    expect(await app.deps.db.customer.count()).toBe(before)
  })
})

const set = async (input: SetConsentInput) => (await org.ask(SetConsentDocument, { input })).setConsent

describe('setConsent', () => {
  test('enters what staff was told, with who entered it; the graph shows it and sending obeys it', async () => {
    const { id, row, number } = await someone()
    const input = {
      customerId: id,
      channel: 'SMS',
      purposes: ['TRANSACTIONAL', 'MARKETING'],
      state: 'OPTED_OUT',
      evidence: 'by phone',
    } as const
    const { customer } = member(await set({ ...input, purposes: [...input.purposes] }), 'SetConsentSuccess')
    expect(customer.consents).toMatchObject([
      { channel: 'SMS', purpose: 'TRANSACTIONAL', state: 'OPTED_OUT', source: 'STAFF', evidence: 'by phone', actor: { name: 'Tess Ter' } },
      { channel: 'SMS', purpose: 'MARKETING', state: 'OPTED_OUT', source: 'STAFF', evidence: 'by phone', actor: { name: 'Tess Ter' } },
    ])
    expect(await eventsOf(row)).toHaveLength(1)
    const message = { to: { address: number }, channel: 'SMS', content: { text: 'hello' } } as const
    expect((await org.ask(SendMessageDocument, { input: message })).sendMessage.__typename).toBe('RecipientOptedOutError')
    member(await set({ ...input, purposes: ['TRANSACTIONAL'], state: 'OPTED_IN', evidence: 'by letter' }), 'SetConsentSuccess')
    expect((await org.ask(SendMessageDocument, { input: message })).sendMessage.__typename).toBe('SendMessageSuccess')
    const { customer: profile } = await org.ask(CustomerProfileDocument, { id })
    expect(profile?.consents.map(({ purpose, state }) => [purpose, state])).toEqual([
      ['TRANSACTIONAL', 'OPTED_IN'],
      ['MARKETING', 'OPTED_OUT'],
    ])
  })

  test('staff cannot undo a STOP on SMS; the customer can', async () => {
    const number = nextNumber()
    await org.sms.inbound(number, 'STOP')
    const identity = await app.deps.db.customerIdentity.findFirstOrThrow({ where: { value: number, organizationId: org.id } })
    const id = Buffer.from(`Customer:${identity.customerId}`).toString('base64')
    const input: SetConsentInput = {
      customerId: id,
      channel: 'SMS',
      purposes: ['TRANSACTIONAL'],
      state: 'OPTED_IN',
      evidence: 'they said so',
    }
    expect(await set(input)).toMatchObject({
      __typename: 'ValidationError',
      path: ['input', 'state'],
      message: expect.stringContaining('START'),
    })
    member(await set({ ...input, channel: 'WHATSAPP' }), 'SetConsentSuccess')
    member(await set({ ...input, state: 'OPTED_OUT' }), 'SetConsentSuccess')
    await org.sms.inbound(number, 'START')
    expect(await hasOptedOut(app.deps.db, identity.customerId, 'SMS', 'TRANSACTIONAL')).toBe(false)
    member(await set(input), 'SetConsentSuccess')
    const { customer } = await org.ask(ConsentHistoryDocument, { id })
    const smsWords = customer?.consentHistory.nodes.filter(({ channel, purpose }) => channel === 'SMS' && purpose === 'TRANSACTIONAL')
    expect(smsWords?.map(({ source, state, communication }) => [source, state, communication?.body ?? null])).toEqual([
      ['STAFF', 'OPTED_IN', null],
      ['KEYWORD', 'OPTED_IN', 'START'],
      ['STAFF', 'OPTED_OUT', null],
      ['KEYWORD', 'OPTED_OUT', 'STOP'],
    ])
  })

  test.each([
    ['evidence', { evidence: ' ' }],
    ['evidence', { evidence: 'x'.repeat(1001) }],
    ['purposes', { purposes: [] }],
  ])('names the wrong %s', async (field, wrong) => {
    const { id, row } = await someone()
    const input: SetConsentInput = {
      customerId: id,
      channel: 'SMS',
      purposes: ['MARKETING'],
      state: 'OPTED_OUT',
      evidence: 'seen',
      ...wrong,
    }
    expect(await set(input)).toMatchObject({ __typename: 'ValidationError', path: ['input', field] })
    expect(await app.deps.db.consentEntry.count({ where: { customerId: row } })).toBe(0)
  })
})

test('the ledger is paged without gaps, both ways', async () => {
  const { id, row } = await someone()
  for (let minute = 0; minute < 7; minute++) {
    const state = minute % 2 === 0 ? 'OPTED_OUT' : 'OPTED_IN'
    // Two at a time share a moment.
    const occurredAt = at(Math.floor(minute / 2))
    await record(row, { channel: 'EMAIL', purposes: ['MARKETING'], state, source: 'STAFF', evidence: `word ${minute}`, occurredAt })
  }
  const words: (string | null)[] = []
  for (let after: string | null = null, more = true; more; ) {
    const { nodes, pageInfo }: Awaited<ReturnType<typeof page>> = await page(id, after)
    words.push(...nodes.map(({ evidence }) => evidence ?? null))
    after = pageInfo.endCursor ?? null
    more = pageInfo.hasNextPage
  }
  expect(words).toEqual([6, 5, 4, 3, 2, 1, 0].map((n) => `word ${n}`))
  const backwards = `query ($id: ID!) { customer(id: $id) { consentHistory(last: 2) { nodes { evidence } } } }`
  const last = await org.ask<{ customer: { consentHistory: { nodes: { evidence: string }[] } } }, object>(backwards, { id })
  expect(last.customer.consentHistory.nodes.map(({ evidence }) => evidence)).toEqual(['word 1', 'word 0'])
})

const page = async (id: string, after: string | null) =>
  present((await org.ask(ConsentHistoryDocument, { id, first: 3, after })).customer).consentHistory
