import type { Deps } from '../deps.ts'

/** Adds a job that is running once more, exactly as it is: it keeps its place among those that wait. */
export async function putBack(deps: Pick<Deps, 'pool'>, jobId: string): Promise<void> {
  await deps.pool.query({
    name: 'put-back',
    text: `SELECT count(added) FROM graphile_worker._private_jobs job
      JOIN graphile_worker._private_tasks task ON task.id = job.task_id
      LEFT JOIN graphile_worker._private_job_queues queue ON queue.id = job.job_queue_id,
      graphile_worker.add_jobs(ARRAY[ROW(task.identifier, job.payload, queue.queue_name, job.run_at, job.max_attempts, job.key, job.priority,
        ARRAY(SELECT jsonb_object_keys(job.flags)))::graphile_worker.job_spec]) AS added
      WHERE job.id = $1`,
    values: [jobId],
  })
}
