import { EventEmitter } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { type RunnerOptions, run, type WorkerEvents, type WorkerPool } from 'graphile-worker'
import type { Logger } from 'pino'

export type KeptRunner = {
  /** Takes no new job, waits for those in hand, and gives back what has not ended after `deadlineMs`. */
  stop(deadlineMs: number): Promise<void>
  /** False while the runner has ended and a new one does not run yet. */
  healthy(): boolean
  /** Lets up to so many idle workers look for jobs at once. */
  wake(workers: number): void
}

type Run = { id: string; ended: Promise<void>; stop(): Promise<void>; giveBack(): Promise<void>; wake(workers: number): void }

const MAX_BACKOFF_MS = 10_000
const PATIENCE_MS = 10_000
const GIVE_BACK_MS = 2_000

// Without a batcher, graphile-worker (0.17) leaves the statement that ends a job unawaited: one that PostgreSQL cannot take would be an
// unhandled rejection and end the process. With one, it ends the runner.
const preset = { worker: { completeJobBatchDelay: 0, failJobBatchDelay: 0 } }

/**
 * A graphile-worker runner that is replaced when it ends by itself, as it does when PostgreSQL goes away under a job. `recover` runs before each
 * start and gets the id that held the locks of the runner before, null at first. Rejects where the first start fails.
 */
export async function keepRunning(
  options: RunnerOptions,
  log: Logger,
  recover: (before: string | null) => Promise<void>,
): Promise<KeptRunner> {
  const stopping = new AbortController()
  let current: Run | null = null

  const start = async (before: string | null) => {
    await recover(before)
    const started = await startRun(options)
    current = started
    return started
  }

  const startAgain = async (before: string): Promise<Run | null> => {
    for (let failures = 0; !stopping.signal.aborted; failures += 1) {
      try {
        await delay(Math.min(250 * 2 ** failures, MAX_BACKOFF_MS), undefined, { signal: stopping.signal })
        return await start(before)
      } catch (error) {
        if (!stopping.signal.aborted) log.warn({ err: error }, 'the worker cannot start yet')
      }
    }
    return null
  }

  const supervise = async (first: Run) => {
    for (let running: Run | null = first; running !== null; ) {
      await running.ended
      if (stopping.signal.aborted) return
      current = null
      log.error('the worker ended; it is started again')
      running = await startAgain(running.id)
    }
  }
  void supervise(await start(null))

  return {
    healthy: () => current !== null && !stopping.signal.aborted,
    wake: (workers) => {
      if (!stopping.signal.aborted) current?.wake(workers)
    },
    async stop(deadlineMs) {
      stopping.abort()
      if (current === null) return
      const { stop, giveBack } = current
      const late = delay(deadlineMs, 'late' as const, { ref: false })
      if ((await Promise.race([stop(), late])) !== 'late') return
      log.warn('jobs in hand are given back at the end of the time to shut down')
      const given = giveBack().catch((error: unknown) => log.error({ err: error }, 'jobs could not be given back'))
      await Promise.race([given, delay(GIVE_BACK_MS, undefined, { ref: false })])
    },
  }
}

async function startRun(options: RunnerOptions): Promise<Run> {
  const events: WorkerEvents = new EventEmitter()
  const ended = Promise.withResolvers<void>()
  // Not a promise of the pool: it is a thenable itself, which would be waited for.
  const made: { pool?: WorkerPool } = {}
  events.once('pool:create', ({ workerPool }) => {
    made.pool = workerPool
  })
  // It can take the runner for ever to let go of what it has lost; its jobs are safe to run beside what is left of it.
  events.once('pool:gracefulShutdown', () => setTimeout(ended.resolve, PATIENCE_MS).unref())
  const runner = await run({ ...options, events, preset })
  runner.promise.then(ended.resolve, () => ended.resolve())
  const { pool } = made
  if (pool === undefined) throw new Error('graphile-worker started without a pool')
  return {
    id: pool.id,
    ended: ended.promise,
    // It refuses to be stopped only where it is ending already.
    stop: () => runner.stop().catch(() => ended.promise),
    wake: (workers) => pool.nudge(workers),
    giveBack: async () => {
      await pool.forcefulShutdown('given back: the process ends')
    },
  }
}
