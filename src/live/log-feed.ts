import type { LogEntry } from '../events/event.ts'
import type { EventLog } from '../events/event-log.ts'

/** What one subscription is to be given of the log. Nothing is followed before it is iterated, or given to one who follows for many. */
export type LogFeed = {
  organizationId: string
  /** The seq after which it begins; null: now. */
  after: bigint | null
  wanted(entry: LogEntry): boolean
  [Symbol.asyncIterator](): LogIterator
}

/** `opened`: from when on nothing is missed. `return()` ends it at once, also while nothing happens. */
export type LogIterator = AsyncIterableIterator<LogEntry> & { opened: Promise<unknown> }

export const isLogFeed = (source: object): source is LogFeed => 'organizationId' in source && 'wanted' in source

/** A feed of which each iterator follows the log for itself. */
export function createLogFeed(events: EventLog, what: Pick<LogFeed, 'organizationId' | 'after' | 'wanted'>): LogFeed {
  return { ...what, [Symbol.asyncIterator]: () => iterate(events, what) }
}

function iterate(events: EventLog, { organizationId, after, wanted }: Pick<LogFeed, 'organizationId' | 'after' | 'wanted'>): LogIterator {
  const leaving = new AbortController()
  const follower = events.follow(organizationId, after, leaving.signal)
  const entries: LogIterator = {
    opened: follower.opened,
    [Symbol.asyncIterator]: () => entries,
    async next() {
      for (;;) {
        const result = await follower.next()
        if (result.done) return { done: true, value: undefined }
        if (wanted(result.value)) return { done: false, value: result.value }
      }
    },
    async return() {
      leaving.abort()
      return { done: true, value: undefined }
    },
  }
  return entries
}
