import type { Communication as Row } from '../src/db/generated/client.ts'
import { addNote } from '../src/domain/add-note.ts'
import { cancelMessage } from '../src/domain/cancel-message.ts'
import { IdempotencyConflictError, NotFoundError, ValidationError } from '../src/domain/errors.ts'
import { logCall } from '../src/domain/log-call.ts'
import { type MarkedRead, markRead } from '../src/domain/mark-read.ts'
import { sendMessage } from '../src/domain/send-message.ts'
import { builder } from './builder.ts'
import { Communication } from './communication.ts'
import { actorOf } from './context.ts'
import { Customer } from './customer.ts'
import { CallOutcome, ChannelType, Direction, MessagePurpose } from './enums.ts'
import { refusals } from './errors.ts'
import { optionalId, requiredId } from './global-id.ts'
import { contentInput, MessageContent } from './message-content.ts'

const success = (name: string) =>
  builder.objectRef<{ communication: Row }>(name).implement({
    fields: (t) => ({ communication: t.field({ type: Communication, resolve: ({ communication }) => communication }) }),
  })

const Recipient = builder.inputType('MessageRecipientInput', {
  isOneOf: true,
  description: 'Whom to write to: exactly one of these.',
  fields: (t) => ({
    conversationId: t.id({ description: 'Answer here: the account and address are those of the conversation.' }),
    customerId: t.id({ description: 'On the channel or account given, else where the customer was last active.' }),
    address: t.string({ description: 'A number or address; the customer is found by it or made. Needs `channel` where it fits several.' }),
  }),
})

const SendMessage = builder.inputType('SendMessageInput', {
  description: 'One message to one customer.',
  fields: (t) => ({
    to: t.field({ type: Recipient, required: true }),
    channel: t.field({ type: ChannelType, description: 'Only by this channel.' }),
    channelAccountId: t.id({ description: 'Only by this account.' }),
    content: t.field({ type: MessageContent, required: true }),
    replyToCommunicationId: t.id({
      description:
        'Quote this message: one of the same conversation that the provider knows, on channels with `quotedReplies` and in e-mails.',
    }),
    purpose: t.field({
      type: MessagePurpose,
      description: 'Which consent is asked; absent: TRANSACTIONAL. That of a MARKETING template is MARKETING, whatever is said here.',
    }),
    sendAt: t.field({
      type: 'DateTime',
      description:
        'Later than now, at most 366 days ahead; absent: now. The rules are checked again then. Until then: `updateScheduledMessage`, `cancelMessage`.',
    }),
    idempotencyKey: t.string({
      description: '1 to 200 characters. The same key and the same input give the same communication, however often.',
    }),
  }),
})

const AddNote = builder.inputType('AddNoteInput', {
  fields: (t) => ({
    customerId: t.id({ required: true }),
    conversationId: t.id({ description: 'Shows it in this conversation of the customer too.' }),
    body: t.string({ required: true, description: '1 to 20,000 characters.' }),
  }),
})

const LogCall = builder.inputType('LogCallInput', {
  fields: (t) => ({
    customerId: t.id({ required: true }),
    conversationId: t.id(),
    subject: t.string({ description: 'At most 200 characters.' }),
    body: t.string({ required: true, description: 'What was said: 1 to 20,000 characters.' }),
    direction: t.field({ type: Direction, description: 'INBOUND or OUTBOUND; absent: OUTBOUND.' }),
    outcome: t.field({ type: CallOutcome }),
    startedAt: t.field({ type: 'DateTime', description: 'Not in the future.' }),
    durationSeconds: t.int({ description: '0 to 86,400.' }),
  }),
})

const MarkReadTarget = builder.inputType('MarkReadTargetInput', {
  isOneOf: true,
  description: 'What was read: exactly one of these.',
  fields: (t) => ({
    customerId: t.id(),
    conversationId: t.id(),
    communicationIds: t.idList({ description: '1 to 500 of them.' }),
  }),
})

const MarkRead = builder.inputType('MarkReadInput', { fields: (t) => ({ target: t.field({ type: MarkReadTarget, required: true }) }) })

