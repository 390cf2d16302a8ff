import { Logger as WorkerLogger } from 'graphile-worker'
import type { Logger } from 'pino'

/** That is as we want it: most of the time a job waits for a provider, and holds no connection. */
const INTENDED = 'WARNING: having maxPoolSize'

/** graphile-worker's log lines in ours; its chatter about each job is for debugging. */
export function workerLogger(log: Logger): WorkerLogger {
  return new WorkerLogger((scope) => (level, message, meta) => {
    const fields = { job: scope.taskIdentifier, jobId: scope.jobId, ...(meta?.error === undefined ? {} : { err: meta.error }) }
    if (level === 'error') log.error(fields, message)
    else if (level === 'warning' && !message.startsWith(INTENDED)) log.warn(fields, message)
    else log.debug(fields, message)
  })
}
