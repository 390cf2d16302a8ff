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
}

/** Adds a job in the caller's transaction: it exists exactly if the data does. */
export async function enqueue<Name extends keyof Jobs>(tx: Tx, name: Name, payload: Jobs[Name], options: JobOptions = {}): Promise<void> {
  await tx.$executeRaw`SELECT graphile_worker.add_job(${name}::text, payload := ${JSON.stringify(payload)}::json,
    queue_name := ${options.queue ?? null}::text, run_at := ${options.runAt ?? null}::timestamptz, max_attempts := ${options.maxAttempts ?? 25}::int,
    job_key := ${options.key ?? null}::text)`
}
