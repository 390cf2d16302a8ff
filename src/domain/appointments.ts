import type { Appointment } from '../db/generated/client.ts'
import type { Deps } from '../deps.ts'
import { type Recorder, type Tx, transact } from '../events/transact.ts'
import type { Actor } from './actor.ts'
import { type AppointmentCustomer, appointmentCustomer } from './appointment-customer.ts'
import { because } from './automation-reasons.ts'
import { lockOwner } from './customers.ts'
import { IdempotencyConflictError, NotFoundError, ValidationError } from './errors.ts'
import { inputHash } from './idempotency.ts'
import { newId } from './ids.ts'
import { readSettings, type Settings } from './notification-settings.ts'
import { planNotice, planReminders, planReview, skipRuns } from './plan-appointment.ts'
import { cleanText, optionalText, requiredText } from './text.ts'
import { checkedTimeZone } from './time-zones.ts'
import { isUniqueViolation } from './unique-violation.ts'

export type CreateAppointmentInput = {
  customer: AppointmentCustomer
  /** The caller's own id: the same id and input give the same appointment. */
  externalId?: string | null
  service: string
  staff?: { memberId?: string | null; name?: string | null } | null
  startsAt: Date
  endsAt: Date
  timezone?: string | null
}

/** By our id or by the caller's own. */
export type AppointmentTarget = { appointmentId?: string | null; externalId?: string | null }

export type RescheduleAppointmentInput = {
  appointment: AppointmentTarget
  startsAt: Date
  /** Absent: it takes as long as before. */
  endsAt?: Date | null
  timezone?: string | null
}

type AppointmentDeps = Pick<Deps, 'db' | 'bus' | 'channels' | 'clock'>

const MAX_DAYS = 31
const LAST_YEAR = 2200

/** Throws ValidationError, NotFoundError, IdempotencyConflictError. */
export async function createAppointment(deps: AppointmentDeps, actor: Actor, input: CreateAppointmentInput): Promise<Appointment> {
  const { organizationId, memberId } = actor
  const externalId = typeof input.externalId === 'string' ? requiredText(input.externalId, ['input', 'externalId'], 200) : null
  const externalHash = externalId === null ? null : inputHash(input)
  const before = await madeBefore(deps.db, organizationId, externalId, externalHash)
  if (before !== null) return before
  const service = requiredText(input.service, ['input', 'service'], 200)
  const staffName = optionalText(input.staff?.name, ['input', 'staff', 'name'], 200)
  const { startsAt, endsAt } = checkedTimes(input.startsAt, input.endsAt)
  try {
    return await transact(deps, organizationId, async (tx, recorder) => {
      const now = deps.clock()
      const staffId = await checkedMember(tx, organizationId, input.staff?.memberId)
      const customerId = await appointmentCustomer(tx, recorder, deps.channels, actor, input.customer)
      const settings = await readSettings(tx, organizationId)
      const timezone = input.timezone ? checkedTimeZone(input.timezone, ['input', 'timezone']) : settings.timezone
      const times = { startsAt, endsAt, timezone, statusChangedAt: now, createdAt: now }
      const data = { id: newId(), organizationId, customerId, externalId, externalHash, service, staffId, staffName, ...times }
      const appointment = await tx.appointment.create({ data })
      record(recorder, 'APPOINTMENT_CREATED', appointment, memberId)
      await planNotice(tx, recorder, settings, appointment, 'BOOKING_CONFIRMATION', now)
      await planReminders(tx, recorder, settings, appointment, now)
      return appointment
    })
  } catch (error) {
    // Concurrent calls with one id: the unique index lets one through, the others find what it made.
    const winner = isUniqueViolation(error) ? await madeBefore(deps.db, organizationId, externalId, externalHash) : null
    if (winner === null) throw error
    return winner
  }
}

async function madeBefore(tx: Tx, organizationId: string, externalId: string | null, hash: string | null): Promise<Appointment | null> {
  if (externalId === null) return null
  const before = await tx.appointment.findUnique({ where: { organizationId_externalId: { organizationId, externalId } } })
  if (before !== null && before.externalHash !== hash)
    throw new IdempotencyConflictError(
      'There is an appointment with this id that was made of another input: reschedule or cancel that one.',
      ['input', 'externalId'],
    )
  return before
}

/** To the same time again changes nothing. Throws NotFoundError, and ValidationError where it is not BOOKED any more. */
export function rescheduleAppointment(deps: AppointmentDeps, actor: Actor, input: RescheduleAppointmentInput): Promise<Appointment> {
  return change(deps, actor, input.appointment, async (tx, recorder, before, settings, now) => {
    refuseUnlessBooked(before, 'rescheduled')
    const length = before.endsAt.getTime() - before.startsAt.getTime()
    const { startsAt, endsAt } = checkedTimes(input.startsAt, input.endsAt ?? new Date(input.startsAt.getTime() + length))
    const timezone = input.timezone ? checkedTimeZone(input.timezone, ['input', 'timezone']) : before.timezone
    const moved = startsAt.getTime() !== before.startsAt.getTime() || timezone !== before.timezone
    if (!moved && endsAt.getTime() === before.endsAt.getTime()) return before
    const revision = before.revision + (moved ? 1 : 0)
    const appointment = await tx.appointment.update({ where: { id: before.id }, data: { startsAt, endsAt, timezone, revision } })
    record(recorder, 'APPOINTMENT_RESCHEDULED', appointment, actor.memberId, { previousStartsAt: before.startsAt })
    if (!moved) return appointment
    await skipRuns(tx, recorder, before.id, because('APPOINTMENT_RESCHEDULED'), now)
    await planNotice(tx, recorder, settings, appointment, 'RESCHEDULE_NOTICE', now)
    await planReminders(tx, recorder, settings, appointment, now)
    return appointment
  })
}

