import { pino } from 'pino'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { putBack } from '../../src/jobs/put-back.ts'
import { giveBack, recoverStale } from '../../src/jobs/recover-stale.ts'
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

test('a queue whose job was ended by one worker while another had it is opened again, and one that is worked on is not', async () => {
  const { pool } = database
  await pool.query('DELETE FROM graphile_worker._private_jobs')
  for (const queue of ['left', 'left', 'in hand']) await pool.query(`SELECT graphile_worker.add_job('deliver', '{}', $1)`, [queue])
  const { rows } = await pool.query<{ queue_name: string; id: string }>(
    'SELECT queue_name, min(id) AS id FROM graphile_worker.jobs GROUP BY 1',
  )
  const ids = new Map(rows.map(({ queue_name, id }) => [queue_name, id]))
  // As graphile-worker locks a job, and ends one (its getJobs and completeJobs).
  const lock = async (queue: string, worker: string) => {
    await pool.query(`UPDATE graphile_worker._private_job_queues SET locked_at = now(), locked_by = $2 WHERE queue_name = $1`, [
      queue,
      worker,
    ])
    await pool.query(
      `UPDATE graphile_worker._private_jobs SET locked_at = now(), locked_by = $2, attempts = attempts + 1
       WHERE id = (SELECT min(id) FROM graphile_worker.jobs WHERE queue_name = $1)`,
      [queue, worker],
    )
  }
  const end = (queue: string, worker: string) =>
    pool.query(
      `WITH j AS (DELETE FROM graphile_worker._private_jobs WHERE id = $1 RETURNING *)
       UPDATE graphile_worker._private_job_queues AS q SET locked_by = NULL, locked_at = NULL FROM j
       WHERE q.id = j.job_queue_id AND q.locked_by = $2`,
      [ids.get(queue), worker],
    )
  await lock('left', 'slow')
  await giveBack(database, ['slow'])
  await lock('left', 'next')
  await end('left', 'slow')
  await end('left', 'next')
  await lock('in hand', 'busy')
  await pool.query(`UPDATE graphile_worker._private_job_queues SET locked_at = now() - interval '1 hour' WHERE locked_at IS NOT NULL`)
  const locked = async () =>
    (await pool.query(`SELECT queue_name, locked_by FROM graphile_worker._private_job_queues WHERE locked_at IS NOT NULL ORDER BY 1`)).rows
  expect(await locked()).toEqual([
    { queue_name: 'in hand', locked_by: 'busy' },
    { queue_name: 'left', locked_by: 'next' },
  ])
  await recoverStale({ ...database, log: pino({ level: 'silent' }) }, 60)
  expect(await locked()).toEqual([{ queue_name: 'in hand', locked_by: 'busy' }])
  expect(await jobs()).toEqual([
    { key: null, locked_by: null, attempts: 0 },
    { key: null, locked_by: 'busy', attempts: 1 },
  ])
})
