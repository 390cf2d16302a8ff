import pg from 'pg'
import { pino } from 'pino'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Bus, organizationTopic } from '../../src/events/bus.ts'
import { decodeCursor, encodeCursor } from '../../src/events/cursor.ts'
import { createEventLog, type EventLog } from '../../src/events/event-log.ts'
import { createMemoryBus } from '../../src/events/memory-bus.ts'
import { testDatabase } from '../support/database.ts'
import { appendEvents, installEventWriter, newOrganization } from '../support/event-writer.ts'

const WRITERS = 6
const TRANSACTIONS = 60
const FOLLOWERS = 12

let database: Awaited<ReturnType<typeof testDatabase>>

beforeAll(async () => {
  database = await testDatabase()
  await installEventWriter(database.pool)
})

afterAll(() => database.close())

type Random = () => number

/** mulberry32: the same numbers for the same seed. */
function seeded(seed: number): Random {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

/** Loses a third of the rings, doubles some and delays some. */
function unreliable(bus: Bus, random: Random): Bus {
  return {
    ...bus,
    ring(topic) {
      const fate = random()
      if (fate < 0.33) return
      if (fate < 0.66) setTimeout(() => bus.ring(topic), random() * 40)
      if (fate > 0.5) bus.ring(topic)
    },
  }
}

/** Transactions that start in one order, commit in another, and sometimes not at all. */
async function write(organizationId: string, name: string, bus: Bus, random: Random): Promise<void> {
  const client = new pg.Client({ connectionString: database.url })
  await client.connect()
  try {
    for (let i = 0; i < TRANSACTIONS; i += 1) {
      await client.query('BEGIN')
      await client.query('SELECT name FROM organization WHERE id = $1', [organizationId])
      await pause(random() * 8)
      await appendEvents(client, organizationId, 1 + Math.floor(random() * 3), `${name}/${i}`)
      if (random() < 0.5) await pause(random() * 4)
      const committed = random() < 0.85
      await client.query(committed ? 'COMMIT' : 'ROLLBACK')
      if (committed) bus.ring(organizationTopic(organizationId))
    }
  } finally {
    await client.end()
  }
}

/** Follows from the beginning, cut off again and again, by one process or another, until `finished` says that this is all. */
async function follow(logs: EventLog[], organizationId: string, random: Random, finished: (seq: bigint) => boolean): Promise<unknown[]> {
  const seen: unknown[] = []
  let cursor = encodeCursor(0n)
  const position = () => decodeCursor(cursor) ?? -1n
  while (!finished(position())) {
    const log = logs[Math.floor(random() * logs.length)] as EventLog
    const connection = new AbortController()
    const cut = setTimeout(() => connection.abort(), random() * 60)
    const slow = random() < 0.3
    const enough = random() * 200
    let taken = 0
    for await (const entry of log.follow(organizationId, position(), connection.signal)) {
      if (entry.kind === 'resync') throw new Error(`unexpected resync: ${entry.reason}`)
      seen.push([entry.event.seq, entry.event.data])
      cursor = encodeCursor(entry.event.seq)
      taken += 1
      if (taken > enough) break
      if (slow) await pause(random() * 3)
    }
    clearTimeout(cut)
  }
  return seen
}

it.each([1, 2])(
  'every follower ends with exactly the log, whatever happens to rings, connections and commits (seed %i)',
  async (seed) => {
    const random = seeded(seed)
    const organizationId = await newOrganization(database.pool)
    const bus = unreliable(createMemoryBus(), random)
    const log = pino({ level: 'silent' })
    const logs = [0, 1].map(() => createEventLog({ pool: database.pool, bus, log, pollMs: 100, lingerMs: 30 }))
    let head: bigint | null = null

    const followers = Array.from({ length: FOLLOWERS }, () => follow(logs, organizationId, random, (seq) => seq === head))
    await Promise.all(Array.from({ length: WRITERS }, (_, i) => write(organizationId, `writer ${i}`, bus, random)))
    const { rows } = await database.pool.query<{ seq: string; data: unknown }>(
      'SELECT seq, data FROM event WHERE organization_id = $1 ORDER BY seq',
      [organizationId],
    )
    head = BigInt(rows.length)

    const written = rows.map((row) => [BigInt(row.seq), row.data])
    expect(written.length).toBeGreaterThan(WRITERS * TRANSACTIONS)
    expect(written.map(([seq]) => seq)).toEqual(written.map((_, i) => BigInt(i + 1)))
    for (const seen of await Promise.all(followers)) expect(seen).toEqual(written)
    for (const eventLog of logs) {
      expect(eventLog.stats().followers).toBe(0)
      eventLog.close()
    }
  },
  60_000,
)
