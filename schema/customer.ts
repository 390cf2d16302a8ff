import type { Customer as Row } from '../src/db/generated/client.ts'
import { findCustomers } from '../src/domain/customers.ts'
import { customerCursor, listCustomers } from '../src/domain/list-customers.ts'
import { checkedPage } from '../src/domain/page.ts'
import { builder } from './builder.ts'
import { Communication, CommunicationConnection, CommunicationFilterInput, communicationsOf } from './communication.ts'
import { type Context, organizationOf } from './context.ts'
import { Conversation, ConversationConnection, ConversationFilterInput, conversationsOf } from './conversation.ts'
import { IdentityKind } from './enums.ts'
import { localId } from './global-id.ts'
import { inOrder } from './loaders.ts'
import { connectionOf, pageCost } from './pagination.ts'

export const CustomerIdentity = builder.loadableNodeRef('CustomerIdentity', {
  id: { resolve: (identity) => identity.id },
  load: async (ids: string[], context: Context) =>
    inOrder(ids, await context.deps.db.customerIdentity.findMany({ where: { id: { in: ids }, organizationId: organizationOf(context) } })),
})
CustomerIdentity.implement({
  description: 'An address by which a customer is recognized.',
  fields: (t) => ({
    kind: t.field({ type: IdentityKind, resolve: (identity) => identity.kind }),
    value: t.exposeString('value'),
    verified: t.exposeBoolean('verified', {
      description: 'A message from it has arrived, or a member vouched for it; false: merely typed in.',
    }),
  }),
})

export const Customer = builder.loadableNodeRef('Customer', {
  id: { resolve: (customer) => customer.id },
  load: async (ids: string[], context: Context) => {
    const found = await findCustomers(context.deps, organizationOf(context), ids)
    return ids.map((id) => found.get(id) ?? null) as Row[]
  },
})
Customer.implement({
  description: 'Someone the organization talks to, whatever the channel. The id of a customer who was merged leads to the survivor.',
  fields: (t) => ({
    name: t.exposeString('name', { nullable: true, description: 'null until somebody or a profile tells it: show an identity then.' }),
    language: t.exposeString('language', {
      nullable: true,
      description: "A language tag, e.g. tr: of messages that go out by themselves. null: the organization's.",
    }),
    timezone: t.exposeString('timezone', {
      nullable: true,
      description:
        "IANA name: of their quiet hours. null: that of a phone number's country, where it has one time of day, else the organization's.",
    }),
    unreadCount: t.exposeInt('unreadCount'),
    createdAt: t.field({ type: 'DateTime', resolve: (customer) => customer.createdAt }),
    identities: t.loadableGroup({
      type: CustomerIdentity,
      byPath: false,
      load: (ids: string[], context) =>
        context.deps.db.customerIdentity.findMany({
          where: { customerId: { in: ids }, organizationId: organizationOf(context) },
          orderBy: { id: 'asc' },
        }),
      group: (identity) => (identity as { customerId: string }).customerId,
      resolve: (customer) => customer.id,
    }),
    conversations: t.connection(
      {
        type: Conversation,
        description: 'Latest activity first.',
        complexity: pageCost,
        args: { filter: t.arg({ type: ConversationFilterInput }) },
        resolve: (customer, args, context) => conversationsOf(context, 'customer', customer.id, args),
      },
      ConversationConnection,
    ),
    communications: t.connection(
      {
        type: Communication,
        description: 'Across every channel, notes and calls included; oldest first: the newest page is `last: 50`.',
        complexity: pageCost,
        args: { filter: t.arg({ type: CommunicationFilterInput }) },
        resolve: (customer, args, context) => communicationsOf(context, 'customer', customer.id, args),
      },
      CommunicationConnection,
    ),
  }),
})

const CustomerConnection = builder.connectionObject(
  { type: Customer, name: 'CustomerConnection', description: 'A page of customers.' },
  { name: 'CustomerEdge' },
)

builder.objectField(Conversation, 'customer', (t) => t.field({ type: Customer, resolve: (row) => row.customerId }))
builder.objectFields(Communication, (t) => ({
  customer: t.field({ type: Customer, resolve: (row) => row.customerId }),
  conversation: t.field({
    type: Conversation,
    nullable: true,
    description: 'null: a note or call about the customer, not about one conversation.',
    resolve: (row) => row.conversationId,
  }),
}))

builder.queryFields((t) => ({
  customer: t.field({
    type: Customer,
    nullable: true,
    description: 'The id of a customer who was merged gives the survivor.',
    args: { id: t.arg.id({ required: true }) },
    resolve: (_root, { id }) => localId('Customer', id),
  }),
  customers: t.connection(
    {
      type: Customer,
      description: 'Newest first. Pages of 1 to 100.',
      complexity: pageCost,
      args: { search: t.arg.string({ description: 'A part of the name or of an address, in any case.' }) },
      resolve: async (_root, args, context) =>
        connectionOf(
          await listCustomers(context.deps, organizationOf(context), args.search, checkedPage(args)),
          customerCursor,
          (row) => row.id,
        ),
    },
    CustomerConnection,
  ),
}))
