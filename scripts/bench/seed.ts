import { performance } from 'node:perf_hooks'
import type pg from 'pg'
import { v7 } from 'uuid'
import { keptSecret } from '../../src/config.ts'
import { createSecrets } from '../../src/secrets.ts'
import { seedStatements } from './seed.sql.ts'

/** The organization that is read: the longest conversations are on top of its inbox. */
export const READ_SLUG = 'bench'
/** Of the same size, its conversations in any order. */
export const NORMAL_SLUG = 'bench-normal'
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
  'channel_stat',
  'channel_stat_delta',
]

/** `size` is each organization's. `deep`: the longest conversations on top. */
export type SeedPlan = { size: number; organizations: { slug: string; deep: boolean }[] }

type Seeded = { size: number; seconds: number; communications: number }

/** Fills an empty database; one that holds the same size is used again, without what earlier runs wrote. Throws where the size differs. */
export async function seed(pool: pg.Pool, dataDir: string, plan: SeedPlan): Promise<Seeded> {
  const start = performance.now()
  const { rows } = await pool.query<{ seeded: boolean }>(`SELECT to_regclass('bench.filled') IS NOT NULL AS seeded`)
  if (rows[0]?.seeded !== true) await fill(pool, dataDir, plan)
  else await removeInbound(pool)
  const { rows: found } = await pool.query<{ size: number; communications: number }>('SELECT size, communications FROM bench.filled')
  const [seeded] = found
  if (seeded === undefined || Math.abs(seeded.size - plan.size) > 1e-9) {
    throw new Error(`--data: the folder holds another --size (${seeded?.size} where it is to be ${plan.size}); use that, or another folder`)
  }
  return { ...seeded, seconds: (performance.now() - start) / 1000 }
}

async function fill(pool: pg.Pool, dataDir: string, { size, organizations }: SeedPlan): Promise<void> {
  const client = await pool.connect()
  try {
    // One transaction: an interrupted seeding leaves nothing behind, no missing index either.
    await client.query(`BEGIN; SET LOCAL maintenance_work_mem = '512MB'; SET LOCAL work_mem = '256MB';
      SET LOCAL session_replication_role = replica; DROP SCHEMA IF EXISTS bench CASCADE; CREATE SCHEMA bench;
      CREATE TABLE bench.event (seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, organization_id uuid, communication_id uuid);
      CREATE TABLE bench.place (organization uuid, members uuid[], sms uuid, whatsapp uuid)`)
    await client.query(`TRUNCATE organization, member, channel_account, ${TABLES.join(', ')} CASCADE`)
    // Rows come much faster into tables without indexes.
    const { rows: indexes } = await client.query<{ name: string; definition: string }>(
      `SELECT format('%I', indexname) AS name, indexdef AS definition FROM pg_indexes
       WHERE schemaname = 'public' AND tablename = ANY($1) AND indexname NOT LIKE '%_pkey'`,
      [TABLES],
    )
    for (const { name } of indexes) await client.query(`DROP INDEX ${name}`)
    for (const slug of INBOUND_SLUGS) await addOrganization(client, dataDir, slug)
    const numbers = { conversations: Math.round(250_000 * size), customers: Math.round(200_000 * size), now: Date.now() }
    for (const [organization, { slug, deep }] of organizations.entries()) {
      await addRead(client, dataDir, slug)
      for (const [what, sql] of seedStatements({ ...numbers, organization, deep: deep ? 1 : 0 })) {
        await step(`${slug}, ${what}`, () => client.query(sql))
      }
    }
    await step('indexes', async () => {
      for (const { definition } of indexes) await client.query(definition)
    })
    await client.query(
      `CREATE TABLE bench.filled AS SELECT ${size}::float8 AS size, count(*)::int AS communications FROM communication; COMMIT`,
    )
    await step('statistics', () => client.query('VACUUM ANALYZE'))
  } finally {
    client.release(true)
  }
}

async function step(what: string, work: () => Promise<unknown>): Promise<void> {
  const start = performance.now()
  await work()
  const seconds = (performance.now() - start) / 1000
  if (seconds > 1) process.stderr.write(`  seeding: ${what}, ${seconds.toFixed(1)} s\n`)
}

type Place = { organization: string; sms: string; whatsapp: string }

async function addOrganization(client: pg.PoolClient, dataDir: string, slug: string): Promise<Place> {
  const secrets = createSecrets([Buffer.from(keptSecret(dataDir, 'encryption-key'), 'base64')])
  const { ciphertext, keyId } = secrets.encrypt(JSON.stringify(TWILIO))
  const [organization, sms, whatsapp] = [v7(), v7(), v7()]
  await client.query('INSERT INTO organization (id, slug, name) VALUES ($1, $2, $2)', [organization, slug])
  await client.query(
    `INSERT INTO channel_account (id, organization_id, channel, provider, name, address, status, credentials, credentials_key)
     VALUES ($1, $3, 'SMS', 'TWILIO', 'Text', $4, 'ACTIVE', $5, $6), ($2, $3, 'WHATSAPP', 'TWILIO', 'WhatsApp', $4, 'ACTIVE', $5, $6)`,
    [sms, whatsapp, organization, INBOUND_NUMBER, ciphertext, keyId],
  )
  return { organization, sms, whatsapp }
}

/** An organization with members, which the statements fill. */
async function addRead(client: pg.PoolClient, dataDir: string, slug: string): Promise<void> {
  const { organization, sms, whatsapp } = await addOrganization(client, dataDir, slug)
  const members = Array.from({ length: 8 }, () => v7())
  await client.query(
    `INSERT INTO member (id, organization_id, subject, name, role) SELECT id, $2, 'agent-' || n, 'Agent ' || n, 'AGENT'
     FROM unnest($1::uuid[]) WITH ORDINALITY AS m(id, n)`,
    [members, organization],
  )
  await client.query('TRUNCATE bench.place')
  await client.query('INSERT INTO bench.place VALUES ($1, $2, $3, $4)', [organization, members, sms, whatsapp])
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
