import type { Appointment } from '../db/generated/client.ts'
import type { Recorder, Tx } from '../events/transact.ts'
import { because, inWords, tooLate } from './automation-reasons.ts'
import { type Cause, type Explanation, type Planned, planRun, settleRun } from './automation-run.ts'
import type { Settings } from './notification-settings.ts'

const MINUTE = 60_000

type Happened = 'BOOKING_CONFIRMATION' | 'RESCHEDULE_NOTICE' | 'CANCELLATION_NOTICE'

/** What has just happened to an appointment is told to the customer: none of it where that is switched off. */
export async function planNotice(
  tx: Tx,
  recorder: Recorder,
  settings: Settings,
  appointment: Appointment,
  kind: Happened,
  now: Date,
): Promise<void> {
  const { enabled, delayMinutes } = settings.automations[kind]
  if (!enabled) return
  const passed = appointment.startsAt <= now ? { verdict: because('APPOINTMENT_PASSED') } : {}
  const dueAt = new Date(now.getTime() + delayMinutes * MINUTE)
  await planRun(tx, recorder, settings, { cause: causeOf(appointment, kind), dueAt, ...passed }, now)
}

/**
 * The reminders of an appointment at its present time. Of those whose time has passed already, the last goes out now or never, as configured,
 * and the others never. `onlyLater`: none of those; for appointments that were there when a reminder was added.
 */
export async function planReminders(
  tx: Tx,
  recorder: Recorder,
  settings: Settings,
  appointment: Appointment,
  now: Date,
  { onlyLater = false } = {},
): Promise<void> {
  const { enabled, reminderMinutes, lateReminder } = settings.automations.APPOINTMENT_REMINDER
  if (!enabled) return
  const all = reminderMinutes.map((minutesBefore) => {
    const dueAt = new Date(appointment.startsAt.getTime() - minutesBefore * MINUTE)
    return { minutesBefore, dueAt, late: dueAt < now }
  })
  const nearest = Math.min(...all.filter(({ late }) => late).map(({ minutesBefore }) => minutesBefore))
  const planned = all.map(({ minutesBefore, dueAt, late }): Planned & { late: boolean } => {
    const cause = { ...causeOf(appointment, 'APPOINTMENT_REMINDER', `:${minutesBefore}`), minutesBefore }
    if (!late) return { cause, dueAt, late }
    if (appointment.startsAt <= now) return { cause, dueAt, late, verdict: because('APPOINTMENT_PASSED') }
    if (minutesBefore === nearest && lateReminder === 'SEND_NOW') return { cause, dueAt: now, late }
    return { cause, dueAt, late, verdict: lateVerdict(minutesBefore) }
  })
  for (const each of planned) if (!(onlyLater && each.late)) await planRun(tx, recorder, settings, each, now)
}

const lateVerdict = (minutes: number): Explanation =>
  tooLate(`The appointment was made, or moved, less than ${inWords(minutes)} before it begins.`)

/** After a completed appointment, where the organization wants that. */
export async function planReview(tx: Tx, recorder: Recorder, settings: Settings, appointment: Appointment, now: Date): Promise<void> {
  const { enabled, afterCompletion, delayMinutes } = settings.automations.REVIEW_REQUEST
  if (!enabled || !afterCompletion) return
  const dueAt = new Date(Math.max(now.getTime(), appointment.startsAt.getTime()) + delayMinutes * MINUTE)
  await planRun(tx, recorder, settings, { cause: causeOf(appointment, 'REVIEW_REQUEST'), dueAt }, now)
}

/** What was to be said about an appointment as it was is not said any more. The appointment must be locked. */
export async function skipRuns(tx: Tx, recorder: Recorder, appointmentId: string, verdict: Explanation, now: Date): Promise<void> {
  await tx.$queryRaw`SELECT FROM automation_run WHERE appointment_id = ${appointmentId}::uuid AND status = 'SCHEDULED' ORDER BY id FOR NO KEY UPDATE`
  const runs = await tx.automationRun.findMany({ where: { appointmentId, status: 'SCHEDULED' }, orderBy: { id: 'asc' } })
  for (const run of runs) await settleRun(tx, recorder, run, { status: 'SKIPPED', verdict, at: now })
}

const causeOf = ({ id, organizationId, customerId, revision }: Appointment, kind: Cause['kind'], more = ''): Cause => ({
  organizationId,
  customerId,
  kind,
  cause: `appointment:${id}:${revision}${more}`,
  appointmentId: id,
  revision,
})
