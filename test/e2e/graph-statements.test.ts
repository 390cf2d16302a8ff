import pg from 'pg'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import {
  AddNoteDocument,
  ChannelAccountsDocument,
  CommunicationsQueueDocument,
  ConversationThreadDocument,
  CreateTemplateDocument,
  CustomersDocument,
  CustomerTimelineDocument,
  CustomerWorkspaceDocument,
  InboxDocument,
  TemplatesDocument,
} from '../generated/graphql.ts'
import { startTestApp, type TestApp } from '../support/app.ts'
import { openOrganization, type TestOrganization } from '../support/organization.ts'
import { present } from '../support/result.ts'

const MANY = 100
const PERSON = '+905559990000'

let app: TestApp
let org: TestOrganization
let customerId: string
let conversationId: string

beforeAll(async () => {
  // Without a worker, nobody but the requests asks the database.
  app = await startTestApp({ WORKER: 'off' })
  org = await openOrganization(app, { slug: 'statements' })
  const picture = { NumMedia: '1', MediaUrl0: 'data:text/plain,x', MediaContentType0: 'text/plain' }
  for (let n = 0; n < MANY; n++) await org.sms.inbound(`+90555${9000000 + n}`, `from ${n}`, n % 2 === 0 ? picture : {})
  for (let n = 0; n < MANY; n++) await org.sms.inbound(PERSON, `message ${n}`, n % 2 === 0 ? picture : {})
  const row = present((await org.ask(InboxDocument, { filter: { search: PERSON } })).conversations.nodes[0])
  customerId = row.customer.id
  conversationId = row.id
  for (let n = 0; n < 2; n++) await org.ask(AddNoteDocument, { input: { customerId, conversationId, body: `note ${n}` } })
  for (let n = 0; n < 2; n++) await org.sms.inbound(PERSON, `last ${n}`, picture)
  for (let n = 0; n < MANY; n++) await org.ask(CreateTemplateDocument, { input: { name: `t ${n}`, body: '{{customer_name}} {{x}}' } })
}, 120_000)
afterAll(() => app?.close())

/** A statement without its columns and the lengths of its lists. */
const shape = (text: string): string => {
  const plain = text.replace(/\s+/g, ' ').replaceAll('"public".', '')
  return plain
    .replace(/IN \([^)]*\)/g, 'IN (…)')
    .replace(/^ ?SELECT .*? FROM /, 'SELECT … FROM ')
    .replaceAll(/\$\d+/g, '$')
    .slice(0, 120)
}

/** The statements that PostgreSQL is asked while `work` runs; recognizing who asks is counted elsewhere. */
async function statements(work: () => Promise<unknown>): Promise<string[]> {
  const asked: string[] = []
  const spy = vi.spyOn(pg.Client.prototype, 'query')
  try {
    await work()
    for (const [query] of spy.mock.calls as unknown[][]) {
      const { name, text } = typeof query === 'string' ? { name: '', text: query } : (query as { name?: string; text: string })
      if (name?.startsWith('auth-') !== true) asked.push(shape(text))
    }
  } finally {
    spy.mockRestore()
  }
  return asked
}

const threadFields = 'edges { node { id body author { id name } attachments { id url } conversation { id } channelAccount { id } } }'

