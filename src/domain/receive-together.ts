import pg from 'pg'
import { isDatabaseAway } from '../db/away.ts'

type Waiting<Item, Result> = { key: string; size: number; item: Item; resolve: (result: Result) => void; reject: (error: unknown) => void }

/** Runs items together. Gives a result for each, or throws and has done nothing: 55P03 where it waited too long for a lock. */
type Run<Item, Result> = (items: Item[], patienceMs: number) => Promise<Result[]>

const MAX_BATCH = 250
/** By the sizes that the items come with. */
const MAX_BATCH_SIZE = 4_000_000
/** How long all others may wait for what one key is locked for. */
const PATIENCE_MS = 250
/** Then it is tried again: what is locked for long does not keep a connection. */
const PATIENCE_ALONE_MS = 2_000

const isLate = (error: unknown): boolean => error instanceof pg.DatabaseError && error.code === '55P03'

/**
 * Runs items in batches: one alone runs at once; those that arrive meanwhile, of whatever key (an organization), run together. Each promise
 * is settled only after its own batch has committed. Items of one key run one batch after the other, in the order of arrival.
 *
 * Where a batch fails, its halves run one after the other, so that one item cannot take the others with it. Where it waits too long for a
 * lock, each of its keys goes on alone, until it has got through.
 */
export function createBatches<Item, Result>(run: Run<Item, Result>): { join(key: string, size: number, item: Item): Promise<Result> } {
  type One = Waiting<Item, Result>
  let waiting: One[] = []
  const busy = new Set<string>()
  const slow = new Set<string>()
  let running = false

  /** The first ones that are wanted. */
  const take = (wanted: (one: One) => boolean): One[] => {
    const batch: One[] = []
    let size = 0
    waiting = waiting.filter((one) => {
      if (batch.length === MAX_BATCH || size > MAX_BATCH_SIZE || !wanted(one)) return true
      size += one.size
      batch.push(one)
      return false
    })
    return batch
  }

  const settle = async (batch: One[], patienceMs: number): Promise<One[]> => {
    try {
      const items = batch.map(({ item }) => item)
      const results = await run(items, patienceMs)
      for (const [index, { resolve }] of batch.entries()) resolve(results[index] as Result)
    } catch (error) {
      if (isLate(error)) return batch
      if (batch.length > 1 && !isDatabaseAway(error)) {
        const half = Math.ceil(batch.length / 2)
        const late = await settle(batch.slice(0, half), patienceMs)
        return late.length > 0 ? [...late, ...batch.slice(half)] : settle(batch.slice(half), patienceMs)
      }
      for (const { reject } of batch) reject(error)
    }
    return []
  }

  const start = async (batch: One[], patienceMs: number): Promise<void> => {
    const keys = new Set(batch.map(({ key }) => key))
    for (const key of keys) busy.add(key)
    const late = await settle(batch, patienceMs)
    for (const key of keys) {
      busy.delete(key)
      slow.delete(key)
    }
    for (const { key } of late) slow.add(key)
    waiting = [...late, ...waiting]
  }

  const startAll = (): void => {
    for (const slowKey of slow) {
      const batch = busy.has(slowKey) ? [] : take(({ key }) => key === slowKey)
      if (batch.length > 0) void start(batch, PATIENCE_ALONE_MS).then(startAll)
    }
    const batch = running ? [] : take(({ key }) => !busy.has(key) && !slow.has(key))
    if (batch.length === 0) return
    running = true
    void start(batch, PATIENCE_MS).then(() => {
      running = false
      startAll()
    })
  }

  return {
    join: (key, size, item) =>
      new Promise((resolve, reject) => {
        waiting.push({ key, size, item, resolve, reject })
        startAll()
      }),
  }
}
