import { percentile } from '../bench/http-load.ts'
import type { Outages } from './outages.ts'

/** How one kind of request went. `failed` by reason: while PostgreSQL or Redis was away, and otherwise. */
export type Tally = {
  answered: number
  failed: { expected: Map<string, number>; unexpected: Map<string, number> }
  /** Not begun, because too many were under way. */
  shed: number
  answer(milliseconds: number): void
  /** Of an attempt that began `milliseconds` ago. */
  fail(reason: string, milliseconds: number): void
  latencies(): { p50: number; p99: number; max: number }
}

/** Latencies are of single attempts, each from its start to its answer. */
export function createTally(outages: Outages): Tally {
  const times: number[] = []
  const failed: Tally['failed'] = { expected: new Map(), unexpected: new Map() }
  return {
    answered: 0,
    failed,
    shed: 0,
    answer(milliseconds) {
      this.answered += 1
      times.push(milliseconds)
    },
    fail(reason, milliseconds) {
      const now = Date.now()
      const counts = outages.explains(now) || outages.explains(now - milliseconds) ? failed.expected : failed.unexpected
      counts.set(reason, (counts.get(reason) ?? 0) + 1)
    },
    latencies: () => ({ p50: percentile(times, 0.5), p99: percentile(times, 0.99), max: percentile(times, 1) }),
  }
}
