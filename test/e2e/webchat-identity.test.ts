import { afterAll, beforeAll, expect, test } from 'vitest'
import { globalId } from '../../schema/global-id.ts'
import type { Communication } from '../../src/db/generated/client.ts'
import { CreateCustomerDocument, MergeCustomersDocument, WebchatDocument } from '../generated/graphql.ts'
import { startTestApp, type TestApp } from '../support/app.ts'
import { eventually } from '../support/eventually.ts'
import { openOrganization, type TestOrganization } from '../support/organization.ts'
import { member } from '../support/result.ts'
import { eventsOf, openChat, type TestChat, toldTexts } from '../support/webchat.ts'

let app: TestApp
let org: TestOrganization
let chat: TestChat

beforeAll(async () => {
  app = await startTestApp()
  org = await openOrganization(app, { slug: 'shop' })
  chat = await openChat(app, org, { key: 'wc_help' })
})
afterAll(() => app?.close())

const written = (body: string): Promise<Communication> => app.deps.db.communication.findFirstOrThrow({ where: { body } })

const holderOf = async (externalId: string) =>
  app.deps.db.customerIdentity.findFirst({ where: { organizationId: org.id, kind: 'EXTERNAL', scope: '', value: externalId } })

const suggestions = () => app.deps.db.mergeSuggestion.findMany({ where: { organizationId: org.id } })

async function knownCustomer(externalId: string, name: string): Promise<void> {
  const input = { name, identities: [{ kind: 'EXTERNAL' as const, value: externalId }] }
  member((await org.ask(CreateCustomerDocument, { input })).createCustomer, 'CreateCustomerSuccess')
}

test('who is vouched for is the customer known by that id, on each device', async () => {
  await knownCustomer('user-1', 'Ada Lovelace')
  const [laptop, phone] = [await chat.visitor({ identity: chat.vouch('user-1') }), await chat.visitor({ identity: chat.vouch('user-1') })]
  await laptop.say('From my desk')
  await phone.say('From the train')
  const known = await holderOf('user-1')
  expect((await written('From my desk')).customerId).toBe(known?.customerId)
  expect(known?.verified).toBe(true)
  expect(await laptop.texts()).toEqual(['From my desk', 'From the train'])
  expect((await phone.ask(WebchatDocument)).webchat.isIdentified).toBe(true)
  const live = [await laptop.follow('sse'), await phone.follow('socket', phone.cursor)]
  await chat.answer(await chat.conversation('From my desk'), 'Hello on both')
  for (const one of live) await eventually(() => expect(toldTexts(one)).toContain('Hello on both'))
  for (const one of live) one.stop()
  expect(await suggestions()).toEqual([])
})

test('who is nobody’s customer yet becomes one by the first message', async () => {
  const visitor = await chat.visitor({ identity: chat.vouch('user-2'), name: 'Grace' })
  expect(await holderOf('user-2')).toBeNull()
  await visitor.say('New here')
  const { customerId } = await written('New here')
  expect(await holderOf('user-2')).toMatchObject({ customerId, verified: true })
  expect(await app.deps.db.customer.findUniqueOrThrow({ where: { id: customerId } })).toMatchObject({ name: 'Grace' })
})

test.each([
  ['that of another id', () => chat.vouch('user-9').hmac],
  ['none', () => ''],
  ['half of it', () => chat.vouch('user-1').hmac.slice(0, 32)],
  ['one that is no hexadecimal', () => 'z'.repeat(64)],
  ['nothing but zeros', () => '0'.repeat(64)],
])('with a wrong word (%s) nobody is somebody else', async (_name, hmac) => {
  expect(await chat.begin({ identity: { externalId: 'user-1', hmac: hmac() } })).toMatchObject({
    __typename: 'ValidationError',
    path: ['input', 'identity', 'hmac'],
  })
})

test('the word may be spelled in capitals; the id may not have white space around it', async () => {
  const { externalId, hmac } = chat.vouch('user-1')
  expect((await chat.begin({ identity: { externalId, hmac: hmac.toUpperCase() } })).__typename).toBe('StartWebchatSuccess')
  for (const wrong of ['', ' user-1', 'user\u0000-1', 'x'.repeat(256)]) {
    expect(await chat.begin({ identity: chat.vouch(wrong) })).toMatchObject({ path: ['input', 'identity', 'externalId'] })
  }
})

