import type { DeliveryStatus } from '../db/generated/enums.ts'
import type { Tx } from '../events/transact.ts'

/** The tasks and what each is given. */
export type Jobs = {
  deliver: { communicationId: string }
  'fetch-attachment': { attachmentId: string }
  /** A receipt that the provider is known to give later without a webhook (the sandbox). */
  'record-receipt': { communicationId: string; status: DeliveryStatus; errorCode?: string; errorMessage?: string }
  /** Staff has read it, and what came before. */
  'mark-read-at-provider': { communicationId: string }
  'wake-conversation': { conversationId: string }
  'recover-stale': Record<string, never>
  'prune-webhooks': Record<string, never>
  'delete-unsent-uploads': Record<string, never>
  /** Of bytes that no row names any more. */
  'delete-stored-file': { storageKey: string }
  'sync-templates': { channelAccountId: string }
  'sync-all-templates': Record<string, never>
  'fold-channel-stats': Record<string, never>
  /** From there on: the customers of that organization after that one, then the organizations after it. */
  'reconcile-counts': { place?: { organizationId: string; after: string | null } }
  'run-automation': { runId: string }
  /** Its message has FAILED. */
  'follow-up-failure': { runId: string }
  /** Another reminder, for appointments that are booked already. */
  'plan-reminders': { organizationId: string; after?: { startsAt: string; id: string } }
}

export type JobOptions = {
  runAt?: Date
  /** Jobs of one queue run one after the other. */
  queue?: string
  maxAttempts?: number
  /** A job that waits under this key is replaced. */
  key?: string
  /** The channel account whose pace it keeps: see pace.ts. */
  account?: string | null
}

export type NewJob<Name extends keyof Jobs = keyof Jobs> = { name: Name; payload: Jobs[Name]; options?: JobOptions }

const QUEUES = 1024

/**
 * The queue of a conversation, which it shares with about one in a thousand: graphile-worker (0.17) locks every free queue whenever it looks
 * for a job, and advises against a queue for each of many things.
 */
export const conversationQueue = (purpose: string, conversationId: string): string =>
  `${purpose}:${Number.parseInt(conversationId.slice(-4), 16) % QUEUES}`

/** What marks the jobs of a channel account. */
export const accountFlag = (channelAccountId: string): string => `account:${channelAccountId}`

/** Adds a job in the caller's transaction: it exists exactly if the data does. */
export const enqueue = <Name extends keyof Jobs>(tx: Tx, name: Name, payload: Jobs[Name], options: JobOptions = {}): Promise<void> =>
  enqueueAll(tx, [{ name, payload, options }])

/** As `enqueue`, for several, in one statement. Those of one queue that are due at once run in this order. */
export async function enqueueAll(tx: Tx, jobs: readonly NewJob[]): Promise<void> {
  const specs = jobs.map(({ name, payload, options = {} }) => ({
    identifier: name,
    payload,
    queue_name: options.queue ?? null,
    run_at: options.runAt ?? null,
    max_attempts: options.maxAttempts ?? 25,
    job_key: options.key ?? null,
    flags: options.account ? [accountFlag(options.account)] : null,
  }))
  await tx.$executeRaw`
    SELECT count(*) FROM graphile_worker.add_jobs(ARRAY(
      SELECT ROW(identifier, payload, queue_name, coalesce(run_at, now() + ord * interval '1 microsecond'), max_attempts, job_key, NULL, flags)
        ::graphile_worker.job_spec
      FROM ROWS FROM (jsonb_to_recordset(${JSON.stringify(specs)}::jsonb)
        AS (identifier text, payload json, queue_name text, run_at timestamptz, max_attempts smallint, job_key text, flags text[])) WITH ORDINALITY
        AS job(identifier, payload, queue_name, run_at, max_attempts, job_key, flags, ord)
      ORDER BY ord))`
}
