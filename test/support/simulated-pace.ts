import { setTimeout as delay } from 'node:timers/promises'
import type pg from 'pg'

/** Where a clock is that runs many times as fast as the real one, or stands still (speed 0). `real`: when it was at `simulated`; milliseconds. */
export type Pace = { simulated: number; real: number; speed: number }

export const simulatedNow = ({ simulated, real, speed }: Pace): Date => new Date(simulated + Math.round((Date.now() - real) * speed))

export type SimulatedTime = {
  now(): Date
  pace(): Pace
  /** Resolves when the clock is at that time, rejects when `signal` is aborted. */
  until(time: Date): Promise<void>
  /** Resolves when no job is left that will run, rejects as `until` does. */
  drained(): Promise<void>
  stop(): void
}

const TICK_MS = 25
const TASKS = ['run-automation', 'follow-up-failure', 'deliver']
/** $1: TASKS. */
const TO_RUN = `graphile_worker.jobs WHERE (attempts < max_attempts OR locked_at IS NOT NULL) AND task_identifier = ANY($1)`

/**
 * A clock for several processes, each told of by `tell`. Jobs go by the clock of PostgreSQL, which is not simulated: they are moved to the
 * present when their time comes. `patient`: the clock stands still while a job waits for longer than that, in real milliseconds, so that what
 * is due soon does not come late because the machine is slow, or a worker was killed.
 */
export function startTime(
  { pool, signal }: { pool: pg.Pool; signal: AbortSignal },
  start: Date,
  speed: number,
  patient: number | null,
  tell: (pace: Pace) => void,
): SimulatedTime {
  let pace: Pace = { simulated: start.getTime(), real: Date.now(), speed }
  let running = true
  const now = () => simulatedNow(pace)
  const run = (at: number) => {
    if (at === pace.speed) return
    pace = { simulated: now().getTime(), real: Date.now(), speed: at }
    tell(pace)
  }
  const isAny = async (condition = '', ...values: unknown[]) =>
    (await pool.query(`SELECT FROM ${TO_RUN} ${condition} LIMIT 1`, [TASKS, ...values])).rowCount === 1
  const tick = async () => {
    await pool.query(
      `SELECT graphile_worker.reschedule_jobs(array_agg(id), run_at := now()) FROM graphile_worker.jobs
       WHERE run_at > now() AND run_at <= $1 AND task_identifier = ANY($2)`,
      [now(), TASKS],
    )
    if (patient === null) return
    run((await isAny('AND run_at < now() - make_interval(secs => $2)', patient / 1000)) ? 0 : speed)
  }
  const ticking = (async () => {
    while (running) {
      await tick()
      await delay(TICK_MS)
    }
  })()
  ticking.catch(() => undefined)
  return {
    now,
    pace: () => pace,
    async until(time) {
      while (now() < time) {
        signal.throwIfAborted()
        await Promise.race([ticking, delay(Math.min(1000, Math.max(TICK_MS, (time.getTime() - now().getTime()) / speed)))])
      }
    },
    async drained() {
      while (await isAny()) await delay(200, undefined, { signal })
    },
    stop: () => {
      running = false
    },
  }
}
