import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { AddNoteDocument, CreateCustomerDocument, InboxEventsDocument, SendMessageDocument } from '../generated/graphql.ts'
import { startTestApp, type TestApp } from '../support/app.ts'
import { eventually } from '../support/eventually.ts'
import { type FakeTwilio, startFakeTwilio } from '../support/fake-twilio.ts'
import { followers, overSocket, overSse } from '../support/live.ts'
import { openOrganization, type TestOrganization } from '../support/organization.ts'
import { member } from '../support/result.ts'
import { endServers, type ServerProcess, SHARED_SETTINGS, startServer } from '../support/server-process.ts'

let fake: FakeTwilio
let app: TestApp
let org: TestOrganization

beforeAll(async () => {
  fake = await startFakeTwilio()
  app = await startTestApp({ ...SHARED_SETTINGS, WORKER: 'off', TWILIO_API_URL: fake.url })
  org = await openOrganization(app, {
    slug: 'leaving',
    credentials: { twilio: fake.credentials },
    authToken: fake.credentials.authToken,
  })
})
afterAll(async () => {
  await endServers()
  await app?.close()
  await fake?.close()
})

const start = (settings: Record<string, string> = {}) =>
  startServer({
    ...SHARED_SETTINGS,
    DATABASE_URL: app.databaseUrl,
    DATA_DIR: app.deps.config.DATA_DIR,
    TWILIO_API_URL: fake.url,
    ...settings,
  })

let numbers = 0
/** Queues a message for which Twilio takes its time; resolves when Twilio has it. */
async function sendSlowly(delayMs: number): Promise<string> {
  const accepted = fake.messages.length
  fake.next({ delayMs })
  const input = { to: { address: `+1415555${1000 + numbers++}` }, channelAccountId: org.sms.id, content: { text: 'slow' } }
  const { communication } = member((await org.ask(SendMessageDocument, { input })).sendMessage, 'SendMessageSuccess')
  await eventually(() => expect(fake.messages).toHaveLength(accepted + 1))
  return communication.id
}

const statusOf = async (id: string) => {
  const { node } = await org.ask<{ node: { deliveryStatus: string } }, unknown>(
    'query ($id: ID!) { node(id: $id) { ... on Communication { deliveryStatus } } }',
    { id },
  )
  return node.deliveryStatus
}

const refusesConnections = (server: ServerProcess) => eventually(() => expect(fetch(`${server.url}/health/live`)).rejects.toThrow())

test('SIGTERM: sockets close with 1001, streams end, the request and the job in hand finish, nothing new begins, exit code 0', async () => {
  const server = await start()
  const { createCustomer } = await org.ask(CreateCustomerDocument, { input: { name: 'Held Up' } })
  const customerId = member(createCustomer, 'CreateCustomerSuccess').customer.id
  const socket = overSocket(server, { document: InboxEventsDocument, token: org.token })
  const sse = await overSse(server, { document: InboxEventsDocument, token: org.token })
  await eventually(async () => expect(await followers(server)).toBe(2))
  const sending = await sendSlowly(1_500)

  const holder = new pg.Client({ connectionString: app.databaseUrl })
  await holder.connect()
  await holder.query('BEGIN')
  await holder.query('SELECT FROM organization WHERE id = $1 FOR UPDATE', [org.id])
  const elsewhere = org.ask(AddNoteDocument, { input: { customerId, body: 'to another server' } })
  const held = postTo(server, { customerId, body: 'in hand' })
  await eventually(async () => {
    const { rows } = await holder.query(
      `SELECT count(*)::int AS n FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
    )
    expect(rows[0].n).toBeGreaterThanOrEqual(2)
  })

  server.kill('SIGTERM')
  expect(await socket.ended).toEqual({ by: 'close', code: 1001, reason: 'Going away' })
  await sse.ended
  await refusesConnections(server)
  await holder.query('COMMIT')
  await holder.end()
  const answer = await held
  expect(answer).toMatchObject({ status: 200, body: { data: { addNote: { __typename: 'AddNoteSuccess' } } } })
  await elsewhere
  expect(await server.exited).toBe(0)
  expect(await statusOf(sending)).toBe('SENT')
  expect(server.output()).toMatch(/^Stopping …$/m)
})

async function postTo(server: ServerProcess, input: { customerId: string; body: string }) {
  const response = await fetch(`${server.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${org.token}` },
    body: JSON.stringify({ query: 'mutation ($input: AddNoteInput!) { addNote(input: $input) { __typename } }', variables: { input } }),
  })
  return { status: response.status, body: await response.json() }
}

test('a job that does not end in time is given back, and the exit code is 0 all the same', async () => {
  const server = await start({ SHUTDOWN_SECONDS: '1' })
  const sending = await sendSlowly(60_000)
  const locked = async () => {
    const { rows } = await app.deps.pool.query<{ locked: boolean }>(
      `SELECT locked_at IS NOT NULL AS locked FROM graphile_worker.jobs WHERE task_identifier = 'deliver'`,
    )
    return rows.map((row) => row.locked)
  }
  expect(await locked()).toEqual([true])
  server.kill('SIGTERM')
  expect(await server.exited).toBe(0)
  expect(await locked()).toEqual([false])

  const successor = await start()
  await eventually(async () => expect(await statusOf(sending)).toBe('UNKNOWN'))
  expect(fake.messages.filter(({ params }) => params.Body === 'slow')).toHaveLength(2)
  successor.kill('SIGTERM')
  expect(await successor.exited).toBe(0)
})

test('SIGINT twice at once, as npm passes Ctrl-C on: one clean end', async () => {
  const server = await start()
  server.kill('SIGINT')
  server.kill('SIGINT')
  expect(await server.exited).toBe(0)
  expect(server.output().match(/Stopping/g)).toHaveLength(1)
  expect(server.output()).not.toMatch(/error/i)
})
