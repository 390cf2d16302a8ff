import { fork } from 'node:child_process'
import { once } from 'node:events'
import pg from 'pg'
import { pino } from 'pino'
import { expect, inject, onTestFinished, test } from 'vitest'
import { migrate } from '../../src/db/migrate.ts'
import { readMigrations } from '../../src/db/migrations.ts'
import { testDatabase } from '../support/database.ts'

const log = pino({ level: 'silent' })

async function emptyDatabase(name: string): Promise<string> {
  const url = new URL(inject('templateUrl'))
  url.pathname = '/postgres'
  const client = new pg.Client({ connectionString: url.href })
  await client.connect()
  await client.query(`create database ${name}`)
  onTestFinished(async () => {
    await client.query(`drop database ${name} with (force)`)
    await client.end()
  })
  url.pathname = `/${name}`
  return url.href
}

async function rows<Row extends pg.QueryResultRow>(url: string, sql: string): Promise<Row[]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query<Row>(sql)).rows
  } finally {
    await client.end()
  }
}

test('a new database gets every migration once, and the job queue; a second run finds nothing to do', async () => {
  const url = await emptyDatabase('migrate_twice')
  const names = (await readMigrations()).map(({ name }) => name)
  expect(await migrate(url, log)).toEqual(names)
  expect(await migrate(url, log)).toEqual([])
  expect(await rows(url, 'select migration_name from _prisma_migrations order by 1')).toHaveLength(names.length)
  expect(await rows(url, 'select to_regclass($$graphile_worker._private_jobs$$) is not null as there')).toEqual([{ there: true }])
})

test('two processes that migrate at once: one does it, the other waits and finds nothing to do', async () => {
  const url = await emptyDatabase('migrate_at_once')
  const names = (await readMigrations()).map(({ name }) => name)
  const answers = await Promise.all(
    [1, 2].map(async () => {
      const child = fork(new URL('../support/migrate-process.ts', import.meta.url), [url])
      const [applied] = await once(child, 'message')
      await once(child, 'exit')
      return applied
    }),
  )
  expect(answers.toSorted((a, b) => a.length - b.length)).toEqual([[], names])
})

test('a database whose migration was another one is refused by name', async () => {
  const url = await emptyDatabase('migrate_changed')
  const [first] = await migrate(url, log)
  await rows(url, `update _prisma_migrations set checksum = 'another' where migration_name = '${first}'`)
  await expect(migrate(url, log)).rejects.toThrow(`another version of migration ${first}`)
})

test('where no PostgreSQL answers, the error names the setting and the address, without the password', async () => {
  const attempt = migrate('postgresql://someone:hush@127.0.0.1:1/nothing', log)
  await expect(attempt).rejects.toThrow('DATABASE_URL: cannot connect to PostgreSQL at 127.0.0.1:1/nothing')
  await expect(attempt).rejects.not.toThrow('hush')
})

test('a test database is a migrated copy of its own, in UTC, with prepared statements', async () => {
  await using stack = new AsyncDisposableStack()
  const [one, two] = await Promise.all([testDatabase({ max: 2 }), testDatabase()])
  stack.defer(() => one.close())
  stack.defer(() => two.close())
  await one.db.organization.create({ data: { id: '01890000-0000-7000-8000-000000000001', slug: 'one', name: 'One' } })
  expect(await one.db.organization.count()).toBe(1)
  expect(await two.db.organization.count()).toBe(0)
  expect((await one.pool.query('show timezone')).rows).toEqual([{ TimeZone: 'UTC' }])
  const client = await one.pool.connect()
  client.release()
  const prepared = await client.query(`select count(*)::int as n from pg_prepared_statements where statement like '%organization%'`)
  expect(prepared.rows[0].n).toBeGreaterThan(0)
})
