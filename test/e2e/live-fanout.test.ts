import { afterAll, beforeAll, expect, test } from 'vitest'
import { CommunicationReceivedDocument, type CommunicationReceivedSubscription } from '../generated/graphql.ts'
import { startTestApp, type TestApp } from '../support/app.ts'
import { countStatements } from '../support/count-statements.ts'
import { eventually } from '../support/eventually.ts'
import { followers, metric, overSocket, type Subscriber } from '../support/live.ts'
import { openOrganization, type TestOrganization } from '../support/organization.ts'

const SUBSCRIBERS = 200

let app: TestApp
let org: TestOrganization

beforeAll(async () => {
  // No polls and no worker: only what the event causes is counted.
  app = await startTestApp({ POLL_SECONDS: '300', WORKER: 'off' })
  org = await openOrganization(app, { slug: 'live' })
})
afterAll(() => app?.close())

const bodies = (subscriber: Subscriber<CommunicationReceivedSubscription>) =>
  subscriber.data().map(({ communicationReceived }) => communicationReceived.body)

/** Statements and reads of the log that one inbound message costs, all subscribers' deliveries included. */
async function costOf(body: string, subscribers: Subscriber<CommunicationReceivedSubscription>[]) {
  const reads = await metric(app, 'parley_event_log_reads_total')
  const statements = countStatements()
  await org.sms.inbound('+905551140001', body)
  await eventually(() => expect(subscribers.filter((subscriber) => bodies(subscriber).at(-1) === body)).toHaveLength(subscribers.length))
  const count = statements.count()
  statements.stop()
  return { statements: count, reads: (await metric(app, 'parley_event_log_reads_total')) - reads }
}

test('200 subscribers of one organization cost what one costs', async () => {
  const subscribing = { document: CommunicationReceivedDocument, token: org.token }
  const first = overSocket(app, subscribing)
  await eventually(async () => expect(await followers(app)).toBe(1))
  await org.sms.inbound('+905551140001', 'warm')
  await eventually(() => expect(bodies(first)).toEqual(['warm']))
  const forOne = await costOf('for one', [first])

  const others = Array.from({ length: SUBSCRIBERS - 1 }, () => overSocket(app, subscribing))
  await eventually(async () => expect(await followers(app)).toBe(SUBSCRIBERS))
  expect(await metric(app, 'parley_open_sockets')).toBe(SUBSCRIBERS)
  const forAll = await costOf('for all', [first, ...others])

  expect(forOne.reads).toBeGreaterThan(0)
  expect(forAll).toEqual(forOne)
  for (const subscriber of others) expect(bodies(subscriber)).toEqual(['for all'])
  for (const subscriber of [first, ...others]) subscriber.stop()
  await eventually(async () => expect(await metric(app, 'parley_open_sockets')).toBe(0))
})

test.each([
  'parley_http_requests_total',
  'parley_http_request_seconds_count',
  'parley_webhooks_total',
  'parley_graphql_operations_total',
  'parley_open_sockets',
  'parley_event_log_reads_total',
  'parley_event_log_followers',
  'parley_outstanding_jobs',
  'process_cpu_seconds_total',
])('/metrics tells %s', async (name) => {
  expect(await metric(app, name)).toBeGreaterThanOrEqual(0)
})
