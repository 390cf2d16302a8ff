import { randomFillSync } from 'node:crypto'
import { v7 } from 'uuid'

const RANDOM_BYTES = 16
// Asked for one id at a time, randomness is most of what an id costs.
const pool = new Uint8Array(RANDOM_BYTES * 256)
let used = pool.length
let msecs = 0
let seq = 0

/** A fresh UUIDv7: sorts by time, and within one process strictly in the order of creation. */
export function newId(): string {
  if (used === pool.length) {
    randomFillSync(pool)
    used = 0
  }
  const random = pool.subarray(used, used + RANDOM_BYTES)
  used += RANDOM_BYTES
  const now = Date.now()
  // Within a millisecond the sequence counts on from a random start of 31 bits; where it runs over, the next millisecond is borrowed.
  const fresh = now > msecs
  seq = fresh ? new DataView(random.buffer, random.byteOffset).getUint32(6) >>> 1 : (seq + 1) | 0
  msecs = fresh ? now : seq === 0 ? msecs + 1 : msecs
  return v7({ random, msecs, seq })
}

/** The smallest UUIDv7 of that millisecond, to turn a time into a bound on ids. */
export function firstIdAt(time: Date): string {
  const hex = Math.max(0, time.getTime()).toString(16).padStart(12, '0')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-7000-8000-000000000000`
}

/** The millisecond in which a UUIDv7 was made. */
export const timeOfId = (id: string): Date => new Date(Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16))
