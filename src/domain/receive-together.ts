import pg from 'pg'
import { isDatabaseAway } from '../db/away.ts'

/** `group`: what a lock may hold up as a whole (an organization). `series`: what runs in the order of arrival, never two together (a sender). */
type Arrival<Item> = { group: string; series: string; size: number; item: Item }

type Waiting<Item, Result> = Arrival<Item> & { resolve: (result: Result) => void; reject: (error: unknown) => void }

/** Runs items together. Gives a result for each, or throws and has done nothing: 55P03 where it waited too long for a lock. */
type Run<Item, Result> = (items: Item[], patienceMs: number) => Promise<Result[]>

const MAX_BATCH = 250
/** By the sizes that the items come with. */
const MAX_BATCH_SIZE = 4_000_000
/** How long all others may wait for what one group is locked for. */
const PATIENCE_MS = 250
/** Then it is tried again: what is locked for long does not keep a connection. */
const PATIENCE_ALONE_MS = 2_000

const isLate = (error: unknown): boolean => error instanceof pg.DatabaseError && error.code === '55P03'

/**
 * Runs items in batches: one alone runs at once; those that arrive meanwhile run together. Each promise is settled only after its own batch has
 * committed.
 *
 * Where a batch fails, its halves run one after the other, so that one item cannot take the others with it. Where it waits too long for a
 * lock, each of its groups goes on alone, until it has got through.
 */
export function createBatches<Item, Result>(run: Run<Item, Result>): { join(arrival: Arrival<Item>): Promise<Result> } {
  type One = Waiting<Item, Result>
  let waiting: One[] = []
  let running = false
  const slow = new Set<string>()
  const runningAlone = new Set<string>()

  /** The first ones that are wanted, one of each series. */
  const take = (wanted: (group: string) => boolean): One[] => {
    const batch: One[] = []
    const taken = new Set<string>()
    let size = 0
    waiting = waiting.filter((one) => {
      if (batch.length === MAX_BATCH || size > MAX_BATCH_SIZE || taken.has(one.series) || !wanted(one.group)) return true
      taken.add(one.series)
      size += one.size
      batch.push(one)
      return false
    })
    return batch
  }

  /** `told`: what is to be said to those that are through. Gives those that are late. */
  const attempt = async (batch: One[], patienceMs: number, told: (() => void)[]): Promise<One[]> => {
    try {
      const items = batch.map(({ item }) => item)
      const results = await run(items, patienceMs)
      for (const [index, { resolve }] of batch.entries()) told.push(() => resolve(results[index] as Result))
    } catch (error) {
      if (isLate(error)) return batch
      if (batch.length > 1 && !isDatabaseAway(error)) {
        const half = Math.ceil(batch.length / 2)
        const late = await attempt(batch.slice(0, half), patienceMs, told)
        return late.length > 0 ? [...late, ...batch.slice(half)] : attempt(batch.slice(half), patienceMs, told)
      }
      for (const { reject } of batch) told.push(() => reject(error))
    }
    return []
  }

  /** The next batch is on its way to PostgreSQL before this one is told: what follows keeps this process busy meanwhile. */
  const start = async (batch: One[], patienceMs: number, ended: () => void): Promise<void> => {
    const told: (() => void)[] = []
    const late = await attempt(batch, patienceMs, told)
    for (const { group } of late) slow.add(group)
    waiting = [...late, ...waiting]
    ended()
    const tell = () => {
      for (const one of told) one()
    }
    if (startAll()) setImmediate(tell)
    else tell()
  }

  /** Whether there was anything to start. */
  const startAll = (): boolean => {
    let started = false
    for (const group of [...slow].filter((group) => !runningAlone.has(group))) {
      const batch = take((other) => other === group)
      if (batch.length === 0) continue
      started = true
      slow.delete(group)
      runningAlone.add(group)
      void start(batch, PATIENCE_ALONE_MS, () => runningAlone.delete(group))
    }
    const batch = running ? [] : take((group) => !runningAlone.has(group) && !slow.has(group))
    if (batch.length === 0) return started
    running = true
    void start(batch, PATIENCE_MS, () => {
      running = false
    })
    return true
  }

  return {
    join: (arrival) =>
      new Promise((resolve, reject) => {
        waiting.push({ ...arrival, resolve, reject })
        startAll()
      }),
  }
}
