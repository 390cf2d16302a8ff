import { expect, test } from 'vitest'
import { type Life, liveMonth, type Month, type MonthOptions } from '../support/simulated-month.ts'

// The same with 10,000 appointments over 30 days takes some minutes: MONTH_APPOINTMENTS=10000 npm test -- test/e2e/automation-month.test.ts
const appointments = Number(process.env.MONTH_APPOINTMENTS ?? 60)
const isWhole = appointments >= 5000
const options: MonthOptions = isWhole
  ? { appointments, speed: 3000, patient: null, days: 26, ahead: [1, 4], killEverySeconds: 8, seed: 7 }
  : { appointments, speed: 20_000, patient: 200, days: 1.5, ahead: [1, 2.2], killEverySeconds: 4, seed: 7 }
/** A killed worker's jobs wait until its locks are stale and another worker has time; simulated. */
const MAX_LATENESS = options.speed * 8000
/** Between the last look at an appointment and the note that the attempt begins; the appointment is locked meanwhile, the clock is not. */
const BETWEEN = options.speed * 1000
/** Between the clocks of two processes: a worker that is told late that the clock stands still is ahead of it. */
const SKEW = options.patient === null ? 0 : options.speed * 1000

const HOUR = 3_600_000
const REMINDER = 24 * HOUR

test('every due message goes out exactly once, and none after its reason is gone, while workers are killed', {
  timeout: isWhole ? 3_600_000 : 120_000,
}, async ({ signal }) => {
  const month = await liveMonth(options, signal)
  expect(month.lives).toHaveLength(appointments)
  expect(month.killed).toBeGreaterThan(0)
  const { rescheduled, canceled, completed } = month.counts
  for (const count of [rescheduled, canceled, completed]) expect(count).toBeGreaterThan(appointments / 20)

  expect(month.runs.filter(({ status }) => status === 'SCHEDULED' || status === 'FAILED')).toEqual([])
  if (isWhole) console.info(report(month))
  expect([...doubled(month), ...unsent(month), ...overtaken(month)]).toEqual([])
  expect(lateness(month).at(-1)).toBeLessThanOrEqual(MAX_LATENESS)
})

const bodyOf = (month: Month) => new Map(month.communications.map((row) => [row.id, row]))
const messageOf = (month: Month) => new Map(month.communications.map((row) => [row.automationRunId, row]))

/** No text twice at the provider (each names its appointment, its kind and its time), and nothing that we do not know of. */
function doubled(month: Month): string[] {
  const texts = [...Map.groupBy(month.accepted, ({ body }) => body)]
  const known = bodyOf(month)
  return [
    ...texts.flatMap(([body, all]) => (all.length === 1 ? [] : [`${all.length} times: ${body}`])),
    ...month.accepted.filter(({ communicationId }) => !known.has(communicationId)).map(({ body }) => `from nowhere: ${body}`),
  ]
}

/**
 * What had to go out: a confirmation of each appointment, a notice of each change, and a reminder of each time that stood when it was due. A
 * message whose worker died in the call is UNKNOWN, and may have arrived or not: never twice. Those that were overtaken between their time and
 * their turn are not sent, and say so.
 */
function unsent(month: Month): string[] {
  const messages = messageOf(month)
  const accepted = new Set(month.accepted.map(({ communicationId }) => communicationId))
  const runs = Map.groupBy(month.runs, ({ appointmentId }) => appointmentId)
  return month.lives.flatMap((life) => {
    const own = runs.get(life.id) ?? []
    return own
      .flatMap((run) => {
        const message = messages.get(run.id)
        const name = `${run.kind} ${run.revision} of ${life.id}: ${run.status} ${run.reason}`
        if (run.status === 'SKIPPED') return isRight(life, run) ? [] : [`wrongly skipped: ${name}`]
        if (message?.deliveryStatus === 'UNKNOWN') return []
        if (message?.deliveryStatus !== 'SENT' || !accepted.has(message.id))
          return [`not at the provider: ${name} ${message?.deliveryStatus}`]
        return []
      })
      .concat(missing(life, own))
  })
}

