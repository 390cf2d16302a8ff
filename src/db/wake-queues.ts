import type pg from 'pg'

// graphile-worker (0.17) looks for the next job while the one before still holds its queue, and passes by the queues that another worker is
// looking at: it finds none, and asks again only when it polls. Each message of a conversation would wait for that, and so would idle workers.
const FUNCTION = `
CREATE OR REPLACE FUNCTION wake_for_freed_queue() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT FROM graphile_worker._private_jobs WHERE is_available AND run_at <= now()) THEN
    PERFORM pg_notify('jobs:insert', '{"count":1}');
  END IF;
  RETURN NULL;
END $$`

const TRIGGER = `
CREATE TRIGGER wake_for_freed_queue AFTER UPDATE OF locked_at ON graphile_worker._private_job_queues
FOR EACH ROW WHEN (OLD.locked_at IS NOT NULL AND NEW.locked_at IS NULL) EXECUTE FUNCTION wake_for_freed_queue()`

/** Lets a queue that becomes free wake a worker, where jobs are due. Creates nothing twice; not for several callers at once. */
export async function wakeForFreedQueues(client: Pick<pg.ClientBase, 'query'>): Promise<void> {
  await client.query(FUNCTION)
  const { rows } = await client.query(`SELECT FROM pg_trigger WHERE tgname = 'wake_for_freed_queue'`)
  if (rows.length === 0) await client.query(TRIGGER)
}
