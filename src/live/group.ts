import type { LogEntry } from '../events/event.ts'
import type { EventLog } from '../events/event-log.ts'
import type { Follower } from '../events/follower.ts'
import type { LogFeed } from './log-feed.ts'
import { nextFrames } from './next-frames.ts'
import { createRecentPayloads } from './recent-payloads.ts'

/** Where a subscription's frames are written to. `drained`: what was written before has left the process, or never will. */
export type Outlet = { write(frames: Buffer): void; drained(): Promise<void> }

/** `id`: the client's, of the operation. `ended` is called when nothing more comes, with an error where that is the reason; it leaves. */
export type Subscriber = { id: string; outlet: Outlet; ended(error?: unknown): void }

/** Subscribers that are given the same: an event is executed, serialized and framed once for all of them. */
export type LiveGroup = {
  /** Everything after seq `after`, then live; null: from now. */
  join(subscriber: Subscriber, after: bigint | null): void
  leave(subscriber: Subscriber): void
}

type Options = {
  events: EventLog
  feed: Pick<LogFeed, 'organizationId' | 'wanted'>
  /** The payloads of entries, in their order. */
  serialize(entries: LogEntry[]): Promise<Buffer[]>
  /** The last one has left: the group has ended. */
  emptied(): void
}

// Events that are there together are executed together and share the statements of their loaders.
const BATCH = 64

/**
 * A subscriber belongs to the group from the event on that the group gives next, or from one that it still has. Whoever comes from further
 * back first catches up alone, at the pace of its own connection; the group waits for nobody.
 */
export function createLiveGroup({ events, feed: { organizationId, wanted }, serialize, emptied }: Options): LiveGroup {
  const listening = new Set<Subscriber>()
  const waiting = new Map<Subscriber, bigint | null>()
  const catchingUp = new Map<Subscriber, AbortController>()
  const recent = createRecentPayloads()
  const leaving = new AbortController()
  const follower = events.follow(organizationId, null, leaving.signal)
  let position: bigint | null = null

  const count = () => {
    follower.readers = listening.size + waiting.size
  }

  /** Whether the group has, or will be at, what comes after `seq`; what is ahead of the whole process, the table has to judge. */
  const reaches = (seq: bigint): boolean => recent.reaches(seq) && seq <= (events.position(organizationId) ?? -1n)

  const place = (subscriber: Subscriber, after: bigint | null) => {
    const from = after ?? position
    if (position === null || from === null) waiting.set(subscriber, after)
    else if (!reaches(from)) void catchUp(subscriber, from).catch(subscriber.ended)
    else if (from > position) waiting.set(subscriber, from)
    else {
      deliver([subscriber], recent.after(from))
      listening.add(subscriber)
    }
    count()
  }

  const placeWaiting = () => {
    const all = [...waiting]
    waiting.clear()
    for (const [subscriber, after] of all) place(subscriber, after)
  }

  const catchUp = async (subscriber: Subscriber, from: bigint) => {
    const alone = new AbortController()
    catchingUp.set(subscriber, alone)
    const own = events.follow(organizationId, from, alone.signal)
    for (let entries = await next(own); entries.length > 0; entries = await next(own)) {
      const payloads = await serialize(entries.filter(wanted))
      // Here nobody else waits: a client that reads slowly is served slowly.
      await subscriber.outlet.drained()
      if (alone.signal.aborted) return
      deliver([subscriber], payloads)
      const reached = positionOf(entries)
      if (!reaches(reached)) continue
      catchingUp.delete(subscriber)
      alone.abort()
      return place(subscriber, reached)
    }
    subscriber.ended()
  }

  const run = async () => {
    position = await follower.opened
    if (position !== null) recent.startAt(position)
    placeWaiting()
    for (let entries = await next(follower); entries.length > 0; entries = await next(follower)) {
      const told = entries.filter(wanted)
      const payloads = await serialize(told)
      deliver(listening, payloads)
      recent.add(told, payloads)
      position = positionOf(entries)
      placeWaiting()
    }
    end()
  }

  const end = (error?: unknown) => {
    for (const subscriber of [...listening, ...waiting.keys()]) subscriber.ended(error)
  }

  count()
  run().catch(end)

  return {
    join(subscriber, after) {
      place(subscriber, after ?? events.position(organizationId))
    },
    leave(subscriber) {
      catchingUp.get(subscriber)?.abort()
      const belonged = [listening, waiting, catchingUp].some((part) => part.delete(subscriber))
      if (!belonged) return
      count()
      if (listening.size + waiting.size + catchingUp.size > 0) return
      leaving.abort()
      emptied()
    },
  }
}

/** At least one entry; none where the follower has ended. */
async function next(follower: Follower): Promise<LogEntry[]> {
  const first = await follower.next()
  return first.done ? [] : [first.value, ...follower.ready(BATCH - 1)]
}

const positionOf = (entries: LogEntry[]): bigint => {
  const last = entries.at(-1) as LogEntry
  return last.kind === 'event' ? last.event.seq : last.position
}

/** Nothing here waits, or is done anew, for each subscriber: clients count their operations, so that most ids are the same. */
function deliver(subscribers: Iterable<Subscriber>, payloads: Buffer[]): void {
  if (payloads.length === 0) return
  const framesById = new Map<string, Buffer>()
  for (const { id, outlet } of subscribers) {
    let frames = framesById.get(id)
    if (frames === undefined) {
      frames = nextFrames(id, payloads)
      framesById.set(id, frames)
    }
    outlet.write(frames)
  }
}
