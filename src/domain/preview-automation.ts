import type { AutomationKind } from '../db/generated/enums.ts'
import type { Deps } from '../deps.ts'
import type { Tx } from '../events/transact.ts'
import { type ChosenText, chooseText, languagesFor } from './automation-templates.ts'
import { fillText, type Occasion } from './compose-automation.ts'
import { findCustomers } from './customers.ts'
import { NotFoundError } from './errors.ts'
import type { Settings } from './notification-settings.ts'
import type { Rendered } from './render-template.ts'

/** null: a sample. */
type PreviewOf = { customerId: string | null; appointmentId: string | null }

/** Somebody who is there; `appointment`: the one that was asked for. */
export type Somebody = Pick<Occasion, 'customer' | 'appointment'> & { next: Occasion['appointment'] }

const WEEK = 7 * 86_400_000

const sample = { name: 'Alex Morgan', service: 'Consultation', staffName: 'Sam' }
const samples = new Map([['tr', { name: 'Ayşe Yılmaz', service: 'Danışma', staffName: 'Deniz' }]])

/** A customer and an appointment of nobody, a week from now. */
export function sampleOccasion(kind: AutomationKind, settings: Settings, language: string, now: Date): Occasion {
  const { name, service, staffName } = samples.get(new Intl.Locale(language).language) ?? sample
  const startsAt = new Date(Math.floor((now.getTime() + WEEK) / 3_600_000) * 3_600_000)
  const appointment = { service, staffId: null, staffName, startsAt, timezone: settings.timezone }
  return { kind, settings, customer: { name, language }, appointment: knowsAppointment(kind, settings) ? appointment : null }
}

/** A review is asked for by hand, without an appointment, unless completed ones ask for it too. */
const knowsAppointment = (kind: AutomationKind, settings: Settings): boolean =>
  kind === 'REVIEW_REQUEST' ? settings.automations[kind].afterCompletion : kind !== 'MISSED_CALL_FOLLOW_UP'

/** Whom the preview is for; null: a sample customer. Throws NotFoundError, also where the appointment is another customer's. */
export async function somebody(
  deps: Pick<Deps, 'db' | 'clock'>,
  organizationId: string,
  { customerId, appointmentId }: PreviewOf,
): Promise<Somebody | null> {
  const appointment = appointmentId === null ? null : await deps.db.appointment.findFirst({ where: { id: appointmentId, organizationId } })
  if (appointmentId !== null && appointment === null) throw new NotFoundError('appointment', ['appointmentId'])
  const whose = customerId ?? appointment?.customerId ?? null
  if (whose === null) return null
  const customer = (await findCustomers(deps, organizationId, [whose])).get(whose)
  if (customer === undefined) throw new NotFoundError('customer', ['customerId'])
  if (appointment !== null && appointment.customerId !== customer.id)
    throw new NotFoundError('appointment of this customer', ['appointmentId'])
  return { customer, appointment, next: appointment === null ? await nextOf(deps.db, customer.id, deps.clock()) : null }
}

const nextOf = (tx: Tx, customerId: string, now: Date) =>
  tx.appointment.findFirst({
    where: { customerId, status: 'BOOKED', startsAt: { gt: now } },
    orderBy: [{ startsAt: 'asc' }, { id: 'asc' }],
  })

/** What this text reads like. */
export async function previewText(
  deps: Pick<Deps, 'db' | 'clock'>,
  settings: Settings,
  text: ChosenText,
  whom: Somebody | null,
): Promise<Rendered> {
  const { kind, dateLanguage } = text
  const nobody = sampleOccasion(kind, settings, dateLanguage, deps.clock())
  if (whom === null) return (await fillText(deps.db, nobody, text)).rendered
  const { customer, next } = whom
  // By hand it belongs to no appointment.
  const appointment = whom.appointment ?? (kind === 'REVIEW_REQUEST' ? null : (next ?? nobody.appointment))
  return (await fillText(deps.db, { kind, settings, customer, appointment }, await asSent(deps.db, settings, text, customer))).rendered
}

/** Where this is the text that the customer would get, its dates are in the language that they would be in. */
async function asSent(tx: Tx, settings: Settings, text: ChosenText, customer: Occasion['customer']): Promise<ChosenText> {
  const { kind, channel } = text
  if (customer.language === null) return text
  const rows = await tx.automationTemplate.findMany({ where: { organizationId: settings.organizationId, kind, channel } })
  const { language, dateLanguage } = chooseText(rows, text, languagesFor(customer, settings))
  return language === text.language ? { ...text, dateLanguage } : text
}
