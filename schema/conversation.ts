import type { Capabilities } from '../src/channels/channel.ts'
import type { Conversation as Row } from '../src/db/generated/client.ts'
import type { Deps } from '../src/deps.ts'
import { findConversations } from '../src/domain/conversations.ts'
import { type ConversationFilter, conversationList } from '../src/domain/list-conversations.ts'
import { checkedPage, type PageArguments } from '../src/domain/page.ts'
import { type MessagingWindow as MessagingWindowShape, messagingWindow } from '../src/domain/policies.ts'
import { builder } from './builder.ts'
import { ChannelAccount } from './channel-account.ts'
import { columnsOf } from './columns.ts'
import { Communication, CommunicationConnection, CommunicationFilterInput, thread } from './communication.ts'
import { column, foundById, NOW, part, reference, timeColumn, value } from './compiled/field.ts'
import { isoTime } from './compiled/sql.ts'
import { type Context, organizationOf } from './context.ts'
import { ChannelType, ConversationStatus, WindowReason } from './enums.ts'
import { localId, optionalId } from './global-id.ts'
import { Member } from './organization.ts'
import { type Paged, paged, pageFor } from './pagination.ts'

const MessagingWindow = builder.objectRef<MessagingWindowShape>('MessagingWindow').implement({
  description:
    'Whether free text may be sent now. Outside it, WhatsApp takes approved templates only, Messenger and Instagram answers of people.',
  fields: (t) => ({
    isOpen: t.exposeBoolean('isOpen', {
      description: 'Always true on channels without a window.',
      ...value((row) => `NOT ${row}.windowed OR coalesce(${row}.window_expires_at > ${NOW}::timestamptz, false)`),
    }),
    expiresAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'null: the channel has no window, or the customer has never written.',
      ...value((row) => isoTime(`CASE WHEN ${row}.windowed THEN ${row}.window_expires_at END`)),
      resolve: (window) => window.expiresAt,
    }),
    reason: t.field({
      type: WindowReason,
      nullable: true,
      description: 'What has opened it; null where `expiresAt` is.',
      ...value((row) => `CASE WHEN ${row}.windowed AND ${row}.window_expires_at IS NOT NULL THEN ${row}.window_reason END`),
      resolve: (window) => window.reason,
    }),
    humanAgentUntil: t.field({
      type: 'DateTime',
      nullable: true,
      description:
        'Until then a member (never an API key, a schedule or an advertisement) may answer although the window is closed; null: not on this channel, or the customer has never written.',
      ...value((row) => isoTime(`${row}.last_inbound_at + ${row}.human_agent_hours * interval '1 hour'`)),
      resolve: (window) => window.humanAgentUntil,
    }),
  }),
})

/** What `messagingWindow` is made of. Which channels have a window is the adapters' knowledge; their providers agree about it, as a rule. */
function windowOf(row: string, item: string, deps: Pick<Deps, 'channels'>): string {
  const channels = Map.groupBy(deps.channels.all, ({ channel }) => channel)
  const hours = [...channels].map(([channel, adapters]) => {
    const ofProviders = adapters.map(({ provider, capabilities }) => `WHEN '${provider}' THEN ${hoursOf(capabilities)}`)
    const [one, ...others] = new Set(adapters.map(({ capabilities }) => hoursOf(capabilities)))
    const provider = `(SELECT provider FROM channel_account WHERE id = ${row}.channel_account_id)`
    return `WHEN '${channel}' THEN ${others.length === 0 ? one : `CASE ${provider} ${ofProviders.join(' ')} END`}`
  })
  return `(
    SELECT ${row}.window_expires_at, ${row}.window_reason, ${row}.last_inbound_at, h.hours IS NOT NULL AS windowed, h.hours[1] AS human_agent_hours
    FROM (SELECT CASE ${row}.channel ${hours.join(' ')} END AS hours) AS h
  ) AS ${item}`
}

