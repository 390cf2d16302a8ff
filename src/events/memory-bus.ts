import type { Bus } from './bus.ts'
import { createListeners } from './listeners.ts'

/** The doorbell of a single process. Rings of one turn of the event loop are heard once, in the next. */
export function createMemoryBus(): Bus {
  const listeners = createListeners((error, topic) => {
    process.emitWarning(`a listener of ${topic} threw: ${error instanceof Error ? error.stack : String(error)}`)
  })
  const rung = new Set<string>()
  let closed = false

  const deliver = () => {
    const topics = [...rung]
    rung.clear()
    for (const topic of topics) listeners.deliver(topic)
  }

  return {
    ring(topic) {
      if (closed) return
      if (rung.size === 0) setImmediate(deliver)
      rung.add(topic)
    },
    subscribe(topic, heard) {
      if (closed) return () => undefined
      return listeners.add(topic, heard, () => undefined).remove
    },
    healthy: () => !closed,
    async close() {
      closed = true
      rung.clear()
      listeners.clear()
    },
  }
}