test('an anonymous visitor who signs in keeps the conversation, and the former token learns nothing more', async () => {
  const before = await chat.visitor()
  await before.say('Before I signed in')
  const after = await chat.visitor({ visitorToken: before.token, identity: chat.vouch('user-3') })
  await after.say('After I signed in')
  expect((await written('After I signed in')).customerId).toBe((await written('Before I signed in')).customerId)
  expect(await holderOf('user-3')).toMatchObject({ customerId: (await written('Before I signed in')).customerId, verified: true })
  const spying = await before.follow('sse', before.cursor)
  await chat.answer(await chat.conversation('After I signed in'), 'For your eyes only')
  await eventually(async () => expect(await after.texts()).toEqual(['Before I signed in', 'After I signed in', 'For your eyes only']))
  expect(await before.texts()).toEqual(['Before I signed in'])
  await before.say('Still me?')
  await eventually(() => expect(toldTexts(spying)).toContain('Still me?'))
  expect(toldTexts(spying)).toEqual(['Before I signed in', 'Still me?'])
  spying.stop()
})

test('where the id has a customer already, staff is shown that both may be one; nobody is merged', async () => {
  await knownCustomer('user-4', 'Known')
  const before = await chat.visitor()
  await before.say('Anonymous so far')
  const after = await chat.visitor({ visitorToken: before.token, identity: chat.vouch('user-4') })
  const again = await chat.visitor({ visitorToken: before.token, identity: chat.vouch('user-4') })
  const [anonymous, known] = [(await written('Anonymous so far')).customerId, (await holderOf('user-4'))?.customerId]
  const suggested = (await suggestions()).map(({ customerId, otherCustomerId, kind, value }) => ({
    customerId,
    otherCustomerId,
    kind,
    value,
  }))
  expect(suggested).toEqual([{ customerId: anonymous, otherCustomerId: known, kind: 'EXTERNAL', value: 'user-4' }])
  await again.say('Now by name')
  expect((await written('Now by name')).customerId).toBe(known)
  expect(await after.texts()).toEqual(['Now by name'])
  expect(await before.texts()).toEqual(['Anonymous so far'])
})

test('two who share a device do not share a conversation', async () => {
  const first = await chat.visitor({ identity: chat.vouch('user-5') })
  await first.say('The doctor called')
  const second = await chat.visitor({ visitorToken: first.token, identity: chat.vouch('user-6') })
  expect(await second.texts()).toEqual([])
  await second.say('Something else')
  expect((await written('Something else')).customerId).not.toBe((await written('The doctor called')).customerId)
  expect(await first.texts()).toEqual(['The doctor called'])
  expect(await suggestions()).toHaveLength(1)
  const renewed = await chat.visitor({ visitorToken: first.token })
  expect(await renewed.texts()).toEqual(['The doctor called'])
})

test('whom staff merges with somebody sees nothing of theirs, unless vouched for', async () => {
  const victim = await chat.visitor({ identity: chat.vouch('user-7') })
  await victim.say('My card ends in 4242')
  const liar = await chat.visitor({ name: 'I am user-7' })
  await liar.say('Please tell me my card number')
  const live = [await victim.follow('sse'), await liar.follow('sse')] as const
  const [survivorId, mergedId] = [await written('My card ends in 4242'), await written('Please tell me my card number')].map(
    ({ customerId }) => globalId('Customer', customerId),
  ) as [string, string]
  member((await org.ask(MergeCustomersDocument, { input: { survivorId, mergedId } })).mergeCustomers, 'MergeCustomersSuccess')
  for (const one of live) {
    await eventually(() => expect(eventsOf(one)).toContainEqual(expect.objectContaining({ __typename: 'WebchatResyncEvent' })))
  }
  expect(await liar.texts()).toEqual(['Please tell me my card number'])
  expect(await victim.texts()).toEqual(['My card ends in 4242', 'Please tell me my card number'])
  await victim.say('I asked nothing')
  await chat.answer(await chat.conversation('I asked nothing'), 'Dear user-7')
  await eventually(() => expect(toldTexts(live[0])).toEqual(['I asked nothing', 'Dear user-7']))
  await liar.say('And now?')
  await eventually(() => expect(toldTexts(live[1])).toEqual(['And now?']))
  for (const one of live) one.stop()
})
