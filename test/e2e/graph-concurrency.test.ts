import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  ConnectChannelAccountDocument,
  ConversationThreadDocument,
  CreateCustomerDocument,
  CreateTemplateDocument,
  CustomersDocument,
  CustomerWorkspaceDocument,
  DeleteTemplateDocument,
  DisconnectChannelAccountDocument,
  InboxDocument,
  SendMessageDocument,
  ViewerDocument,
} from '../generated/graphql.ts'
import { startTestApp, type TestApp } from '../support/app.ts'
import { newSid } from '../support/fake-twilio.ts'
import { openOrganization, type TestOrganization } from '../support/organization.ts'
import { member, present } from '../support/result.ts'

let app: TestApp
let org: TestOrganization
let numbers = 0
const number = () => `+90555${String(7770000 + numbers++)}`
const times = <T>(count: number, work: (index: number) => Promise<T>) =>
  Promise.all(Array.from({ length: count }, (_, index) => work(index)))

beforeAll(async () => {
  app = await startTestApp()
  org = await openOrganization(app, { slug: 'concurrency' })
})
afterAll(() => app?.close())

const unread = async () => (await org.ask(ViewerDocument)).viewer.unreadCount
const inbox = async (search: string) => (await org.ask(InboxDocument, { filter: { search }, first: 100 })).conversations.nodes
const communications = async (id: string) => {
  const customer = present((await org.ask(CustomerWorkspaceDocument, { id, last: 100 })).customer)
  return { unreadCount: customer.unreadCount, nodes: customer.communications.nodes }
}

test('50 simultaneous first messages make one customer, one conversation and 50 communications', async () => {
  const from = number()
  const before = await unread()
  await times(50, (index) => org.sms.inbound(from, `message ${index}`))
  const rows = await inbox(from)
  expect(rows.map(({ unreadCount }) => unreadCount)).toEqual([50])
  const { nodes, unreadCount } = await communications(present(rows[0]).customer.id)
  expect([nodes.length, unreadCount, await unread()]).toEqual([50, 50, before + 50])
  expect(new Set(nodes.map(({ body }) => body)).size).toBe(50)
  expect(present(rows[0]).lastCommunication?.id).toBe(nodes.at(-1)?.id)
})

test('50 simultaneous first messages of one person over SMS and WhatsApp make one customer with two conversations', async () => {
  const from = number()
  await times(50, (index) => (index % 2 === 0 ? org.sms : org.whatsapp).inbound(from, `message ${index}`, { ProfileName: 'Both' }))
  const rows = await inbox(from)
  expect(rows.map(({ channel, unreadCount }) => [channel, unreadCount]).toSorted()).toEqual([
    ['SMS', 25],
    ['WHATSAPP', 25],
  ])
  expect(new Set(rows.map(({ customer }) => customer.id)).size).toBe(1)
  expect((await communications(present(rows[0]).customer.id)).unreadCount).toBe(50)
  expect((await org.ask(CustomersDocument, { search: from })).customers.nodes).toHaveLength(1)
})

test('the same message 20 times at once is one', async () => {
  const from = number()
  const MessageSid = newSid('SM')
  await times(20, () => org.sms.inbound(from, 'only once', { MessageSid }))
  await org.sms.inbound(from, 'only once', { MessageSid })
  const [row] = await inbox(from)
  const { nodes, unreadCount } = await communications(present(row).customer.id)
  expect([nodes.map(({ externalMessageId }) => externalMessageId), unreadCount]).toEqual([[MessageSid], 1])
})

test('one idempotency key in 20 simultaneous calls makes one communication, with another input a conflict', async () => {
  const address = number()
  const input = { to: { address }, channel: 'SMS' as const, content: { text: 'exactly once' }, idempotencyKey: 'the key' }
  const sent = await times(20, async () => member((await org.ask(SendMessageDocument, { input })).sendMessage, 'SendMessageSuccess'))
  expect(new Set(sent.map(({ communication }) => communication.id)).size).toBe(1)
  const rows = await inbox(address)
  expect(rows).toHaveLength(1)
  expect((await communications(present(rows[0]).customer.id)).nodes).toHaveLength(1)
  const others = await times(5, async (index) => {
    const other = { ...input, content: { text: `another ${index}` } }
    return member((await org.ask(SendMessageDocument, { input: other })).sendMessage, 'IdempotencyConflictError')
  })
  expect(others.map(({ path }) => path.join('.'))).toEqual(Array(5).fill('input.idempotencyKey'))
})

