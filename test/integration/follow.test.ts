import { getEventListeners } from 'node:events'
import pg from 'pg'
import { pino } from 'pino'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { type Bus, organizationTopic } from '../../src/events/bus.ts'
import type { LogEntry, LoggedEvent } from '../../src/events/event.ts'
import { createEventLog, type EventLog } from '../../src/events/event-log.ts'
import type { Follower } from '../../src/events/follower.ts'
import { createMemoryBus } from '../../src/events/memory-bus.ts'
import { testDatabase } from '../support/database.ts'
import { appendEvents, installEventWriter, newOrganization } from '../support/event-writer.ts'

const WAIT = { timeout: 15_000, interval: 10 }

let database: Awaited<ReturnType<typeof testDatabase>>
let organizationId: string
let bus: Bus
let listening: number
let lines: { level: number; msg: string }[]
let log: EventLog
let life: AbortController

beforeAll(async () => {
  database = await testDatabase()
  await installEventWriter(database.pool)
})

afterAll(() => database.close())

beforeEach(async () => {
  organizationId = await newOrganization(database.pool)
  listening = 0
  const memory = createMemoryBus()
  bus = {
    ...memory,
    subscribe(topic, heard) {
      const leave = memory.subscribe(topic, heard)
      listening += 1
      return () => {
        listening -= 1
        leave()
      }
    },
  }
  lines = []
  const logger = pino({ level: 'info' }, { write: (line: string) => void lines.push(JSON.parse(line)) })
  log = createEventLog({ pool: database.pool, bus, log: logger, pollMs: 60_000, lingerMs: 20 })
  life = new AbortController()
})

afterEach(() => log.close())

const follow = (after: bigint | null, signal = life.signal) => log.follow(organizationId, after, signal)
const ring = () => bus.ring(organizationTopic(organizationId))

async function write(count: number): Promise<void> {
  await appendEvents(database.pool, organizationId, count)
  ring()
}

async function take(follower: Follower, count: number): Promise<LogEntry[]> {
  const entries: LogEntry[] = []
  while (entries.length < count) {
    const { value, done } = await follower.next()
    if (done) throw new Error(`ended after ${entries.length} of ${count} entries`)
    entries.push(value)
  }
  return entries
}

const seqs = (entries: LogEntry[]) => entries.map((entry) => (entry.kind === 'event' ? Number(entry.event.seq) : entry))
const eventsOf = (entries: LogEntry[]): LoggedEvent[] => entries.flatMap((entry) => (entry.kind === 'event' ? [entry.event] : []))
const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i)
const errors = () => lines.filter((line) => line.level >= 50).map((line) => line.msg)
const prune = (upTo: number) => database.pool.query('DELETE FROM event WHERE organization_id = $1 AND seq <= $2', [organizationId, upTo])

describe('following', () => {
  it('gives an event as it was written', async () => {
    await write(1)
    const [entry] = await take(follow(0n), 1)
    expect(entry).toEqual({
      kind: 'event',
      event: {
        organizationId,
        seq: 1n,
        type: 'CONVERSATION_CHANGED',
        occurredAt: expect.any(Date),
        actorId: null,
        customerId: null,
        conversationId: null,
        communicationId: null,
        data: { label: '', i: 1 },
      },
    })
  })

  it('from now: without what was before `opened`, with all that comes after', async () => {
    await write(3)
    const follower = follow(null)
    expect(await follower.opened).toBe(3n)
    await write(2)
    expect(seqs(await take(follower, 2))).toEqual([4, 5])
  })

  it('from now, where others follow already: with what is committed after the call', async () => {
    const first = follow(null)
    await first.opened
    await write(2)
    await take(first, 2)
    const second = follow(null)
    await write(2)
    expect(seqs(await take(second, 2))).toEqual([3, 4])
  })

  it('answers several pulls at once, in order', async () => {
    const follower = follow(0n)
    const pulls = [follower.next(), follower.next(), follower.next()]
    await write(3)
    const results = await Promise.all(pulls)
    expect(results.map((result) => (result.value?.kind === 'event' ? result.value.event.seq : null))).toEqual([1n, 2n, 3n])
  })

  it('keeps organizations apart', async () => {
    const other = await newOrganization(database.pool)
    await appendEvents(database.pool, other, 5)
    const follower = follow(0n)
    await write(1)
    const [event] = eventsOf(await take(follower, 1))
    expect(event?.organizationId).toBe(organizationId)
    expect(seqs(await take(log.follow(other, 3n, life.signal), 2))).toEqual([4, 5])
  })

  it('hears of events whose rings are lost by a slow poll', async () => {
    const polling = createEventLog({ pool: database.pool, bus, log: pino({ level: 'silent' }), pollMs: 30 })
    const follower = polling.follow(organizationId, null, life.signal)
    await follower.opened
    await appendEvents(database.pool, organizationId, 2)
    expect(seqs(await take(follower, 2))).toEqual([1, 2])
    polling.close()
  })

  it('accepts a cursor that this process has not read up to yet', async () => {
    const first = follow(null)
    await first.opened
    await appendEvents(database.pool, organizationId, 5)
    const ahead = follow(5n)
    const next = take(ahead, 1)
    expect(seqs(await take(first, 5))).toEqual(range(1, 5))
    await write(1)
    expect(seqs(await next)).toEqual([6])
  })
})

