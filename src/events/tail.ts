import type pg from 'pg'
import type { Logger } from 'pino'
import { type Bus, organizationTopic } from './bus.ts'
import { createFollower, type Follower, type FollowerHandle, type Source } from './follower.ts'
import { readHead, readPage, retryDelay } from './page.ts'
import { createRecent } from './recent.ts'

// For followers that are a moment behind; who is further back reads a page. Each holds what was executed and serialized of it, some 5 KB.
const KEPT_EVENTS = 100

/** `reads` counts the statements that tails sent to PostgreSQL, followers' own pages included. */
export type Counters = { reads: number }

export type TailDeps = { pool: pg.Pool; bus: Bus; log: Logger; pollMs: number; lingerMs: number; counters: Counters; stopped: () => void }

/** The one reader of an organization's log in this process: however many follow, an event is read once. */
export type Tail = {
  follow(after: bigint | null, signal: AbortSignal): Follower
  /** The newest seq that was read; null before the first read. */
  position(): bigint | null
  /** The subscriptions that it is read for. */
  followers(): number
  /** Ends all followers. */
  stop(): void
}

/**
 * Subscribes to the bus first and reads its position then, so no ring is missed in between. Each ring, each poll and each failed read
 * leads to a read from the position; `stopped` is called `lingerMs` after the last follower left.
 */
export function createTail(deps: TailDeps, organizationId: string): Tail {
  const { pool, counters, pollMs, lingerMs } = deps
  const log = deps.log.child({ organizationId })
  const recent = createRecent(KEPT_EVENTS)
  const followers = new Set<FollowerHandle>()
  let position: bigint | null = null
  let reading = false
  let dirty = false
  let stopped = false
  let away = false
  let failures = 0
  let retry: NodeJS.Timeout | undefined
  let linger: NodeJS.Timeout | undefined

  const poke = () => {
    dirty = true
    if (!reading && !stopped) void readAll()
  }

  const readAll = async () => {
    reading = true
    clearTimeout(retry)
    while (dirty && !stopped) {
      dirty = false
      try {
        await readOnce()
        failures = 0
      } catch {
        failures += 1
        if (!stopped) retry = setTimeout(poke, retryDelay(failures))
        break
      }
    }
    reading = false
  }

  const readOnce = async () => {
    if (position === null) {
      moveTo(await counted(readHead(pool, organizationId)))
      return
    }
    const { head, events } = await counted(readPage(pool, organizationId, position))
    if (head < position) return startAnew(head, `the log ended at ${position} and now ends at ${head}: was an older copy restored?`)
    if (events.length === 0) {
      if (head > position) startAnew(head, `events ${position + 1n} to ${head} are missing`)
      return
    }
    let last = position
    for (const event of events) {
      if (event.seq !== last + 1n) startAnew(event.seq - 1n, `events ${last + 1n} to ${event.seq - 1n} are missing`)
      recent.append(event)
      last = event.seq
    }
    if (head > last) dirty = true
    moveTo(last)
  }

  // Followers that stand before the gap no longer find their next event here, read the table themselves and are told to resync.
  const startAnew = (at: bigint, why: string) => {
    log.error({ position, at }, `gap in the event log: ${why}`)
    recent.clear()
    moveTo(at)
  }

  const moveTo = (seq: bigint) => {
    position = seq
    for (const follower of followers) follower.wake()
  }

  const counted = async <T>(read: Promise<T>): Promise<T> => {
    counters.reads += 1
    try {
      const result = await read
      if (away) log.info('the event log can be read again')
      away = false
      return result
    } catch (error) {
      if (!away && !stopped) log.error({ err: error }, 'cannot read the event log; trying again')
      away = true
      throw error
    }
  }

  const stop = () => {
    if (stopped) return
    stopped = true
    unsubscribe()
    clearInterval(poll)
    clearTimeout(retry)
    clearTimeout(linger)
    for (const follower of [...followers]) follower.end()
    recent.clear()
    deps.stopped()
  }

  const source: Source = {
    organizationId,
    position: () => position,
    recent: recent.at,
    async read(after) {
      const { head, events } = await counted(readPage(pool, organizationId, after))
      return { head, events: events.map(recent.same) }
    },
    poke,
    log,
  }

  const unsubscribe = deps.bus.subscribe(organizationTopic(organizationId), poke)
  const poll = setInterval(poke, pollMs).unref()
  poke()

  return {
    follow(after, signal) {
      clearTimeout(linger)
      const handle = createFollower(source, after, () => {
        signal.removeEventListener('abort', handle.end)
        followers.delete(handle)
        if (followers.size === 0 && !stopped) linger = setTimeout(stop, lingerMs).unref()
      })
      followers.add(handle)
      if (signal.aborted) handle.end()
      else signal.addEventListener('abort', handle.end)
      return handle.follower
    },
    position: () => position,
    followers: () => [...followers].reduce((sum, { follower }) => sum + follower.readers, 0),
    stop,
  }
}
