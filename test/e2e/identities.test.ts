import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { globalId, localId } from '../../schema/global-id.ts'
import type { Identity, IdentityChangeFact } from '../../src/channels/fact.ts'
import { applyIdentityChange } from '../../src/domain/apply-identity-change.ts'
import {
  AddCustomerIdentityDocument,
  type AddCustomerIdentityInput,
  CreateCustomerDocument,
  type CustomerIdentityInput,
  CustomerProfileDocument,
  CustomersDocument,
  RemoveCustomerIdentityDocument,
  VerifyCustomerIdentityDocument,
} from '../generated/graphql.ts'
import { startTestApp, type TestApp } from '../support/app.ts'
import { openOrganization, type TestOrganization } from '../support/organization.ts'
import { member, present } from '../support/result.ts'

let app: TestApp
let org: TestOrganization
let numbers = 0

beforeAll(async () => {
  app = await startTestApp()
  org = await openOrganization(app, { slug: 'identities' })
})
afterAll(() => app?.close())

const nextNumber = (): string => `+90555600${String(++numbers).padStart(4, '0')}`

async function someone(...identities: CustomerIdentityInput[]): Promise<string> {
  const made = await org.ask(CreateCustomerDocument, { input: { name: 'Someone', identities } })
  return member(made.createCustomer, 'CreateCustomerSuccess').customer.id
}

const add = async (input: AddCustomerIdentityInput) => (await org.ask(AddCustomerIdentityDocument, { input })).addCustomerIdentity
const profile = async (id: string) => present((await org.ask(CustomerProfileDocument, { id })).customer)
const changesOf = (id: string) =>
  app.deps.db.event.findMany({
    where: { customerId: present(localId('Customer', id)), type: 'CUSTOMER_CHANGED' },
    orderBy: { seq: 'asc' },
    select: { data: true },
  })

describe('addCustomerIdentity', () => {
  test('stores one spelling, unverified; the same again changes nothing', async () => {
    const number = nextNumber()
    const customerId = await someone()
    const input = { customerId, kind: 'PHONE', value: number.replace('+90', '+90 (') } as const
    const first = member(await add({ ...input, value: `${number.slice(0, 3)} ${number.slice(3)}` }), 'AddCustomerIdentitySuccess')
    expect(first.identity).toMatchObject({ kind: 'PHONE', value: number, verified: false })
    const again = member(await add({ ...input, value: number }), 'AddCustomerIdentitySuccess')
    expect(again.identity.id).toBe(first.identity.id)
    expect((await changesOf(customerId)).map(({ data }) => data)).toEqual([{ identityAdded: { kind: 'PHONE', value: number } }])
    await org.sms.inbound(number, 'It is me')
    expect((await profile(customerId)).identities).toMatchObject([{ value: number, verified: true }])
  })

  test('an id of our own systems is kept as it is', async () => {
    const customerId = await someone()
    const { identity } = member(await add({ customerId, kind: 'EXTERNAL', value: ' CRM-42/a ' }), 'AddCustomerIdentitySuccess')
    expect(identity.value).toBe('CRM-42/a')
  })

  test('names the customer who has it, so that a merge can be offered', async () => {
    const value = nextNumber()
    const holder = await someone({ kind: 'PHONE', value })
    const customerId = await someone()
    const refused = member(await add({ customerId, kind: 'PHONE', value }), 'AlreadyExistsError')
    expect(refused).toMatchObject({ code: 'ALREADY_EXISTS', path: ['input', 'value'], existingCustomer: { id: holder, name: 'Someone' } })
    expect((await profile(customerId)).identities).toEqual([])
  })

  test.each(['MESSENGER', 'INSTAGRAM', 'WEBCHAT'] as const)('an id of kind %s needs to say where it means something', async (kind) => {
    const customerId = await someone()
    expect(await add({ customerId, kind, value: '1234567890' })).toMatchObject({
      __typename: 'ValidationError',
      path: ['input', 'channelAccountId'],
    })
  })

  test('what a channel account does not know is refused, with the field that is wrong', async () => {
    const customerId = await someone()
    const channelAccountId = org.sms.id
    const wrong: [Partial<AddCustomerIdentityInput>, string, string][] = [
      [{ kind: 'MESSENGER', value: nextNumber(), channelAccountId }, 'ValidationError', 'kind'],
      [{ kind: 'PHONE', value: 'nobody?', channelAccountId }, 'ValidationError', 'value'],
      [{ kind: 'PHONE', value: nextNumber(), channelAccountId: globalId('ChannelAccount', org.id) }, 'NotFoundError', 'channelAccountId'],
      [{ kind: 'EMAIL', value: 'nobody' }, 'ValidationError', 'value'],
      [{ customerId: globalId('Customer', org.id) }, 'NotFoundError', 'customerId'],
    ]
    for (const [input, type, field] of wrong) {
      const given = { customerId, kind: 'PHONE', value: nextNumber(), ...input } as const
      expect(await add(given), field).toMatchObject({ __typename: type, path: ['input', field] })
    }
    const number = nextNumber()
    const { identity } = member(await add({ customerId, kind: 'PHONE', value: number, channelAccountId }), 'AddCustomerIdentitySuccess')
    expect(identity.value).toBe(number)
  })
})

