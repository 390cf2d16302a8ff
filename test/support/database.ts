import { randomUUID } from 'node:crypto'
import pg from 'pg'
import { pino } from 'pino'
import { inject } from 'vitest'
import { type Database, openDatabase } from '../../src/db/client.ts'

/** A migrated database of its own, empty, for one test file; `close` drops it. */
export async function testDatabase(options: { max?: number } = {}): Promise<Database & { url: string }> {
  const url = new URL(inject('templateUrl'))
  const name = `test_${randomUUID().replaceAll('-', '')}`
  const template = url.pathname.slice(1)
  await administer(`create database ${name} template ${template}`)
  url.pathname = `/${name}`
  const database = openDatabase(url.href, { max: options.max ?? 10, log: pino({ level: 'silent' }) })
  return {
    ...database,
    url: url.href,
    async close() {
      await database.close()
      await administer(`drop database ${name} with (force)`)
    },
  }
}

/** Runs one statement on the database `postgres` of the test cluster. */
async function administer(statement: string): Promise<void> {
  const url = new URL(inject('templateUrl'))
  url.pathname = '/postgres'
  const client = new pg.Client({ connectionString: url.href })
  await client.connect()
  try {
    await client.query(statement)
  } finally {
    await client.end()
  }
}
