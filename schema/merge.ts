import type * as db from '../src/db/generated/enums.ts'
import { NotFoundError, ValidationError } from '../src/domain/errors.ts'
import { type MergeRow, mergesOf } from '../src/domain/list-merges.ts'
import { mergeCustomers } from '../src/domain/merge-customers.ts'
import { dismissMergeSuggestion, mergeSuggestionList, mergeSuggestionsOf } from '../src/domain/merge-suggestions.ts'
import { checkedPage, type PageArguments } from '../src/domain/page.ts'
import { unmergeCustomers } from '../src/domain/unmerge-customers.ts'
import { builder } from './builder.ts'
import { columnsOf } from './columns.ts'
import { column, reference, survivorOf, timeColumn } from './compiled/field.ts'
import { actorOf, type Context, organizationOf } from './context.ts'
import { Customer } from './customer.ts'
import { described, IdentityKind } from './enums.ts'
import { globalId, requiredId } from './global-id.ts'
import { batched, inOrder } from './loaders.ts'
import { Member } from './organization.ts'
import { type Paged, paged, pageFor } from './pagination.ts'

const CustomerMerge = builder.loadableNodeRef('CustomerMerge', {
  id: { resolve: (merge: MergeRow) => merge.id },
  load: async (ids: string[], context: Context) => {
    const where = { id: { in: ids }, organizationId: organizationOf(context) }
    return inOrder<MergeRow>(ids, await context.deps.db.customerMerge.findMany({ where, omit: { moved: true } }))
  },
})
CustomerMerge.implement({
  description: 'Two customers were made one. The latest that is not undone can be undone: `unmergeCustomers`.',
  fields: (t) => ({
    survivor: t.field({
      type: Customer,
      description: 'Who has everything now.',
      ...survivorOf('customer', 'survivor_id'),
      resolve: (merge) => merge.survivorId,
    }),
    mergedCustomerId: t.id({
      description: 'The id of the customer who was merged. While the merge stands it leads to the survivor.',
      resolve: (merge) => globalId('Customer', merge.mergedId),
    }),
    actor: t.field({
      type: Member,
      nullable: true,
      description: 'null: an API key.',
      ...reference('member', 'actor_id'),
      resolve: (merge) => merge.actorId,
    }),
    createdAt: t.field({ type: 'DateTime', ...timeColumn('created_at'), resolve: (merge) => merge.createdAt }),
    undoneAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'null: it stands.',
      ...timeColumn('undone_at'),
      resolve: (merge) => merge.undoneAt,
    }),
    undoneBy: t.field({
      type: Member,
      nullable: true,
      description: 'null: an API key, or it stands.',
      ...reference('member', 'undone_by_id'),
      resolve: (merge) => merge.undoneById,
    }),
  }),
})

const MergeSuggestionStatus = builder.enumType('MergeSuggestionStatus', {
  description: 'What became of a suggestion.',
  values: described<typeof db.MergeSuggestionStatus>({
    OPEN: 'To be decided.',
    MERGED: 'The two are one customer now.',
    DISMISSED: 'They are two people: it is not suggested again.',
  }),
})

const MergeSuggestion = builder.loadableNodeRef('MergeSuggestion', {
  id: { resolve: (suggestion) => suggestion.id },
  load: async (ids: string[], context: Context) =>
    inOrder(
      ids,
      await context.deps.db.mergeSuggestion.findMany({
        where: { id: { in: ids }, organizationId: organizationOf(context) },
        ...columnsOf(context, 'MergeSuggestion'),
      }),
    ),
})
MergeSuggestion.implement({
  description: 'Two customers who may be one person: a provider named an identity of each. Nobody merges them but staff.',
  fields: (t) => ({
    customer: t.field({
      type: Customer,
      description: 'Who wrote.',
      ...survivorOf('customer', 'customer_id'),
      resolve: (suggestion) => suggestion.customerId,
    }),
    otherCustomer: t.field({
      type: Customer,
      description: 'Who has the identity that came along.',
      ...survivorOf('customer', 'other_customer_id'),
      resolve: (suggestion) => suggestion.otherCustomerId,
    }),
    kind: t.field({ type: IdentityKind, description: 'Of that identity.', ...column('kind'), resolve: (suggestion) => suggestion.kind }),
    value: t.exposeString('value', { ...column('value'), description: 'That identity.' }),
    status: t.field({ type: MergeSuggestionStatus, ...column('status'), resolve: (suggestion) => suggestion.status }),
    createdAt: t.field({ type: 'DateTime', ...timeColumn('created_at'), resolve: (suggestion) => suggestion.createdAt }),
  }),
})

const MergeSuggestionConnection = builder.connectionObject(
  { type: MergeSuggestion, name: 'MergeSuggestionConnection', description: 'A page of suggestions.' },
  { name: 'MergeSuggestionEdge' },
)

const suggestions: Paged<PageArguments> = {
  list: (context, args) => mergeSuggestionList(organizationOf(context), checkedPage(args)),
  column: 'organization_id',
}

