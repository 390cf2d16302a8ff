import type pg from 'pg'
import { isDatabaseAway } from '../db/away.ts'

type Waiting<Item, Result> = { item: Item; resolve: (result: Result) => void; reject: (error: unknown) => void }

type Lane = { waiting: Waiting<unknown, unknown>[]; running: boolean }

const MAX_BATCH = 250

const lanes = new WeakMap<pg.Pool, Map<string, Lane>>()

/**
 * Runs items of one key (an organization) one batch at a time: an item alone runs at once; those that arrive meanwhile run together. Each
 * promise is settled only after its own batch has committed. Where a batch fails, its items run one by one, so that one cannot take the
 * others with it.
 */
export function joinBatch<Item, Result>(
  pool: pg.Pool,
  key: string,
  item: Item,
  run: (items: Item[]) => Promise<Result[]>,
): Promise<Result> {
  const ofPool = lanes.get(pool) ?? new Map<string, Lane>()
  lanes.set(pool, ofPool)
  const lane = ofPool.get(key) ?? { waiting: [], running: false }
  ofPool.set(key, lane)
  return new Promise<Result>((resolve, reject) => {
    const waiting = lane.waiting as Waiting<Item, Result>[]
    waiting.push({ item, resolve, reject })
    if (!lane.running) void drain(lane, waiting, run, () => ofPool.delete(key))
  })
}

async function drain<Item, Result>(
  lane: Lane,
  waiting: Waiting<Item, Result>[],
  run: (items: Item[]) => Promise<Result[]>,
  emptied: () => void,
): Promise<void> {
  lane.running = true
  while (waiting.length > 0) await runBatch(waiting.splice(0, MAX_BATCH), run)
  lane.running = false
  emptied()
}

async function runBatch<Item, Result>(batch: Waiting<Item, Result>[], run: (items: Item[]) => Promise<Result[]>): Promise<void> {
  try {
    const results = await run(batch.map(({ item }) => item))
    for (const [index, { resolve }] of batch.entries()) resolve(results[index] as Result)
  } catch (error) {
    if (batch.length === 1 || isDatabaseAway(error)) {
      for (const { reject } of batch) reject(error)
    } else {
      for (const one of batch) await runBatch([one], run)
    }
  }
}
