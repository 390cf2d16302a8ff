import { hash } from 'node:crypto'
import type { Prisma } from '../db/generated/client.ts'
import type { Deps } from '../deps.ts'
import { cleanText } from './text.ts'

export const UUID_FORM = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/
export const MILLISECONDS_FORM = /^\d{1,15}$/

/** The ILIKE pattern for "contains", with % and _ taken literally; null where nothing is searched for. */
export function containing(search: string | null | undefined): string | null {
  const text = cleanText(search ?? '').trim()
  return text === '' ? null : `%${text.replaceAll(/[\\%_]/g, (character) => `\\${character}`)}%`
}

/**
 * Runs the statement of a list. Without a filter it is prepared, once for each shape. With one it is planned for its very values: a plan
 * for all values can be a thousand times slower for a rare one, and PostgreSQL changes to such a plan by itself after five executions.
 */
export async function listRows<Row extends object>(deps: Pick<Deps, 'pool'>, sql: Prisma.Sql, filter: object): Promise<Row[]> {
  const filtered = Object.values(filter).some((value) => value !== null && value !== undefined)
  const name = filtered ? undefined : hash('sha1', sql.text, 'base64url')
  const { rows } = await deps.pool.query<Row>({ name, text: sql.text, values: sql.values })
  return rows
}