builder.queryField('mergeSuggestions', (t) =>
  t.connection(
    {
      type: MergeSuggestion,
      description: 'The open ones, newest first. Pages of 1 to 100.',
      ...paged(suggestions),
      resolve: (_root, args, context) => pageFor(context, suggestions, organizationOf(context), args),
    },
    MergeSuggestionConnection,
  ),
)

builder.objectFields(Customer, (t) => ({
  mergeSuggestions: t.field({
    type: [MergeSuggestion],
    description: 'The open ones that name this customer, newest first.',
    resolve: (customer, _args, context) =>
      batched(context, 'mergeSuggestions', null, customer.id, (ids) => mergeSuggestionsOf(context.deps, organizationOf(context), ids)),
  }),
  merges: t.field({
    type: [CustomerMerge],
    description: 'The merges that this customer took part in, undone ones too, newest first.',
    resolve: (customer, _args, context) =>
      batched(context, 'merges', null, customer.id, (ids) => mergesOf(context.deps, organizationOf(context), ids)),
  }),
}))

const Merge = builder.inputType('MergeCustomersInput', {
  fields: (t) => ({
    survivorId: t.id({ required: true, description: 'Who gets everything, and keeps the name.' }),
    mergedId: t.id({ required: true, description: 'Who is merged. The id leads to the survivor from then on.' }),
  }),
})
const Unmerge = builder.inputType('UnmergeCustomersInput', { fields: (t) => ({ mergeId: t.id({ required: true }) }) })
const Dismiss = builder.inputType('DismissMergeSuggestionInput', { fields: (t) => ({ mergeSuggestionId: t.id({ required: true }) }) })

const MergeSuccess = builder.objectRef<{ merge: MergeRow }>('MergeCustomersSuccess').implement({
  fields: (t) => ({
    merge: t.field({ type: CustomerMerge, resolve: ({ merge }) => merge }),
    customer: t.field({ type: Customer, description: 'The survivor.', resolve: ({ merge }) => merge.survivorId }),
  }),
})
const UnmergeSuccess = builder.objectRef<{ merge: MergeRow }>('UnmergeCustomersSuccess').implement({
  fields: (t) => ({
    merge: t.field({ type: CustomerMerge, resolve: ({ merge }) => merge }),
    survivor: t.field({ type: Customer, resolve: ({ merge }) => merge.survivorId }),
    restored: t.field({ type: Customer, description: 'Who had been merged.', resolve: ({ merge }) => merge.mergedId }),
  }),
})
const DismissSuccess = builder.objectRef<{ mergeSuggestion: { id: string } }>('DismissMergeSuggestionSuccess').implement({
  fields: (t) => ({ mergeSuggestion: t.field({ type: MergeSuggestion, resolve: ({ mergeSuggestion }) => mergeSuggestion.id }) }),
})

const authScopes = { role: 'AGENT' } as const
const errors = { types: [ValidationError, NotFoundError] }

builder.mutationFields((t) => ({
  mergeCustomers: t.field({
    type: MergeSuccess,
    description:
      'AGENT. Identities, conversations, communications and consents of one customer become those of the other. Where both have a conversation on one channel account it becomes one. Where either had opted out, both have. Scheduled messages and counters follow; the log stays as it is, and the timeline of the survivor shows both. It can be undone.',
    authScopes,
    errors,
    args: { input: t.arg({ type: Merge, required: true }) },
    resolve: async (_root, { input }, context) => ({
      merge: await mergeCustomers(context.deps, actorOf(context), {
        survivorId: requiredId('Customer', input.survivorId, ['input', 'survivorId']),
        mergedId: requiredId('Customer', input.mergedId, ['input', 'mergedId']),
      }),
    }),
  }),
  unmergeCustomers: t.field({
    type: UnmergeSuccess,
    description:
      'AGENT. Gives back all that a merge moved; what came since stays with the survivor, and an opt-out since holds for both. Only the latest merge of a customer can be undone: later ones first.',
    authScopes,
    errors,
    args: { input: t.arg({ type: Unmerge, required: true }) },
    resolve: async (_root, { input }, context) => ({
      merge: await unmergeCustomers(context.deps, actorOf(context), {
        mergeId: requiredId('CustomerMerge', input.mergeId, ['input', 'mergeId']),
      }),
    }),
  }),
  dismissMergeSuggestion: t.field({
    type: DismissSuccess,
    description: 'AGENT. They are two people. A suggestion that is not open any more stays as it is.',
    authScopes,
    errors: { types: [NotFoundError] },
    args: { input: t.arg({ type: Dismiss, required: true }) },
    resolve: async (_root, { input }, context) => ({
      mergeSuggestion: await dismissMergeSuggestion(context.deps, actorOf(context), {
        mergeSuggestionId: requiredId('MergeSuggestion', input.mergeSuggestionId, ['input', 'mergeSuggestionId']),
      }),
    }),
  }),
}))
