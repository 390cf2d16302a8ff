import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { AutomationRun } from '../../src/db/generated/client.ts'
import { newId } from '../../src/domain/ids.ts'
import { appointmentList } from '../../src/domain/list-appointments.ts'
import { type AutomationRunFilter, automationRunList } from '../../src/domain/list-automation-runs.ts'
import { type ListedRow, listPages } from '../../src/domain/list-query.ts'
import { checkedPage, encodeKeys, type PageArguments, type PageResult } from '../../src/domain/page.ts'
import { startTestApp, type TestApp } from '../support/app.ts'
import { present } from '../support/result.ts'

const BASE = Date.parse('2037-02-01T09:00:00Z')
const KINDS = ['BOOKING_CONFIRMATION', 'APPOINTMENT_REMINDER', 'REVIEW_REQUEST'] as const
const CHANNELS = ['SMS', 'WHATSAPP'] as const
const ENDS = [
  { status: 'SCHEDULED', reason: null },
  { status: 'SENT', reason: null },
  { status: 'SKIPPED', reason: 'NO_ADDRESS' },
  { status: 'SKIPPED', reason: 'OPTED_OUT' },
  { status: 'FAILED', reason: 'DELIVERY_FAILED' },
] as const
const people = [newId(), newId()]
const visits = [newId(), newId(), newId()]

type Spec = { ms: number; kind: number; channel: number; end: number; person: number; visit: number }

let app: TestApp
let organizationId: string

beforeAll(async () => {
  app = await startTestApp({ WORKER: 'off' })
  organizationId = (await app.deps.db.organization.findFirstOrThrow()).id
})
afterAll(() => app?.close())

/** Few times for many runs, so that many are due at the same millisecond; others of another organization among them. */
async function fill(specs: readonly Spec[]): Promise<AutomationRun[]> {
  await app.deps.db.automationRun.deleteMany()
  const rows = specs.map(({ ms, kind, channel, end, person, visit }) => ({
    id: newId(),
    organizationId,
    customerId: present(people[person]),
    kind: present(KINDS[kind]),
    channel: present(CHANNELS[channel]),
    ...present(ENDS[end]),
    cause: newId(),
    step: 0,
    appointmentId: present(visits[visit]),
    dueAt: new Date(BASE + ms),
    createdAt: new Date(),
  }))
  await app.deps.db.automationRun.createMany({ data: rows.flatMap((row) => [row, { ...row, id: newId(), organizationId: newId() }]) })
  return app.deps.db.automationRun.findMany({ where: { organizationId } })
}

async function runsOf(filter: AutomationRunFilter, args: PageArguments) {
  const query = automationRunList(organizationId, filter, checkedPage(args))
  return present((await listPages(app.deps, query, 'organization_id', [organizationId])).get(organizationId))
}

const appointmentsOf = (column: 'organization_id' | 'customer_id', parents: string[], args: PageArguments) =>
  listPages(app.deps, appointmentList(organizationId, {}, checkedPage(args)), column, parents)

async function walk(filter: AutomationRunFilter, size: number, backwards: boolean): Promise<string[]> {
  const seen: string[] = []
  for (let cursor: string | null = null; ; ) {
    const args: PageArguments = backwards ? { last: size, before: cursor } : { first: size, after: cursor }
    const { rows, hasNextPage, hasPreviousPage } = await runsOf(filter, args)
    expect(rows.length).toBeLessThanOrEqual(size)
    if (backwards) seen.unshift(...rows.map(({ id }) => id))
    else seen.push(...rows.map(({ id }) => id))
    if (!(backwards ? hasPreviousPage : hasNextPage)) return seen
    cursor = present(backwards ? rows[0] : rows.at(-1)).cursor
  }
}

