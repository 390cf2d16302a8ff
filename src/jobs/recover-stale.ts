import type { Deps } from '../deps.ts'

/**
 * Gives back the jobs of processes that died holding them. Every task ends well within `seconds`, and one that is still running is safe:
 * a send that has begun is marked, and no second attempt passes that mark.
 */
export async function recoverStale(deps: Pick<Deps, 'pool' | 'log'>, seconds: number): Promise<void> {
  const { rows } = await deps.pool.query<{ locked_by: string }>(
    `SELECT DISTINCT locked_by FROM graphile_worker.jobs WHERE locked_by IS NOT NULL AND locked_at <= now() - make_interval(secs => $1)`,
    [seconds],
  )
  if (rows.length > 0) {
    const workers = rows.map((row) => row.locked_by)
    await giveBack(deps, workers)
    deps.log.warn({ workers }, 'jobs of dead workers given back')
  }
  const queues = await openQueues(deps, seconds)
  if (queues.length > 0) deps.log.warn({ queues }, 'queues that nobody worked on opened again')
}

/**
 * A worker that was only slow ends its job although that was given back and is another worker's: graphile-worker (0.17) then finds no job whose
 * queue it could unlock when the other one ends it, and what waits in the queue would wait for hours.
 */
async function openQueues({ pool }: Pick<Deps, 'pool'>, seconds: number): Promise<string[]> {
  const { rows } = await pool.query<{ queue_name: string }>(
    `UPDATE graphile_worker._private_job_queues AS queue SET locked_at = NULL, locked_by = NULL
     WHERE locked_at <= now() - make_interval(secs => $1) AND NOT EXISTS (
       SELECT FROM graphile_worker._private_jobs job WHERE job.job_queue_id = queue.id AND job.locked_by = queue.locked_by)
     RETURNING queue_name`,
    [seconds],
  )
  return rows.map(({ queue_name }) => queue_name)
}

/**
 * Unlocks what these workers hold, by the ids in `locked_by`. A job without a key that has never failed and may not be tried again was replaced
 * while it ran (put back, put off, canceled): it ends, as it would have at its worker.
 */
export async function giveBack({ pool }: Pick<Deps, 'pool'>, workers: string[]): Promise<void> {
  // First: what is still locked can be replaced at any moment, what is not takes the change itself.
  await pool.query('SELECT graphile_worker.force_unlock_workers($1::text[])', [workers])
  await pool.query(
    `SELECT graphile_worker.complete_jobs(ARRAY(
       SELECT id FROM graphile_worker.jobs WHERE locked_at IS NULL AND key IS NULL AND attempts >= max_attempts AND last_error IS NULL))`,
  )
}
