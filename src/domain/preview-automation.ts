import type { AutomationKind, ChannelType } from '../db/generated/enums.ts'
import type { Deps } from '../deps.ts'
import type { Tx } from '../events/transact.ts'
import { fillAutomation, type Occasion } from './compose-automation.ts'
import { findCustomers } from './customers.ts'
import { NotFoundError } from './errors.ts'
import { readSettings } from './notification-settings.ts'
import type { Rendered } from './render-template.ts'

export type PreviewInput = {
  kind: AutomationKind
  channel: ChannelType
  language: string
  /** null: a sample customer. */
  customerId: string | null
  /** null: the customer's next one, or a sample. */
  appointmentId: string | null
}

const WEEK = 7 * 86_400_000

const samples = new Map([
  ['en', { name: 'Alex Morgan', service: 'Consultation', staffName: 'Sam' }],
  ['tr', { name: 'Ayşe Yılmaz', service: 'Danışma', staffName: 'Deniz' }],
])

/** A customer and an appointment of nobody, a week from now. */
export function sampleOccasion(kind: AutomationKind, settings: Occasion['settings'], language: string, now: Date): Occasion {
  const sample = samples.get(new Intl.Locale(language).language) ?? { name: 'Alex Morgan', service: 'Consultation', staffName: 'Sam' }
  const startsAt = new Date(Math.floor((now.getTime() + WEEK) / 3_600_000) * 3_600_000)
  const appointment = { service: sample.service, staffId: null, staffName: sample.staffName, startsAt, timezone: settings.timezone }
  return { kind, settings, customer: { name: sample.name, language }, appointment }
}

/** What the message reads like. Throws NotFoundError. */
export async function previewAutomation(deps: Pick<Deps, 'db' | 'clock'>, organizationId: string, input: PreviewInput): Promise<Rendered> {
  const { kind, channel, language } = input
  const settings = await readSettings(deps.db, organizationId)
  const sample = sampleOccasion(kind, settings, language, deps.clock())
  const { rendered } = await fillAutomation(deps.db, await realOccasion(deps, organizationId, input, sample), channel, language)
  return rendered
}

async function realOccasion(
  deps: Pick<Deps, 'db' | 'clock'>,
  organizationId: string,
  { customerId, appointmentId }: PreviewInput,
  sample: Occasion,
): Promise<Occasion> {
  const appointment = appointmentId === null ? null : await deps.db.appointment.findFirst({ where: { id: appointmentId, organizationId } })
  if (appointmentId !== null && appointment === null) throw new NotFoundError('appointment', ['appointmentId'])
  const whose = customerId ?? appointment?.customerId ?? null
  if (whose === null) return sample
  const customer = (await findCustomers(deps, organizationId, [whose])).get(whose)
  if (customer === undefined) throw new NotFoundError('customer', ['customerId'])
  return { ...sample, customer, appointment: appointment ?? (await nextOf(deps.db, customer.id, deps.clock())) ?? sample.appointment }
}

const nextOf = (tx: Tx, customerId: string, now: Date) =>
  tx.appointment.findFirst({
    where: { customerId, status: 'BOOKED', startsAt: { gt: now } },
    orderBy: [{ startsAt: 'asc' }, { id: 'asc' }],
  })
