import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { encodeCursor } from '../../src/events/cursor.ts'
import {
  CommunicationReceivedDocument,
  InboxDocument,
  InboxEventsDocument,
  type InboxEventsSubscription,
  UnreadCountChangedDocument,
} from '../generated/graphql.ts'
import { startTestApp, type TestApp } from '../support/app.ts'
import { countStatements } from '../support/count-statements.ts'
import { eventually } from '../support/eventually.ts'
import { followers, metric, openSocket, overSocket, type Subscriber } from '../support/live.ts'
import { openOrganization, type TestOrganization } from '../support/organization.ts'
import { present } from '../support/result.ts'
import { unreadableEvent } from '../support/unreadable-event.ts'

let app: TestApp
let org: TestOrganization
let other: TestOrganization
/** The log's end before anything that an inbox is told of. */
let beginning: number
const running: Subscriber<unknown>[] = []

beforeAll(async () => {
  // No polls and no worker: only what an event causes is counted.
  app = await startTestApp({ POLL_SECONDS: '300', WORKER: 'off' })
  org = await openOrganization(app, { slug: 'live' })
  other = await openOrganization(app, { slug: 'other' })
  beginning = await head(org)
})
afterEach(async () => {
  for (const subscriber of running.splice(0)) subscriber.stop()
  await eventually(async () => expect(await metric(app, 'parley_open_sockets')).toBe(0))
})
afterAll(() => app?.close())

const subscribe: <Data, Variables>(subscribing: Parameters<typeof overSocket<Data, Variables>>[1]) => Subscriber<Data> = (subscribing) => {
  const subscriber = overSocket(app, subscribing)
  running.push(subscriber)
  return subscriber
}

const many = <Item>(count: number, make: () => Item): Item[] => Array.from({ length: count }, make)

const follow = (count: number) => eventually(async () => expect(await followers(app)).toBe(count))

const cursors = (subscriber: Subscriber<InboxEventsSubscription>) => subscriber.data().map(({ inboxEvents }) => inboxEvents.cursor)

const bodies = (subscriber: Subscriber<InboxEventsSubscription>) =>
  subscriber
    .data()
    .flatMap(({ inboxEvents }) => (inboxEvents.__typename === 'CommunicationReceivedEvent' ? [inboxEvents.communication?.body] : []))

/** Cursors of the inbox events of an organization after seq `after`, by the log itself. */
async function logged(organization: TestOrganization, after: number): Promise<string[]> {
  const { rows } = await app.deps.pool.query<{ seq: string }>(
    'SELECT seq FROM event WHERE organization_id = $1 AND seq > $2 ORDER BY seq',
    [organization.id, after],
  )
  return rows.map(({ seq }) => encodeCursor(BigInt(seq)))
}

async function head(organization: TestOrganization): Promise<number> {
  const { rows } = await app.deps.pool.query<{ seq: number }>('SELECT event_seq::int AS seq FROM organization WHERE id = $1', [
    organization.id,
  ])
  return present(rows[0]).seq
}

test('two hundred subscribers in several groups and two organizations: each gets its own, whole and in order', async () => {
  await org.sms.inbound('+905551150001', 'known')
  await other.sms.inbound('+905551150001', 'known')
  const { conversations } = await org.ask(InboxDocument, { filter: { search: '+905551150001' } })
  const { customer } = present(conversations.nodes[0])
  const [start, otherStart] = [await head(org), await head(other)]
  const viewer = await app.token({ organization: 'live', role: 'VIEWER', subject: 'viewer' })
  const document = InboxEventsDocument
  const all = many(100, () => subscribe({ document, token: org.token }))
  const viewers = many(20, () => subscribe({ document, token: viewer }))
  const resuming = many(20, () => subscribe({ document, token: org.token, variables: { after: encodeCursor(BigInt(start)) } }))
  const ofCustomer = many(40, () => subscribe({ document, token: org.token, variables: { filter: { customerId: customer.id } } }))
  const strangers = many(20, () => subscribe({ document, token: other.token }))
  await follow(200)

  const messages = Array.from({ length: 10 }, (_, index) => index)
  const sending = [
    ...messages.map((index) => org.sms.inbound('+905551150001', `mine ${index}`)),
    ...messages.map((index) => org.sms.inbound('+905551150002', `another's ${index}`)),
    ...messages.map((index) => other.sms.inbound('+905551150001', `elsewhere ${index}`)),
  ]
  await Promise.all(sending)

  const [expected, elsewhere] = [await logged(org, start), await logged(other, otherStart)]
  expect(expected.length).toBeGreaterThanOrEqual(40)
  for (const one of [...all, ...viewers, ...resuming]) await eventually(() => expect(cursors(one)).toEqual(expected))
  for (const one of strangers) await eventually(() => expect(cursors(one)).toEqual(elsewhere))
  for (const one of strangers) expect(bodies(one).toSorted()).toEqual(messages.map((index) => `elsewhere ${index}`))
  for (const one of ofCustomer) await eventually(() => expect(bodies(one).toSorted()).toEqual(messages.map((index) => `mine ${index}`)))
})

