import { performance } from 'node:perf_hooks'
import type pg from 'pg'
import { v7 } from 'uuid'
import { keptSecret } from '../../src/config.ts'
import { createSecrets } from '../../src/secrets.ts'
import { seedStatements } from './seed.sql.ts'

/** The organization that is read. */
export const READ_SLUG = 'bench'
/** The organizations that webhooks come in for, each with the SMS number INBOUND_NUMBER. */
export const INBOUND_SLUGS = Array.from({ length: 16 }, (_, index) => `bench-in-${index + 1}`)
export const INBOUND_NUMBER = '+15005550010'
export const TWILIO = { accountSid: `AC${'b'.repeat(32)}`, authToken: 'bench-auth-token' }

const TABLES = [
  'customer',
  'customer_identity',
  'conversation',
  'communication',
  'attachment',
  'event',
  'consent_entry',
  'webhook_receipt',
  'received_message',
]

type Seeded = { size: number; seconds: number; communications: number }

/** Fills an empty database; one that holds the same size is used again, without what earlier runs wrote. Throws where the size differs. */
export async function seed(pool: pg.Pool, dataDir: string, size: number): Promise<Seeded> {
  const start = performance.now()
  const { rows } = await pool.query<{ seeded: boolean }>(`SELECT to_regclass('bench.seeded') IS NOT NULL AS seeded`)
  if (rows[0]?.seeded !== true) await fill(pool, dataDir, size)
  else await removeInbound(pool)
  const { rows: found } = await pool.query<{ size: number; communications: number }>('SELECT size, communications FROM bench.seeded')
  const [seeded] = found
  if (seeded?.size !== size) throw new Error(`--data: the folder holds --size ${seeded?.size}; use that, or another folder`)
  return { ...seeded, seconds: (performance.now() - start) / 1000 }
}

async function fill(pool: pg.Pool, dataDir: string, size: number): Promise<void> {
  const client = await pool.connect()
  try {
    // One transaction: an interrupted seeding leaves nothing behind, no missing index either.
    await client.query(`BEGIN; SET LOCAL maintenance_work_mem = '512MB'; SET LOCAL work_mem = '256MB';
      SET LOCAL session_replication_role = replica; DROP SCHEMA IF EXISTS bench CASCADE; CREATE SCHEMA bench;
      CREATE TABLE bench.event (seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, organization_id uuid, communication_id uuid)`)
    await client.query(`TRUNCATE organization, member, channel_account, ${TABLES.join(', ')} CASCADE`)
    await addOrganizations(client, dataDir)
    // Rows come much faster into tables without indexes.
    const { rows: indexes } = await client.query<{ name: string; definition: string }>(
      `SELECT format('%I', indexname) AS name, indexdef AS definition FROM pg_indexes
       WHERE schemaname = 'public' AND tablename = ANY($1) AND indexname NOT LIKE '%_pkey'`,
      [TABLES],
    )
    for (const { name } of indexes) await client.query(`DROP INDEX ${name}`)
    const numbers = { conversations: Math.round(250_000 * size), customers: Math.round(200_000 * size), now: Date.now() }
    for (const [what, sql] of seedStatements(numbers)) await step(what, () => client.query(sql))
    await step('indexes', async () => {
      for (const { definition } of indexes) await client.query(definition)
    })
    await client.query(
      `CREATE TABLE bench.seeded AS SELECT ${size}::float8 AS size, count(*)::int AS communications FROM communication; COMMIT`,
    )
    await step('statistics', () => client.query('VACUUM ANALYZE'))
  } finally {
    client.release(true)
  }
}

async function step(what: string, work: () => Promise<unknown>): Promise<void> {
  const start = performance.now()
  await work()
  process.stderr.write(`  seeding: ${what}, ${((performance.now() - start) / 1000).toFixed(1)} s\n`)
}

async function addOrganizations(client: pg.PoolClient, dataDir: string): Promise<void> {
  const secrets = createSecrets([Buffer.from(keptSecret(dataDir, 'encryption-key'), 'base64')])
  const { ciphertext, keyId } = secrets.encrypt(JSON.stringify(TWILIO))
  const ids = new Map<string, string>()
  for (const slug of [READ_SLUG, ...INBOUND_SLUGS]) {
    const [organization, sms, whatsapp] = [v7(), v7(), v7()]
    ids.set(slug, organization)
    await client.query('INSERT INTO organization (id, slug, name) VALUES ($1, $2, $2)', [organization, slug])
    await client.query(
      `INSERT INTO channel_account (id, organization_id, channel, provider, name, address, status, credentials, credentials_key)
       VALUES ($1, $3, 'SMS', 'TWILIO', 'Text', $4, 'ACTIVE', $5, $6), ($2, $3, 'WHATSAPP', 'TWILIO', 'WhatsApp', $4, 'ACTIVE', $5, $6)`,
      [sms, whatsapp, organization, INBOUND_NUMBER, ciphertext, keyId],
    )
  }
  const members = Array.from({ length: 8 }, () => v7())
  await client.query(
    `INSERT INTO member (id, organization_id, subject, name, role) SELECT id, $2, 'agent-' || n, 'Agent ' || n, 'AGENT'
     FROM unnest($1::uuid[]) WITH ORDINALITY AS m(id, n)`,
    [members, ids.get(READ_SLUG)],
  )
  await client.query(
    `CREATE TABLE bench.place AS SELECT $1::uuid AS organization, $2::uuid[] AS members,
       (SELECT id FROM channel_account WHERE organization_id = $1 AND channel = 'SMS') AS sms,
       (SELECT id FROM channel_account WHERE organization_id = $1 AND channel = 'WHATSAPP') AS whatsapp`,
    [ids.get(READ_SLUG), members],
  )
}

async function removeInbound(pool: pg.Pool): Promise<void> {
  const { rowCount } = await pool.query(`SELECT FROM webhook_receipt LIMIT 1`)
  if (rowCount === 0) return
  const inbound = `(SELECT id FROM organization WHERE slug = ANY($1))`
  for (const table of TABLES) await pool.query(`DELETE FROM ${table} WHERE organization_id = ANY(ARRAY${inbound})`, [INBOUND_SLUGS])
  await pool.query(`UPDATE organization SET unread_count = 0, event_seq = 0 WHERE id IN ${inbound}`, [INBOUND_SLUGS])
  await pool.query('TRUNCATE bench.event')
  await pool.query('VACUUM ANALYZE')
}