const pages: Record<string, (size: number) => Promise<unknown>> = {
  Inbox: (first) => org.ask(InboxDocument, { first }),
  ConversationThread: (last) => org.ask(ConversationThreadDocument, { id: conversationId, last }),
  CustomerWorkspace: (last) => org.ask(CustomerWorkspaceDocument, { id: customerId, last }),
  CommunicationsQueue: (first) => org.ask(CommunicationsQueueDocument, { first }),
  Customers: (first) => org.ask(CustomersDocument, { first }),
  CustomerTimeline: (first) => org.ask(CustomerTimelineDocument, { id: customerId, first }),
  Templates: (first) => org.ask(TemplatesDocument, { first }),
  ChannelAccounts: () => org.ask(ChannelAccountsDocument),
  'an inbox of another selection': (first) =>
    org.ask(
      `query ($first: Int) { conversations(first: $first) { nodes { id messagingWindow { isOpen } customer { id name identities { value } }
         channelAccount { name isSandbox } assignee { name } lastCommunication { body attachments { id } author { id } } } } }`,
      { first },
    ),
  'a thread of another selection': (last) =>
    org.ask(`query ($id: ID!, $last: Int) { conversation(id: $id) { id communications(last: $last) { ${threadFields} } } }`, {
      id: conversationId,
      last,
    }),
  'a list with a connection in each row': (first) =>
    org.ask(
      `query ($first: Int) { conversations(first: $first) { nodes { communications(last: 1) { nodes { body author { name } attachments { id } } }
         customer { conversations(first: 2) { nodes { id } } } } } }`,
      { first },
    ),
  'customers with their timelines and filtered communications': (first) =>
    org.ask(
      `query ($first: Int) { customers(first: $first) { nodes { timeline(first: 1) { nodes { type actor { name } } }
         communications(last: 1, filter: { types: [SMS], unread: true }) { nodes { id } } } } }`,
      { first },
    ),
  'customers and how they can be written to': (first) =>
    org.ask('query ($first: Int) { customers(first: $first) { nodes { sendability { canSend channelAccount { name } } } } }', { first }),
  'templates with a preview for one customer': (first) =>
    org.ask(
      `query ($first: Int, $id: ID!) { templates(first: $first) { nodes { name preview(customerId: $id, variables: { x: 1 }) { body } } } }`,
      { first, id: customerId },
    ),
  'nodes by id': async (count) => {
    const { communications } = await org.ask<{ communications: { nodes: { id: string }[] } }, object>(
      'query ($first: Int) { communications(first: $first) { nodes { id } } }',
      { first: count },
    )
    const ids = communications.nodes.map(({ id }) => id)
    return org.ask('query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Communication { body customer { name } } } }', { ids })
  },
}

test.each(Object.keys(pages))('%s: as many statements for 100 rows as for 5', async (name) => {
  const load = present(pages[name])
  const few = await statements(() => load(5))
  const many = await statements(() => load(MANY))
  // Loads of one noun from two places of a document are one statement or two, as their ticks fall; what must not happen is one for each row.
  expect(new Set(many)).toEqual(new Set(few))
  expect(many.length).toBeLessThanOrEqual(12)
  expect(few.length).toBeGreaterThan(0)
  expect(few.length).toBeLessThanOrEqual(12)
})

test.each(['Inbox', 'ConversationThread', 'CustomerWorkspace', 'CommunicationsQueue', 'Customers', 'an inbox of another selection'])(
  '%s is one statement, whatever its selection',
  async (name) => {
    const load = present(pages[name])
    const asked = await statements(() => load(50))
    // `isSandbox` is the adapters' knowledge, and has no SQL.
    expect(asked.length).toBe(name === 'an inbox of another selection' ? 7 : 1)
  },
)

test('what the executor loads are the columns that a document asks for, and no others', async () => {
  const { communications } = await org.ask<{ communications: { nodes: { id: string }[] } }, object>(
    '{ communications(first: 5) { nodes { id } } }',
  )
  const ids = communications.nodes.map(({ id }) => id)
  const spy = vi.spyOn(pg.Client.prototype, 'query')
  try {
    await org.ask('query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Communication { body isRevoked customer { name } } } }', { ids })
    const texts = (spy.mock.calls as unknown[][]).map(([query]) => (query as { text?: string }).text ?? '')
    const columnsRead = (table: string) => {
      const select = present(texts.find((text) => text.includes(`FROM "public"."${table}"`)))
      return [...select.slice(0, select.indexOf(' FROM ')).matchAll(/"public"\."\w+"\."(\w+)"/g)].map(([, column]) => column).sort()
    }
    expect(columnsRead('communication')).toEqual(['body', 'customer_id', 'id', 'revoked_at'])
    expect(columnsRead('customer')).toEqual(['id', 'merged_into_id', 'name'])
  } finally {
    spy.mockRestore()
  }
})

test('recognizing who asks is one statement at most', async () => {
  const spy = vi.spyOn(pg.Client.prototype, 'query')
  try {
    await app.request('{ __typename }', {}, await app.token({ organization: org.slug, subject: 'tester' }))
    const names = (spy.mock.calls as unknown[][]).map(([query]) => (query as { name?: string }).name)
    expect(names.filter((name) => name?.startsWith('auth-')).length).toBeLessThanOrEqual(1)
  } finally {
    spy.mockRestore()
  }
})
