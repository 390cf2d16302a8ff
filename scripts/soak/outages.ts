/** What was taken away or killed. `ready`: when all processes said again that they are; null while they do not. `unready`: those that never did. */
export type Outage = { what: 'worker' | 'Redis' | 'PostgreSQL'; from: number; back: number; ready: number | null; unready: string[] }

export type Outages = {
  list: Outage[]
  begin(what: Outage['what']): Outage
  /** Whether a failure at this time may be laid to one of them. */
  explains(at: number, what?: Outage['what']): boolean
}

/** Requests that were under way when it was over, and pauses between attempts to connect. */
const AFTERMATH_MS = 10_000

/** Remembers when what was away. Times in milliseconds of `Date.now()`. */
export function createOutages(): Outages {
  const list: Outage[] = []
  return {
    list,
    begin(what) {
      const outage: Outage = { what, from: Date.now(), back: Number.POSITIVE_INFINITY, ready: null, unready: [] }
      list.push(outage)
      return outage
    },
    explains: (at, what) =>
      list.some(
        (outage) =>
          (what === undefined ? outage.what !== 'worker' : outage.what === what) &&
          at >= outage.from &&
          at <= (outage.ready ?? Number.POSITIVE_INFINITY) + AFTERMATH_MS,
      ),
  }
}
