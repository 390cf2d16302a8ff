import pg from 'pg'
import { receiveMessagesSql } from './receive-messages.sql.ts'
import { ONE_MESSAGE, receiveOneSql } from './receive-one.sql.ts'
import type { ARRIVING } from './receive-rows.sql.ts'
import { createBatches } from './receive-together.ts'
import type { RawReceipt } from './store-webhook.ts'

export type Received = { communicationId: string; conversationId: string; customerId: string }

type Columns = Readonly<Record<Exclude<keyof typeof ARRIVING, keyof ReturnType<typeof receiptOf>>, unknown>>

/**
 * A message as the statements take it: see `ARRIVING` in receive-rows.sql.ts and `WHOLE` in receive-messages.sql.ts; `whole` is null where it has
 * one identity and no e-mail, file, reaction or word on consent.
 */
export type Message = {
  plain: Columns & Readonly<Record<'organization_id' | 'account_id' | 'external_id' | 'kind' | 'scope' | 'value', string>>
  whole: Readonly<Record<string, unknown>> | null
}

/** `raw`: the webhook that brought it. */
type Arrived = { message: Message; raw: RawReceipt | null }

const STATEMENTS = {
  one: { name: 'receive-one-message', text: receiveOneSql },
  plain: { name: 'receive-plain-messages', text: receiveMessagesSql({ plain: true }) },
  any: { name: 'receive-messages', text: receiveMessagesSql({ plain: false }) },
}

const batches = new WeakMap<pg.Pool, ReturnType<typeof createBatches<Arrived, Received | null>>>()

/**
 * Stores a message, in one commit with the others that wait. What it became, durably; or null where it was received before and nothing changed.
 * See docs/adr/0002.
 */
export function storeReceived(pool: pg.Pool, arrived: Arrived): Promise<Received | null> {
  const ofPool = batches.get(pool) ?? createBatches((batch, patienceMs) => storeWithSurvivors(pool, batch, patienceMs))
  batches.set(pool, ofPool)
  const { organization_id, kind, scope, value } = arrived.message.plain
  return ofPool.join({
    group: organization_id,
    series: `${organization_id} ${kind} ${scope} ${value}`,
    size: arrived.raw?.body?.byteLength ?? 0,
    item: arrived,
  })
}

const MAX_TRIES = 10

/**
 * A customer may be merged between the statement's snapshot and its turn at their row: run again, it finds the survivor. A deadlock is over
 * when the statement has failed.
 */
async function storeWithSurvivors(pool: pg.Pool, batch: Arrived[], patienceMs: number): Promise<(Received | null)[]> {
  for (let tries = 1; ; tries += 1) {
    try {
      const [first] = batch
      if (first !== undefined && batch.length === 1 && first.message.whole === null) return [await storeOne(pool, first, patienceMs)]
      return await storeAll(pool, batch, patienceMs)
    } catch (error) {
      if (!(error instanceof pg.DatabaseError) || tries === MAX_TRIES) throw error
      if (!isMergedMeanwhile(error) && error.code !== '40P01') throw error
    }
  }
}

const isMergedMeanwhile = ({ code, table, column }: pg.DatabaseError): boolean =>
  code === '23502' && table === 'customer' && column === 'unread_count'

async function storeOne(pool: pg.Pool, { message, raw }: Arrived, patienceMs: number): Promise<Received | null> {
  const row = { ...message.plain, ...receiptOf(raw) }
  const { rows } = await pool.query<Received>({
    ...STATEMENTS.one,
    values: [String(patienceMs), raw?.body ?? null, ...ONE_MESSAGE.map((name) => row[name])],
  })
  return rows[0] ?? null
}

async function storeAll(pool: pg.Pool, batch: Arrived[], patienceMs: number): Promise<(Received | null)[]> {
  const bodies = sideBySide(batch.map(({ raw }) => raw))
  const rows = batch.map(({ message: { plain, whole }, raw }, n) => ({
    n,
    ...plain,
    ...whole,
    ...receiptOf(raw),
    start: raw === null ? null : bodies.starts.get(raw),
  }))
  // What comes twice counts the first time.
  const distinct = [...new Map(rows.toReversed().map((row) => [`${row.account_id} ${row.external_id}`, row])).values()]
  const { rows: results } = await pool.query<Received & { n: number }>({
    ...STATEMENTS[batch.every(({ message }) => message.whole === null) ? 'plain' : 'any'],
    values: [JSON.stringify(distinct), bodies.bytes, String(patienceMs)],
  })
  const received = new Map(
    results.map(({ n, communicationId, conversationId, customerId }) => [n, { communicationId, conversationId, customerId }]),
  )
  return batch.map((_, n) => received.get(n) ?? null)
}

/** The webhook's row. */
const receiptOf = (raw: RawReceipt | null) => ({
  receipt_id: raw?.id ?? null,
  receipt_account_id: raw?.channelAccountId ?? null,
  wire: raw?.wire ?? null,
  segment: raw?.segment ?? null,
  url: raw?.url ?? null,
  headers: raw?.headers ?? null,
  storage_key: raw?.storageKey ?? null,
  size: raw?.size ?? null,
})

/** The bodies of webhooks as bytes, one after the other, and where each begins. */
function sideBySide(raws: readonly (RawReceipt | null)[]) {
  const starts = new Map<RawReceipt, number>()
  const bodies: Buffer[] = []
  let end = 0
  for (const raw of raws) {
    if (raw === null || starts.has(raw)) continue
    starts.set(raw, end)
    if (raw.body === null) continue
    bodies.push(raw.body)
    end += raw.body.byteLength
  }
  return { starts, bytes: Buffer.concat(bodies) }
}
