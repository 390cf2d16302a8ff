import pg from 'pg'
import { receiveMessagesSql } from './receive-messages.sql.ts'
import { createBatches } from './receive-together.ts'
import type { RawReceipt } from './store-webhook.ts'

export type Received = { communicationId: string; conversationId: string; customerId: string }

/** A message as the statement takes it, as far as it decides here; see the columns of `input` in receive-messages.sql.ts. */
type Message = {
  organization_id: string
  account_id: string
  external_id: string
  others: readonly unknown[]
  email: unknown
  attachments: readonly unknown[]
  consent: unknown
  content: { kind: string } | null
}

/** `raw`: the webhook that brought it. */
type Arrived = { message: Message; raw: RawReceipt | null }

const STATEMENTS = {
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
  return ofPool.join(arrived.message.organization_id, arrived.raw?.body?.byteLength ?? 0, arrived)
}

const MAX_TRIES = 10

/**
 * A customer may be merged between the statement's snapshot and its turn at their row: run again, it finds the survivor. A deadlock is over
 * when the statement has failed.
 */
async function storeWithSurvivors(pool: pg.Pool, batch: Arrived[], patienceMs: number): Promise<(Received | null)[]> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await store(pool, batch, patienceMs)
    } catch (error) {
      if (!(error instanceof pg.DatabaseError) || tries === MAX_TRIES) throw error
      if (!isMergedMeanwhile(error) && error.code !== '40P01') throw error
    }
  }
}

const isMergedMeanwhile = ({ code, table, column }: pg.DatabaseError): boolean =>
  code === '23502' && table === 'customer' && column === 'unread_count'

async function store(pool: pg.Pool, batch: Arrived[], patienceMs: number): Promise<(Received | null)[]> {
  const messages = batch.map(({ message }, n) => ({ n, ...message }))
  // What comes twice counts the first time.
  const distinct = [...new Map(messages.toReversed().map((message) => [`${message.account_id} ${message.external_id}`, message])).values()]
  const raws = [...new Set(batch.map(({ raw }) => raw))].filter((raw) => raw !== null)
  const { rows: receipts, bodies } = sideBySide(raws)
  const { rows } = await pool.query<Received & { n: number }>({
    ...STATEMENTS[distinct.every(isPlain) ? 'plain' : 'any'],
    values: [JSON.stringify(distinct), JSON.stringify(receipts), bodies, String(patienceMs)],
  })
  const received = new Map(
    rows.map(({ n, communicationId, conversationId, customerId }) => [n, { communicationId, conversationId, customerId }]),
  )
  return messages.map(({ n }) => received.get(n) ?? null)
}

const isPlain = ({ others, email, attachments, consent, content }: Message): boolean =>
  others.length === 0 && email === null && attachments.length === 0 && consent === null && content?.kind !== 'REACTION'

/** The rows of webhooks, and their bodies as bytes, one after the other. */
function sideBySide(raws: readonly RawReceipt[]) {
  let start = 0
  const rows = raws.map(({ id, organizationId, channelAccountId, wire, segment, url, headers, body, storageKey, size }) => {
    const place = { id, organization_id: organizationId, account_id: channelAccountId, wire, segment, url, headers }
    const row = { ...place, start, storage_key: storageKey, size }
    start += body?.byteLength ?? 0
    return row
  })
  return { rows, bodies: Buffer.concat(raws.flatMap(({ body }) => body ?? [])) }
}
