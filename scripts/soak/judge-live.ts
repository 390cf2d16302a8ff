import type pg from 'pg'
import type { Organization } from './organizations.ts'
import type { SocketStatus } from './sockets-process.ts'
import { count, counts, type Verdict } from './verdict.ts'

/** Where the logs end, by the organization's id. */
export async function heads(pool: pg.Pool): Promise<Map<string, number>> {
  const { rows } = await pool.query<{ id: string; head: number }>('SELECT id, event_seq::int AS head FROM organization')
  return new Map(rows.map(({ id, head }) => [id, head]))
}

/** The organizations of which a socket is not where the log ends. */
export const behind = (status: SocketStatus, organizations: Organization[], ends: Map<string, number>): string[] =>
  status.stand.flatMap(({ least, greatest }, index) => {
    const { id = '', slug = '' } = organizations[index] ?? {}
    const end = ends.get(id)
    return least === end && greatest === end ? [] : [`${slug}: sockets stand at ${least} to ${greatest}, the log ends at ${end}`]
  })

// graphql-ws's own for what a client did wrong (https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md), and 1011, an unexpected error.
const WRONG_CLOSES = new Set(['1011', '4400', '4401', '4403', '4408', '4409', '4429', '4500'])

/** Each socket got each event of its organization once, in order, to the last one. */
export async function judgeLive(pool: pg.Pool, status: SocketStatus, organizations: Organization[]): Promise<Verdict> {
  const broken = [...status.faults, ...behind(status, organizations, await heads(pool))]
  if (status.open !== status.sockets) broken.push(`${status.sockets - status.open} sockets are not open`)
  for (const [code, n] of Object.entries(status.closes))
    if (WRONG_CLOSES.has(code)) broken.push(`the server closed ${n} sockets with ${code}`)
  return {
    promise: 'Each subscriber gets each event once, in order, however often it comes back',
    numbers: [
      `sockets ${count(status.sockets)}, subscriptions ${count(status.resumed)}, events received ${count(status.events)}`,
      `came back by themselves because of (the server’s close code, or in words): ${counts(Object.entries(status.closes))}`,
    ],
    broken,
  }
}