test('who completes, or leaves, ends nobody else; on one socket too', async () => {
  const client = openSocket(app, { authorization: `Bearer ${org.token}` })
  const subscribing = { document: CommunicationReceivedDocument, token: org.token }
  const [staying, completing] = [subscribe({ ...subscribing, client }), subscribe({ ...subscribing, client })]
  const [leaving, elsewhere] = [subscribe(subscribing), subscribe(subscribing)]
  await follow(4)
  completing.stop()
  leaving.stop()
  await follow(2)
  await org.sms.inbound('+905551150003', 'to those who stay')
  for (const one of [staying, elsewhere]) {
    await eventually(() => expect(one.data().map(({ communicationReceived }) => communicationReceived.body)).toEqual(['to those who stay']))
  }
  expect([...completing.results, ...leaving.results]).toEqual([])
  for (const one of [staying, elsewhere]) one.stop()
  await follow(0)
  const [again] = [subscribe(subscribing)]
  await follow(1)
  await org.sms.inbound('+905551150003', 'to a new group')
  await eventually(() => expect(again?.data().map(({ communicationReceived }) => communicationReceived.body)).toEqual(['to a new group']))
})

test('events that come together are executed together: their statements do not grow with their number', async () => {
  const one = subscribe({ document: InboxEventsDocument, token: org.token })
  await follow(1)
  await org.sms.inbound('+905551150004', 'known')
  await eventually(() => expect(bodies(one)).toEqual(['known']))

  const statements = countStatements()
  const resumed = subscribe({ document: InboxEventsDocument, token: org.token, variables: { after: encodeCursor(BigInt(beginning)) } })
  const expected = await logged(org, beginning)
  await eventually(() => expect(cursors(resumed)).toEqual(expected))
  const count = statements.count()
  statements.stop()
  expect(expected.length).toBeGreaterThan(50)
  // The token, the log's page, this test's look at the log, and a statement or two for each noun and batch of 64 events.
  expect(count).toBeLessThan(20)
})

describe('an event that cannot be executed', () => {
  test('is an error in the result of each, told by one reference, and what comes next is not', async () => {
    const { conversations } = await org.ask(InboxDocument, {})
    const { customer } = present(conversations.nodes[0])
    const subscribers = many(5, () => subscribe({ document: UnreadCountChangedDocument, token: org.token }))
    await follow(5)
    await unreadableEvent(app, org.id, async () => {
      for (const one of subscribers) await eventually(() => expect(one.results).toHaveLength(1))
    })
    const told = new Set(subscribers.map(({ results }) => JSON.stringify(results)))
    expect(told.size).toBe(1)
    expect(subscribers[0]?.results[0]).toMatchObject({
      errors: [{ path: ['unreadCountChanged', 'customer'], extensions: { code: 'INTERNAL_SERVER_ERROR', reference: expect.any(String) } }],
      data: { unreadCountChanged: { organizationUnreadCount: 7, customer: null } },
    })
    await org.ask('mutation ($id: ID!) { markRead(input: { target: { customerId: $id } }) { __typename } }', { id: customer.id })
    for (const one of subscribers) await eventually(() => expect(one.results[1]?.data?.unreadCountChanged.customer?.unreadCount).toBe(0))
  })
})
