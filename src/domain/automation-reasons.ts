import type { Appointment, AutomationRun } from '../db/generated/client.ts'
import type { AutomationReason } from '../db/generated/enums.ts'
import type { Tx } from '../events/transact.ts'
import type { AutomationSetting } from './automation-defaults.ts'
import type { Explanation } from './automation-run.ts'
import {
  BodyTooLongError,
  ChannelNotConnectedError,
  ContentNotSupportedError,
  MessagingWindowClosedError,
  NoAddressError,
  RecipientOptedOutError,
  TemplateNotApprovedError,
  type UserError,
  ValidationError,
} from './errors.ts'
import { wasReached } from './missed-call.ts'
import type { Settings } from './notification-settings.ts'

const sentences = {
  AUTOMATION_OFF: 'This automation is switched off.',
  SETTINGS_CHANGED: 'A reminder at this time is not among the settings any more.',
  APPOINTMENT_CANCELED: 'The appointment was canceled.',
  APPOINTMENT_RESCHEDULED: 'The appointment has another time now.',
  APPOINTMENT_COMPLETED: 'The appointment is over.',
  APPOINTMENT_PASSED: 'The appointment had already begun.',
  ALREADY_REACHED: 'We have reached the customer since they called.',
} as const satisfies Partial<Record<AutomationReason, string>>

export const because = (reason: keyof typeof sentences): Explanation => ({ reason, detail: sentences[reason] })

export const tooLate = (detail: string): Explanation => ({ reason: 'TOO_LATE', detail })

const notAfterCompletion: Explanation = {
  reason: 'SETTINGS_CHANGED',
  detail: 'Review requests do not follow completed appointments any more.',
}

const DAY = 24 * 60
/** After their due time, what is said about a call or a visit is out of place. */
const STALE_MINUTES = { MISSED_CALL_FOLLOW_UP: DAY, REVIEW_REQUEST: 7 * DAY } as const

/** As people say it: 90 minutes, 24 hours, 7 days. */
export function inWords(minutes: number): string {
  const [count, unit] =
    minutes > DAY && minutes % DAY === 0 ? [minutes / DAY, 'day'] : minutes % 60 === 0 ? [minutes / 60, 'hour'] : [minutes, 'minute']
  return `${count} ${unit}${count === 1 ? '' : 's'}`
}

/** Why reality has overtaken a message, or null. Locks the appointment against changes until the transaction ends. */
export async function overtaken(tx: Tx, settings: Settings, run: AutomationRun, now: Date): Promise<Explanation | null> {
  const setting = settings.automations[run.kind]
  if (!setting.enabled) return because('AUTOMATION_OFF')
  const appointment = run.appointmentId === null ? null : await lockAppointment(tx, run.appointmentId)
  switch (run.kind) {
    case 'BOOKING_CONFIRMATION':
    case 'RESCHEDULE_NOTICE':
      return overtakenByAppointment(appointment, run, now)
    case 'CANCELLATION_NOTICE':
      return appointment !== null && appointment.startsAt <= now ? because('APPOINTMENT_PASSED') : null
    case 'APPOINTMENT_REMINDER':
      if (run.minutesBefore !== null && !setting.reminderMinutes.includes(run.minutesBefore)) return because('SETTINGS_CHANGED')
      return overtakenByAppointment(appointment, run, now) ?? (await overtakenByReminder(tx, setting, run, now))
    case 'MISSED_CALL_FOLLOW_UP':
      return (await stale(tx, run, now)) ?? ((await wasReached(tx, run)) ? because('ALREADY_REACHED') : null)
    case 'REVIEW_REQUEST':
      return run.appointmentId !== null && !setting.afterCompletion ? notAfterCompletion : stale(tx, run, now)
  }
}

function overtakenByAppointment(appointment: Appointment | null, run: AutomationRun, now: Date): Explanation | null {
  if (appointment === null || appointment.status === 'CANCELED') return because('APPOINTMENT_CANCELED')
  if (appointment.status === 'COMPLETED') return because('APPOINTMENT_COMPLETED')
  if (appointment.revision !== run.revision) return because('APPOINTMENT_RESCHEDULED')
  return appointment.startsAt <= now ? because('APPOINTMENT_PASSED') : null
}

/** After a time away, or of quiet hours, several reminders can be due: the last of them that is still wanted says it all. */
async function overtakenByReminder(tx: Tx, setting: AutomationSetting, run: AutomationRun, now: Date): Promise<Explanation | null> {
  const { kind, appointmentId, revision, minutesBefore } = run
  const later = await tx.automationRun.count({
    where: {
      kind,
      appointmentId,
      revision,
      minutesBefore: { lt: minutesBefore ?? 0 },
      dueAt: { lte: now },
      OR: [{ status: 'SENT' }, { status: 'SCHEDULED', minutesBefore: { in: setting.reminderMinutes } }],
    },
  })
  return later === 0 ? null : tooLate('A later reminder of the same appointment was due already.')
}

/** By the time of the first channel: a receipt may say days later that the message was not delivered. */
async function stale(tx: Tx, { organizationId, cause, kind, dueAt }: AutomationRun, now: Date): Promise<Explanation | null> {
  const limit = kind === 'MISSED_CALL_FOLLOW_UP' || kind === 'REVIEW_REQUEST' ? STALE_MINUTES[kind] : Number.POSITIVE_INFINITY
  const first = await tx.automationRun.findFirst({ where: { organizationId, cause, kind, step: 0 }, select: { dueAt: true } })
  if (now.getTime() - (first?.dueAt ?? dueAt).getTime() <= limit * 60_000) return null
  return tooLate(`It could not be sent within ${inWords(limit)} of its time, and after that it would be out of place.`)
}

/** As it is, and stays until the end of the transaction. */
export async function lockAppointment(tx: Tx, id: string): Promise<Appointment | null> {
  await tx.$queryRaw`SELECT FROM appointment WHERE id = ${id}::uuid FOR SHARE`
  return tx.appointment.findUnique({ where: { id } })
}

/** No value for a variable that the text uses. */
export class MissingValueError extends ValidationError {}

/** What an error of the sending means for the run: the next channel may do better. */
export function explanationOf(error: UserError): Explanation {
  return { reason: reasonOf(error), detail: error.message }
}

function reasonOf(error: UserError): AutomationReason {
  if (error instanceof ChannelNotConnectedError) return 'CHANNEL_NOT_CONNECTED'
  if (error instanceof RecipientOptedOutError) return 'OPTED_OUT'
  if (error instanceof MessagingWindowClosedError) return 'MESSAGING_WINDOW_CLOSED'
  if (error instanceof TemplateNotApprovedError) return 'TEMPLATE_NOT_APPROVED'
  if (error instanceof MissingValueError) return 'MISSING_VALUE'
  if (error instanceof ContentNotSupportedError || error instanceof BodyTooLongError) return 'CONTENT_REFUSED'
  return error instanceof NoAddressError ? 'NO_ADDRESS' : 'CONTENT_REFUSED'
}
