import { Writable } from 'node:stream'
import { pino } from 'pino'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { keptSecret, loadConfig } from '../../src/config.ts'
import { CustomersDocument, InboxDocument, UpdateCustomerDocument } from '../generated/graphql.ts'
import { startTestApp, type TestApp } from '../support/app.ts'
import { openOrganization, type TestOrganization } from '../support/organization.ts'
import { present } from '../support/result.ts'

let app: TestApp
let org: TestOrganization
let logged: string

beforeAll(async () => {
  app = await startTestApp()
  org = await openOrganization(app, { slug: 'unexpected' })
  await org.sms.inbound('+905551110000', 'hello')
})
afterAll(() => app?.close())

/** Runs `work` while the app's log is written to memory. */
async function listening<T>(work: () => Promise<T>): Promise<T> {
  logged = ''
  const memory = new Writable({
    write(chunk: Buffer, _encoding, done) {
      logged += chunk.toString()
      done()
    },
  })
  const listener = pino({ level: 'error' }, memory)
  const { error } = app.deps.log
  app.deps.log.error = listener.error.bind(listener) as typeof error
  try {
    return await work()
  } finally {
    app.deps.log.error = error
  }
}

/** Runs `work` while a table is missing: PostgreSQL's own error, with SQL in it. */
async function without<T>(table: string, work: () => Promise<T>): Promise<T> {
  await app.deps.pool.query(`ALTER TABLE ${table} RENAME TO ${table}_away`)
  try {
    return await work()
  } finally {
    await app.deps.pool.query(`ALTER TABLE ${table}_away RENAME TO ${table}`)
  }
}

const secrets = /select|customer_away|relation|prisma|node_modules|\.ts\b|stack|at async|parameters/i

describe('an unexpected error gives a reference to the client and the whole story to the log', () => {
  test.each([
    ['a query', 'customer', CustomersDocument, () => ({})],
    ['a query of one statement', 'conversation', InboxDocument, () => ({})],
    ['a query in the executor', 'conversation', '{ conversations(first: 1) { nodes { id } } }', () => ({})],
    ['a mutation', 'customer', UpdateCustomerDocument, () => ({ input: { customerId: customerId(), name: 'a secret name' } })],
  ] as const)('%s', async (_name, table, document, variables) => {
    const given = variables()
    const answer = await listening(() => without(table, () => app.request(document as string, given as object, org.token)))
    const [error] = present(answer.errors)
    const reference = present(error?.extensions?.reference) as string
    expect(reference).toMatch(/^[0-9a-f-]{36}$/)
    expect(error).toMatchObject({ message: expect.stringContaining(reference), extensions: { code: 'INTERNAL_SERVER_ERROR' } })
    expect(JSON.stringify(answer)).not.toMatch(secrets)
    const entry = logged.split('\n').find((line) => line.includes(reference))
    expect(present(entry)).toMatch(/"stack":".*does not exist|"stack":".*TableDoesNotExist|"stack":/)
    expect(logged).not.toContain(org.token)
  })

  test('a webhook that cannot be stored', async () => {
    const answer = listening(() => without('webhook_receipt', () => org.sms.inbound('+905551110001', 'hello')))
    const error = (await answer.catch((reason: unknown) => reason)) as Error
    expect(error.message).toContain('answered with 500')
    expect(error.message).not.toMatch(/relation|select|\.ts\b|at async/i)
    const reference = /"reference":"([^"]+)"/.exec(error.message)?.[1]
    expect(logged).toContain(present(reference))
  })

  test('a webhook that is stored, but not applied, is acknowledged and kept as FAILED', async () => {
    await listening(() => without('customer', () => org.sms.inbound('+905551110002', 'hello')))
    expect(logged).toMatch(/customer.*does not exist/)
    const kept = await app.deps.db.webhookReceipt.findMany({ where: { organizationId: org.id, status: 'FAILED' } })
    expect(kept.map(({ body }) => Buffer.from(body ?? []).toString())).toEqual([expect.stringContaining('From=%2B905551110002')])
    expect(kept[0]?.problem).not.toMatch(secrets)
  })

  test('afterwards everything works again', async () => {
    expect((await org.ask(InboxDocument)).conversations.nodes).toHaveLength(1)
    expect((await org.ask(CustomersDocument)).customers.nodes).toHaveLength(1)
  })
})

