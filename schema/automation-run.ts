import type { AutomationRun as Row } from '../src/db/generated/client.ts'
import { findCustomers } from '../src/domain/customers.ts'
import { IdempotencyConflictError, NotFoundError, ValidationError } from '../src/domain/errors.ts'
import { automationRunList } from '../src/domain/list-automation-runs.ts'
import { checkedPage } from '../src/domain/page.ts'
import { requestReview } from '../src/domain/request-review.ts'
import { Appointment } from './appointment.ts'
import { builder } from './builder.ts'
import { columnsOf } from './columns.ts'
import { Communication } from './communication.ts'
import { column, reads, reference, survivorOf, timeColumn } from './compiled/field.ts'
import { actorOf, type Context, organizationOf } from './context.ts'
import { Customer } from './customer.ts'
import { AutomationKind, AutomationReason, AutomationRunStatus, ChannelType } from './enums.ts'
import { localId, optionalId, requiredId } from './global-id.ts'
import { batched, inOrder } from './loaders.ts'
import { Member } from './organization.ts'
import { listedPage, pageCost } from './pagination.ts'
import { TimelineEvent } from './timeline.ts'

export const AutomationRun = builder.loadableNodeRef('AutomationRun', {
  id: { resolve: (run) => run.id },
  load: async (ids: string[], context: Context) =>
    inOrder(
      ids,
      await context.deps.db.automationRun.findMany({
        where: { id: { in: ids }, organizationId: organizationOf(context) },
        ...columnsOf(context, 'AutomationRun'),
      }),
    ),
})
AutomationRun.implement({
  description:
    'One automated message on one channel: when it is due, and what became of it. Where a channel cannot be used, the next one has a run of its own (`fallbackOf`).',
  fields: (t) => ({
    kind: t.field({ type: AutomationKind, ...column('kind'), resolve: (run) => run.kind }),
    channel: t.field({ type: ChannelType, ...column('channel'), resolve: (run) => run.channel }),
    step: t.exposeInt('step', { ...column('step'), description: 'The place of the channel in the order of this run’s cause: 0, 1, ….' }),
    status: t.field({ type: AutomationRunStatus, ...column('status'), resolve: (run) => run.status }),
    reason: t.field({ type: AutomationReason, nullable: true, description: 'Why it was not sent.', resolve: (run) => run.reason }),
    detail: t.exposeString('detail', { ...column('detail'), nullable: true, description: 'The reason in a sentence for people.' }),
    dueAt: t.field({ type: 'DateTime', ...timeColumn('due_at'), resolve: (run) => run.dueAt }),
    heldUntil: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'The end of the quiet hours that it waits for, as they were set when it was held.',
      ...timeColumn('held_until'),
      resolve: (run) => run.heldUntil,
    }),
    settledAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'When it was sent or skipped.',
      ...timeColumn('settled_at'),
      resolve: (run) => run.settledAt,
    }),
    createdAt: t.field({ type: 'DateTime', ...timeColumn('created_at'), resolve: (run) => run.createdAt }),
    minutesBefore: t.exposeInt('minutesBefore', {
      ...column('minutes_before'),
      nullable: true,
      description: 'Of a reminder: before the appointment.',
    }),
    customer: t.field({ type: Customer, ...survivorOf('customer', 'customer_id'), resolve: (run) => run.customerId }),
    appointment: t.field({
      type: Appointment,
      nullable: true,
      ...reference('appointment', 'appointment_id'),
      resolve: (run) => run.appointmentId,
    }),
    call: t.field({
      type: Communication,
      nullable: true,
      description: 'The missed call that it follows up.',
      ...reference('communication', 'call_id'),
      resolve: (run) => run.callId,
    }),
    communication: t.field({
      type: Communication,
      nullable: true,
      description: 'The message; null: none was written.',
      ...reads(),
      resolve: async (run, _args, context) =>
        (await batched(context, 'messages of runs', null, run.id, (ids) => messagesOf(context, ids))).id,
    }),
    actor: t.field({
      type: Member,
      nullable: true,
      description: 'Who asked for it by hand; null: it came by itself, or by an API key.',
      ...reference('member', 'actor_id'),
      resolve: (run) => run.actorId,
    }),
  }),
})
builder.objectField(AutomationRun, 'fallbackOf', (t) =>
  t.field({
    type: AutomationRun,
    nullable: true,
    description: 'The run on the channel before, which could not be used.',
    ...reference('automation_run', 'fallback_of_id'),
    resolve: (run) => run.fallbackOfId,
  }),
)
builder.objectField(Communication, 'automationRun', (t) =>
  t.field({ type: AutomationRun, nullable: true, description: 'The automation that wrote it.', resolve: (row) => row.automationRunId }),
)
builder.objectField(TimelineEvent, 'automationRun', (t) =>
  t.field({
    type: AutomationRun,
    nullable: true,
    description: 'What it is about, as it is now.',
    resolve: ({ data }) => (typeof data.automationRunId === 'string' ? data.automationRunId : null),
  }),
)

