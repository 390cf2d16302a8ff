import { afterAll, beforeAll, expect, test } from 'vitest'
import { encodeCursor } from '../../src/events/cursor.ts'
import {
  AddNoteDocument,
  InboxDocument,
  InboxEventsDocument,
  type InboxEventsSubscription,
  MarkReadDocument,
} from '../generated/graphql.ts'
import { startTestApp, type TestApp } from '../support/app.ts'
import { eventually } from '../support/eventually.ts'
import { followers, overSocket, type Subscriber } from '../support/live.ts'
import { openOrganization, type TestOrganization } from '../support/organization.ts'
import { present } from '../support/result.ts'

const CUSTOMERS = 6
const ROUNDS = 12
const FOLLOWERS = 5

let app: TestApp
let org: TestOrganization

beforeAll(async () => {
  app = await startTestApp()
  org = await openOrganization(app, { slug: 'live' })
})
afterAll(() => app?.close())

const cursors = (subscriber: Subscriber<InboxEventsSubscription>) => subscriber.data().map(({ inboxEvents }) => inboxEvents.cursor)

/** Loses a third of the rings, doubles some and delays some. */
function makeUnreliable({ bus }: TestApp['deps']): void {
  const ring = bus.ring
  bus.ring = (topic) => {
    const fate = Math.random()
    if (fate < 0.33) return
    if (fate < 0.66) setTimeout(() => ring(topic), Math.random() * 200)
    if (fate > 0.5) ring(topic)
  }
}

/** Follows from the beginning, cut off again and again; `isLast` says when all has come. */
async function followAll(isLast: (cursor: string) => boolean): Promise<string[]> {
  const seen: string[] = []
  let after = encodeCursor(0n)
  while (!isLast(after)) {
    const subscriber = overSocket(app, { document: InboxEventsDocument, variables: { after }, token: org.token })
    const until = performance.now() + Math.random() * 400
    while (performance.now() < until && !isLast(cursors(subscriber).at(-1) ?? after)) await new Promise((resolve) => setTimeout(resolve, 5))
    subscriber.stop()
    const given = cursors(subscriber)
    seen.push(...given)
    after = given.at(-1) ?? after
  }
  return seen
}

test('a follower that is cut off at random, while rings are lost, doubled and late, ends with exactly the log', async () => {
  makeUnreliable(app.deps)
  let last: string | null = null
  const following = Array.from({ length: FOLLOWERS }, () => followAll((cursor) => cursor === last))

  const write = async (index: number) => {
    const number = `+90555113000${index}`
    for (let round = 0; round < ROUNDS; round += 1) {
      await org.sms.inbound(number, `message ${round}`)
      const { conversations } = await org.ask(InboxDocument, { filter: { search: number } })
      const customerId = present(conversations.nodes[0]).customer.id
      await Promise.all([
        org.whatsapp.inbound(number, `message ${round}`),
        org.ask(AddNoteDocument, { input: { customerId, body: `note ${round}` } }),
        org.ask(MarkReadDocument, { input: { target: { customerId } } }),
      ])
    }
  }
  await Promise.all(Array.from({ length: CUSTOMERS }, (_, index) => write(index)))
  const { __type: inboxTypes } = await org.ask<{ __type: { enumValues: { name: string }[] } }, unknown>(
    '{ __type(name: "InboxEventType") { enumValues { name } } }',
  )
  const { rows } = await app.deps.pool.query<{ seq: string }>(
    'SELECT seq FROM event WHERE organization_id = $1 AND type::text = ANY($2) ORDER BY seq',
    [org.id, inboxTypes.enumValues.map(({ name }) => name)],
  )
  const log = rows.map(({ seq }) => encodeCursor(BigInt(seq)))
  last = present(log.at(-1))

  expect(log.length).toBeGreaterThan(CUSTOMERS * ROUNDS * 5)
  for (const seen of await Promise.all(following)) expect(seen).toEqual(log)
  await eventually(async () => expect(await followers(app)).toBe(0))
})

test('a cursor older than what is kept gets ResyncRequiredEvent, and then what happens', async () => {
  // An organization that nobody follows: what is deleted is in nobody's memory.
  const kept = await openOrganization(app, { slug: 'kept' })
  await kept.sms.inbound('+905551130009', 'deleted from the log')
  await app.deps.pool.query('DELETE FROM event WHERE organization_id = $1 AND seq <= 5', [kept.id])
  const subscriber = overSocket(app, { document: InboxEventsDocument, variables: { after: encodeCursor(3n) }, token: kept.token })
  await eventually(() => expect(subscriber.data()).toHaveLength(1))
  const resync = present(subscriber.data()[0]).inboxEvents
  expect(resync).toMatchObject({ __typename: 'ResyncRequiredEvent', reason: expect.stringContaining('no longer kept') })

  await kept.sms.inbound('+905551130009', 'after the resync')
  const received = () =>
    subscriber.data().flatMap(({ inboxEvents }) => (inboxEvents.__typename === 'CommunicationReceivedEvent' ? [inboxEvents] : []))
  await eventually(() => expect(received().map(({ communication }) => communication?.body)).toEqual(['after the resync']))
  subscriber.stop()

  const fromResync = overSocket(app, { document: InboxEventsDocument, variables: { after: resync.cursor }, token: kept.token })
  await eventually(() => expect(cursors(fromResync)).toEqual(cursors(subscriber).slice(1)))
  fromResync.stop()
})

test('a cursor that is ahead of the log is told so as well, instead of silence', async () => {
  const subscriber = overSocket(app, { document: InboxEventsDocument, variables: { after: encodeCursor(10n ** 9n) }, token: org.token })
  await eventually(() => expect(subscriber.data().map(({ inboxEvents }) => inboxEvents.__typename)).toEqual(['ResyncRequiredEvent']))
  subscriber.stop()
})
