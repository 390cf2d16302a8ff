import type pg from 'pg'
import type { LoggedEvent } from './event.ts'

export const PAGE_SIZE = 500

// A connection that died without a word must not hold up the log: pg fails the statement and gives the connection up.
const TIMEOUT = { query_timeout: 15_000 }

/** `head`: the newest committed seq, in the same snapshot as `events`. */
export type Page = { head: bigint; events: LoggedEvent[] }

type Row = Omit<LoggedEvent, 'organizationId' | 'seq'> & { head: string; seq: string | null }

const READ_PAGE = `
  SELECT o.event_seq AS head, e.seq, e.type, e.occurred_at AS "occurredAt", e.actor_id AS "actorId", e.customer_id AS "customerId",
    e.conversation_id AS "conversationId", e.communication_id AS "communicationId", e.data
  FROM organization o
  LEFT JOIN LATERAL (
    SELECT * FROM event WHERE organization_id = o.id AND seq > $2 ORDER BY seq LIMIT ${PAGE_SIZE}
  ) e ON true
  WHERE o.id = $1
  ORDER BY e.seq`

/** Up to PAGE_SIZE events after `after`, oldest first. The log of an organization that does not exist is empty. */
export async function readPage(pool: pg.Pool, organizationId: string, after: bigint): Promise<Page> {
  const { rows } = await pool.query<Row>({ ...TIMEOUT, name: 'event-page', text: READ_PAGE, values: [organizationId, after.toString()] })
  const events: LoggedEvent[] = []
  for (const { head: _, seq, ...rest } of rows) {
    if (seq !== null) events.push({ organizationId, seq: BigInt(seq), ...rest })
  }
  return { head: BigInt(rows[0]?.head ?? 0), events }
}

/** The newest committed seq; 0 where nothing was logged yet. */
export async function readHead(pool: pg.Pool, organizationId: string): Promise<bigint> {
  const text = 'SELECT event_seq AS head FROM organization WHERE id = $1'
  const { rows } = await pool.query<{ head: string }>({ ...TIMEOUT, name: 'event-head', text, values: [organizationId] })
  return BigInt(rows[0]?.head ?? 0)
}

/** Milliseconds before the next try after `failures` failed reads in a row. */
export const retryDelay = (failures: number): number => Math.min(50 * 2 ** Math.min(failures, 7), 5_000)
