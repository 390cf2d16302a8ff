import type pg from 'pg'

// graphile-worker (0.17) looks for the next job while the one before still holds its queue, finds none, and asks again only when it polls:
// each message of a conversation would wait for that.
const FUNCTION = `
CREATE OR REPLACE FUNCTION wake_for_freed_queue() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT FROM graphile_worker._private_jobs WHERE job_queue_id = NEW.id AND run_at <= now() AND locked_at IS NULL) THEN
    PERFORM pg_notify('jobs:insert', '{"count":1}');
  END IF;
  RETURN NULL;
END $$`

const TRIGGER = `
CREATE TRIGGER wake_for_freed_queue AFTER UPDATE OF locked_at ON graphile_worker._private_job_queues
FOR EACH ROW WHEN (OLD.locked_at IS NOT NULL AND NEW.locked_at IS NULL) EXECUTE FUNCTION wake_for_freed_queue()`

/** Lets a queue that becomes free wake a worker, where jobs of it are due. Creates nothing twice; not for several callers at once. */
export async function wakeForFreedQueues(client: Pick<pg.ClientBase, 'query'>): Promise<void> {
  const { rows } = await client.query(`SELECT FROM pg_trigger WHERE tgname = 'wake_for_freed_queue'`)
  if (rows.length > 0) return
  await client.query(FUNCTION)
  await client.query(TRIGGER)
}
