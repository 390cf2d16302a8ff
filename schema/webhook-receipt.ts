import type { WebhookReceiptStatus as Status } from '../src/db/generated/enums.ts'
import { NotFoundError, ValidationError } from '../src/domain/errors.ts'
import type { ListedReceipt } from '../src/domain/list-webhook-receipts.ts'
import { receiptText, webhookReceiptList } from '../src/domain/list-webhook-receipts.ts'
import { checkedPage } from '../src/domain/page.ts'
import { replayWebhookReceipt } from '../src/domain/replay-webhook.ts'
import { builder } from './builder.ts'
import { ChannelAccount } from './channel-account.ts'
import { column, reads, reference, timeColumn } from './compiled/field.ts'
import { actorOf, type Context, organizationOf, signedIn } from './context.ts'
import { described } from './enums.ts'
import { optionalId, requiredId } from './global-id.ts'
import { batched, inOrder } from './loaders.ts'
import { listedPage, pageCost } from './pagination.ts'

const WebhookReceiptStatus = builder.enumType('WebhookReceiptStatus', {
  description: 'What became of a webhook.',
  values: described<typeof Status>({
    APPLIED: 'All that it says was applied.',
    DUPLICATE: 'It says nothing that had not been received before.',
    PARTIAL: 'Some of it was applied: see `problem` for the rest.',
    UNPARSED: 'Nothing in it is understood (yet).',
    UNROUTED: 'It is about a number or address of which no active channel account is known.',
    FAILED: 'It is understood, but applying it failed: see `problem`, then replay it.',
  }),
})

export const WebhookReceipt = builder.loadableNodeRef('WebhookReceipt', {
  id: { resolve: (receipt) => receipt.id },
  load: async (ids: string[], context: Context): Promise<ListedReceipt[]> => {
    const { deps, viewer } = signedIn(context)
    if (viewer.role !== 'ADMIN') return inOrder(ids, [])
    const where = { id: { in: ids }, organizationId: organizationOf(context) }
    return inOrder(ids, await deps.db.webhookReceipt.findMany({ where, omit: { body: true } }))
  },
})
WebhookReceipt.implement({
  description: 'A provider’s request as it came, kept for the WEBHOOK_RETENTION_DAYS of the server.',
  fields: (t) => ({
    source: t.exposeString('wire', { ...column('wire'), description: 'Whose webhook it is: twilio, meta or sendgrid.' }),
    segment: t.exposeString('segment', {
      ...column('segment'),
      description: 'The last part of the address that was called, e.g. `sms` or `status`; "" where there is one address only.',
    }),
    channelAccount: t.field({
      type: ChannelAccount,
      nullable: true,
      description: 'The first that it is about; null: none is known.',
      ...reference('channel_account', 'channel_account_id'),
      resolve: (receipt) => receipt.channelAccountId,
    }),
    status: t.field({ type: WebhookReceiptStatus, ...column('status'), resolve: (receipt) => receipt.status }),
    problem: t.exposeString('problem', { ...column('problem'), nullable: true, description: 'Why it was not applied, or not all of it.' }),
    headers: t.field({
      type: 'JSON',
      description: 'Those that matter, by lower-case name.',
      ...column('headers'),
      resolve: (receipt) => receipt.headers,
    }),
    size: t.exposeInt('size', { ...column('size'), description: 'Bytes of the body.' }),
    body: t.string({
      nullable: true,
      description: 'null where it is longer than 64,000 bytes or no text.',
      complexity: 5,
      ...reads(),
      resolve: (receipt, _args, context) =>
        batched(context, 'webhook body', null, receipt.id, async (ids) => {
          const texts = await receiptText(context.deps, organizationOf(context), ids)
          return new Map(ids.map((id) => [id, texts.get(id) ?? null]))
        }),
    }),
    replays: t.exposeInt('replays', { ...column('replays'), description: 'How often it was replayed.' }),
    replayedAt: t.field({ type: 'DateTime', nullable: true, ...timeColumn('replayed_at'), resolve: (receipt) => receipt.replayedAt }),
    receivedAt: t.field({ type: 'DateTime', ...timeColumn('received_at'), resolve: (receipt) => receipt.receivedAt }),
  }),
})

const WebhookReceiptConnection = builder.connectionObject(
  { type: WebhookReceipt, name: 'WebhookReceiptConnection', description: 'A page of webhooks.' },
  { name: 'WebhookReceiptEdge' },
)

const Filter = builder.inputType('WebhookReceiptFilter', {
  description: 'Conditions that all hold.',
  fields: (t) => ({
    statuses: t.field({ type: [WebhookReceiptStatus] }),
    channelAccountId: t.id(),
    since: t.field({ type: 'DateTime', description: 'Not older than this.' }),
    until: t.field({ type: 'DateTime', description: 'Older than this.' }),
  }),
})

const authScopes = { role: 'ADMIN' } as const

builder.queryField('webhookReceipts', (t) =>
  t.connection(
    {
      type: WebhookReceipt,
      description: 'ADMIN. What providers have posted, newest first: whether it was applied, and why not. Pages of 1 to 100.',
      authScopes,
      complexity: pageCost,
      args: { filter: t.arg({ type: Filter }) },
      resolve: async (_root, args, context) => {
        const channelAccountId = optionalId('ChannelAccount', args.filter?.channelAccountId, ['filter', 'channelAccountId'])
        const filter = { ...args.filter, channelAccountId }
        const query = webhookReceiptList(organizationOf(context), filter, checkedPage(args))
        return listedPage(context, query, 'organization_id', organizationOf(context))
      },
    },
    WebhookReceiptConnection,
  ),
)

const Replay = builder.inputType('ReplayWebhookReceiptInput', { fields: (t) => ({ webhookReceiptId: t.id({ required: true }) }) })

const ReplaySuccess = builder.objectRef<{ id: string }>('ReplayWebhookReceiptSuccess').implement({
  fields: (t) => ({ webhookReceipt: t.field({ type: WebhookReceipt, resolve: ({ id }) => id }) }),
})

builder.mutationField('replayWebhookReceipt', (t) =>
  t.field({
    type: ReplaySuccess,
    description:
      'ADMIN. Applies a webhook once more, after what kept it from being applied was put right. What was applied before stays as it is, so it is safe to repeat; a message kept as unsupported becomes what it is now known to be.',
    authScopes,
    errors: { types: [ValidationError, NotFoundError] },
    args: { input: t.arg({ type: Replay, required: true }) },
    resolve: async (_root, { input }, context) => {
      const id = requiredId('WebhookReceipt', input.webhookReceiptId, ['input', 'webhookReceiptId'])
      return replayWebhookReceipt(context.deps, actorOf(context), id)
    },
  }),
)
