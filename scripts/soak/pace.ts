import { setTimeout as sleep } from 'node:timers/promises'
import type { Random } from './random.ts'
import type { Tally } from './tally.ts'

/** How many seconds' worth of work may be under way, waiting for its answer or for the next attempt. */
const SECONDS_AT_ONCE = 30

/**
 * Begins `perSecond` pieces of work a second, at random times, whether or not those before have ended; resolves when all have ended after
 * `signal` is aborted. A piece that throws ends the soak.
 */
export async function pace(perSecond: number, tally: Tally, random: Random, signal: AbortSignal, work: () => Promise<void>): Promise<void> {
  if (perSecond === 0) return
  const underWay = new Set<Promise<void>>()
  const failure: { error?: unknown } = {}
  const begin = () => {
    if (underWay.size >= Math.max(10, perSecond * SECONDS_AT_ONCE)) {
      tally.shed += 1
      return
    }
    const piece = work()
      .catch((error: unknown) => {
        failure.error ??= error
      })
      .finally(() => underWay.delete(piece))
    underWay.add(piece)
  }
  for (let next = Date.now(); !signal.aborted && failure.error === undefined; await sleep(5)) {
    for (; next <= Date.now(); next += (-Math.log(1 - random.next()) / perSecond) * 1000) begin()
  }
  await Promise.all(underWay)
  if (failure.error !== undefined) throw failure.error
}
