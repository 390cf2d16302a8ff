import type pg from 'pg'
import { seedStatements } from '../../scripts/bench/seed.sql.ts'
import { reconcileCounts } from '../../src/domain/reconcile-counts.ts'
import type { TestApp } from './app.ts'
import { openOrganization, type TestOrganization } from './organization.ts'

/** Tables that stay small in production too. */
const SMALL = [
  'channel_pace',
  '_prisma_migrations',
  'api_key',
  'automation',
  'automation_template',
  'channel_account',
  'channel_stat',
  'channel_stat_delta',
  'member',
  'notification_settings',
  'organization',
  'template',
]

const ROWS = 5_000

/** Rows for the tables that the benchmarks leave empty; :n of them, of customer and communication number n of the organization. */
const more: Record<string, string> = {
  attachment: `(id, organization_id, communication_id, status) SELECT uuidv7(), $1, communication, 'STORED' FROM numbered`,
  email_message: `(communication_id, organization_id, channel_account_id, message_id, "from", "to") SELECT communication, $1, account, 'm' || n, '{}', '[]' FROM numbered`,
  communication_edit: `(id, organization_id, communication_id, body, replaced_at) SELECT uuidv7(), $1, communication, 'before', now() FROM numbered`,
  consent_entry: `(id, organization_id, customer_id, channel, purpose, state, source, occurred_at)
    SELECT uuidv7(), $1, customer, 'WHATSAPP', 'MARKETING', 'OPTED_IN', 'STAFF', now() - n * interval '1 minute' FROM numbered`,
  merge_suggestion: `(id, organization_id, customer_id, other_customer_id, kind, value)
    SELECT uuidv7(), $1, customer, other, 'PHONE', 'x' FROM numbered ON CONFLICT DO NOTHING`,
  customer_merge: `(id, organization_id, survivor_id, merged_id, moved, undone_at) SELECT uuidv7(), $1, customer, other, '{}', now() FROM numbered`,
  receipt: `(id, organization_id, channel_account_id, communication_id, external_message_id, status) SELECT uuidv7(), $1, account, communication, 'r' || n, 'SENT' FROM numbered`,
  webhook_receipt: `(id, organization_id, channel_account_id, wire, segment, url, headers, body, size, status, received_at)
    SELECT uuidv7(-n * interval '1 minute'), $1, account, 'twilio', 'sms', '/', '{}', 'b', 1, CASE n % 50 WHEN 0 THEN 'UNPARSED' ELSE 'APPLIED' END::"WebhookReceiptStatus",
      now() - n * interval '1 minute' FROM numbered`,
  received_message: `(channel_account_id, external_message_id, organization_id) SELECT account, 'x' || n, $1 FROM numbered`,
  appointment: `(id, organization_id, customer_id, external_id, service, starts_at, ends_at, timezone, status, status_changed_at, created_at)
    SELECT uuidv7(), $1, customer, 'a' || n, 'service', at, at + interval '1 hour', 'UTC',
      CASE n % 3 WHEN 0 THEN 'BOOKED' WHEN 1 THEN 'COMPLETED' ELSE 'CANCELED' END::"AppointmentStatus", now(), now()
    FROM numbered, LATERAL (SELECT now() + (n - 4900) * interval '1 hour' AS at) AS t`,
  automation_run: `(id, organization_id, customer_id, kind, cause, step, channel, due_at, status, reason, created_at)
    SELECT uuidv7(), $1, customer, 'REVIEW_REQUEST', 'c' || n, 0, 'SMS', now() - n * interval '1 minute',
      CASE n % 20 WHEN 0 THEN 'FAILED' WHEN 1 THEN 'SKIPPED' ELSE 'SENT' END::"AutomationRunStatus",
      CASE n % 20 WHEN 0 THEN 'DELIVERY_FAILED' WHEN 1 THEN 'OPTED_OUT' END::"AutomationReason", now() FROM numbered`,
}

/** An organization with conversations up to 2,000 messages long, the longest on top, and thousands of rows in every table that grows. */
export async function openLargeOrganization(app: TestApp): Promise<TestOrganization & { large: ReadonlySet<string> }> {
  const org = await openOrganization(app, { slug: 'large' })
  const client = await app.deps.pool.connect()
  try {
    await fill(client, org.id)
    await client.query('VACUUM ANALYZE')
  } finally {
    client.release(true)
  }
  const differences = await reconcileCounts(app.deps, org.id)
  if (differences.length > 0) throw new Error(`the seed counts otherwise: ${JSON.stringify(differences)}`)
  return { ...org, large: await largeTables(app.deps.pool) }
}

async function fill(client: pg.PoolClient, organizationId: string): Promise<void> {
  await client.query(`SET session_replication_role = replica; CREATE SCHEMA bench`)
  await client.query(
    `INSERT INTO member (id, organization_id, subject, role) SELECT uuidv7(), $1, 'agent-' || n, 'AGENT' FROM generate_series(1, 8) AS n`,
    [organizationId],
  )
  await client.query('DELETE FROM event WHERE organization_id = $1', [organizationId])
  await client.query(
    `CREATE TABLE bench.place AS SELECT id AS organization, ARRAY(SELECT id FROM member WHERE organization_id = o.id) AS members,
       (SELECT id FROM channel_account WHERE organization_id = o.id AND channel = 'SMS') AS sms,
       (SELECT id FROM channel_account WHERE organization_id = o.id AND channel = 'WHATSAPP') AS whatsapp
     FROM organization o WHERE slug = 'large'`,
  )
  for (const [, sql] of seedStatements({ conversations: 4_000, customers: 3_000, now: Date.now(), organization: 0, deep: 1 }))
    await client.query(sql)
  const numbered = `WITH people AS MATERIALIZED (
    SELECT row_number() OVER (ORDER BY id) AS c, id FROM customer WHERE organization_id = $1
  ), numbered AS MATERIALIZED (
    SELECT m.*, one.id AS customer, other.id AS other, place.sms AS account FROM (
      SELECT row_number() OVER (ORDER BY id DESC) AS n, id AS communication FROM communication ORDER BY id DESC LIMIT ${ROWS}
    ) AS m JOIN people AS one ON one.c = n % 2500 + 1 JOIN people AS other ON other.c = n % 2499 + 2, bench.place)`
  for (const [table, rows] of Object.entries(more)) {
    const [columns, select] = rows.split(/(?<=\)) *\n? *(?=SELECT)/, 2) as [string, string]
    await client.query(`INSERT INTO ${table} ${columns} ${numbered} ${select}`, [organizationId])
  }
  await client.query('UPDATE communication SET edited_at = now() WHERE id IN (SELECT communication_id FROM communication_edit)')
}

/** Those that are not to stay small; throws where one of them is: its plans would prove nothing. */
async function largeTables(pool: pg.Pool): Promise<Set<string>> {
  const { rows } = await pool.query<{ name: string; rows: number }>(
    `SELECT relname AS name, reltuples AS rows FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND NOT relname = ANY($1)`,
    [SMALL],
  )
  const small = rows.filter((table) => table.rows < ROWS / 2)
  if (small.length > 0) throw new Error(`neither large nor said to stay small: ${small.map(({ name }) => name).join(', ')}`)
  return new Set(rows.map(({ name }) => name))
}
