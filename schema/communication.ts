import type { Attachment as AttachmentRow, Communication as Row } from '../src/db/generated/client.ts'
import { type CommunicationFilter, communicationList } from '../src/domain/list-communications.ts'
import { checkedPage, type PageArguments } from '../src/domain/page.ts'
import type { Written } from '../src/domain/store-messages.ts'
import { Attachment } from './attachment.ts'
import { builder } from './builder.ts'
import { ChannelAccount } from './channel-account.ts'
import { columnsOf } from './columns.ts'
import { column, foundById, part, reference, rowsOf, timeColumn, value } from './compiled/field.ts'
import { type Context, organizationOf } from './context.ts'
import { CallOutcome, ChannelType, CommunicationType, DeliveryStatus, Direction, MessagePurpose } from './enums.ts'
import { localId } from './global-id.ts'
import { batched, inOrder } from './loaders.ts'
import { Member } from './organization.ts'
import { type Paged, paged, pageFor } from './pagination.ts'

const Failure = builder.objectRef<{ code: string; message: string }>('DeliveryFailure').implement({
  description: 'Why a message was not sent or not delivered.',
  fields: (t) => ({
    code: t.exposeString('code', { ...column('code'), description: "The provider's own code, or ours where the provider was not asked." }),
    message: t.exposeString('message', { ...column('message'), description: 'A sentence for people.' }),
  }),
})

const Call = builder.objectRef<Row>('CallDetails').implement({
  description: 'How a call went; null: not known.',
  fields: (t) => ({
    outcome: t.field({ type: CallOutcome, nullable: true, ...column('call_outcome'), resolve: (row) => row.callOutcome }),
    startedAt: t.field({ type: 'DateTime', nullable: true, ...timeColumn('call_started_at'), resolve: (row) => row.callStartedAt }),
    durationSeconds: t.int({ nullable: true, ...column('call_seconds'), resolve: (row) => row.callSeconds }),
  }),
})

const failureOf = (row: string, item: string): string =>
  `(SELECT ${row}.failure_code AS code, coalesce(${row}.failure_message, ${row}.failure_code) AS message) AS ${item} WHERE ${item}.code IS NOT NULL`

const callOf = (row: string, item: string): string =>
  `(SELECT ${row}.call_outcome, ${row}.call_started_at, ${row}.call_seconds WHERE ${row}.type = 'CALL_LOG') AS ${item}`

export const Communication = builder.loadableNodeRef('Communication', {
  id: { resolve: (communication) => communication.id },
  load: async (ids: string[], context: Context) =>
    inOrder(
      ids,
      await context.deps.db.communication.findMany({
        where: { id: { in: ids }, organizationId: organizationOf(context) },
        ...columnsOf(context, 'Communication'),
      }),
    ),
})
Communication.implement({
  description: 'One entry of the log: a message, a note or a call.',
  fields: (t) => ({
    type: t.field({ type: CommunicationType, ...column('type'), resolve: (row) => row.type }),
    direction: t.field({ type: Direction, ...column('direction'), resolve: (row) => row.direction }),
    subject: t.exposeString('subject', { ...column('subject'), nullable: true, description: 'Of an e-mail.' }),
    body: t.exposeString('body', {
      ...column('body'),
      description: 'Plain text as it was written; empty where there was none, e.g. a picture alone.',
    }),
    payload: t.field({
      type: 'JSON',
      nullable: true,
      description: 'What the channel said beyond text: a location, a button, a referral.',
      ...value((row) => `CASE WHEN ${row}.direction = 'INBOUND' THEN ${row}.payload END`),
      resolve: (row) => (row.direction === 'INBOUND' ? row.payload : null),
    }),
    deliveryStatus: t.field({
      type: DeliveryStatus,
      nullable: true,
      description: 'Of outbound messages.',
      ...column('delivery_status'),
      resolve: (row) => row.deliveryStatus,
    }),
    failure: t.field({
      type: Failure,
      nullable: true,
      description: 'Of a message that is FAILED.',
      ...part(['failure_code', 'failure_message'], failureOf),
      resolve: (row) => (row.failureCode === null ? null : { code: row.failureCode, message: row.failureMessage ?? row.failureCode }),
    }),
    externalMessageId: t.exposeString('externalMessageId', {
      ...column('external_message_id'),
      nullable: true,
      description: "The provider's id, e.g. Twilio's MessageSid.",
    }),
    idempotencyKey: t.exposeString('idempotencyKey', {
      ...column('idempotency_key'),
      nullable: true,
      description: 'As it was given to `sendMessage`.',
    }),
    purpose: t.field({
      type: MessagePurpose,
      description: 'Which consent it needed.',
      ...column('purpose'),
      resolve: (row) => row.purpose,
    }),
    carriedBy: t.field({
      type: ChannelType,
      nullable: true,
      description: 'The channel that really carried it, where the provider fell back to another.',
      ...column('carried_by'),
      resolve: (row) => row.carriedBy,
    }),
    editedAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'When the customer last changed it: see `edits`.',
      ...timeColumn('edited_at'),
      resolve: (row) => row.editedAt,
    }),
    isRevoked: t.boolean({
      description: 'The sender took it back: its text and files are gone.',
      ...value((row) => `${row}.revoked_at IS NOT NULL`),
      resolve: (row) => row.revokedAt !== null,
    }),
    revokedAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'When the sender took it back; null: it stands.',
      ...timeColumn('revoked_at'),
      resolve: (row) => row.revokedAt,
    }),
    isRead: t.exposeBoolean('isRead', {
      ...column('is_read'),
      description: 'Someone on the staff has read it. Only inbound messages start unread.',
    }),
    call: t.field({
      type: Call,
      nullable: true,
      description: 'Of type CALL_LOG.',
      ...part(['type', 'call_outcome', 'call_started_at', 'call_seconds'], callOf),
      resolve: (row) => (row.type === 'CALL_LOG' ? row : null),
    }),
    createdAt: t.field({
      type: 'DateTime',
      description: 'When it was received or written here.',
      ...timeColumn('created_at'),
      resolve: (row) => row.createdAt,
    }),
    sendAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'When a scheduled message is to go out.',
      ...timeColumn('send_at'),
      resolve: (row) => row.sendAt,
    }),
    sentAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'Outbound: when the provider took it. Inbound: when the customer sent it, by the provider’s clock.',
      ...timeColumn('sent_at'),
      resolve: (row) => row.sentAt,
    }),
    deliveredAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'Outbound: when it arrived, where the channel tells.',
      ...timeColumn('delivered_at'),
      resolve: (row) => row.deliveredAt,
    }),
    readAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'Outbound: when the customer read it. Inbound: when the staff did.',
      ...timeColumn('read_at'),
      resolve: (row) => row.readAt,
    }),
    author: t.field({
      type: Member,
      nullable: true,
      description: 'Who on the staff wrote it; null for inbound messages and API keys.',
      ...reference('member', 'author_id'),
      resolve: (row) => row.authorId,
    }),
    channelAccount: t.field({
      type: ChannelAccount,
      nullable: true,
      description:
        'null: a note, or a call logged by hand that belongs to no conversation. Of a call on a number that no account has: the account whose credentials the provider signed with.',
      ...reference('channel_account', 'channel_account_id'),
      resolve: (row) => row.channelAccountId,
    }),
    attachments: t.field({
      type: [Attachment],
      ...rowsOf('attachment', 'communication_id'),
      resolve: (row, _args, context) =>
        (row as Written).attachments ?? batched(context, 'attachments', null, row.id, (ids) => attachmentsOf(context, ids)),
    }),
  }),
})

