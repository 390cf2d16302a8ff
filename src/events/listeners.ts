import type { Unsubscribe } from './bus.ts'

/** Who listens in this process, by topic. */
export type Listeners = {
  /** `first`: nobody listened to the topic before. `emptied` is called when nobody does any more. `remove` may be called again. */
  add(topic: string, heard: () => void, emptied: () => void): { first: boolean; remove: Unsubscribe }
  /** Calls everyone on the topic; what one of them throws goes to `failed`, not to the others. */
  deliver(topic: string): void
  topics(): string[]
  clear(): void
}

/** One entry for each subscription: the same function subscribed twice is heard twice. */
export function createListeners(failed: (error: unknown, topic: string) => void): Listeners {
  const byTopic = new Map<string, Set<{ heard: () => void }>>()
  return {
    add(topic, heard, emptied) {
      const entry = { heard }
      const existing = byTopic.get(topic)
      const entries = existing ?? new Set()
      entries.add(entry)
      byTopic.set(topic, entries)
      return {
        first: existing === undefined,
        remove() {
          if (!entries.delete(entry)) return
          if (entries.size > 0) return
          byTopic.delete(topic)
          emptied()
        },
      }
    },
    deliver(topic) {
      for (const { heard } of [...(byTopic.get(topic) ?? [])]) {
        try {
          heard()
        } catch (error) {
          failed(error, topic)
        }
      }
    },
    topics: () => [...byTopic.keys()],
    clear() {
      for (const entries of byTopic.values()) entries.clear()
      byTopic.clear()
    },
  }
}