describe('many followers', () => {
  it('cost one read for each event, and share one object for it', async () => {
    const followers = Array.from({ length: 200 }, () => follow(null))
    await Promise.all(followers.map((follower) => follower.opened))
    const before = log.stats()
    expect(before).toMatchObject({ tails: 1, followers: 200 })
    const rounds = 40
    for (let i = 0; i < rounds; i += 1) {
      const pulled = Promise.all(followers.map((follower) => take(follower, 1)))
      await write(1)
      const events = eventsOf((await pulled).flat())
      expect(events.map((event) => event.seq)).toEqual(followers.map(() => BigInt(i + 1)))
      expect(new Set(events).size).toBe(1)
    }
    expect(log.stats().reads - before.reads).toBeLessThanOrEqual(2 * rounds)
  })

  it('do not wait for a slow one, which gets everything from the table, page by page', async () => {
    const [fast, slow, slower] = [follow(0n), follow(0n), follow(0n)]
    const live: LoggedEvent[] = []
    for (let i = 0; i < 12; i += 1) {
      await write(400)
      live.push(...eventsOf(await take(fast, 400)))
    }
    const before = log.stats().reads
    const late = await take(slow, 4_800)
    expect(seqs(late)).toEqual(range(1, 4_800))
    // At most 2,000 events are kept in memory: the other 2,800 are six pages.
    expect(log.stats().reads - before).toBeGreaterThanOrEqual(6)
    expect(log.stats().reads - before).toBeLessThan(20)
    const [first, second] = [eventsOf(late), eventsOf(await take(slower, 4_800))]
    expect(live.every((event, i) => event === first[i] && event === second[i])).toBe(true)
    await write(1)
    expect(seqs([...(await take(slow, 1)), ...(await take(slower, 1)), ...(await take(fast, 1))])).toEqual([4_801, 4_801, 4_801])
  })
})

describe('whatever the timing', () => {
  /** The real pool, whose first page after seq `after` is held back or failed. */
  function disturbed(after: number, disturb: () => Promise<void>): EventLog {
    let done = false
    const pool = Object.create(database.pool, {
      query: {
        value: async (query: { values: unknown[] }) => {
          const first = query.values[1] === String(after) && !done
          if (first) done = true
          const result = await database.pool.query(query as unknown as pg.QueryConfig)
          if (first) await disturb()
          return result
        },
      },
    })
    return createEventLog({ pool, bus, log: pino({ level: 'silent' }), pollMs: 60_000 })
  }

  it('a ring during a read leads to another read', async () => {
    await write(1)
    const late = disturbed(1, () => write(1).then(() => new Promise((resolve) => setTimeout(resolve, 20))))
    const follower = late.follow(organizationId, null, life.signal)
    await follower.opened
    const next = take(follower, 1)
    ring()
    expect(seqs(await next)).toEqual([2])
    late.close()
  })

  it('one ring is enough for more events than a page holds', async () => {
    const follower = follow(null)
    await follower.opened
    const next = take(follower, 1_700)
    await write(1_700)
    expect(seqs(await next)).toEqual(range(1, 1_700))
  })

  it('what happens while a follower reads its own page is not missed', async () => {
    const held = Promise.withResolvers<void>()
    const late = disturbed(5, () => held.promise)
    const first = late.follow(organizationId, null, life.signal)
    await first.opened
    await appendEvents(database.pool, organizationId, 5)
    const ahead = late.follow(organizationId, 5n, life.signal)
    const next = take(ahead, 1)
    await vi.waitFor(() => expect(late.stats().reads).toBe(2), WAIT)
    ring()
    await take(first, 5)
    await write(1)
    await take(first, 1)
    held.resolve()
    expect(seqs(await next)).toEqual([6])
    late.close()
  })

  it('a follower tries its own page again', async () => {
    await write(5)
    const failing = disturbed(3, () => Promise.reject(new Error('the connection broke')))
    const follower = failing.follow(organizationId, 3n, life.signal)
    expect(seqs(await take(follower, 2))).toEqual([4, 5])
    failing.close()
  })

  it('followers that read old pages by themselves share their events', async () => {
    await write(700)
    const [one, other] = await Promise.all([take(follow(0n), 700), take(follow(0n), 700)])
    const shared = eventsOf(other)
    expect(eventsOf(one).every((event, i) => event === shared[i])).toBe(true)
  })

  it('whoever comes back just in time is not cut off', async () => {
    await follow(null).return()
    const follower = follow(null)
    await follower.opened
    await new Promise((resolve) => setTimeout(resolve, 60))
    await write(1)
    expect(seqs(await take(follower, 1))).toEqual([1])
  })
})