async function messagesOf(context: Context, runIds: readonly string[]): Promise<Map<string, { id: string | null }>> {
  const rows = await context.deps.db.communication.findMany({
    where: { automationRunId: { in: [...runIds] }, organizationId: organizationOf(context) },
    select: { id: true, automationRunId: true },
  })
  return new Map(runIds.map((id) => [id, { id: rows.find((row) => row.automationRunId === id)?.id ?? null }]))
}

const AutomationRunConnection = builder.connectionObject(
  { type: AutomationRun, name: 'AutomationRunConnection', description: 'A page of automated messages.' },
  { name: 'AutomationRunEdge' },
)

const Filter = builder.inputType('AutomationRunFilter', {
  description: 'Conditions that all hold.',
  fields: (t) => ({
    kinds: t.field({ type: [AutomationKind] }),
    statuses: t.field({ type: [AutomationRunStatus] }),
    reasons: t.field({ type: [AutomationReason] }),
    channel: t.field({ type: ChannelType }),
    customerId: t.id(),
    appointmentId: t.id(),
    dueSince: t.field({ type: 'DateTime', description: 'Due then or later.' }),
    dueUntil: t.field({ type: 'DateTime', description: 'Due before then.' }),
  }),
})

async function localFilter<Given extends { customerId?: string | null; appointmentId?: string | null }>(context: Context, filter: Given) {
  const customerId = optionalId('Customer', filter.customerId, ['filter', 'customerId'])
  const survivors = customerId === null ? null : await findCustomers(context.deps, organizationOf(context), [customerId])
  return {
    ...filter,
    customerId: customerId === null ? null : (survivors?.get(customerId)?.id ?? customerId),
    appointmentId: optionalId('Appointment', filter.appointmentId, ['filter', 'appointmentId']),
  }
}

builder.queryFields((t) => ({
  automationRun: t.field({
    type: AutomationRun,
    nullable: true,
    args: { id: t.arg.id({ required: true }) },
    resolve: (_root, { id }) => localId('AutomationRun', id),
  }),
  automationRuns: t.connection(
    {
      type: AutomationRun,
      description: 'What was sent by itself, is to be sent, and was not sent and why; by its due time, latest first. Pages of 1 to 100.',
      complexity: pageCost,
      args: { filter: t.arg({ type: Filter }) },
      resolve: async (_root, args, context) => {
        const filter = await localFilter(context, args.filter ?? {})
        const query = automationRunList(organizationOf(context), filter, checkedPage(args))
        return listedPage(context, query, 'organization_id', organizationOf(context))
      },
    },
    AutomationRunConnection,
  ),
}))

const RequestReview = builder.inputType('RequestReviewInput', {
  fields: (t) => ({
    customerId: t.id({ required: true }),
    idempotencyKey: t.string({ description: '1 to 200 characters. The same key gives the same request, however often.' }),
  }),
})

const RequestReviewSuccess = builder.objectRef<{ run: Row }>('RequestReviewSuccess').implement({
  fields: (t) => ({
    automationRun: t.field({
      type: AutomationRun,
      description: 'It is worked on at once: see `status` a moment later.',
      resolve: ({ run }) => run,
    }),
  }),
})

builder.mutationField('requestReview', (t) =>
  t.field({
    type: RequestReviewSuccess,
    description:
      'AGENT. Asks one customer for a review, with the texts and channels of REVIEW_REQUEST; refused while that is switched off, and while each of its texts uses a value that is not there, such as the review link.',
    authScopes: { role: 'AGENT' },
    errors: { types: [ValidationError, NotFoundError, IdempotencyConflictError] },
    args: { input: t.arg({ type: RequestReview, required: true }) },
    resolve: async (_root, { input }, context) => ({
      run: await requestReview(context.deps, actorOf(context), {
        ...input,
        customerId: requiredId('Customer', input.customerId, ['input', 'customerId']),
      }),
    }),
  }),
)
