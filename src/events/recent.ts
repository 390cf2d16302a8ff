import type { LoggedEvent } from './event.ts'

/** The newest events of one log, in memory; and one object for each seq, for as long as anybody holds it. */
export type Recent = {
  /** undefined: not (or no longer) here. */
  at(seq: bigint): LoggedEvent | undefined
  /** The object that stands for this event in the process: the one given, unless there is one already. */
  same(event: LoggedEvent): LoggedEvent
  /** `event.seq` follows the newest one's, unless nothing is here. */
  append(event: LoggedEvent): void
  clear(): void
}

/** Keeps at least `size` events, at most twice as many. */
export function createRecent(size: number): Recent {
  let events: LoggedEvent[] = []
  const older = new Map<bigint, WeakRef<LoggedEvent>>()
  const collected = new FinalizationRegistry<bigint>((seq) => {
    if (older.get(seq)?.deref() === undefined) older.delete(seq)
  })

  const remember = (event: LoggedEvent) => {
    if (older.get(event.seq)?.deref() === event) return
    older.set(event.seq, new WeakRef(event))
    collected.register(event, event.seq)
  }
  const at = (seq: bigint) => {
    const [first] = events
    return first === undefined || seq < first.seq ? undefined : events[Number(seq - first.seq)]
  }

  return {
    at,
    same(event) {
      const known = at(event.seq) ?? older.get(event.seq)?.deref()
      if (known === undefined) remember(event)
      return known ?? event
    },
    append(event) {
      if (events.length >= 2 * size) {
        for (const leaving of events.slice(0, size)) remember(leaving)
        events = events.slice(size)
      }
      events.push(older.get(event.seq)?.deref() ?? event)
    },
    clear() {
      events = []
      older.clear()
    },
  }
}