const count = (runs: Month['runs'], kind: string) => runs.filter((run) => run.kind === kind).length

function missing({ id, times }: Life, runs: Month['runs']): string[] {
  const expected = { BOOKING_CONFIRMATION: 1, RESCHEDULE_NOTICE: times.length - 1, APPOINTMENT_REMINDER: times.length }
  return Object.entries(expected).flatMap(([kind, wanted]) =>
    count(runs, kind) === wanted ? [] : [`${count(runs, kind)} ${kind} of ${id}`],
  )
}

/** Whether what is said of a run that was not sent is true, and no excuse for a message that should have gone out long before. */
function isRight({ times }: Life, { kind, revision, reason, dueAt, settledAt }: Month['runs'][number]): boolean {
  const time = times[(revision ?? 1) - 1]
  if (time === undefined || settledAt === null) return false
  const { startsAt, from, until } = time
  if (reason === 'TOO_LATE') return kind === 'APPOINTMENT_REMINDER' && startsAt.getTime() - REMINDER <= from.getTime()
  // Booked when it had begun already.
  if (reason === 'APPOINTMENT_PASSED' && from >= startsAt) return true
  const since = reason === 'APPOINTMENT_PASSED' ? startsAt : until
  // The test's clock is read a little after the change.
  return since !== null && settledAt.getTime() >= since.getTime() - BETWEEN && since.getTime() - dueAt.getTime() <= MAX_LATENESS
}

/** What the provider was asked to send after the appointment was not at that time any more. */
function overtaken(month: Month): string[] {
  const lives = new Map(month.lives.map((life) => [life.id, life]))
  const messages = messageOf(month)
  return month.runs.flatMap((run) => {
    const attempt = messages.get(run.id)?.attemptStartedAt
    const time = lives.get(run.appointmentId ?? '')?.times[(run.revision ?? 1) - 1]
    if (!attempt || time === undefined || run.kind === 'CANCELLATION_NOTICE') return []
    const late = time.until !== null && attempt.getTime() > time.until.getTime() + SKEW
    return late || attempt.getTime() >= time.startsAt.getTime() + BETWEEN
      ? [`${run.kind} of ${run.appointmentId} at ${attempt.toISOString()}`]
      : []
  })
}

/** Of what was sent: how long after its due time its attempt began, shortest first; simulated milliseconds. */
function lateness(month: Month): number[] {
  const messages = messageOf(month)
  return month.runs
    .flatMap(({ id, dueAt }) => {
      const attempt = messages.get(id)?.attemptStartedAt
      return attempt ? [attempt.getTime() - dueAt.getTime()] : []
    })
    .sort((a, b) => a - b)
}

function report(month: Month): string {
  const sent = month.runs.filter(({ status }) => status === 'SENT')
  const late = lateness(month).map((ms) => ms / options.speed / 1000)
  const at = (part: number) => `${late[Math.min(late.length - 1, Math.floor(late.length * part))]?.toFixed(2)} s`
  const statuses = Map.groupBy(month.communications, ({ deliveryStatus }) => deliveryStatus)
  return JSON.stringify(
    {
      speed: options.speed,
      ...month.counts,
      killed: month.killed,
      runs: month.runs.length,
      sent: sent.length,
      accepted: month.accepted.length,
      statuses: Object.fromEntries([...statuses].map(([status, rows]) => [status, rows.length])),
      skipped: Object.fromEntries(
        [
          ...Map.groupBy(
            month.runs.filter(({ status }) => status === 'SKIPPED'),
            ({ reason }) => reason,
          ),
        ].map(([reason, rows]) => [reason, rows.length]),
      ),
      lateness: { median: at(0.5), p99: at(0.99), max: at(1) },
    },
    null,
    1,
  )
}
