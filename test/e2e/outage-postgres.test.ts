import { pino } from 'pino'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Embedded, startEmbedded } from '../../src/db/embedded.ts'
import { AddNoteDocument, InboxDocument, InboxEventsDocument, SendMessageDocument, ViewerDocument } from '../generated/graphql.ts'
import { startTestApp, type TestApp } from '../support/app.ts'
import { eventually } from '../support/eventually.ts'
import { type FakeTwilio, startFakeTwilio } from '../support/fake-twilio.ts'
import { type Forwarder, startForwarder } from '../support/forwarder.ts'
import { followers, metric, overSocket, overSse } from '../support/live.ts'
import { openOrganization, type TestOrganization } from '../support/organization.ts'
import { member, present } from '../support/result.ts'
import { dataDirectory } from '../support/server-process.ts'

let directory: Awaited<ReturnType<typeof dataDirectory>>
let forwarder: Forwarder
let postgres: Embedded
let fake: FakeTwilio
let app: TestApp
let org: TestOrganization

/** Its port is another one each time; the forwarder's stays. */
async function startPostgres(): Promise<string> {
  postgres = await startEmbedded({ dataDir: directory.path, log: pino({ level: 'silent' }), settings: { fsync: 'off' } })
  const url = new URL(postgres.url)
  forwarder.to(Number(url.port))
  url.port = String(forwarder.port)
  return url.href
}

async function stopPostgres(): Promise<void> {
  forwarder.to(null)
  await postgres.stop()
}

beforeAll(async () => {
  directory = await dataDirectory()
  forwarder = await startForwarder()
  fake = await startFakeTwilio()
  app = await startTestApp({ DATABASE_URL: await startPostgres(), TWILIO_API_URL: fake.url, STALE_JOB_SECONDS: '86400' })
  org = await openOrganization(app, {
    slug: 'outage',
    credentials: { twilio: fake.credentials },
    authToken: fake.credentials.authToken,
  })
})
afterAll(async () => {
  await app?.close()
  await postgres?.stop()
  await fake?.close()
  await forwarder?.close()
  await directory?.remove()
})

const readiness = async () => {
  const response = await fetch(`${app.url}/health/ready`)
  return { status: response.status, body: (await response.json()) as { parts: Record<string, string> } }
}

const webhook = (messageSid: string, body: string) =>
  fetch(org.sms.webhookUrl, {
    method: 'POST',
    body: new URLSearchParams({ MessageSid: messageSid, From: '+905551150001', To: org.sms.address, Body: body }),
  })

test('PostgreSQL goes away under everything and comes back: clear answers meanwhile, and everything recovers without a restart', async () => {
  await org.sms.inbound('+905551150001', 'before')
  const { conversations } = await org.ask(InboxDocument, {})
  const { id: conversationId, customer } = present(conversations.nodes[0])
  const sse = await overSse(app, { document: InboxEventsDocument, token: org.token })
  const socket = overSocket(app, { document: InboxEventsDocument, token: org.token })
  await eventually(async () => expect(await followers(app)).toBe(2))
  expect((await readiness()).status).toBe(200)

  // Two jobs are in hand: what Twilio answered to one can only be written after the outage began.
  const send = async (text: string) => {
    const input = { to: { conversationId }, content: { text } }
    return member((await org.ask(SendMessageDocument, { input })).sendMessage, 'SendMessageSuccess').communication.id
  }
  fake.next({ delayMs: 1_000 })
  const inHand = await send('in hand')
  await eventually(() => expect(fake.messages).toHaveLength(1))
  await stopPostgres()

  const refused = await webhook(`SM${'0'.repeat(32)}`, 'meanwhile')
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '5'])
  const answer = await app.request(ViewerDocument, {}, org.token)
  expect(answer.status).toBe(503)
  expect(answer.errors).toEqual([
    expect.objectContaining({
      message: expect.stringContaining('database cannot be reached'),
      extensions: { code: 'SERVICE_UNAVAILABLE' },
    }),
  ])
  const note = await app.request(AddNoteDocument, { input: { customerId: customer.id, body: 'meanwhile' } }, org.token)
  expect(note.errors?.[0]?.extensions).toEqual({ code: 'SERVICE_UNAVAILABLE' })
  const { status, body } = await readiness()
  expect([status, body.parts.postgres]).toEqual([503, expect.stringMatching(/^down/)])
  expect((await fetch(`${app.url}/health/live`)).status).toBe(200)
  expect(await metric(app, 'parley_http_requests_total')).toBeGreaterThan(0)
  // The send's answer arrives while it cannot be written: that ends graphile-worker's runner.
  await eventually(async () => expect((await readiness()).body.parts.worker).toMatch(/^down/))

  await startPostgres()
  await eventually(async () => expect(await readiness()).toMatchObject({ status: 200, body: { parts: { postgres: 'ok', worker: 'ok' } } }))
  await org.sms.inbound('+905551150001', 'after')
  expect((await app.request(ViewerDocument, {}, org.token)).errors).toBeUndefined()
  const after = await send('after')
  const receivedBy = (subscriber: typeof sse) =>
    subscriber
      .data()
      .flatMap(({ inboxEvents }) => (inboxEvents.__typename === 'CommunicationReceivedEvent' ? [inboxEvents.communication?.body] : []))
  for (const subscriber of [sse, socket]) await eventually(() => expect(receivedBy(subscriber)).toEqual(['after']))

  const { rows } = await app.deps.pool.query<{ body: string; n: number }>(
    `SELECT body, count(*)::int AS n FROM communication WHERE direction = 'INBOUND' GROUP BY 1 ORDER BY 1`,
  )
  expect(rows).toEqual([
    { body: 'after', n: 1 },
    { body: 'before', n: 1 },
  ])
  const statusOf = async (id: string) => {
    const { node } = await org.ask<{ node: { deliveryStatus: string } }, unknown>(
      'query ($id: ID!) { node(id: $id) { ... on Communication { deliveryStatus } } }',
      { id },
    )
    return node.deliveryStatus
  }
  await eventually(async () => expect([await statusOf(inHand), await statusOf(after)]).toEqual(['UNKNOWN', 'SENT']))
  expect(fake.messages.map(({ params }) => params.Body)).toEqual(['in hand', 'after'])
  sse.stop()
  socket.stop()
}, 60_000)