let id = ''
beforeAll(async () => {
  id = present((await org.ask(CustomersDocument)).customers.nodes[0]).id
})
const customerId = () => id

describe('GraphiQL', () => {
  const page = async (url: string) => {
    const response = await fetch(`${url}/graphql`, { headers: { accept: 'text/html' } })
    return { status: response.status, html: (await response.text()).toLowerCase().includes('<!doctype html') }
  }

  test('is served in development', async () => {
    expect(await page(app.url)).toEqual({ status: 200, html: true })
  })

  test('can be turned off', async () => {
    const bare = await startTestApp({ DATABASE_URL: app.databaseUrl, GRAPHIQL: 'false' })
    try {
      expect((await page(bare.url)).html).toBe(false)
      expect((await bare.request('{ __typename }', {}, null)).data).toEqual({ __typename: 'Query' })
    } finally {
      await bare.close()
    }
  })

  test('is off in production unless asked for', () => {
    const production = {
      NODE_ENV: 'production',
      PUBLIC_URL: 'https://parley.example',
      DATABASE_URL: 'postgres://localhost/none',
      AUTH_JWT_SECRET: 'x'.repeat(32),
      ENCRYPTION_KEY: keptSecret(app.deps.config.DATA_DIR, 'a-key-for-this-test'),
    }
    expect(loadConfig(production).GRAPHIQL).toBe(false)
    expect(loadConfig({ ...production, GRAPHIQL: 'true' }).GRAPHIQL).toBe(true)
    expect(app.deps.config.GRAPHIQL).toBe(true)
  })
})

test('each mutation of one request sees what the one before has changed', async () => {
  await org.sms.inbound('+905551110000', 'one more')
  const { conversations } = await org.ask(InboxDocument)
  const row = present(conversations.nodes[0])
  const document = `mutation ($one: ID!, $customer: ID!) {
    first: markRead(input: { target: { communicationIds: [$one] } }) { ... on MarkReadSuccess { customer { name unreadCount } } }
    renamed: updateCustomer(input: { customerId: $customer, name: "Renamed" }) { ... on UpdateCustomerSuccess { customer { name unreadCount } } }
    second: markRead(input: { target: { customerId: $customer } }) { ... on MarkReadSuccess { customer { name unreadCount
      communications(last: 10, filter: { unread: true }) { nodes { id } } } } }
    noted: addNote(input: { customerId: $customer, body: "x" }) { ... on AddNoteSuccess { communication { customer { unreadCount
      communications(last: 10, filter: { types: [INTERNAL_NOTE] }) { nodes { body } } } } } }
    again: addNote(input: { customerId: $customer, body: "y" }) { ... on AddNoteSuccess { communication { customer {
      communications(last: 10, filter: { types: [INTERNAL_NOTE] }) { nodes { body } } } } } }
  }`
  const answer = await org.ask(document, { one: present(row.lastCommunication).id, customer: row.customer.id })
  expect(answer).toEqual({
    first: { customer: { name: null, unreadCount: 1 } },
    renamed: { customer: { name: 'Renamed', unreadCount: 1 } },
    second: { customer: { name: 'Renamed', unreadCount: 0, communications: { nodes: [] } } },
    noted: { communication: { customer: { unreadCount: 0, communications: { nodes: [{ body: 'x' }] } } } },
    again: { communication: { customer: { communications: { nodes: [{ body: 'x' }, { body: 'y' }] } } } },
  })
})
