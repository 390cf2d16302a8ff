import type { LogEntry } from '../events/event.ts'

// Less than a socket may have outstanding (http/socket-writer.ts): whoever is given all of it at once is not slow by that.
const KEPT_BYTES = 64 * 1024

/** The newest payloads of a group: who comes back from a short absence gets them as they are. */
export type RecentPayloads = {
  startAt(seq: bigint): void
  add(entries: LogEntry[], payloads: Buffer[]): void
  /** Whether everything after `seq` is here. */
  reaches(seq: bigint): boolean
  after(seq: bigint): Buffer[]
}

export function createRecentPayloads(): RecentPayloads {
  let kept: { seq: bigint; payload: Buffer }[] = []
  let bytes = 0
  let from: bigint | null = null

  const clear = (seq: bigint) => {
    kept = []
    bytes = 0
    from = seq
  }

  return {
    startAt: clear,
    add(entries, payloads) {
      for (const [index, entry] of entries.entries()) {
        const payload = payloads[index] as Buffer
        if (entry.kind === 'resync') {
          clear(entry.position)
          continue
        }
        kept.push({ seq: entry.event.seq, payload })
        bytes += payload.length
      }
      while (bytes > KEPT_BYTES) {
        const oldest = kept.shift()
        if (oldest === undefined) return
        bytes -= oldest.payload.length
        from = oldest.seq
      }
    },
    reaches: (seq) => from !== null && seq >= from,
    after: (seq) => kept.flatMap((one) => (one.seq > seq ? [one.payload] : [])),
  }
}