const MarkReadSuccess = builder.objectRef<MarkedRead>('MarkReadSuccess').implement({
  fields: (t) => ({
    markedCount: t.exposeInt('markedCount', { description: 'How many were unread until now.' }),
    customer: t.field({
      type: Customer,
      nullable: true,
      description: 'null where the communications belong to several customers.',
      resolve: (marked) => marked.customerId,
    }),
    organizationUnreadCount: t.exposeInt('organizationUnreadCount'),
  }),
})

const CancelMessage = builder.inputType('CancelMessageInput', { fields: (t) => ({ communicationId: t.id({ required: true }) }) })

const authScopes = { role: 'AGENT' } as const

builder.mutationFields((t) => ({
  sendMessage: t.field({
    type: success('SendMessageSuccess'),
    description:
      'AGENT. Accepts a message: it is stored and will be sent, see its `deliveryStatus`. Refused where the customer has opted out, the messaging window is closed, the channel cannot carry it, or something in it is too long or too large.',
    authScopes,
    errors: { types: [...refusals, IdempotencyConflictError] },
    args: { input: t.arg({ type: SendMessage, required: true }) },
    resolve: async (_root, { input }, context) => {
      const { to } = input
      return {
        communication: await sendMessage(context.deps, actorOf(context), {
          ...input,
          to: {
            conversationId: optionalId('Conversation', to.conversationId, ['input', 'to', 'conversationId']),
            customerId: optionalId('Customer', to.customerId, ['input', 'to', 'customerId']),
            address: to.address,
          },
          channelAccountId: optionalId('ChannelAccount', input.channelAccountId, ['input', 'channelAccountId']),
          content: contentInput(input.content),
          replyToCommunicationId: optionalId('Communication', input.replyToCommunicationId, ['input', 'replyToCommunicationId']),
        }),
      }
    },
  }),
  cancelMessage: t.field({
    type: success('CancelMessageSuccess'),
    description: 'AGENT. Withdraws a message that is still SCHEDULED. Canceling again changes nothing.',
    authScopes,
    errors: { types: [ValidationError, NotFoundError] },
    args: { input: t.arg({ type: CancelMessage, required: true }) },
    resolve: async (_root, { input }, context) => {
      const id = requiredId('Communication', input.communicationId, ['input', 'communicationId'])
      return { communication: await cancelMessage(context.deps, actorOf(context), id) }
    },
  }),
  addNote: t.field({
    type: success('AddNoteSuccess'),
    description: 'AGENT. Only staff sees it.',
    authScopes,
    errors: { types: [ValidationError, NotFoundError] },
    args: { input: t.arg({ type: AddNote, required: true }) },
    resolve: async (_root, { input }, context) => ({
      communication: await addNote(context.deps, actorOf(context), { ...input, ...placeOf(input) }),
    }),
  }),
  logCall: t.field({
    type: success('LogCallSuccess'),
    description: 'AGENT. A call made or taken by hand; it is read from the start.',
    authScopes,
    errors: { types: [ValidationError, NotFoundError] },
    args: { input: t.arg({ type: LogCall, required: true }) },
    resolve: async (_root, { input }, context) => ({
      communication: await logCall(context.deps, actorOf(context), { ...input, ...placeOf(input) }),
    }),
  }),
  markRead: t.field({
    type: MarkReadSuccess,
    description: 'AGENT. Marking again changes nothing.',
    authScopes,
    errors: { types: [ValidationError, NotFoundError] },
    args: { input: t.arg({ type: MarkRead, required: true }) },
    resolve: (_root, { input: { target } }, context) =>
      markRead(context.deps, actorOf(context), {
        target: {
          customerId: optionalId('Customer', target.customerId, ['input', 'target', 'customerId']),
          conversationId: optionalId('Conversation', target.conversationId, ['input', 'target', 'conversationId']),
          communicationIds: target.communicationIds?.map((id, index) =>
            requiredId('Communication', id, ['input', 'target', 'communicationIds', String(index)]),
          ),
        },
      }),
  }),
}))

const placeOf = (input: { customerId: string; conversationId?: string | null }) => ({
  customerId: requiredId('Customer', input.customerId, ['input', 'customerId']),
  conversationId: optionalId('Conversation', input.conversationId, ['input', 'conversationId']),
})
