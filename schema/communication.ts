import type { Communication as Row } from '../src/db/generated/client.ts'
import {
  type CommunicationFilter,
  type CommunicationScope,
  communicationCursor,
  listCommunications,
} from '../src/domain/list-communications.ts'
import { checkedPage, type PageArguments } from '../src/domain/page.ts'
import { Attachment } from './attachment.ts'
import { builder } from './builder.ts'
import { ChannelAccount } from './channel-account.ts'
import { type Context, organizationOf } from './context.ts'
import { CallOutcome, ChannelType, CommunicationType, DeliveryStatus, Direction, MessagePurpose } from './enums.ts'
import { localId } from './global-id.ts'
import { batched, inOrder } from './loaders.ts'
import { Member } from './organization.ts'
import { connectionOf, pageCost } from './pagination.ts'

const Failure = builder.objectRef<{ code: string; message: string }>('DeliveryFailure').implement({
  description: 'Why a message was not sent or not delivered.',
  fields: (t) => ({
    code: t.exposeString('code', { description: "The provider's own code, or ours where the provider was not asked." }),
    message: t.exposeString('message', { description: 'A sentence for people.' }),
  }),
})

const Call = builder.objectRef<Row>('CallDetails').implement({
  description: 'How a call went; null: not known.',
  fields: (t) => ({
    outcome: t.field({ type: CallOutcome, nullable: true, resolve: (row) => row.callOutcome }),
    startedAt: t.field({ type: 'DateTime', nullable: true, resolve: (row) => row.callStartedAt }),
    durationSeconds: t.int({ nullable: true, resolve: (row) => row.callSeconds }),
  }),
})

export const Communication = builder.loadableNodeRef('Communication', {
  id: { resolve: (communication) => communication.id },
  load: async (ids: string[], context: Context) =>
    inOrder(ids, await context.deps.db.communication.findMany({ where: { id: { in: ids }, organizationId: organizationOf(context) } })),
})
Communication.implement({
  description: 'One entry of the log: a message, a note or a call.',
  fields: (t) => ({
    type: t.field({ type: CommunicationType, resolve: (row) => row.type }),
    direction: t.field({ type: Direction, resolve: (row) => row.direction }),
    subject: t.exposeString('subject', { nullable: true, description: 'Of an e-mail.' }),
    body: t.exposeString('body', { description: 'Plain text as it was written; empty where there was none, e.g. a picture alone.' }),
    payload: t.field({
      type: 'JSON',
      nullable: true,
      description: 'What the channel said beyond text: a location, a button, a referral.',
      resolve: (row) => (row.direction === 'INBOUND' ? row.payload : null),
    }),
    deliveryStatus: t.field({
      type: DeliveryStatus,
      nullable: true,
      description: 'Of outbound messages.',
      resolve: (row) => row.deliveryStatus,
    }),
    failure: t.field({
      type: Failure,
      nullable: true,
      description: 'Of a message that is FAILED.',
      resolve: (row) => (row.failureCode === null ? null : { code: row.failureCode, message: row.failureMessage ?? row.failureCode }),
    }),
    externalMessageId: t.exposeString('externalMessageId', { nullable: true, description: "The provider's id, e.g. Twilio's MessageSid." }),
    idempotencyKey: t.exposeString('idempotencyKey', { nullable: true, description: 'As it was given to `sendMessage`.' }),
    purpose: t.field({ type: MessagePurpose, description: 'Which consent it needed.', resolve: (row) => row.purpose }),
    carriedBy: t.field({
      type: ChannelType,
      nullable: true,
      description: 'The channel that really carried it, where the provider fell back to another.',
      resolve: (row) => row.carriedBy,
    }),
    editedAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'When the customer last changed it: see `edits`.',
      resolve: (row) => row.editedAt,
    }),
    isRevoked: t.boolean({
      description: 'The sender took it back: its text and files are gone.',
      resolve: (row) => row.revokedAt !== null,
    }),
    revokedAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'When the sender took it back; null: it stands.',
      resolve: (row) => row.revokedAt,
    }),
    isRead: t.exposeBoolean('isRead', { description: 'Someone on the staff has read it. Only inbound messages start unread.' }),
    call: t.field({
      type: Call,
      nullable: true,
      description: 'Of type CALL_LOG.',
      resolve: (row) => (row.type === 'CALL_LOG' ? row : null),
    }),
    createdAt: t.field({ type: 'DateTime', description: 'When it was received or written here.', resolve: (row) => row.createdAt }),
    sendAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'When a scheduled message is to go out.',
      resolve: (row) => row.sendAt,
    }),
    sentAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'Outbound: when the provider took it. Inbound: when the customer sent it, by the provider’s clock.',
      resolve: (row) => row.sentAt,
    }),
    deliveredAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'Outbound: when it arrived, where the channel tells.',
      resolve: (row) => row.deliveredAt,
    }),
    readAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'Outbound: when the customer read it. Inbound: when the staff did.',
      resolve: (row) => row.readAt,
    }),
    author: t.field({
      type: Member,
      nullable: true,
      description: 'Who on the staff wrote it; null for inbound messages and API keys.',
      resolve: (row) => row.authorId,
    }),
    channelAccount: t.field({
      type: ChannelAccount,
      nullable: true,
      description:
        'null: a note, or a call logged by hand that belongs to no conversation. Of a call on a number that no account has: the account whose credentials the provider signed with.',
      resolve: (row) => row.channelAccountId,
    }),
    attachments: t.loadableGroup({
      type: Attachment,
      byPath: false,
      load: (ids: string[], context) =>
        context.deps.db.attachment.findMany({
          where: { communicationId: { in: ids }, organizationId: organizationOf(context) },
          orderBy: { id: 'asc' },
        }),
      group: (attachment) => (attachment as { communicationId: string }).communicationId,
      resolve: (row) => row.id,
    }),
  }),
})

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

/** A connection of communications; neighbours in the same execution share one statement. */
export async function communicationsOf(
  context: Context,
  scope: CommunicationScope,
  parentId: string,
  args: PageArguments & { filter?: CommunicationFilter | null },
) {
  const page = checkedPage(args)
  const filter = args.filter ?? {}
  const organizationId = organizationOf(context)
  const result = await batched(context, `communications of ${scope}`, { page, filter }, parentId, (parentIds) =>
    listCommunications(context.deps, organizationId, scope, parentIds, filter, page),
  )
  return connectionOf(result, communicationCursor, (row) => row.id)
}

builder.queryFields((t) => ({
  communication: t.field({
    type: Communication,
    nullable: true,
    args: { id: t.arg.id({ required: true }) },
    resolve: (_root, { id }) => localId('Communication', id),
  }),
  communications: t.connection(
    {
      type: Communication,
      description: 'Every communication of the organization, newest first. Pages of 1 to 100.',
      complexity: pageCost,
      args: { filter: t.arg({ type: CommunicationFilterInput }) },
      resolve: (_root, args, context) => communicationsOf(context, 'organization', organizationOf(context), args),
    },
    CommunicationConnection,
  ),
}))
