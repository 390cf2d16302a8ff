import { once } from 'node:events'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { testDatabase } from '../support/database.ts'

let database: Awaited<ReturnType<typeof testDatabase>>
let listener: pg.Client
const heard: string[] = []

beforeAll(async () => {
  database = await testDatabase()
  listener = new pg.Client({ connectionString: database.url })
  await listener.connect()
  listener.on('notification', ({ payload }) => heard.push(payload ?? ''))
  await listener.query('LISTEN "jobs:insert"')
})
afterAll(async () => {
  await listener.end()
  await database.close()
})

/** A queue that a worker holds, with one waiting job. */
async function heldQueue(name: string, runAt: string): Promise<void> {
  await database.pool.query(`SELECT graphile_worker.add_job('deliver', queue_name := $1, run_at := $2::timestamptz)`, [name, runAt])
  await database.pool.query(
    `UPDATE graphile_worker._private_job_queues SET locked_at = now(), locked_by = 'someone' WHERE queue_name = $1`,
    [name],
  )
}

/** What is heard when the queue is let go of, up to a mark that comes after it. */
async function heardWhenFreed(name: string): Promise<string[]> {
  await until('before')
  heard.length = 0
  await database.pool.query(`UPDATE graphile_worker._private_job_queues SET locked_at = NULL, locked_by = NULL WHERE queue_name = $1`, [
    name,
  ])
  await until('after')
  return heard.filter((payload) => payload !== 'after')
}

async function until(mark: string): Promise<void> {
  await database.pool.query(`SELECT pg_notify('jobs:insert', $1)`, [mark])
  while (!heard.includes(mark)) await once(listener, 'notification')
}

test('a queue that becomes free wakes one worker for the job that is due', async () => {
  await heldQueue('due', '2020-01-01')
  expect(await heardWhenFreed('due')).toEqual(['{"count":1}'])
})

test('a queue with nothing due wakes nobody', async () => {
  await database.pool.query('DELETE FROM graphile_worker._private_jobs')
  await heldQueue('later', '2199-01-01')
  expect(await heardWhenFreed('later')).toEqual([])
})
