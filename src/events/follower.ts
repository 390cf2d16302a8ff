import type { Logger } from 'pino'
import type { LogEntry, LoggedEvent } from './event.ts'
import { type Page, retryDelay } from './page.ts'

/** What a follower needs of its organization's tail. */
export type Source = {
  organizationId: string
  /** The newest seq that was read; null before the first read. */
  position(): bigint | null
  recent(seq: bigint): LoggedEvent | undefined
  read(after: bigint): Promise<Page>
  poke(): void
  log: Pick<Logger, 'info' | 'error'>
}

/**
 * One subscriber's way through the log. It pulls; nothing is queued for it, whatever its pace. `return()` ends it at once, also while a
 * `next()` is pending, which an async function* could not.
 */
export type Follower = AsyncGenerator<LogEntry, void, void> & {
  /** The seq after which it reads, as soon as that is fixed; null where it ended before. Never rejects. */
  opened: Promise<bigint | null>
  /** At most `max` entries that are in memory, next in order, without waiting. */
  ready(max: number): LogEntry[]
  /** For how many subscriptions it reads: 1, unless its owner sets it. */
  readers: number
}

/** The tail's side of a follower. `wake`: look again, the tail has moved. `end`: the same as the follower's `return()`. */
export type FollowerHandle = { follower: Follower; wake(): void; end(): void }

type Result = IteratorResult<LogEntry, void>

/** `after`: null for the tail's position, from its first read if there was none yet. `left` is called once, when it has ended. */
export function createFollower(source: Source, after: bigint | null, left: () => void): FollowerHandle {
  const opened = Promise.withResolvers<bigint | null>()
  const waiting: ((result: Result) => void)[] = []
  let cursor: bigint | null = null
  let page: LoggedEvent[] = []
  let taken = 0
  let resync: LogEntry | null = null
  let delivered = false
  let reading = false
  let woken = false
  let ended = false
  let failures = 0
  let retry: NodeJS.Timeout | undefined

  const start = (seq: bigint | null) => {
    if (seq === null) return
    cursor = seq
    opened.resolve(seq)
  }

  const take = (): LogEntry | null => {
    if (resync !== null) {
      const entry = resync
      resync = null
      return entry
    }
    if (cursor === null) return null
    const next = cursor + 1n
    const event = page[taken]?.seq === next ? page[taken++] : source.recent(next)
    if (event === undefined) return null
    if (taken > 0 && taken === page.length) dropPage()
    cursor = next
    delivered = true
    return { kind: 'event', event }
  }

  const dropPage = () => {
    page = []
    taken = 0
  }

  const advance = () => {
    if (ended || reading) return
    if (cursor === null) start(source.position())
    while (waiting.length > 0) {
      const entry = take()
      if (entry === null) break
      waiting.shift()?.({ value: entry, done: false })
    }
    const position = source.position()
    if (waiting.length > 0 && cursor !== null && position !== null && cursor !== position) void readOwnPage(cursor)
  }

  // Behind what the tail keeps in memory, or ahead of it (the cursor came from another process): the table decides.
  const readOwnPage = async (from: bigint) => {
    clearTimeout(retry)
    reading = true
    woken = false
    let moved = true
    try {
      const { head, events } = await source.read(from)
      if (ended) return
      failures = 0
      dropPage()
      if (events[0]?.seq === from + 1n) page = events
      else if (head > from) startAnew(from, head, `events after ${from} are no longer kept`)
      else if (head < from) startAnew(from, head, `the log ends at ${head}, before ${from}: not a cursor of this log`)
      else {
        moved = false
        source.poke()
      }
    } catch {
      // The tail logs it, once an outage.
      moved = false
      failures += 1
      if (!ended) retry = setTimeout(advance, retryDelay(failures))
    }
    reading = false
    if (moved || woken) advance()
  }

  const startAnew = (from: bigint, head: bigint, reason: string) => {
    const { organizationId } = source
    if (delivered) source.log.error({ organizationId, from, head }, `gap in the event log: ${reason}`)
    else source.log.info({ organizationId, from, head }, `resync: ${reason}`)
    cursor = head
    resync = { kind: 'resync', reason, position: head }
  }

  const end = () => {
    if (ended) return
    ended = true
    clearTimeout(retry)
    dropPage()
    opened.resolve(null)
    for (const finish of waiting.splice(0)) finish({ value: undefined, done: true })
    left()
  }

  const follower: Follower = {
    opened: opened.promise,
    readers: 1,
    ready(max) {
      const entries: LogEntry[] = []
      if (ended || reading || waiting.length > 0) return entries
      for (let entry = take(); entry !== null; entry = take()) {
        entries.push(entry)
        if (entries.length === max) break
      }
      return entries
    },
    next() {
      if (ended) return Promise.resolve({ value: undefined, done: true })
      return new Promise((resolve) => {
        waiting.push(resolve)
        advance()
      })
    },
    async return() {
      end()
      return { value: undefined, done: true }
    },
    async throw(error) {
      end()
      throw error
    },
    [Symbol.asyncIterator]: () => follower,
    async [Symbol.asyncDispose]() {
      end()
    },
  }

  start(after ?? source.position())
  return {
    follower,
    wake() {
      woken = true
      advance()
    },
    end,
  }
}