test('one new key in simultaneous calls with different inputs makes one communication, the others conflict', async () => {
  const address = number()
  const results = await times(10, async (index) => {
    const input = { to: { address }, channel: 'SMS' as const, content: { text: `version ${index}` }, idempotencyKey: 'contested' }
    return present((await org.ask(SendMessageDocument, { input })).sendMessage).__typename
  })
  expect(results.toSorted()).toEqual([...Array(9).fill('IdempotencyConflictError'), 'SendMessageSuccess'])
})

test('20 simultaneous sends to a new address make one customer and one conversation', async () => {
  const address = number()
  const sends = await times(20, async (index) => {
    const input = { to: { address }, channel: 'SMS' as const, content: { text: `send ${index}` } }
    return member((await org.ask(SendMessageDocument, { input })).sendMessage, 'SendMessageSuccess').communication.id
  })
  const rows = await inbox(address)
  expect(rows).toHaveLength(1)
  const thread = present((await org.ask(ConversationThreadDocument, { id: present(rows[0]).id })).conversation)
  expect(thread.communications.edges.map(({ node }) => node.id)).toEqual(sends.toSorted((a, b) => (decoded(a) < decoded(b) ? -1 : 1)))
})

const decoded = (globalId: string) => Buffer.from(globalId, 'base64').toString()

test('a message and a send at once, from and to a new number, meet in one conversation', async () => {
  const address = number()
  await times(20, async (index) =>
    index % 2 === 0
      ? org.sms.inbound(address, `in ${index}`)
      : org.ask(SendMessageDocument, { input: { to: { address }, channel: 'SMS', content: { text: `out ${index}` } } }),
  )
  const rows = await inbox(address)
  expect(rows.map(({ unreadCount }) => unreadCount)).toEqual([10])
  expect((await communications(present(rows[0]).customer.id)).nodes).toHaveLength(20)
})

test('what may exist once is made by one of many simultaneous calls; the others are told', async () => {
  const identities = [{ kind: 'PHONE' as const, value: number() }]
  const outcomes = {
    customers: await times(10, async (index) => {
      const { createCustomer } = await org.ask(CreateCustomerDocument, { input: { name: `n ${index}`, identities } })
      return createCustomer?.__typename
    }),
    templates: await times(10, async (index) => {
      const { createTemplate } = await org.ask(CreateTemplateDocument, { input: { name: 'the one', body: `version ${index}` } })
      return createTemplate?.__typename
    }),
    accounts: await times(10, async (index) => {
      const input = { channel: 'SMS' as const, name: `n ${index}`, address: '+14155550111', credentials: { sandbox: {} } }
      return (await org.ask(ConnectChannelAccountDocument, { input })).connectChannelAccount?.__typename
    }),
  }
  for (const [noun, typenames] of Object.entries(outcomes)) {
    expect(
      typenames.filter((name) => name?.endsWith('Success')),
      noun,
    ).toHaveLength(1)
    expect(
      typenames.filter((name) => name === 'AlreadyExistsError'),
      noun,
    ).toHaveLength(9)
  }
})

test('of simultaneous calls, one deletes a template and one takes a disconnected account up again', async () => {
  const { createTemplate } = await org.ask(CreateTemplateDocument, { input: { name: 'short-lived', body: 'x' } })
  const templateId = member(createTemplate, 'CreateTemplateSuccess').template.id
  const deleted = await times(5, async () => (await org.ask(DeleteTemplateDocument, { input: { templateId } })).deleteTemplate?.__typename)
  expect(deleted.toSorted()).toEqual(['DeleteTemplateSuccess', ...Array(4).fill('NotFoundError')])

  const input = { channel: 'SMS' as const, name: 'again', address: '+14155550112', credentials: { sandbox: {} } }
  const connect = async () => present((await org.ask(ConnectChannelAccountDocument, { input })).connectChannelAccount)
  const { id } = member(await connect(), 'ConnectChannelAccountSuccess').channelAccount
  await org.ask(DisconnectChannelAccountDocument, { input: { channelAccountId: id } })
  const revived = await times(5, connect)
  expect(revived.filter((result) => result.__typename === 'AlreadyExistsError')).toHaveLength(4)
  const [winner] = revived.filter((result) => result.__typename === 'ConnectChannelAccountSuccess')
  expect(winner?.channelAccount.id).toBe(id)
})
