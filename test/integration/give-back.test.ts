import { afterAll, beforeAll, expect, test } from 'vitest'
import { putBack } from '../../src/jobs/put-back.ts'
import { giveBack } from '../../src/jobs/recover-stale.ts'
import { testDatabase } from '../support/database.ts'
import { someoneWaits } from '../support/row-locks.ts'

let database: Awaited<ReturnType<typeof testDatabase>>

beforeAll(async () => {
  database = await testDatabase()
})
afterAll(() => database.close())

const jobs = async () => (await database.pool.query('SELECT key, locked_by, attempts FROM graphile_worker.jobs ORDER BY id')).rows

test('of a worker that was killed, what it had put back is there once, and the rest waits again', async () => {
  const { rows } = await database.pool.query<{ id: string; key: string }>(
    `SELECT id, key FROM graphile_worker.add_job('deliver', '{}', 'queue 1', job_key := 'put back')
     UNION ALL SELECT id, key FROM graphile_worker.add_job('deliver', '{}', 'queue 2', job_key := 'in hand')
     UNION ALL SELECT id, key FROM graphile_worker.add_job('deliver', '{}', 'queue 3')`,
  )
  await database.pool.query(`UPDATE graphile_worker._private_jobs SET locked_at = now(), locked_by = 'dead', attempts = 1`)
  await putBack(database, rows.find(({ key }) => key === 'put back')?.id ?? '')
  expect(await jobs()).toMatchObject([
    { key: null, locked_by: 'dead' },
    { key: 'in hand', locked_by: 'dead' },
    { key: null, locked_by: 'dead' },
    { key: 'put back', locked_by: null },
  ])
  await giveBack(database, ['dead'])
  expect(await jobs()).toEqual([
    { key: 'in hand', locked_by: null, attempts: 1 },
    { key: null, locked_by: null, attempts: 1 },
    { key: 'put back', locked_by: null, attempts: 0 },
  ])
})

test('a job of a dead worker that is replaced while it is given back is there once', async () => {
  await database.pool.query('DELETE FROM graphile_worker._private_jobs')
  await database.pool.query(`SELECT graphile_worker.add_job('deliver', '{}', job_key := 'moved')`)
  await database.pool.query(`UPDATE graphile_worker._private_jobs SET locked_at = now(), locked_by = 'dead', attempts = 1`)
  const moving = await database.pool.connect()
  await moving.query('BEGIN')
  await moving.query(`SELECT graphile_worker.add_job('deliver', '{}', job_key := 'moved')`)
  const given = giveBack(database, ['dead'])
  await someoneWaits(database.pool, 1)
  await moving.query('COMMIT')
  moving.release()
  await given
  expect(await jobs()).toEqual([{ key: 'moved', locked_by: null, attempts: 0 }])
})
