import type { Conversation as Row } from '../src/db/generated/client.ts'
import { findConversations } from '../src/domain/conversations.ts'
import type { ConversationFilter } from '../src/domain/list-conversations.ts'
import { conversationCursor, listConversations } from '../src/domain/list-conversations.ts'
import { checkedPage, type PageArguments } from '../src/domain/page.ts'
import { type MessagingWindow as MessagingWindowShape, messagingWindow } from '../src/domain/policies.ts'
import { builder } from './builder.ts'
import { ChannelAccount } from './channel-account.ts'
import { Communication, CommunicationConnection, CommunicationFilterInput, communicationsOf } from './communication.ts'
import { type Context, organizationOf } from './context.ts'
import { ChannelType, ConversationStatus, WindowReason } from './enums.ts'
import { localId, optionalId } from './global-id.ts'
import { batched } from './loaders.ts'
import { Member } from './organization.ts'
import { connectionOf, pageCost } from './pagination.ts'

const MessagingWindow = builder.objectRef<MessagingWindowShape>('MessagingWindow').implement({
  description:
    'Whether free text may be sent now. Outside it, WhatsApp takes approved templates only, Messenger and Instagram answers of people.',
  fields: (t) => ({
    isOpen: t.exposeBoolean('isOpen', { description: 'Always true on channels without a window.' }),
    expiresAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'null: the channel has no window, or the customer has never written.',
      resolve: (window) => window.expiresAt,
    }),
    reason: t.field({
      type: WindowReason,
      nullable: true,
      description: 'What has opened it; null where `expiresAt` is.',
      resolve: (window) => window.reason,
    }),
    humanAgentUntil: t.field({
      type: 'DateTime',
      nullable: true,
      description:
        'Until then a member (never an API key, a schedule or an advertisement) may answer although the window is closed; null: not on this channel, or the customer has never written.',
      resolve: (window) => window.humanAgentUntil,
    }),
  }),
})

export const Conversation = builder.loadableNodeRef('Conversation', {
  id: { resolve: (conversation) => conversation.id },
  load: async (ids: string[], context: Context) => {
    const found = await findConversations(context.deps, organizationOf(context), ids)
    return ids.map((id) => found.get(id) ?? null) as Row[]
  },
})
Conversation.implement({
  description:
    'One customer on one channel account. Closing and reopening are states of the same conversation. The id of one that was joined with another, because their customers were merged, leads to that one.',
  fields: (t) => ({
    channel: t.field({ type: ChannelType, resolve: (row) => row.channel }),
    status: t.field({ type: ConversationStatus, resolve: (row) => row.status }),
    snoozedUntil: t.field({ type: 'DateTime', nullable: true, resolve: (row) => row.snoozedUntil }),
    unreadCount: t.exposeInt('unreadCount'),
    lastActivityAt: t.field({ type: 'DateTime', description: 'The inbox is sorted by it.', resolve: (row) => row.lastActivityAt }),
    createdAt: t.field({ type: 'DateTime', resolve: (row) => row.createdAt }),
    messagingWindow: t.field({
      type: MessagingWindow,
      resolve: async (row, _args, context) => {
        const account = await ChannelAccount.getDataloader(context).load(row.channelAccountId)
        return messagingWindow(context.deps.channels.find(account.provider, row.channel)?.capabilities, row, context.deps.clock())
      },
    }),
    channelAccount: t.field({ type: ChannelAccount, resolve: (row) => row.channelAccountId }),
    assignee: t.field({ type: Member, nullable: true, resolve: (row) => row.assigneeId }),
    lastCommunication: t.field({
      type: Communication,
      nullable: true,
      description: 'The newest entry, notes and calls included.',
      resolve: (row) => row.lastCommunicationId,
    }),
    communications: t.connection(
      {
        type: Communication,
        description: 'Oldest first: the newest page is `last: 50`, the one before it `last: 50, before: startCursor`.',
        complexity: pageCost,
        args: { filter: t.arg({ type: CommunicationFilterInput }) },
        resolve: (row, args, context) => communicationsOf(context, 'conversation', row.id, args),
      },
      CommunicationConnection,
    ),
  }),
})

export const ConversationConnection = builder.connectionObject(
  { type: Conversation, name: 'ConversationConnection', description: 'A page of conversations.' },
  { name: 'ConversationEdge' },
)

export const ConversationFilterInput = builder.inputType('ConversationFilter', {
  description: 'Conditions that all hold.',
  fields: (t) => ({
    status: t.field({ type: ConversationStatus }),
    channels: t.field({ type: [ChannelType] }),
    channelAccountId: t.id(),
    assigneeId: t.id(),
    unassigned: t.boolean({ description: 'true: nobody is assigned; false: somebody is.' }),
    unread: t.boolean(),
    search: t.string({ description: "A part of the customer's name or of one of their addresses, in any case." }),
  }),
})

export type FilterArgument = Omit<ConversationFilter, 'channelAccountId' | 'assigneeId'> & {
  channelAccountId?: string | null
  assigneeId?: string | null
}

/** The filter with the rows' own ids. Throws NotFoundError for what cannot be an id. */
export const conversationFilter = (given: FilterArgument | null | undefined): ConversationFilter => ({
  ...given,
  channelAccountId: optionalId('ChannelAccount', given?.channelAccountId, ['filter', 'channelAccountId']),
  assigneeId: optionalId('Member', given?.assigneeId, ['filter', 'assigneeId']),
})

/** A connection of conversations; neighbours in the same execution share one statement. */
export async function conversationsOf(
  context: Context,
  scope: 'organization' | 'customer',
  parentId: string,
  args: PageArguments & { filter?: FilterArgument | null },
) {
  const page = checkedPage(args)
  const filter = conversationFilter(args.filter)
  const organizationId = organizationOf(context)
  const result = await batched(context, `conversations of ${scope}`, { page, filter }, parentId, (parentIds) =>
    listConversations(context.deps, organizationId, scope, parentIds, filter, page),
  )
  return connectionOf(result, conversationCursor, (row) => row.id)
}

builder.queryFields((t) => ({
  conversation: t.field({
    type: Conversation,
    nullable: true,
    args: { id: t.arg.id({ required: true }) },
    resolve: (_root, { id }) => localId('Conversation', id),
  }),
  conversations: t.connection(
    {
      type: Conversation,
      description: 'The inbox: latest activity first. Pages of 1 to 100.',
      complexity: pageCost,
      args: { filter: t.arg({ type: ConversationFilterInput }) },
      resolve: (_root, args, context) => conversationsOf(context, 'organization', organizationOf(context), args),
    },
    ConversationConnection,
  ),
}))