test('verifyCustomerIdentity vouches for it once', async () => {
  const value = nextNumber()
  const customerId = await someone({ kind: 'PHONE', value })
  const identityId = present((await profile(customerId)).identities[0]).id
  for (const _again of [1, 2]) {
    const { verifyCustomerIdentity } = await org.ask(VerifyCustomerIdentityDocument, { input: { identityId } })
    expect(member(verifyCustomerIdentity, 'VerifyCustomerIdentitySuccess').identity.verified).toBe(true)
  }
  expect((await changesOf(customerId)).map(({ data }) => data)).toEqual([{ identityVerified: { kind: 'PHONE', value } }])
})

test('removeCustomerIdentity: who writes from it later is a new customer, and the conversation stays', async () => {
  const number = nextNumber()
  await org.sms.inbound(number, 'before')
  const find = async () => (await org.ask(CustomersDocument, { search: number })).customers.nodes
  const [old] = await find()
  const id = present(old).id
  const identityId = present((await profile(id)).identities[0]).id
  const remove = async () => (await org.ask(RemoveCustomerIdentityDocument, { input: { identityId } })).removeCustomerIdentity
  expect(member(await remove(), 'RemoveCustomerIdentitySuccess')).toMatchObject({ identityId, customer: { id, identities: [] } })
  expect(await remove()).toMatchObject({ __typename: 'NotFoundError', path: ['input', 'identityId'] })
  await org.sms.inbound(number, 'after')
  const [fresh] = await find()
  expect(present(fresh).id).not.toBe(id)
  expect((await profile(id)).unreadCount).toBe(1)
})

describe('a change of identity that the provider tells', () => {
  const phone = (value: string, verified = true): Identity => ({ kind: 'PHONE', scope: '', value, verified })
  const fact = (from: string, to: Identity[], address: string): IdentityChangeFact => ({
    kind: 'identity-change',
    from: phone(from),
    to,
    address,
    note: 'The customer changed from the old to the new number.',
    at: new Date(),
  })
  const account = () => ({ id: present(localId('ChannelAccount', org.whatsapp.id)), organizationId: org.id })
  const held = (value: string) => app.deps.db.customerIdentity.findFirst({ where: { organizationId: org.id, value } })

  test('the customer is known by both, answers go to the new address, and repeating it changes nothing', async () => {
    const [before, after] = [nextNumber(), nextNumber()]
    await org.whatsapp.inbound(before, 'hello')
    const customerId = present(await held(before)).customerId
    const change = fact(before, [phone(after), { kind: 'WHATSAPP', scope: '', value: 'TR.77', verified: true }], after)
    expect(await applyIdentityChange(app.deps, account(), change)).toBe(true)
    expect(await applyIdentityChange(app.deps, account(), change)).toBe(true)
    expect(await held(after)).toMatchObject({ customerId, verified: true })
    expect(await held('TR.77')).toMatchObject({ customerId, verified: true })
    expect(await app.deps.db.conversation.findMany({ where: { customerId } })).toMatchObject([{ address: after }])
    expect(await changesOf(globalId('Customer', customerId))).toEqual([{ data: { note: change.note } }])
    await org.whatsapp.inbound(after, 'still me')
    expect(await app.deps.db.conversation.findMany({ where: { customerId } })).toMatchObject([{ inboundCount: 2 }])
  })

  test('an identity that staff had typed in is verified by it', async () => {
    const [before, after] = [nextNumber(), nextNumber()]
    await someone({ kind: 'PHONE', value: before }, { kind: 'PHONE', value: after })
    await applyIdentityChange(app.deps, account(), fact(before, [phone(after)], after))
    expect(await held(after)).toMatchObject({ verified: true })
  })

  test("another customer's identity is a suggestion, once for the two, and nobody is merged", async () => {
    const [one, other] = [nextNumber(), nextNumber()]
    await org.whatsapp.inbound(one, 'one')
    await org.sms.inbound(other, 'other')
    const [customerId, otherCustomerId] = [present(await held(one)).customerId, present(await held(other)).customerId]
    for (const [from, to] of [
      [one, other],
      [one, other],
      [other, one],
    ] as const) {
      expect(await applyIdentityChange(app.deps, account(), fact(from, [phone(to)], to))).toBe(true)
    }
    expect(await held(other)).toMatchObject({ customerId: otherCustomerId })
    const suggestions = await app.deps.db.mergeSuggestion.findMany({ where: { organizationId: org.id } })
    expect(suggestions).toMatchObject([{ customerId, otherCustomerId, kind: 'PHONE', value: other, status: 'OPEN' }])
    const events = await app.deps.db.event.findMany({ where: { organizationId: org.id, type: 'MERGE_SUGGESTED' } })
    expect(events).toMatchObject([{ customerId, data: { otherCustomerId, mergeSuggestionId: suggestions[0]?.id } }])
  })

  test('of someone unknown nothing comes', async () => {
    const [before, after] = [nextNumber(), nextNumber()]
    expect(await applyIdentityChange(app.deps, account(), fact(before, [phone(after)], after))).toBe(false)
    expect(await held(after)).toBeNull()
  })
})
