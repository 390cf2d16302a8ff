import type { JobHelpers, TaskList } from 'graphile-worker'
import type pg from 'pg'
import type { Deps } from '../deps.ts'
import { applyLaterReceipt } from '../domain/apply-later-receipt.ts'
import { wakeConversation } from '../domain/change-conversation.ts'
import { type DeliveryOutcome, deliverMessage } from '../domain/deliver-message.ts'
import type { Difference } from '../domain/differing-counts.ts'
import { fetchAttachment } from '../domain/fetch-attachment.ts'
import { foldWhileBusy } from '../domain/fold-channel-stats.ts'
import { markReadAtProvider } from '../domain/mark-read-at-provider.ts'
import { planNewReminders } from '../domain/plan-new-reminders.ts'
import { pruneWebhooks } from '../domain/prune-webhooks.ts'
import { reconcileForAWhile } from '../domain/reconcile-counts.ts'
import { followUpFailure, runAutomation } from '../domain/run-automation.ts'
import { enqueueTemplateSyncs, syncTemplatesOfAccount } from '../domain/sync-templates.ts'
import { deleteUnsentUploads } from '../domain/upload-attachment.ts'
import type { Jobs } from './enqueue.ts'
import { createPace, pacedAccounts } from './pace.ts'
import { putBack } from './put-back.ts'
import { giveBack, recoverStale } from './recover-stale.ts'
import { type KeptRunner, keepRunning } from './runner.ts'
import { workerLogger } from './worker-logger.ts'

type Options = {
  concurrency: number
  onSend: (provider: string, outcome: DeliveryOutcome) => void
  onDifference: (difference: Difference) => void
  /** The database is ours alone: every lock found is a dead process's. */
  alone: boolean
}

/** Starts graphile-worker in this process. Payloads are ours: they were written by `enqueue` in the same version of the schema. */
export async function startWorker(deps: Deps, pgPool: pg.Pool, options: Options): Promise<KeptRunner> {
  const started: { runner?: KeptRunner } = {}
  const pace = createPace(deps, (jobs) => started.runner?.wake(jobs))
  const tasks = {
    deliver: async ({ communicationId }, { job }) => {
      for (const account of pacedAccounts(job.flags)) if (!(await pace.take(account))) return putBack(deps, job.id)
      const { provider, outcome } = await deliverMessage(deps, communicationId)
      options.onSend(provider, outcome)
    },
    'fetch-attachment': ({ attachmentId }, { job }) => fetchAttachment(deps, attachmentId, job.attempts >= job.max_attempts),
    'record-receipt': (receipt) => applyLaterReceipt(deps, receipt),
    'mark-read-at-provider': ({ communicationId }) => markReadAtProvider(deps, communicationId),
    'wake-conversation': ({ conversationId }) => wakeConversation(deps, conversationId),
    'recover-stale': () => recoverStale(deps, deps.config.STALE_JOB_SECONDS),
    'prune-webhooks': async () => {
      const pruned = await pruneWebhooks(deps)
      if (pruned > 0) deps.log.info({ pruned }, 'webhooks that were kept long enough are deleted')
    },
    'delete-unsent-uploads': () => deleteUnsentUploads(deps),
    'delete-stored-file': ({ storageKey }) => deps.storage.delete(storageKey),
    'sync-templates': ({ channelAccountId }) => syncTemplatesOfAccount(deps, channelAccountId),
    'sync-all-templates': () => enqueueTemplateSyncs(deps),
    'fold-channel-stats': () => foldWhileBusy(deps),
    'reconcile-counts': (payload) => reconcileForAWhile(deps, payload, options.onDifference),
    'run-automation': ({ runId }, { job }) => runAutomation(deps, runId, job.attempts >= job.max_attempts),
    'follow-up-failure': ({ runId }) => followUpFailure(deps, runId),
    'plan-reminders': (payload) => planNewReminders(deps, payload),
  } satisfies { [Name in keyof Jobs]: (payload: Jobs[Name], helpers: JobHelpers) => Promise<void> | void }
  const runner = await keepRunning(
    {
      pgPool,
      concurrency: options.concurrency,
      forbiddenFlags: () => pace.forbidden(),
      noHandleSignals: true,
      pollInterval: Math.min(deps.config.POLL_SECONDS, 2) * 1000,
      taskList: tasks as unknown as TaskList,
      crontab: [
        '* * * * * recover-stale',
        '* * * * * fold-channel-stats',
        '17 * * * * prune-webhooks',
        '37 * * * * delete-unsent-uploads',
        '23 3 * * * sync-all-templates',
        '43 4 * * * reconcile-counts',
      ].join('\n'),
      logger: workerLogger(deps.log),
    },
    deps.log,
    async (before) => {
      if (before !== null) await giveBack(deps, [before])
      await recoverStale(deps, options.alone ? 0 : deps.config.STALE_JOB_SECONDS)
    },
  )
  started.runner = runner
  return {
    ...runner,
    async stop(deadlineMs) {
      pace.stop()
      await runner.stop(deadlineMs)
    },
  }
}
