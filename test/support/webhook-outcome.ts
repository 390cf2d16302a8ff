import type { App } from '../../src/app.ts'

type Snapshot = Map<string, Record<string, unknown>>

const QUERIES = {
  communication: `
    SELECT m.id, m.direction::text, m.type::text, coalesce(m.content->>'kind', CASE m.type WHEN 'CALL_LOG' THEN 'CALL' ELSE 'TEXT' END) AS kind,
      m.body, m.subject, m.external_message_id AS external, m.in_reply_to AS "inReplyTo", m.delivery_status::text AS status, m.failure_code AS failure,
      m.edited_at IS NOT NULL AS edited, m.revoked_at IS NOT NULL AS revoked, m.call_outcome::text AS outcome, m.customer_id AS customer,
      (SELECT count(*)::int FROM attachment a WHERE a.communication_id = m.id) AS files,
      (SELECT string_agg(i.kind || ':' || i.value, ' ' ORDER BY i.kind, i.value) FROM customer_identity i WHERE i.customer_id = m.customer_id) AS sender
    FROM communication m WHERE m.organization_id = $1 ORDER BY m.id`,
  receipt: `SELECT id, status::text, external_message_id AS external, error_code AS code, communication_id IS NOT NULL AS applied, carried_by::text AS "carriedBy"
    FROM receipt WHERE organization_id = $1 ORDER BY id`,
  consent: `SELECT id, state::text, purpose::text, source::text FROM consent_entry WHERE organization_id = $1 ORDER BY occurred_at, purpose`,
  identity: `SELECT id, kind::text, value, customer_id AS customer FROM customer_identity WHERE organization_id = $1 ORDER BY kind, value`,
  template: `SELECT id, name, language, status::text, quality FROM template WHERE organization_id = $1 ORDER BY name`,
  account: `SELECT id, health->'checks' AS checks FROM channel_account WHERE organization_id = $1`,
  webhook: `SELECT id, status::text, problem FROM webhook_receipt WHERE organization_id = $1 OR organization_id IS NULL ORDER BY id`,
} as const

type Table = keyof typeof QUERIES

/** What there is of an organization now, to be compared with later. */
export async function snapshotOf(app: Pick<App, 'deps'>, organizationId: string): Promise<Record<Table, Snapshot>> {
  const entries = await Promise.all(
    Object.entries(QUERIES).map(async ([table, text]) => {
      const { rows } = await app.deps.pool.query<{ id: string }>(text, [organizationId])
      return [table, new Map(rows.map(({ id, ...row }) => [id, row]))] as const
    }),
  )
  return Object.fromEntries(entries) as Record<Table, Snapshot>
}

/** What has changed since, one line a fact, in words that a person can check against the webhook. */
export function outcomeSince(before: Record<Table, Snapshot>, after: Record<Table, Snapshot>): string[] {
  const lines: string[] = []
  const newCustomers = new Set<unknown>()
  for (const [id, row] of after.communication) {
    const former = before.communication.get(id)
    if (former === undefined) {
      newCustomers.add(row.customer)
      lines.push(described(row))
    } else if (changes(former, row).length > 0) lines.push(`${row.external}: ${changes(former, row).join(', ')}`)
  }
  for (const row of fresh('receipt'))
    lines.push(words(`receipt ${row.status} for ${row.external}`, row.code, row.carriedBy, !row.applied && 'kept'))
  for (const row of fresh('consent')) lines.push(`consent ${row.state} ${row.purpose} ${row.source}`)
  for (const row of fresh('identity')) if (!newCustomers.has(row.customer)) lines.push(`identity ${row.kind}:${row.value}`)
  for (const [id, row] of after.template) {
    if (JSON.stringify(before.template.get(id)) !== JSON.stringify(row))
      lines.push(words(`template ${row.name} ${row.language}`, row.status, row.quality))
  }
  for (const [id, row] of after.account) {
    if (JSON.stringify(before.account.get(id)) === JSON.stringify(row)) continue
    for (const check of (row.checks ?? []) as { name: string; ok: boolean; message: string }[])
      lines.push(`health ${check.name} ${check.ok ? 'ok' : 'not ok'}`)
  }
  for (const row of fresh('webhook')) lines.push(words(`webhook ${row.status}`, row.problem))
  return lines

  function fresh(table: Table): Record<string, unknown>[] {
    return [...after[table]].flatMap(([id, row]) => (before[table].has(id) ? [] : [row]))
  }
}

const words = (...parts: unknown[]): string =>
  parts.filter((part) => part !== null && part !== undefined && part !== false && part !== '').join(' ')

/** The beginning of a long text, and how long it is. */
const shortened = (text: string): string => (text.length > 160 ? `${text.slice(0, 120)}… (${text.length})` : text)

const described = (row: Record<string, unknown>): string =>
  words(
    `${row.direction} ${row.type} ${row.kind}`,
    row.outcome,
    row.subject !== null && `[${String(row.subject)}]`,
    row.body !== '' && JSON.stringify(shortened(String(row.body))),
    row.files !== 0 && `files=${String(row.files)}`,
    row.inReplyTo !== null && `re=${String(row.inReplyTo)}`,
    `of ${String(row.sender)}`,
  )

function changes(former: Record<string, unknown>, row: Record<string, unknown>): string[] {
  return Object.keys(row).flatMap((key) => {
    if (JSON.stringify(former[key]) === JSON.stringify(row[key])) return []
    if (key === 'edited' || key === 'revoked') return [key]
    return key === 'sender' || key === 'customer' ? [] : [`${key} ${String(former[key])} → ${String(row[key])}`]
  })
}
