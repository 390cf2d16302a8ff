import { type AppointmentFilter, appointmentList } from '../src/domain/list-appointments.ts'
import { checkedPage, type PageArguments } from '../src/domain/page.ts'
import { builder } from './builder.ts'
import { columnsOf } from './columns.ts'
import { column, reference, survivorOf, timeColumn } from './compiled/field.ts'
import { type Context, organizationOf } from './context.ts'
import { Customer } from './customer.ts'
import { AppointmentStatus } from './enums.ts'
import { localId } from './global-id.ts'
import { inOrder } from './loaders.ts'
import { Member } from './organization.ts'
import { type Paged, pageCost, pageFor } from './pagination.ts'
import { TimelineEvent } from './timeline.ts'

export const Appointment = builder.loadableNodeRef('Appointment', {
  id: { resolve: (appointment) => appointment.id },
  load: async (ids: string[], context: Context) =>
    inOrder(
      ids,
      await context.deps.db.appointment.findMany({
        where: { id: { in: ids }, organizationId: organizationOf(context) },
        ...columnsOf(context, 'Appointment'),
      }),
    ),
})
Appointment.implement({
  description: 'A customer’s visit at a time. Its confirmations, reminders and notices are in `automationRuns`.',
  fields: (t) => ({
    externalId: t.exposeString('externalId', {
      ...column('external_id'),
      nullable: true,
      description: 'The id in the system that made it.',
    }),
    customer: t.field({ type: Customer, ...survivorOf('customer', 'customer_id'), resolve: (row) => row.customerId }),
    service: t.exposeString('service', { ...column('service'), description: 'What it is for, e.g. a haircut.' }),
    staffMember: t.field({ type: Member, nullable: true, ...reference('member', 'staff_id'), resolve: (row) => row.staffId }),
    staffName: t.exposeString('staffName', { ...column('staff_name'), nullable: true, description: 'Of somebody who is no member here.' }),
    startsAt: t.field({ type: 'DateTime', ...timeColumn('starts_at'), resolve: (row) => row.startsAt }),
    endsAt: t.field({ type: 'DateTime', ...timeColumn('ends_at'), resolve: (row) => row.endsAt }),
    timezone: t.exposeString('timezone', { ...column('timezone'), description: 'IANA name: messages say its date and time in it.' }),
    status: t.field({ type: AppointmentStatus, ...column('status'), resolve: (row) => row.status }),
    statusChangedAt: t.field({ type: 'DateTime', ...timeColumn('status_changed_at'), resolve: (row) => row.statusChangedAt }),
    createdAt: t.field({ type: 'DateTime', ...timeColumn('created_at'), resolve: (row) => row.createdAt }),
  }),
})

export const AppointmentConnection = builder.connectionObject(
  { type: Appointment, name: 'AppointmentConnection', description: 'A page of appointments.' },
  { name: 'AppointmentEdge' },
)

const Filter = builder.inputType('AppointmentFilter', {
  description: 'Conditions that all hold.',
  fields: (t) => ({
    statuses: t.field({ type: [AppointmentStatus] }),
    externalId: t.string(),
    since: t.field({ type: 'DateTime', description: 'Those that begin then or later.' }),
    until: t.field({ type: 'DateTime', description: 'Those that begin before then.' }),
  }),
})

type ListArguments = PageArguments & { filter?: AppointmentFilter | null }

const appointmentsBy = (column: Paged<ListArguments>['column']): Paged<ListArguments> => ({
  list: (context, args) => appointmentList(organizationOf(context), args.filter ?? {}, checkedPage(args)),
  column,
})

builder.objectField(Customer, 'appointments', (t) =>
  t.connection(
    {
      type: Appointment,
      description: 'Soonest first.',
      complexity: pageCost,
      args: { filter: t.arg({ type: Filter }) },
      resolve: (customer, args, context) => pageFor(context, appointmentsBy('customer_id'), customer.id, args),
    },
    AppointmentConnection,
  ),
)

builder.objectField(TimelineEvent, 'appointment', (t) =>
  t.field({
    type: Appointment,
    nullable: true,
    description: 'What it is about, as it is now.',
    resolve: ({ data }) => (typeof data.appointmentId === 'string' ? data.appointmentId : null),
  }),
)

builder.queryFields((t) => ({
  appointment: t.field({
    type: Appointment,
    nullable: true,
    args: { id: t.arg.id({ required: true }) },
    resolve: (_root, { id }) => localId('Appointment', id),
  }),
  appointments: t.connection(
    {
      type: Appointment,
      description: 'Of the whole organization, soonest first. Pages of 1 to 100.',
      complexity: pageCost,
      args: { filter: t.arg({ type: Filter }) },
      resolve: (_root, args, context) => pageFor(context, appointmentsBy('organization_id'), organizationOf(context), args),
    },
    AppointmentConnection,
  ),
}))
