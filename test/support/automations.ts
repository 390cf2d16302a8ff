import type { TypedDocumentNode } from '@graphql-typed-document-node/core'
import {
  type AppointmentTargetInput,
  type AutomationRunFilter,
  type AutomationRunItemFragment,
  AutomationRunsDocument,
  CancelAppointmentDocument,
  CompleteAppointmentDocument,
  CreateAppointmentDocument,
  type CreateAppointmentInput,
  CustomerHistoryDocument,
  RescheduleAppointmentDocument,
  type RescheduleAppointmentInput,
  UpdateNotificationSettingsDocument,
  type UpdateNotificationSettingsInput,
} from '../generated/graphql.ts'
import type { TestApp } from './app.ts'
import { member, present } from './result.ts'

type Ask = <Data, Variables>(document: TypedDocumentNode<Data, Variables>, variables: Variables) => Promise<Data>

export type Booking = Partial<CreateAppointmentInput> & { phone?: string; name?: string }

let phones = 0
/** A phone number that no other test of this file uses. */
export const nextPhone = (): string => `+90555222${String(++phones).padStart(4, '0')}`

/** A contact with that number, and that address. */
export const contact = (phone: string, name: string | null = 'Ada Lovelace', email?: string) => ({
  contact: {
    name,
    identities: [{ kind: 'PHONE' as const, value: phone }, ...(email === undefined ? [] : [{ kind: 'EMAIL' as const, value: email }])],
  },
})

/** What the tests of automated messages ask of the graph. */
export function automating({ deps }: Pick<TestApp, 'deps'>, ask: Ask) {
  const tryBook = async ({ phone, name, ...more }: Booking = {}) => {
    const startsAt = more.startsAt ?? new Date(deps.clock().getTime() + 3 * 86_400_000).toISOString()
    const endsAt = new Date(Date.parse(startsAt) + 3_600_000).toISOString()
    const input = { customer: contact(phone ?? nextPhone(), name), service: 'Haircut', startsAt, endsAt, ...more }
    return present((await ask(CreateAppointmentDocument, { input })).createAppointment)
  }
  const tryReschedule = async (input: RescheduleAppointmentInput) =>
    present((await ask(RescheduleAppointmentDocument, { input })).rescheduleAppointment)
  const tryCancel = async (appointment: AppointmentTargetInput) =>
    present((await ask(CancelAppointmentDocument, { input: { appointment } })).cancelAppointment)
  const tryComplete = async (appointment: AppointmentTargetInput) =>
    present((await ask(CompleteAppointmentDocument, { input: { appointment } })).completeAppointment)
  const runs = async (filter: AutomationRunFilter) =>
    (await ask(AutomationRunsDocument, { filter, first: 100 })).automationRuns.nodes.toReversed()
  return {
    tryBook,
    tryReschedule,
    tryCancel,
    tryComplete,
    book: async (booking: Booking = {}) => member(await tryBook(booking), 'CreateAppointmentSuccess').appointment,
    reschedule: async (appointmentId: string, startsAt: string, more: Omit<RescheduleAppointmentInput, 'appointment' | 'startsAt'> = {}) =>
      member(await tryReschedule({ appointment: { appointmentId }, startsAt, ...more }), 'RescheduleAppointmentSuccess').appointment,
    cancel: async (appointmentId: string) => member(await tryCancel({ appointmentId }), 'CancelAppointmentSuccess').appointment,
    complete: async (appointmentId: string) => member(await tryComplete({ appointmentId }), 'CompleteAppointmentSuccess').appointment,
    set: async (input: UpdateNotificationSettingsInput) =>
      member((await ask(UpdateNotificationSettingsDocument, { input })).updateNotificationSettings, 'UpdateNotificationSettingsSuccess')
        .notificationSettings,
    /** Earliest due first. */
    runs,
    runsOf: (appointmentId: string) => runs({ appointmentId }),
    /** Newest first. */
    history: async (customerId: string) => present((await ask(CustomerHistoryDocument, { id: customerId })).customer).timeline.nodes,
  }
}

/** A line for each: kind, channel, status and reason. */
export const brief = (runs: readonly AutomationRunItemFragment[]): string[] =>
  runs.map(({ kind, channel, status, reason }) => [kind, channel, status, reason].filter((word) => word !== null).join(' '))

/** What was written for customers. */
export const bodies = (runs: readonly AutomationRunItemFragment[]): string[] =>
  runs.flatMap(({ communication }) => communication?.body ?? [])
