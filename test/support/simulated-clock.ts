import type { TestApp } from './app.ts'
import { eventually } from './eventually.ts'

export type SimulatedClock = {
  now(): Date
  /** Lets everything happen that is due until then, each thing at its time. */
  advanceTo(time: Date | string): Promise<void>
  /** As `advanceTo`. */
  pass(by: { days?: number; hours?: number; minutes?: number }): Promise<void>
  /** Lets everything happen that is due now. */
  settle(): Promise<void>
  /** As if the worker had been away until then: all that is due by now happens at once. */
  jumpTo(time: Date | string): Promise<void>
}

const TASKS = ['run-automation', 'follow-up-failure', 'plan-reminders', 'deliver', 'record-receipt']

/**
 * Puts the product's clock to a time in the future. Jobs for later wait for PostgreSQL's own clock, which is not simulated: here they are moved
 * to the present when their time comes.
 */
export function simulateClock(app: TestApp, start: Date | string): SimulatedClock {
  const { pool } = app.deps
  let now = new Date(start)
  if (now <= new Date()) throw new Error('the simulated clock must be ahead of the real one')
  app.deps.clock = () => new Date(now)

  const nextDue = async (until: Date): Promise<Date | null> => {
    const { rows } = await pool.query<{ at: Date | null }>(
      `SELECT min(run_at) AS at FROM graphile_worker.jobs WHERE run_at > now() AND run_at <= $1 AND task_identifier = ANY($2)`,
      [until, TASKS],
    )
    return rows[0]?.at ?? null
  }
  const drained = () =>
    eventually(async () => {
      const { rows } = await pool.query<{ n: number }>(
        `SELECT count(*)::int AS n FROM graphile_worker.jobs WHERE run_at <= now() AND task_identifier = ANY($1)`,
        [TASKS],
      )
      if (rows[0]?.n !== 0) throw new Error(`${rows[0]?.n} jobs are still due`)
    })
  const run = async (at: Date) => {
    await pool.query(
      `SELECT graphile_worker.reschedule_jobs(array_agg(id), run_at := now()) FROM graphile_worker.jobs
       WHERE run_at > now() AND run_at <= $1 AND task_identifier = ANY($2)`,
      [at, TASKS],
    )
    await pool.query(`SELECT pg_notify('jobs:insert', '{"count":4}')`)
    await drained()
  }
  const advanceTo = async (time: Date | string) => {
    const target = new Date(time)
    await drained()
    for (let due = await nextDue(target); due !== null; due = await nextDue(target)) {
      if (due > now) now = due
      await run(due)
    }
    now = target
  }
  return {
    now: () => new Date(now),
    advanceTo,
    pass: ({ days = 0, hours = 0, minutes = 0 }) => advanceTo(new Date(now.getTime() + ((days * 24 + hours) * 60 + minutes) * 60_000)),
    settle: () => advanceTo(now),
    async jumpTo(time) {
      now = new Date(time)
      await run(now)
      await advanceTo(now)
    },
  }
}