function reference(rows: readonly AutomationRun[], filter: AutomationRunFilter): string[] {
  const { kinds, statuses, reasons, channel, customerId, appointmentId, dueSince, dueUntil } = filter
  return rows
    .filter(
      (row) =>
        (kinds?.includes(row.kind) ?? true) &&
        (statuses?.includes(row.status) ?? true) &&
        (reasons?.some((reason) => reason === row.reason) ?? true) &&
        (channel ?? row.channel) === row.channel &&
        (customerId ?? row.customerId) === row.customerId &&
        (appointmentId ?? row.appointmentId) === row.appointmentId &&
        (dueSince ?? row.dueAt) <= row.dueAt &&
        (dueUntil === null || dueUntil === undefined || row.dueAt < dueUntil),
    )
    .toSorted((a, b) => b.dueAt.getTime() - a.dueAt.getTime() || (a.id < b.id ? 1 : -1))
    .map(({ id }) => id)
}

test('page by page the runs are what a sort gives, forwards and backwards, whatever is asked for', async () => {
  const below = (max: number) => fc.integer({ min: 0, max: max - 1 })
  const spec = fc.record({ ms: below(5), kind: below(3), channel: below(2), end: below(5), person: below(2), visit: below(3) })
  const some = <T>(values: readonly T[]) => fc.option(fc.subarray([...values]))
  const time = fc.option(below(5).map((ms) => new Date(BASE + ms)))
  const filter = fc.record({
    kinds: some(KINDS),
    statuses: some(['SCHEDULED', 'SENT', 'SKIPPED', 'FAILED'] as const),
    reasons: some(['NO_ADDRESS', 'OPTED_OUT', 'DELIVERY_FAILED'] as const),
    channel: fc.option(fc.constantFrom(...CHANNELS)),
    customerId: fc.option(fc.constantFrom(...people)),
    appointmentId: fc.option(fc.constantFrom(...visits)),
    dueSince: time,
    dueUntil: time,
  })
  // Most of the conditions are left out, or hardly a row would be left.
  const sparse = fc.tuple(
    filter,
    fc.subarray(['kinds', 'statuses', 'reasons', 'channel', 'customerId', 'appointmentId', 'dueSince', 'dueUntil'] as const, {
      maxLength: 2,
    }),
  )
  const given = fc.record({ specs: fc.array(spec, { maxLength: 40 }), size: fc.integer({ min: 1, max: 9 }), sparse })
  await fc.assert(
    fc.asyncProperty(given, async ({ specs, size, sparse: [all, kept] }) => {
      const rows = await fill(specs)
      const asked: AutomationRunFilter = Object.fromEntries(kept.map((key) => [key, all[key]]))
      for (const backwards of [false, true]) expect(await walk(asked, size, backwards)).toEqual(reference(rows, asked))
    }),
    { numRuns: 60, seed: 7 },
  )
})

test('page by page the appointments are what a sort gives, of all and of several customers at once', async () => {
  const given = fc.record({
    starts: fc.array(fc.record({ ms: fc.integer({ min: 0, max: 3 }), person: fc.integer({ min: 0, max: 1 }) }), { maxLength: 30 }),
    size: fc.integer({ min: 1, max: 7 }),
  })
  await fc.assert(
    fc.asyncProperty(given, async ({ starts, size }) => {
      await app.deps.db.appointment.deleteMany()
      const data = starts.map(({ ms, person }) => {
        const startsAt = new Date(BASE + ms)
        const times = { startsAt, endsAt: new Date(BASE + 60_000), timezone: 'UTC', statusChangedAt: startsAt, createdAt: startsAt }
        return { id: newId(), organizationId, customerId: present(people[person]), service: 'Haircut', ...times }
      })
      await app.deps.db.appointment.createMany({ data })
      const sorted = data.toSorted((a, b) => a.startsAt.getTime() - b.startsAt.getTime() || (a.id < b.id ? -1 : 1))
      const seen: ListedRow[] = []
      for (let after: string | null = null; ; ) {
        const page: PageResult<ListedRow> = present(
          (await appointmentsOf('organization_id', [organizationId], { first: size, after })).get(organizationId),
        )
        seen.push(...page.rows)
        if (!page.hasNextPage) break
        after = present(page.rows.at(-1)).cursor
      }
      expect(seen).toMatchObject(
        sorted.map(({ id, startsAt }) => ({ id, cursor: encodeKeys('appointments', [String(startsAt.getTime()), id]) })),
      )
      const last = await appointmentsOf('customer_id', people, { last: size })
      for (const person of people) {
        const theirs = sorted.filter(({ customerId }) => customerId === person).map(({ id }) => id)
        expect(last.get(person)?.rows.map(({ id }) => id)).toEqual(theirs.slice(-size))
      }
    }),
    { numRuns: 40, seed: 7 },
  )
})

