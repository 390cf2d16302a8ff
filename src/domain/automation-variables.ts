import type { Appointment, Customer } from '../db/generated/client.ts'
import type { AutomationKind } from '../db/generated/enums.ts'
import { ValidationError } from './errors.ts'
import { templateVariables } from './render-template.ts'

const always = ['customer_name', 'customer_full_name', 'business_name', 'review_link'] as const
const ofAppointments = ['service_name', 'staff_name', 'appointment_date', 'appointment_time'] as const

type Variable = (typeof always)[number] | (typeof ofAppointments)[number]

const allowed: Record<AutomationKind, readonly Variable[]> = {
  BOOKING_CONFIRMATION: [...always, ...ofAppointments],
  RESCHEDULE_NOTICE: [...always, ...ofAppointments],
  CANCELLATION_NOTICE: [...always, ...ofAppointments],
  APPOINTMENT_REMINDER: [...always, ...ofAppointments],
  MISSED_CALL_FOLLOW_UP: always,
  // Sent by hand it belongs to no appointment: its service and staff have words that stand for them, a date has none.
  REVIEW_REQUEST: [...always, 'service_name', 'staff_name'],
}

/** The names that the texts of this automation may use. */
export const variablesOf = (kind: AutomationKind): readonly string[] => allowed[kind]

/** Throws a ValidationError that names the variable and those that are allowed. */
export function checkVariables(kind: AutomationKind, text: string | null, path: string[]): void {
  let names: string[]
  try {
    names = templateVariables(text)
  } catch (error) {
    throw new ValidationError((error as Error).message, path)
  }
  for (const name of names) checkVariable(kind, name, path)
}

export function checkVariable(kind: AutomationKind, name: string, path: string[]): void {
  if (variablesOf(kind).includes(name)) return
  throw new ValidationError(`{{${name}}} is not known here. Allowed: ${braced(variablesOf(kind))}.`, path)
}

/** As they are written in a text. */
export const braced = (names: readonly string[]): string => names.map((name) => `{{${name}}}`).join(', ')

/** What stands for a customer without a name, and for a visit of which nothing is known. */
const stand: ReadonlyMap<string, { customer: string; service: string }> = new Map([
  ['en', { customer: 'there', service: 'your visit' }],
  ['tr', { customer: 'değerli müşterimiz', service: 'ziyaretiniz' }],
])

export type Scene = {
  businessName: string
  reviewLink: string | null
  /** Of the message. */
  language: string
  /** In which dates and times are written. */
  dateLanguage: string
  customer: Pick<Customer, 'name'>
  appointment: (Pick<Appointment, 'service' | 'startsAt' | 'timezone'> & { staffName: string | null }) | null
}

/** The values that are known, each of one line; a name that is missing has none. */
export function valuesOf({ businessName, reviewLink, language, dateLanguage, customer, appointment }: Scene): Record<string, string> {
  const words = stand.get(new Intl.Locale(language).language)
  // What a stranger enters as a name must not become a link in the business's message.
  const name = /:\/\/|www\./i.test(customer.name ?? '') ? null : customer.name?.trim() || null
  const values: Record<Variable, string | null | undefined> = {
    customer_name: name?.split(/\s+/)[0] ?? words?.customer ?? '',
    customer_full_name: name ?? words?.customer ?? '',
    business_name: businessName,
    review_link: reviewLink,
    service_name: appointment?.service ?? words?.service,
    staff_name: appointment?.staffName ?? businessName,
    appointment_date: appointment && dateOf(appointment, dateLanguage),
    appointment_time: appointment && timeOf(appointment, dateLanguage),
  }
  return Object.fromEntries(Object.entries(values).flatMap(([name, value]) => (typeof value === 'string' ? [[name, oneLine(value)]] : [])))
}

/** WhatsApp refuses templates with a line break, a tab or five spaces in a value: a service's name may have come from anywhere. */
const oneLine = (text: string): string => text.replaceAll(/\s+/g, ' ').trim()

type At = Pick<Appointment, 'startsAt' | 'timezone'>

const dateOf = ({ startsAt, timezone }: At, language: string): string =>
  plain(startsAt, language, { timeZone: timezone, dateStyle: 'full' })

const timeOf = ({ startsAt, timezone }: At, language: string): string =>
  plain(startsAt, language, { timeZone: timezone, timeStyle: 'short' })

/** CLDR's narrow no-break spaces would make every SMS a UCS-2 one, of 70 characters instead of 160. */
const plain = (at: Date, language: string, options: Intl.DateTimeFormatOptions): string =>
  new Intl.DateTimeFormat(language, options).format(at).replaceAll(/[\u202f\u00a0]/g, ' ')
