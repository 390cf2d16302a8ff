import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { newId } from '../../src/domain/ids.ts'
import { listPages } from '../../src/domain/list-query.ts'
import { type ScheduledFilter, scheduledList } from '../../src/domain/list-scheduled.ts'
import { checkedPage, type PageArguments } from '../../src/domain/page.ts'
import { startTestApp, type TestApp } from '../support/app.ts'
import { present } from '../support/result.ts'

const BASE = Date.now() + 3_600_000

type Row = { id: string; sendAt: Date; customerId: string; conversationId: string }

let app: TestApp
let organizationId: string
let people: { customerId: string; conversationId: string }[]

beforeAll(async () => {
  app = await startTestApp({ WORKER: 'off' }, { handwritten: true })
  const { db } = app.deps
  const account = await db.channelAccount.findFirstOrThrow()
  organizationId = account.organizationId
  people = [1, 2, 3].map(() => ({ customerId: newId(), conversationId: newId() }))
  for (const { customerId, conversationId } of people) {
    await db.customer.create({ data: { id: customerId, organizationId } })
    const place = { id: conversationId, organizationId, customerId, channelAccountId: account.id, channel: account.channel }
    await db.conversation.create({ data: { ...place, address: conversationId, lastActivityAt: new Date() } })
  }
})
afterAll(() => app?.close())

/** Few times for many messages, so that many are due at the same millisecond; others than SCHEDULED among them. */
async function fill(times: readonly { ms: number; person: number; scheduled: boolean }[]): Promise<Row[]> {
  await app.deps.db.communication.deleteMany()
  const rows = times.map(({ ms, person, scheduled }) => ({
    ...present(people[person]),
    id: newId(),
    organizationId,
    type: 'SMS' as const,
    direction: 'OUTBOUND' as const,
    body: '',
    deliveryStatus: scheduled ? ('SCHEDULED' as const) : ('CANCELED' as const),
    sendAt: new Date(BASE + ms),
    createdAt: new Date(),
  }))
  await app.deps.db.communication.createMany({ data: rows })
  return rows.filter(({ deliveryStatus }) => deliveryStatus === 'SCHEDULED')
}

async function pageOf(filter: ScheduledFilter, args: PageArguments) {
  const query = await scheduledList(app.deps, organizationId, filter, checkedPage(args))
  return present((await listPages(app.deps, query, 'organization_id', [organizationId])).get(organizationId))
}

async function walk(filter: ScheduledFilter, size: number, backwards: boolean): Promise<string[]> {
  const seen: string[] = []
  for (let cursor: string | null = null; ; ) {
    const args: PageArguments = backwards ? { last: size, before: cursor } : { first: size, after: cursor }
    const { rows, hasNextPage, hasPreviousPage } = await pageOf(filter, args)
    expect(rows.length).toBeLessThanOrEqual(size)
    if (backwards) seen.unshift(...rows.map(({ id }) => id))
    else seen.push(...rows.map(({ id }) => id))
    if (!(backwards ? hasPreviousPage : hasNextPage)) return seen
    cursor = present(backwards ? rows[0] : rows.at(-1)).cursor
  }
}

const reference = (rows: Row[], { customerId, conversationId }: ScheduledFilter): string[] =>
  rows
    .filter((row) => (customerId ?? row.customerId) === row.customerId && (conversationId ?? row.conversationId) === row.conversationId)
    .toSorted((a, b) => a.sendAt.getTime() - b.sendAt.getTime() || (a.id < b.id ? -1 : 1))
    .map(({ id }) => id)

test('page by page it is what a sort gives, forwards and backwards, whatever is scheduled', async () => {
  const time = fc.record({ ms: fc.integer({ min: 0, max: 4 }), person: fc.integer({ min: 0, max: 2 }), scheduled: fc.boolean() })
  const given = fc.record({
    times: fc.array(time, { maxLength: 40 }),
    size: fc.integer({ min: 1, max: 9 }),
    customer: fc.option(fc.integer({ min: 0, max: 2 })),
    conversation: fc.option(fc.integer({ min: 0, max: 2 })),
  })
  await fc.assert(
    fc.asyncProperty(given, async ({ times, size, customer, conversation }) => {
      const rows = await fill(times)
      const filter = {
        customerId: customer === null ? null : present(people[customer]).customerId,
        conversationId: conversation === null ? null : present(people[conversation]).conversationId,
      }
      for (const backwards of [false, true]) expect(await walk(filter, size, backwards)).toEqual(reference(rows, filter))
    }),
    { numRuns: 60, seed: 7 },
  )
})

test('the index answers, so that the list costs what its page costs', async () => {
  await fill(Array.from({ length: 2_000 }, (_, ms) => ({ ms, person: ms % 3, scheduled: ms % 2 === 0 })))
  await app.deps.pool.query('ANALYZE communication')
  const { rows } = await app.deps.pool.query<{ 'QUERY PLAN': string }>(
    `EXPLAIN SELECT id FROM communication WHERE organization_id = $1 AND delivery_status = 'SCHEDULED' AND (send_at, id) > ($2, $3)
     ORDER BY send_at ASC, id ASC LIMIT 26`,
    [organizationId, new Date(BASE), newId()],
  )
  const plan = rows.map((row) => row['QUERY PLAN']).join('\n')
  expect(plan).toContain('communication_scheduled')
  expect(plan).not.toContain('Sort')
})