/** The plan of what is asked while `work` runs, with the values that it asks with. */
async function plansOf(work: () => Promise<unknown>): Promise<string> {
  const { pool } = app.deps
  const query = pool.query.bind(pool)
  const asked: { text: string; values: unknown[] }[] = []
  pool.query = ((config: { text: string; values: unknown[] }) => {
    asked.push(config)
    return query(config)
  }) as typeof pool.query
  try {
    await work()
  } finally {
    pool.query = query
  }
  const plans = await Promise.all(
    asked.map(async ({ text, values }) =>
      (await query<{ 'QUERY PLAN': string }>(`EXPLAIN ${text}`, values)).rows.map((row) => row['QUERY PLAN']),
    ),
  )
  return plans.flat().join('\n')
}

test('an index answers each list and each question of the worker, so that they cost what their answer costs', async () => {
  const { pool } = app.deps
  await pool.query('TRUNCATE automation_run, appointment')
  const organizations = [organizationId, newId(), newId(), newId()]
  await pool.query(
    `INSERT INTO appointment (id, organization_id, customer_id, service, starts_at, ends_at, timezone, status_changed_at, created_at)
     SELECT gen_random_uuid(), ($1::uuid[])[1 + n % 4], gen_random_uuid(), 'x', now() + n * interval '1 minute', now() + n * interval '2 minutes', 'UTC', now(), now()
     FROM generate_series(1, 20000) AS n`,
    [organizations],
  )
  await pool.query(
    `INSERT INTO automation_run (id, organization_id, customer_id, kind, cause, step, channel, appointment_id, due_at, status, created_at)
     SELECT gen_random_uuid(), organization_id, customer_id, 'APPOINTMENT_REMINDER', id::text, 0, 'SMS', id, starts_at, 'SENT', now() FROM appointment`,
  )
  await pool.query('ANALYZE automation_run, appointment')
  const some = await app.deps.db.appointment.findFirstOrThrow({ where: { organizationId }, skip: 2000 })
  const runs = (filter: AutomationRunFilter) => plansOf(() => runsOf(filter, { first: 25 }))
  const cursor = encodeKeys('automationRuns', [String(some.startsAt.getTime()), some.id])
  const appointments = (column: 'organization_id' | 'customer_id', parent: string) =>
    plansOf(() => appointmentsOf(column, [parent], { first: 25 }))
  const plans: Record<string, string> = {
    all: await runs({}),
    further: await plansOf(() => runsOf({}, { first: 25, after: cursor })),
    'to come': await runs({ statuses: ['SCHEDULED'] }),
    'not sent': await runs({ statuses: ['SKIPPED', 'FAILED'] }),
    'of a customer': await runs({ customerId: some.customerId }),
    'of an appointment': await runs({ appointmentId: some.id }),
    'of a day': await runs({ dueSince: some.startsAt, dueUntil: new Date(some.startsAt.getTime() + 86_400_000) }),
    appointments: await appointments('organization_id', organizationId),
    'appointments of a customer': await appointments('customer_id', some.customerId),
    'later reminders': (
      await pool.query<{ 'QUERY PLAN': string }>(
        `EXPLAIN SELECT count(*) FROM automation_run WHERE kind = 'APPOINTMENT_REMINDER' AND appointment_id = $1 AND revision = 1
         AND minutes_before < 60 AND due_at <= now() AND status IN ('SCHEDULED', 'SENT')`,
        [some.id],
      )
    ).rows
      .map((row) => row['QUERY PLAN'])
      .join('\n'),
  }
  for (const [what, plan] of Object.entries(plans)) {
    expect(plan, what).toMatch(/Index (Only )?Scan|Bitmap Index Scan/)
    expect(plan, what).not.toMatch(/Seq Scan on (automation_run|appointment)/)
  }
  for (const what of ['all', 'further', 'to come', 'appointments']) expect(plans[what], what).not.toContain('Sort')
})
