import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { channelStats } from '../../src/domain/channel-stats.ts'
import { foldChannelStats } from '../../src/domain/fold-channel-stats.ts'
import { newId } from '../../src/domain/ids.ts'
import { reconcileChannelStats } from '../../src/domain/reconcile-channel-stats.ts'
import { testDatabase } from '../support/database.ts'

const MINUTE = 60_000
const ZONES = [
  'UTC',
  'Asia/Kolkata',
  'Asia/Kathmandu',
  'America/St_Johns',
  'Australia/Lord_Howe',
  'Pacific/Kiritimati',
  'Pacific/Pago_Pago',
]

let database: Awaited<ReturnType<typeof testDatabase>>
let organizationId: string
let customerId: string

beforeAll(async () => {
  database = await testDatabase()
})
beforeEach(async () => {
  await foldChannelStats(database)
  organizationId = newId()
  customerId = newId()
  await database.db.organization.create({ data: { id: organizationId, slug: organizationId, name: 'Counted' } })
  await database.db.customer.create({ data: { id: customerId, organizationId } })
})
afterAll(() => database?.close())

const write = (times: Date[]) =>
  database.db.communication.createMany({
    data: times.map((createdAt) => ({ id: newId(), organizationId, customerId, type: 'SMS', direction: 'OUTBOUND', body: '', createdAt })),
  })

const todayAt = async (now: Date, timezone: string) =>
  (await channelStats({ pool: database.pool, clock: () => now }, organizationId, timezone))[0]?.today

/** The messages since midnight, by the rows. */
async function countedAt(now: Date, timezone: string): Promise<number | undefined> {
  const { rows } = await database.pool.query<{ n: number }>(
    `SELECT count(*)::int AS n FROM communication WHERE organization_id = $1 AND created_at >= date_trunc('day', $2::timestamptz, $3)`,
    [organizationId, now, timezone],
  )
  return rows[0]?.n
}

test('today begins at midnight in whatever time zone the organization has at the time, folded or not', async () => {
  const now = Date.now()
  // One in each seven minutes of the last 30 hours.
  await write(Array.from({ length: (30 * 60) / 7 }, (_, n) => new Date(now - n * 7 * MINUTE)))
  const seen = new Set<number | undefined>()
  for (const folded of [false, true]) {
    if (folded) await foldChannelStats(database)
    for (const timezone of ZONES) {
      const today = await todayAt(new Date(now), timezone)
      expect(today, `${timezone} ${folded}`).toBe(await countedAt(new Date(now), timezone))
      seen.add(today)
    }
  }
  expect(seen.size).toBeGreaterThanOrEqual(5)
})

test('a day is as long as its clock says: 23 and 25 hours', async () => {
  // Berlin, 2026: to summer time on 29 March, to winter time on 25 October.
  const days = { '2026-03-28T23:00:00Z': 23, '2026-10-24T22:00:00Z': 25 }
  for (const [midnight, hours] of Object.entries(days)) {
    const start = Date.parse(midnight)
    await write(
      Array.from({ length: 27 }, (_, hour) => new Date(start - 30 * MINUTE + hour * 60 * MINUTE)).filter(
        (time) => time.getTime() < start + hours * 60 * MINUTE,
      ),
    )
    const last = new Date(start + hours * 60 * MINUTE - 1)
    expect(await todayAt(last, 'Europe/Berlin')).toBe(hours)
    expect(await todayAt(new Date(last.getTime() + 1), 'Europe/Berlin')).toBe(0)
    await database.db.communication.deleteMany({ where: { organizationId } })
  }
})

test('quarters that are no time zone’s today any more are gathered, and what is kept stays a few rows', async () => {
  const now = Date.now()
  await write(Array.from({ length: 600 }, (_, n) => new Date(now - n * 60 * MINUTE)))
  expect(await foldChannelStats(database)).toBe(600)
  await write([new Date(now)])
  expect(await foldChannelStats(database)).toBe(1)
  const { rows } = await database.pool.query<{ quarters: number; old: number }>(
    `SELECT count(*) FILTER (WHERE quarter > '-infinity')::int AS quarters, sum(outbound) FILTER (WHERE quarter = '-infinity')::int AS old
     FROM channel_stat WHERE organization_id = $1`,
    [organizationId],
  )
  expect(rows[0]?.quarters).toBeLessThanOrEqual(27)
  expect(rows[0]?.old).toBeGreaterThan(500)
  expect((await database.pool.query('SELECT FROM channel_stat_delta')).rowCount).toBe(0)
  expect(await reconcileChannelStats(database, organizationId)).toEqual([])
  expect(await channelStats({ pool: database.pool, clock: () => new Date(now) }, organizationId, 'UTC')).toMatchObject([
    { total: 601, outbound: 601 },
  ])
})

test('many workers that fold at once move each count once', async () => {
  const writers = Array.from({ length: 20 }, () => write(Array.from({ length: 10 }, () => new Date())))
  const folders = Array.from({ length: 20 }, () => foldChannelStats(database))
  await Promise.all([...writers, ...folders])
  await foldChannelStats(database)
  expect(await channelStats({ pool: database.pool, clock: () => new Date() }, organizationId, 'UTC')).toMatchObject([{ total: 200 }])
  expect(await reconcileChannelStats(database, organizationId)).toEqual([])
})