async function attachmentsOf(context: Context, communicationIds: readonly string[]): Promise<Map<string, AttachmentRow[]>> {
  const rows = await context.deps.db.attachment.findMany({
    where: { communicationId: { in: [...communicationIds] }, organizationId: organizationOf(context) },
    orderBy: { id: 'asc' },
    ...columnsOf(context, 'Attachment', 'communication_id'),
  })
  const found = Map.groupBy(rows, ({ communicationId }) => communicationId)
  return new Map(communicationIds.map((id) => [id, found.get(id) ?? []]))
}

export const CommunicationConnection = builder.connectionObject(
  { type: Communication, name: 'CommunicationConnection', description: 'A page of communications.' },
  { name: 'CommunicationEdge' },
)

export const CommunicationFilterInput = builder.inputType('CommunicationFilter', {
  description: 'Conditions that all hold.',
  fields: (t) => ({
    types: t.field({ type: [CommunicationType] }),
    direction: t.field({ type: Direction }),
    unread: t.boolean({ description: 'true: inbound and not read; false: everything else.' }),
    since: t.field({ type: 'DateTime', description: 'Not older than this.' }),
    until: t.field({ type: 'DateTime', description: 'Older than this.' }),
    search: t.string({ description: 'A part of body or subject, in any case.' }),
  }),
})

type ListArguments = PageArguments & { filter?: CommunicationFilter | null }

const communicationsBy = (column: Paged<ListArguments>['column'], newestFirst: boolean): Paged<ListArguments> => ({
  list: (context, args) => communicationList(organizationOf(context), args.filter ?? {}, checkedPage(args), newestFirst),
  column,
})

/** What the connections of conversations and customers show: oldest first. Throws ValidationError. */
export const thread = (column: 'conversation_id' | 'customer_id') => communicationsBy(column, false)

const queue = communicationsBy('organization_id', true)

builder.queryFields((t) => ({
  communication: t.field({
    type: Communication,
    nullable: true,
    args: { id: t.arg.id({ required: true }) },
    ...foundById('Communication', 'communication', false),
    resolve: (_root, { id }) => localId('Communication', id),
  }),
  communications: t.connection(
    {
      type: Communication,
      description: 'Every communication of the organization, newest first. Pages of 1 to 100.',
      args: { filter: t.arg({ type: CommunicationFilterInput }) },
      ...paged(queue),
      resolve: (_root, args, context) => pageFor(context, queue, organizationOf(context), args),
    },
    CommunicationConnection,
  ),
}))
