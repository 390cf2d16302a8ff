import pg from 'pg'
import pino from 'pino'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { isDatabaseAway } from '../../src/db/away.ts'
import { openDatabase } from '../../src/db/client.ts'
import { testDatabase } from '../support/database.ts'

const log = pino({ level: 'silent' })
let database: Awaited<ReturnType<typeof testDatabase>>

beforeAll(async () => {
  database = await testDatabase()
})
afterAll(() => database?.close())

const errorOf = async (work: () => Promise<unknown>): Promise<unknown> => {
  try {
    await work()
  } catch (error) {
    return error
  }
  throw new Error('it was expected to fail')
}

describe('nobody listens', () => {
  const nowhere = openDatabase('postgres://x:y@127.0.0.1:1/z', { max: 2, log })
  afterAll(() => nowhere.close())

  test.each<[string, () => Promise<unknown>]>([
    ['pool', () => nowhere.pool.query('SELECT 1')],
    ['Prisma', () => nowhere.db.member.findMany()],
    ['raw SQL of Prisma', () => nowhere.db.$queryRaw`SELECT 1`],
    ['a transaction', () => nowhere.db.$transaction((tx) => tx.member.findMany())],
  ])('%s', async (_, work) => {
    expect(isDatabaseAway(await errorOf(work))).toBe(true)
  })
})

describe('the connection is cut while a statement runs', () => {
  test.each<[string, () => Promise<unknown>]>([
    ['pool', () => database.pool.query('SELECT pg_sleep(60)')],
    ['raw SQL of Prisma', () => database.db.$queryRaw`SELECT pg_sleep(60)::text`],
  ])('%s', async (_, work) => {
    const client = new pg.Client({ connectionString: database.url })
    await client.connect()
    const failed = errorOf(work)
    const cut = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE datname = current_database() AND pid <> pg_backend_pid() AND state = 'active' AND query LIKE '%pg_sleep%'`
    await expect.poll(async () => (await client.query(cut)).rowCount).toBe(1)
    expect(isDatabaseAway(await failed)).toBe(true)
    await client.end()
    expect((await database.pool.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }])
  })
})

describe('the statement is wrong, the database is there', () => {
  test.each<[string, () => Promise<unknown>]>([
    ['syntax', () => database.pool.query('SELEKT')],
    ['a broken rule', () => database.db.member.create({ data: { id: 'no uuid', organizationId: 'x', subject: '', role: 'AGENT' } })],
    ['our own mistake', () => Promise.reject(new TypeError('x is not a function'))],
    ['no error at all', () => Promise.reject('text')],
  ])('%s', async (_, work) => {
    expect(isDatabaseAway(await errorOf(work))).toBe(false)
  })
})
