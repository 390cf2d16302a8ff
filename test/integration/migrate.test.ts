import { fork } from 'node:child_process'
import { once } from 'node:events'
import pg from 'pg'
import { pino } from 'pino'
import { expect, inject, onTestFinished, test } from 'vitest'
import { migrate } from '../../src/db/migrate.ts'
import { type Migration, migrationList, readMigrations } from '../../src/db/migrations.ts'
import { openSchemaEngine } from '../../src/db/schema-engine.ts'
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

async function applyOnly(url: string, migrations: Migration[]): Promise<void> {
  const { engine, close } = await openSchemaEngine(url)
  try {
    await engine.applyMigrations({ migrationsList: migrationList(migrations), filters: { externalTables: [], externalEnums: [] } })
  } finally {
    await close()
  }
}

test('a migration is one transaction, whatever is written in it: one that fails leaves nothing of itself', async () => {
  const url = await emptyDatabase('migrate_atomic')
  const script = `-- With a comment; and a semicolon in it.
    create table kept (word text); insert into kept values ('a;b');
    do $$ begin perform 1; end $$;`
  await applyOnly(url, [{ name: '1_works', script, checksum: '' }])
  expect(await rows(url, 'select word from kept')).toEqual([{ word: 'a;b' }])
  const failing = `update kept set word = 'lost'; create table left_over (n int); select 1 / 0;`
  await expect(
    applyOnly(url, [
      { name: '1_works', script, checksum: '' },
      { name: '2_fails', script: failing, checksum: '' },
    ]),
  ).rejects.toThrow('division by zero')
  expect(await rows(url, 'select word, to_regclass($$left_over$$) as left_over from kept')).toEqual([{ word: 'a;b', left_over: null }])
})

test('a migration that was interrupted is tried again at the next start', async () => {
  const url = await emptyDatabase('migrate_interrupted')
  const [first, second, ...rest] = await readMigrations()
  if (first === undefined || second === undefined) throw new Error('there are no migrations')
  await applyOnly(url, [first, second])
  const interrupted = `insert into _prisma_migrations (id, checksum, migration_name) values ('1', '-', '${rest[0]?.name}')`
  await rows(url, interrupted)
  expect(await migrate(url, log)).toEqual(rest.map(({ name }) => name))
  expect(await migrate(url, log)).toEqual([])
})

test('what was there before every channel moves along: opt-outs, kept webhooks with their gate, accounts, windows', async () => {
  const url = await emptyDatabase('migrate_every_channel')
  const before = (await readMigrations()).filter(({ name }) => name < '20261121135900')
  await applyOnly(url, before)
  const [organization, sms, whatsapp, customer] = ['1', '2', '3', '4'].map((n) => `01890000-0000-7000-8000-00000000000${n}`)
  const [texts, chat] = ['5', '6'].map((n) => `01890000-0000-7000-8000-00000000000${n}`)
  await rows(
    url,
    `insert into organization (id, slug, name) values ('${organization}', 'one', 'One');
    insert into channel_account (id, organization_id, channel, provider, name, address, status) values
      ('${sms}', '${organization}', 'SMS', 'TWILIO', 'S', '+15005550006', 'CONNECTED'), ('${whatsapp}', '${organization}', 'WHATSAPP', 'TWILIO', 'W', '+1', 'DISCONNECTED');
    insert into customer (id, organization_id) values ('${customer}', '${organization}');
    insert into conversation (id, organization_id, customer_id, channel_account_id, channel, address, inbound_count, window_expires_at, last_activity_at) values
      ('${texts}', '${organization}', '${customer}', '${sms}', 'SMS', '+2', 2, null, now()),
      ('${chat}', '${organization}', '${customer}', '${whatsapp}', 'WHATSAPP', '+2', 1, '2026-01-03', now());
    insert into communication (id, organization_id, customer_id, conversation_id, channel_account_id, type, direction, body, created_at)
    select ('01890000-0000-7000-8000-0000000001' || n)::uuid, '${organization}', '${customer}', conversation::uuid, account::uuid, type::"CommunicationType",
      direction::"Direction", 'said', day::timestamptz from (values
        (10, '${texts}', '${sms}', 'SMS', 'INBOUND', '2026-01-01'), (11, '${texts}', '${sms}', 'SMS', 'INBOUND', '2026-01-02'),
        (12, '${texts}', '${sms}', 'SMS', 'OUTBOUND', '2026-01-03'), (13, '${chat}', '${whatsapp}', 'WHATSAPP', 'INBOUND', '2026-01-02')
      ) as said(n, conversation, account, type, direction, day);
    insert into opt_out (id, organization_id, customer_id, channel, created_at) values (gen_random_uuid(), '${organization}', '${customer}', 'SMS', '2026-01-02');
    insert into webhook (id, organization_id, channel_account_id, dedupe_key, url, headers, body, status, problem, received_at) values
      ('${texts}', '${organization}', '${sms}', 'message:SM1', 'https://parley.example/webhooks/twilio/one/sms', '{"content-type": "x"}', 'a=1', 'APPLIED', null, '2026-01-02'),
      ('${chat}', '${organization}', '${whatsapp}', null, 'https://parley.example/webhooks/twilio/one/status?communication=/x', '{}', 'b', 'UNPARSED', 'odd', '2026-01-03')`,
  )
  await migrate(url, log)
  expect(await rows(url, 'select address, status from channel_account order by id')).toEqual([
    { address: '+15005550006', status: 'ACTIVE' },
    { address: '+1', status: 'DISCONNECTED' },
  ])
  expect(
    await rows(url, 'select channel, purpose, state, source, occurred_at::date::text as day from consent_entry order by purpose'),
  ).toEqual(
    ['TRANSACTIONAL', 'MARKETING'].map((purpose) => ({
      channel: 'SMS',
      purpose,
      state: 'OPTED_OUT',
      source: 'KEYWORD',
      day: '2026-01-02',
    })),
  )
  expect(await rows(url, 'select external_message_id, channel_account_id, received_at::date::text as day from received_message')).toEqual([
    { external_message_id: 'SM1', channel_account_id: sms, day: '2026-01-02' },
  ])
  expect(
    await rows(url, `select wire, segment, convert_from(body, 'UTF8') as body, size, status, problem from webhook_receipt order by id`),
  ).toEqual([
    { wire: 'twilio', segment: 'sms', body: 'a=1', size: 3, status: 'APPLIED', problem: null },
    { wire: 'twilio', segment: 'status', body: 'b', size: 1, status: 'UNPARSED', problem: 'odd' },
  ])
  expect(await rows(url, 'select channel, window_reason, last_inbound_at::date::text as day from conversation order by id')).toEqual([
    { channel: 'SMS', window_reason: null, day: '2026-01-02' },
    { channel: 'WHATSAPP', window_reason: 'CUSTOMER_MESSAGE', day: '2026-01-02' },
  ])
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