/** Canceling again changes nothing. Throws NotFoundError, and ValidationError where it is COMPLETED. */
export function cancelAppointment(deps: AppointmentDeps, actor: Actor, target: AppointmentTarget): Promise<Appointment> {
  return change(deps, actor, target, async (tx, recorder, before, settings, now) => {
    if (before.status === 'CANCELED') return before
    refuseUnlessBooked(before, 'canceled')
    const appointment = await settle(tx, before, 'CANCELED', now)
    record(recorder, 'APPOINTMENT_CANCELED', appointment, actor.memberId)
    await skipRuns(tx, recorder, before.id, because('APPOINTMENT_CANCELED'), now)
    await planNotice(tx, recorder, settings, appointment, 'CANCELLATION_NOTICE', now)
    return appointment
  })
}

/** The customer was there. Completing again changes nothing. Throws NotFoundError, and ValidationError where it is CANCELED. */
export function completeAppointment(deps: AppointmentDeps, actor: Actor, target: AppointmentTarget): Promise<Appointment> {
  return change(deps, actor, target, async (tx, recorder, before, settings, now) => {
    if (before.status === 'COMPLETED') return before
    refuseUnlessBooked(before, 'completed')
    const appointment = await settle(tx, before, 'COMPLETED', now)
    record(recorder, 'APPOINTMENT_COMPLETED', appointment, actor.memberId)
    await skipRuns(tx, recorder, before.id, because('APPOINTMENT_COMPLETED'), now)
    await planReview(tx, recorder, settings, appointment, now)
    return appointment
  })
}

type Change = (tx: Tx, recorder: Recorder, before: Appointment, settings: Settings, now: Date) => Promise<Appointment>

/** Locks in the order customer, appointment: who sends a message about it does the same. */
async function change(deps: AppointmentDeps, { organizationId }: Actor, target: AppointmentTarget, work: Change): Promise<Appointment> {
  return transact(deps, organizationId, async (tx, recorder) => {
    const { id } = await findAppointment(tx, organizationId, target)
    await lockOwner(tx, organizationId, () => tx.appointment.findUnique({ where: { id }, select: { customerId: true } }))
    await tx.$queryRaw`SELECT FROM appointment WHERE id = ${id}::uuid FOR UPDATE`
    const before = await tx.appointment.findUniqueOrThrow({ where: { id } })
    return work(tx, recorder, before, await readSettings(tx, organizationId), deps.clock())
  })
}

/** Throws NotFoundError, and ValidationError where nothing is named. */
async function findAppointment(tx: Tx, organizationId: string, { appointmentId, externalId }: AppointmentTarget): Promise<{ id: string }> {
  const found = await tx.appointment.findFirst({
    where: { organizationId, ...(appointmentId ? { id: appointmentId } : { externalId: cleanText(externalId ?? '') }) },
    select: { id: true },
  })
  if (found === null) throw new NotFoundError('appointment', ['input', 'appointment', appointmentId ? 'appointmentId' : 'externalId'])
  return found
}

const settle = (tx: Tx, { id }: Appointment, status: Appointment['status'], now: Date): Promise<Appointment> =>
  tx.appointment.update({ where: { id }, data: { status, statusChangedAt: now } })

function refuseUnlessBooked({ status }: Appointment, what: string): void {
  if (status === 'BOOKED') return
  throw new ValidationError(`The appointment is ${status}: only one that is BOOKED can be ${what}.`, ['input', 'appointment'])
}

function checkedTimes(startsAt: Date, endsAt: Date): { startsAt: Date; endsAt: Date } {
  for (const [field, at] of Object.entries({ startsAt, endsAt })) {
    const year = at.getUTCFullYear()
    if (year < 1970 || year > LAST_YEAR) throw new ValidationError(`${field} must be from 1970 to ${LAST_YEAR}.`, ['input', field])
  }
  const length = endsAt.getTime() - startsAt.getTime()
  if (length > 0 && length <= MAX_DAYS * 86_400_000) return { startsAt, endsAt }
  throw new ValidationError(`endsAt must be after startsAt, by at most ${MAX_DAYS} days.`, ['input', 'endsAt'])
}

async function checkedMember(tx: Tx, organizationId: string, memberId: string | null | undefined): Promise<string | null> {
  if (memberId === null || memberId === undefined) return null
  if ((await tx.member.count({ where: { id: memberId, organizationId } })) === 1) return memberId
  throw new NotFoundError('member', ['input', 'staff', 'memberId'])
}

type AppointmentEvent = 'APPOINTMENT_CREATED' | 'APPOINTMENT_RESCHEDULED' | 'APPOINTMENT_CANCELED' | 'APPOINTMENT_COMPLETED'

function record(recorder: Recorder, type: AppointmentEvent, appointment: Appointment, actorId: string | null, more = {}): void {
  const { id, customerId, service, startsAt } = appointment
  recorder.event({ type, actorId, customerId, data: { appointmentId: id, service, startsAt, ...more } })
}