describe('a cursor that cannot be continued', () => {
  it('is told to resync where its events are pruned, and then follows', async () => {
    await write(10)
    await prune(5)
    const follower = follow(3n)
    expect(await take(follower, 1)).toEqual([{ kind: 'resync', reason: expect.stringContaining('no longer kept'), position: 10n }])
    await write(1)
    expect(seqs(await take(follower, 1))).toEqual([11])
    expect(seqs(await take(follow(5n), 6))).toEqual(range(6, 11))
    expect(errors()).toEqual([])
  })

  it('is told to resync where nothing at all is kept', async () => {
    await write(10)
    await prune(10)
    expect(await take(follow(0n), 1)).toMatchObject([{ kind: 'resync', position: 10n }])
    const atEnd = follow(10n)
    const next = take(atEnd, 1)
    await atEnd.opened
    await write(1)
    expect(seqs(await next)).toEqual([11])
  })

  it('is told to resync where it is from the future', async () => {
    await write(2)
    const follower = follow(999n)
    expect(await take(follower, 1)).toEqual([{ kind: 'resync', reason: expect.stringContaining('not a cursor of this log'), position: 2n }])
    await write(1)
    expect(seqs(await take(follower, 1))).toEqual([3])
  })

  it('tells live followers where the log went back, as after restoring an older copy', async () => {
    const follower = follow(0n)
    await write(10)
    await take(follower, 10)
    await database.pool.query('DELETE FROM event WHERE organization_id = $1 AND seq > 5', [organizationId])
    await database.pool.query('UPDATE organization SET event_seq = 5 WHERE id = $1', [organizationId])
    ring()
    expect(await take(follower, 1)).toMatchObject([{ kind: 'resync', position: 5n }])
    await write(1)
    expect(seqs(await take(follower, 1))).toEqual([6])
    expect(errors().length).toBeGreaterThan(0)
  })

  it.each(['live', 'from the table'])('never passes over a gap in the middle (%s): resync, and an error in the log', async (way) => {
    const live = follow(null)
    await live.opened
    const pulled = way === 'live' ? take(live, 3) : null
    await appendEvents(database.pool, organizationId, 5)
    await database.pool.query('DELETE FROM event WHERE organization_id = $1 AND seq = 3', [organizationId])
    ring()
    const follower = way === 'live' ? live : follow(0n)
    const entries = await (pulled ?? take(follower, 3))
    expect(entries.slice(0, 2).map((entry) => (entry.kind === 'event' ? entry.event.seq : entry.kind))).toEqual([1n, 2n])
    expect(entries[2]).toMatchObject({ kind: 'resync', position: 5n })
    await write(1)
    expect(seqs(await take(follower, 1))).toEqual([6])
    expect(errors().some((line) => line.startsWith('gap in the event log'))).toBe(true)
  })
})

