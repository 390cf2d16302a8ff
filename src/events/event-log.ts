import type pg from 'pg'
import type { Logger } from 'pino'
import type { Bus } from './bus.ts'
import type { Follower } from './follower.ts'
import { createTail, type Tail } from './tail.ts'

const LINGER_MS = 2_000

export type EventLog = {
  /**
   * Events after seq `after`, then live ones: in order, none missing, none twice; or one `resync` entry where that cannot be kept.
   * null: from now. "Now" is fixed by this call where somebody follows the organization already, otherwise by the read that this call
   * starts: what is committed after `opened` has resolved is always included.
   * Never throws; waits for PostgreSQL where it is away. Ends when the signal aborts, on `return()`, and with the log's `close()`.
   */
  follow(organizationId: string, after: bigint | null, signal: AbortSignal): Follower
  /** The newest seq that this process has read; null where nobody follows the organization, or its first read is under way. */
  position(organizationId: string): bigint | null
  /** `reads`: statements sent to PostgreSQL since the start. `tails`: organizations that are read now. `followers`: subscriptions. */
  stats(): { reads: number; tails: number; followers: number }
  /** Ends all followers; those that come later have ended from the start. */
  close(): void
}

/**
 * Live reading of the log. An event costs one read for each process and organization, whatever the number of followers.
 * `pollMs`: how late an event may be whose ring was lost. `lingerMs`: how long the tail stays after its last follower.
 */
export function createEventLog(deps: { pool: pg.Pool; bus: Bus; log: Logger; pollMs: number; lingerMs?: number }): EventLog {
  const tails = new Map<string, Tail>()
  const counters = { reads: 0 }
  let closed = false

  const tailOf = (organizationId: string): Tail => {
    const stopped = () => void tails.delete(organizationId)
    const tail = tails.get(organizationId) ?? createTail({ lingerMs: LINGER_MS, ...deps, counters, stopped }, organizationId)
    tails.set(organizationId, tail)
    return tail
  }

  return {
    follow(organizationId, after, signal) {
      const tail = tailOf(organizationId)
      const follower = tail.follow(after, signal)
      if (closed) tail.stop()
      return follower
    },
    position: (organizationId) => tails.get(organizationId)?.position() ?? null,
    stats: () => ({
      ...counters,
      tails: tails.size,
      followers: [...tails.values()].reduce((sum, tail) => sum + tail.followers(), 0),
    }),
    close() {
      closed = true
      for (const tail of [...tails.values()]) tail.stop()
    },
  }
}
