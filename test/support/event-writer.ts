import { randomUUID } from 'node:crypto'
import type pg from 'pg'

/** Appends to the log by SQL alone, as every writing transaction does: the bump of `event_seq` is its last lock. Once a database. */
export async function installEventWriter(pool: pg.Pool): Promise<void> {
  await pool.query(`
    CREATE FUNCTION append_events(org uuid, n int, label text) RETURNS void LANGUAGE sql AS $$
      WITH bumped AS (UPDATE organization SET event_seq = event_seq + n WHERE id = org RETURNING event_seq - n AS base)
      INSERT INTO event (organization_id, seq, type, data)
      SELECT org, base + i, 'CONVERSATION_CHANGED', jsonb_build_object('label', label, 'i', i) FROM bumped, generate_series(1, n) AS i
    $$`)
}

/** An organization with an empty log; gives its id. */
export async function newOrganization(pool: pg.Pool): Promise<string> {
  const id = randomUUID()
  await pool.query('INSERT INTO organization (id, slug, name) VALUES ($1, $2, $2)', [id, `organization-${id}`])
  return id
}

/** Without a ring. */
export async function appendEvents(client: pg.Pool | pg.Client, organizationId: string, count: number, label = ''): Promise<void> {
  await client.query('SELECT append_events($1, $2, $3)', [organizationId, count, label])
}