describe('while PostgreSQL is away', () => {
  const administer = async (work: (client: pg.Client) => Promise<void>) => {
    const url = new URL(database.url)
    url.pathname = '/postgres'
    const client = new pg.Client({ connectionString: url.href })
    await client.connect()
    await work(client).finally(() => client.end())
  }
  const terminate = (client: pg.Client) =>
    client.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1 AND application_name = 'parley'`, [
      new URL(database.url).pathname.slice(1),
    ])

  it('loses nothing when connections are terminated again and again', async () => {
    const follower = follow(0n)
    const behind = follow(0n)
    const seen = take(follower, 600)
    await administer(async (admin) => {
      const writer = new pg.Client({ connectionString: database.url })
      await writer.connect()
      for (let i = 0; i < 60; i += 1) {
        await appendEvents(writer, organizationId, 10)
        ring()
        if (i % 5 === 0) await terminate(admin)
      }
      await writer.end()
    })
    expect(seqs(await seen)).toEqual(range(1, 600))
    expect(seqs(await take(behind, 600))).toEqual(range(1, 600))
  })

  it('keeps its followers, says so once, and continues', async () => {
    const follower = follow(0n)
    await write(1)
    await take(follower, 1)
    const name = new URL(database.url).pathname.slice(1)
    const next = take(follower, 5)
    let joined: Promise<LogEntry[]> | undefined
    const writer = new pg.Client({ connectionString: database.url })
    await writer.connect()
    await administer(async (admin) => {
      await admin.query(`ALTER DATABASE ${name} ALLOW_CONNECTIONS false`)
      await terminate(admin)
      const before = log.stats().reads
      await appendEvents(writer, organizationId, 5)
      ring()
      joined = take(follow(3n), 3)
      await vi.waitFor(() => expect(log.stats().reads).toBeGreaterThan(before + 5), WAIT)
      expect(log.stats().followers).toBe(2)
      await admin.query(`ALTER DATABASE ${name} ALLOW_CONNECTIONS true`)
    })
    await writer.end()
    expect(seqs(await next)).toEqual(range(2, 6))
    expect(seqs((await joined) ?? [])).toEqual(range(4, 6))
    expect(errors().filter((line) => line.startsWith('cannot read the event log'))).toHaveLength(1)
    expect(lines.filter((line) => line.msg === 'the event log can be read again')).toHaveLength(1)
  })
})

describe('the end', () => {
  const nothingLeft = () =>
    vi.waitFor(() => {
      expect(log.stats()).toMatchObject({ tails: 0, followers: 0 })
      expect(listening).toBe(0)
    }, WAIT)

  it('comes at once when the signal aborts, also for a pending pull', async () => {
    const follower = follow(null)
    const pending = [follower.next(), follower.next()]
    await follower.opened
    expect(listening).toBe(1)
    life.abort()
    expect(await Promise.all(pending)).toEqual([
      { value: undefined, done: true },
      { value: undefined, done: true },
    ])
    expect(await follower.next()).toEqual({ value: undefined, done: true })
    await nothingLeft()
  })

  it('comes at once on return(), also before the first read and while a page is read', async () => {
    await appendEvents(database.pool, organizationId, 10)
    const unopened = follow(null)
    const first = unopened.next()
    await unopened.return()
    expect(await first).toEqual({ value: undefined, done: true })
    expect(await unopened.opened).toBeNull()

    const reading = follow(0n)
    const pull = reading.next()
    await vi.waitFor(() => expect(log.stats().reads).toBeGreaterThan(0), WAIT)
    await reading.return()
    expect((await pull).done).toBe(true)
    for await (const entry of follow(0n)) if (entry.kind === 'event' && entry.event.seq === 4n) break
    await expect(follow(0n).throw(new Error('the caller gave up'))).rejects.toThrow('the caller gave up')
    expect(getEventListeners(life.signal, 'abort')).toHaveLength(0)
    await nothingLeft()
  })

  it('is the beginning where the signal has aborted before', async () => {
    life.abort()
    expect(await follow(0n).next()).toEqual({ value: undefined, done: true })
    await nothingLeft()
  })

  it('comes for all with close(), and for those who come later', async () => {
    const followers = [follow(null), follow(0n)]
    const pending = followers.map((follower) => follower.next())
    log.close()
    expect((await Promise.all(pending)).map((result) => result.done)).toEqual([true, true])
    expect(await follow(0n).next()).toEqual({ value: undefined, done: true })
    expect(log.stats()).toMatchObject({ tails: 0, followers: 0 })
    expect(listening).toBe(0)
  })

  it('of the last follower leaves the reader for a moment: who comes back finds it', async () => {
    const patient = createEventLog({ pool: database.pool, bus, log: pino({ level: 'silent' }), pollMs: 60_000, lingerMs: 60_000 })
    const first = patient.follow(organizationId, null, life.signal)
    await first.opened
    const { reads } = patient.stats()
    await first.return()
    expect(patient.stats()).toMatchObject({ tails: 1, followers: 0 })
    expect(await patient.follow(organizationId, null, life.signal).opened).toBe(0n)
    expect(patient.stats()).toEqual({ reads, tails: 1, followers: 1 })
    patient.close()
  })
})
