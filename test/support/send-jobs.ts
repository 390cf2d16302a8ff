import type pg from 'pg'

export type WaitingJob = { id: string; task: string; runAt: Date; lockedAt: Date | null }

/** The worker's jobs for one communication, earliest first. */
export async function jobsOf(pool: pg.Pool, communicationId: string): Promise<WaitingJob[]> {
  const { rows } = await pool.query<WaitingJob>(
    `SELECT job.id::text, task.identifier AS task, job.run_at AS "runAt", job.locked_at AS "lockedAt"
     FROM graphile_worker._private_jobs job JOIN graphile_worker._private_tasks task ON task.id = job.task_id
     WHERE job.payload ->> 'communicationId' = $1 ORDER BY job.run_at, job.id`,
    [communicationId],
  )
  return rows
}

/** Makes the time of a scheduled communication now; its job stays where it is. */
export async function makeDue(pool: pg.Pool, communicationId: string): Promise<void> {
  // Not rounded up by the column: it would be due a little later.
  const due = `UPDATE communication SET send_at = date_trunc('milliseconds', now()) WHERE id = $1 AND delivery_status = 'SCHEDULED'`
  await pool.query(due, [communicationId])
}

/** Makes the communication's waiting jobs due now, and wakes the worker; gives their number. */
export async function runJobs(pool: pg.Pool, communicationId: string): Promise<number> {
  const waiting = (await jobsOf(pool, communicationId)).filter(({ lockedAt }) => lockedAt === null)
  await pool.query('SELECT graphile_worker.reschedule_jobs($1::bigint[], run_at := now())', [waiting.map(({ id }) => id)])
  await pool.query(`SELECT pg_notify('jobs:insert', '{"count":1}')`)
  return waiting.length
}

/** Makes the communication, where it is scheduled, and its jobs due now; gives the number of jobs. */
export async function runNow(pool: pg.Pool, communicationId: string): Promise<number> {
  await makeDue(pool, communicationId)
  return runJobs(pool, communicationId)
}
