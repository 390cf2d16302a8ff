import type pg from 'pg'
import { globalId, type NodeType } from '../../schema/global-id.ts'
import type { OwnIds } from './graph-walk.ts'

/** The table of each node. */
export const nodeTables: Record<NodeType, string> = {
  ApiKey: 'api_key',
  Appointment: 'appointment',
  Attachment: 'attachment',
  AutomationRun: 'automation_run',
  ChannelAccount: 'channel_account',
  Communication: 'communication',
  Conversation: 'conversation',
  Customer: 'customer',
  CustomerIdentity: 'customer_identity',
  CustomerMerge: 'customer_merge',
  Member: 'member',
  MergeSuggestion: 'merge_suggestion',
  Organization: 'organization',
  Template: 'template',
  WebhookReceipt: 'webhook_receipt',
}

/** Every row of an organization, by table, as JSON. */
export async function rowsOf(pool: pg.Pool, organizationId: string): Promise<Record<string, string[]>> {
  const { rows: tables } = await pool.query<{ name: string }>(
    `SELECT table_name AS name FROM information_schema.columns
     WHERE table_schema = 'public' AND (column_name = 'organization_id' OR (table_name = 'organization' AND column_name = 'id')) ORDER BY 1`,
  )
  const found: Record<string, string[]> = {}
  for (const { name } of tables) {
    const key = name === 'organization' ? 'id' : 'organization_id'
    const { rows } = await pool.query<{ row: string }>(`SELECT to_jsonb(t)::text AS row FROM ${name} t WHERE ${key} = $1 ORDER BY 1`, [
      organizationId,
    ])
    found[name] = rows.map(({ row }) => row)
  }
  return found
}

/** All global ids of an organization's nodes, by type, oldest first. Throws where it has none of a type: the walk would prove nothing. */
export function nodesOf(rows: Record<string, string[]>): Record<NodeType, string[]> {
  const entries = Object.entries(nodeTables).map(([type, table]) => {
    const ids = (rows[table] ?? []).map((row) => (JSON.parse(row) as { id: string }).id).sort()
    if (ids.length === 0) throw new Error(`the organization has no ${type}`)
    return [type, ids.map((id) => globalId(type as NodeType, id))]
  })
  return Object.fromEntries(entries) as Record<NodeType, string[]>
}

/** One id of each type: the latest. */
export const latestOf = (nodes: Record<NodeType, string[]>): OwnIds =>
  Object.fromEntries(Object.entries(nodes).map(([type, ids]) => [type, ids.at(-1)])) as OwnIds

const TIME = /^\d{4}-\d\d-\d\dT/
const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g

/** Ids, names, texts and addresses that occur in the organization's rows and not in those of the other one. */
export function tracesOf(rows: Record<string, string[]>, other: Record<string, string[]>): string[] {
  const texts = new Set<string>()
  const collect = (value: unknown): void => {
    if (typeof value === 'string') texts.add(value)
    else if (typeof value === 'object' && value !== null) Object.values(value).forEach(collect)
  }
  for (const row of Object.values(rows).flat()) collect(JSON.parse(row))
  const elsewhere = JSON.stringify(other)
  const telling = [...texts].filter((text) => text.length >= 6 && !TIME.test(text) && !/^[A-Z_]+$/.test(text) && !elsewhere.includes(text))
  if (telling.length < 30) throw new Error('the organization leaves too few traces to look for')
  return telling
}

/** The traces that an answer shows, also inside of global ids and cursors. */
export function seenIn(answer: unknown, traces: readonly string[]): string[] {
  const text = JSON.stringify(answer)
  const opaque = (text.match(/[\w+/=-]{16,}/g) ?? []).map((word) => Buffer.from(word, 'base64').toString('latin1'))
  const ids = new Set(opaque.flatMap((word) => word.match(UUID) ?? []))
  return traces.filter((trace) => text.includes(JSON.stringify(trace).slice(1, -1)) || ids.has(trace))
}
