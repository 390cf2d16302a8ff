import type { Appointment as Row } from '../src/db/generated/client.ts'
import { cancelAppointment, completeAppointment, createAppointment, rescheduleAppointment } from '../src/domain/appointments.ts'
import { IdempotencyConflictError, NotFoundError, ValidationError } from '../src/domain/errors.ts'
import { Appointment } from './appointment.ts'
import { builder } from './builder.ts'
import { actorOf } from './context.ts'
import { Identity, withAccounts } from './customer-mutations.ts'
import { optionalId } from './global-id.ts'

const Contact = builder.inputType('AppointmentContactInput', {
  description:
    'A person by their addresses: found by the first of them that is known, or made. What is new about them is added; an address of somebody else is a merge suggestion.',
  fields: (t) => ({
    name: t.string({ description: 'At most 200 characters; a name that is known already stays.' }),
    identities: t.field({ type: [Identity], required: true, description: '1 to 20, e.g. a phone number and an e-mail address.' }),
  }),
})

const Whose = builder.inputType('AppointmentCustomerInput', {
  isOneOf: true,
  description: 'Whose appointment: exactly one of these.',
  fields: (t) => ({ customerId: t.id(), contact: t.field({ type: Contact }) }),
})

const Staff = builder.inputType('AppointmentStaffInput', {
  isOneOf: true,
  description: 'With whom: exactly one of these.',
  fields: (t) => ({ memberId: t.id(), name: t.string({ description: 'At most 200 characters.' }) }),
})

const Target = builder.inputType('AppointmentTargetInput', {
  isOneOf: true,
  description: 'Which appointment: exactly one of these.',
  fields: (t) => ({ appointmentId: t.id(), externalId: t.string({ description: 'As it was given to `createAppointment`.' }) }),
})

const times = {
  endsAt: 'After the start, by at most 31 days.',
  timezone: "IANA name, e.g. Europe/Istanbul: messages say date and time in it. Absent: the organization's.",
}

const Create = builder.inputType('CreateAppointmentInput', {
  fields: (t) => ({
    customer: t.field({ type: Whose, required: true }),
    externalId: t.string({
      description: 'Your own id, 1 to 200 characters: the same id and the same input give the same appointment, however often.',
    }),
    service: t.string({ required: true, description: 'What it is for: 1 to 200 characters.' }),
    staff: t.field({ type: Staff }),
    startsAt: t.field({ type: 'DateTime', required: true, description: 'May be in the past: then nothing is sent.' }),
    endsAt: t.field({ type: 'DateTime', required: true, description: times.endsAt }),
    timezone: t.string({ description: times.timezone }),
  }),
})

const Reschedule = builder.inputType('RescheduleAppointmentInput', {
  fields: (t) => ({
    appointment: t.field({ type: Target, required: true }),
    startsAt: t.field({ type: 'DateTime', required: true }),
    endsAt: t.field({ type: 'DateTime', description: `${times.endsAt} Absent: it takes as long as before.` }),
    timezone: t.string({ description: 'Absent: as before.' }),
  }),
})

const targetInput = (name: string) =>
  builder.inputType(name, { fields: (t) => ({ appointment: t.field({ type: Target, required: true }) }) })

const success = (name: string) =>
  builder.objectRef<{ appointment: Row }>(name).implement({
    fields: (t) => ({ appointment: t.field({ type: Appointment, resolve: ({ appointment }) => appointment }) }),
  })

const local = ({ appointmentId, externalId }: { appointmentId?: string | null; externalId?: string | null }) => ({
  appointmentId: optionalId('Appointment', appointmentId, ['input', 'appointment', 'appointmentId']),
  externalId: externalId ?? null,
})

const authScopes = { role: 'AGENT' } as const

builder.mutationFields((t) => ({
  createAppointment: t.field({
    type: success('CreateAppointmentSuccess'),
    description: 'AGENT. By hand, or by API key from a booking system. Plans its confirmation and reminders.',
    authScopes,
    errors: { types: [ValidationError, NotFoundError, IdempotencyConflictError] },
    args: { input: t.arg({ type: Create, required: true }) },
    resolve: async (_root, { input }, context) => {
      const { customer, staff } = input
      const path = ['input', 'customer']
      const contact = customer.contact && {
        name: customer.contact.name ?? null,
        identities: withAccounts(customer.contact.identities, [...path, 'contact', 'identities']),
      }
      const appointment = await createAppointment(context.deps, actorOf(context), {
        ...input,
        customer: { customerId: optionalId('Customer', customer.customerId, [...path, 'customerId']), contact: contact ?? null },
        staff: staff && { memberId: optionalId('Member', staff.memberId, ['input', 'staff', 'memberId']), name: staff.name ?? null },
      })
      return { appointment }
    },
  }),
  rescheduleAppointment: t.field({
    type: success('RescheduleAppointmentSuccess'),
    description:
      'AGENT. Messages about the former time are not sent any more; a notice and the reminders of the new one are planned. To the same time again changes nothing.',
    authScopes,
    errors: { types: [ValidationError, NotFoundError] },
    args: { input: t.arg({ type: Reschedule, required: true }) },
    resolve: async (_root, { input }, context) => ({
      appointment: await rescheduleAppointment(context.deps, actorOf(context), { ...input, appointment: local(input.appointment) }),
    }),
  }),
  cancelAppointment: t.field({
    type: success('CancelAppointmentSuccess'),
    description: 'AGENT. Its messages are not sent any more; a notice is planned. Canceling again changes nothing.',
    authScopes,
    errors: { types: [ValidationError, NotFoundError] },
    args: { input: t.arg({ type: targetInput('CancelAppointmentInput'), required: true }) },
    resolve: async (_root, { input }, context) => ({
      appointment: await cancelAppointment(context.deps, actorOf(context), local(input.appointment)),
    }),
  }),
  completeAppointment: t.field({
    type: success('CompleteAppointmentSuccess'),
    description: 'AGENT. The customer was there: a review request is planned, where the settings say so. Completing again changes nothing.',
    authScopes,
    errors: { types: [ValidationError, NotFoundError] },
    args: { input: t.arg({ type: targetInput('CompleteAppointmentInput'), required: true }) },
    resolve: async (_root, { input }, context) => ({
      appointment: await completeAppointment(context.deps, actorOf(context), local(input.appointment)),
    }),
  }),
}))