/** null: no window; otherwise for how many hours people may answer although it is closed, as an array because that may be null too. */
const hoursOf = ({ messagingWindowHours, humanAgentHours }: Capabilities): string =>
  messagingWindowHours === null ? 'NULL::int[]' : `ARRAY[${humanAgentHours}]::int[]`

export const Conversation = builder.loadableNodeRef('Conversation', {
  id: { resolve: (conversation) => conversation.id },
  load: async (ids: string[], context: Context) => {
    const found = await findConversations(context.deps, organizationOf(context), ids, columnsOf(context, 'Conversation', 'merged_into_id'))
    return ids.map((id) => found.get(id) ?? null) as Row[]
  },
})
Conversation.implement({
  description:
    'One customer on one channel account. Closing and reopening are states of the same conversation. The id of one that was joined with another, because their customers were merged, leads to that one.',
  fields: (t) => ({
    channel: t.field({ type: ChannelType, ...column('channel'), resolve: (row) => row.channel }),
    status: t.field({ type: ConversationStatus, ...column('status'), resolve: (row) => row.status }),
    snoozedUntil: t.field({ type: 'DateTime', nullable: true, ...timeColumn('snoozed_until'), resolve: (row) => row.snoozedUntil }),
    unreadCount: t.exposeInt('unreadCount', column('unread_count')),
    lastActivityAt: t.field({
      type: 'DateTime',
      description: 'The inbox is sorted by it.',
      ...timeColumn('last_activity_at'),
      resolve: (row) => row.lastActivityAt,
    }),
    createdAt: t.field({ type: 'DateTime', ...timeColumn('created_at'), resolve: (row) => row.createdAt }),
    messagingWindow: t.field({
      type: MessagingWindow,
      ...part(['channel', 'channel_account_id', 'window_expires_at', 'window_reason', 'last_inbound_at'], windowOf),
      resolve: async (row, _args, context) => {
        const account = await ChannelAccount.getDataloader(context).load(row.channelAccountId)
        return messagingWindow(context.deps.channels.find(account.provider, row.channel)?.capabilities, row, context.deps.clock())
      },
    }),
    channelAccount: t.field({
      type: ChannelAccount,
      ...reference('channel_account', 'channel_account_id'),
      resolve: (row) => row.channelAccountId,
    }),
    assignee: t.field({ type: Member, nullable: true, ...reference('member', 'assignee_id'), resolve: (row) => row.assigneeId }),
    lastCommunication: t.field({
      type: Communication,
      nullable: true,
      description: 'The newest entry, notes and calls included.',
      ...reference('communication', 'last_communication_id'),
      resolve: (row) => row.lastCommunicationId,
    }),
    communications: t.connection(
      {
        type: Communication,
        description: 'Oldest first: the newest page is `last: 50`, the one before it `last: 50, before: startCursor`.',
        args: { filter: t.arg({ type: CommunicationFilterInput }) },
        ...paged(thread('conversation_id')),
        resolve: (row, args, context) => pageFor(context, thread('conversation_id'), row.id, args),
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

/** What a connection of conversations shows. Throws ValidationError and NotFoundError. */
export const inbox = (column: 'organization_id' | 'customer_id'): Paged<PageArguments & { filter?: FilterArgument | null }> => ({
  list: (context, args) => conversationList(organizationOf(context), conversationFilter(args.filter), checkedPage(args)),
  column,
})

builder.queryFields((t) => ({
  conversation: t.field({
    type: Conversation,
    nullable: true,
    args: { id: t.arg.id({ required: true }) },
    ...foundById('Conversation', 'conversation', true),
    resolve: (_root, { id }) => localId('Conversation', id),
  }),
  conversations: t.connection(
    {
      type: Conversation,
      description: 'The inbox: latest activity first. Pages of 1 to 100.',
      args: { filter: t.arg({ type: ConversationFilterInput }) },
      ...paged(inbox('organization_id')),
      resolve: (_root, args, context) => pageFor(context, inbox('organization_id'), organizationOf(context), args),
    },
    ConversationConnection,
  ),
}))
