import type { Conversation as ConversationRow, Customer as Row } from '../src/db/generated/client.ts'
import { findCustomers } from '../src/domain/customers.ts'
import { customerList } from '../src/domain/list-customers.ts'
import { checkedPage, type PageArguments } from '../src/domain/page.ts'
import { builder } from './builder.ts'
import { columnsOf, idIsEnough } from './columns.ts'
import { Communication, CommunicationConnection, CommunicationFilterInput, thread } from './communication.ts'
import { column, foundById, reference, rowsOf, timeColumn } from './compiled/field.ts'
import { type Context, organizationOf } from './context.ts'
import { Conversation, ConversationConnection, ConversationFilterInput, inbox } from './conversation.ts'
import { IdentityKind } from './enums.ts'
import { localId } from './global-id.ts'
import { inOrder } from './loaders.ts'
import { type Paged, paged, pageFor } from './pagination.ts'

export const CustomerIdentity = builder.loadableNodeRef('CustomerIdentity', {
  id: { resolve: (identity) => identity.id },
  load: async (ids: string[], context: Context) =>
    inOrder(
      ids,
      await context.deps.db.customerIdentity.findMany({
        where: { id: { in: ids }, organizationId: organizationOf(context) },
        ...columnsOf(context, 'CustomerIdentity'),
      }),
    ),
})
CustomerIdentity.implement({
  description: 'An address by which a customer is recognized.',
  fields: (t) => ({
    kind: t.field({ type: IdentityKind, ...column('kind'), resolve: (identity) => identity.kind }),
    value: t.exposeString('value', column('value')),
    verified: t.exposeBoolean('verified', {
      ...column('verified'),
      description: 'A message from it has arrived, or a member vouched for it; false: merely typed in.',
    }),
  }),
})

export const Customer = builder.loadableNodeRef('Customer', {
  id: { resolve: (customer) => customer.id },
  load: async (ids: string[], context: Context) => {
    const found = await findCustomers(context.deps, organizationOf(context), ids, columnsOf(context, 'Customer', 'merged_into_id'))
    return ids.map((id) => found.get(id) ?? null) as Row[]
  },
})
Customer.implement({
  description: 'Someone the organization talks to, whatever the channel. The id of a customer who was merged leads to the survivor.',
  fields: (t) => ({
    name: t.exposeString('name', {
      ...column('name'),
      nullable: true,
      description: 'null until somebody or a profile tells it: show an identity then.',
    }),
    language: t.exposeString('language', {
      ...column('language'),
      nullable: true,
      description: "A language tag, e.g. tr: of messages that go out by themselves. null: the organization's.",
    }),
    timezone: t.exposeString('timezone', {
      ...column('timezone'),
      nullable: true,
      description:
        "IANA name: of their quiet hours. null: that of a phone number's country, where it has one time of day, else the organization's.",
    }),
    unreadCount: t.exposeInt('unreadCount', column('unread_count')),
    createdAt: t.field({ type: 'DateTime', ...timeColumn('created_at'), resolve: (customer) => customer.createdAt }),
    identities: t.loadableGroup({
      type: CustomerIdentity,
      byPath: false,
      ...rowsOf('customer_identity', 'customer_id'),
      load: (ids: string[], context) =>
        context.deps.db.customerIdentity.findMany({
          where: { customerId: { in: ids }, organizationId: organizationOf(context) },
          orderBy: { id: 'asc' },
          ...columnsOf(context, 'CustomerIdentity', 'customer_id'),
        }),
      group: (identity) => (identity as { customerId: string }).customerId,
      resolve: (customer) => customer.id,
    }),
    conversations: t.connection(
      {
        type: Conversation,
        description: 'Latest activity first.',
        args: { filter: t.arg({ type: ConversationFilterInput }) },
        ...paged(inbox('customer_id')),
        resolve: (customer, args, context) => pageFor(context, inbox('customer_id'), customer.id, args),
      },
      ConversationConnection,
    ),
    communications: t.connection(
      {
        type: Communication,
        description: 'Across every channel, notes and calls included; oldest first: the newest page is `last: 50`.',
        args: { filter: t.arg({ type: CommunicationFilterInput }) },
        ...paged(thread('customer_id')),
        resolve: (customer, args, context) => pageFor(context, thread('customer_id'), customer.id, args),
      },
      CommunicationConnection,
    ),
  }),
})

const CustomerConnection = builder.connectionObject(
  { type: Customer, name: 'CustomerConnection', description: 'A page of customers.' },
  { name: 'CustomerEdge' },
)

builder.objectField(Conversation, 'customer', (t) =>
  t.field({ type: Customer, ...reference('customer', 'customer_id'), resolve: (row) => row.customerId }),
)
builder.objectFields(Communication, (t) => ({
  customer: t.field({ type: Customer, ...reference('customer', 'customer_id'), resolve: (row) => row.customerId }),
  conversation: t.field({
    type: Conversation,
    nullable: true,
    description: 'null: a note or call about the customer, not about one conversation.',
    ...reference('conversation', 'conversation_id'),
    resolve: (row, _args, _context, info) =>
      row.conversationId !== null && idIsEnough(info) ? ({ id: row.conversationId } as ConversationRow) : row.conversationId,
  }),
}))

const directory: Paged<PageArguments & { search?: string | null }> = {
  list: (context, args) => customerList(organizationOf(context), args.search, checkedPage(args)),
  column: 'organization_id',
}

builder.queryFields((t) => ({
  customer: t.field({
    type: Customer,
    nullable: true,
    description: 'The id of a customer who was merged gives the survivor.',
    args: { id: t.arg.id({ required: true }) },
    ...foundById('Customer', 'customer', true),
    resolve: (_root, { id }) => localId('Customer', id),
  }),
  customers: t.connection(
    {
      type: Customer,
      description: 'Newest first. Pages of 1 to 100.',
      args: { search: t.arg.string({ description: 'A part of the name or of an address, in any case.' }) },
      ...paged(directory),
      resolve: (_root, args, context) => pageFor(context, directory, organizationOf(context), args),
    },
    CustomerConnection,
  ),
}))
