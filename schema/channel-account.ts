import type { HealthCheck } from '../src/channels/channel.ts'
import type { ChannelAccount as Row } from '../src/db/generated/client.ts'
import {
  checkChannelAccount,
  connectChannelAccount,
  disconnectChannelAccount,
  type Health,
  updateChannelAccount,
} from '../src/domain/channel-accounts.ts'
import { credentialsOf } from '../src/domain/channel-credentials.ts'
import { AlreadyExistsError, ChannelNotConnectedError, NotFoundError, ValidationError } from '../src/domain/errors.ts'
import { providerUrls } from '../src/domain/webhook-url.ts'
import { builder } from './builder.ts'
import { ChannelCapabilities } from './channel-capabilities.ts'
import { ChannelCredentials } from './channel-credentials.ts'
import { columnsOf } from './columns.ts'
import { column, timeColumn } from './compiled/field.ts'
import { actorOf, type Context, organizationOf, signedIn } from './context.ts'
import { ChannelAccountStatus, ChannelType, Provider } from './enums.ts'
import { requiredId } from './global-id.ts'
import { inOrder } from './loaders.ts'

const Check = builder.objectRef<HealthCheck>('ChannelHealthCheck').implement({
  description: 'One thing that was looked at.',
  fields: (t) => ({
    name: t.exposeString('name', { description: 'For programs, e.g. credentials or webhook; the same from check to check.' }),
    ok: t.exposeBoolean('ok'),
    required: t.boolean({ description: 'Without it the account cannot be ACTIVE.', resolve: ({ required }) => required === true }),
    message: t.exposeString('message', { nullable: true, description: 'What was found and what to do, in a sentence; null: all is well.' }),
  }),
})

const HealthStatus = builder.enumType('ChannelHealthStatus', {
  description: 'What all checks come to.',
  values: {
    HEALTHY: { description: 'Every check is ok.' },
    UNHEALTHY: { description: 'Some check is not: its `message` says what to do.' },
    UNKNOWN: { description: 'Disconnected, or never checked.' },
  } as const,
})

const ChannelHealth = builder.objectRef<Row>('ChannelHealth').implement({
  description:
    'What the provider said when the account was connected, got new credentials or was checked (`checkChannelAccount`), and what it has told since.',
  fields: (t) => ({
    status: t.field({ type: HealthStatus, resolve: (account) => (account.health as Health | null)?.status ?? 'UNKNOWN' }),
    checks: t.field({ type: [Check], resolve: (account) => (account.health as Health | null)?.checks ?? [] }),
    checkedAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'When the provider was last asked; null: never.',
      resolve: (account) => account.healthCheckedAt,
    }),
  }),
})

const isAdmin = (context: Context): boolean => signedIn(context).viewer.role === 'ADMIN'

/** Secrets in the addresses are for ADMINs; a disconnected account has none left. */
function urlsOf(context: Context, account: Row): ReturnType<typeof providerUrls> {
  const { deps } = context
  const { slug } = signedIn(context).viewer.organization
  const adapter = deps.channels.get(account.provider, account.channel)
  const credentials = isAdmin(context) && account.credentials !== null ? { value: credentialsOf(deps, adapter, account) } : null
  return providerUrls(deps, account, slug, credentials)
}

export const ChannelAccount = builder.loadableNodeRef('ChannelAccount', {
  id: { resolve: (account) => account.id },
  load: async (ids: string[], context: Context) =>
    inOrder(
      ids,
      await context.deps.db.channelAccount.findMany({
        where: { id: { in: ids }, organizationId: organizationOf(context) },
        ...columnsOf(context, 'ChannelAccount', 'provider'),
      }),
    ),
})
ChannelAccount.implement({
  description: 'A number or address of the organization at a provider. Credentials go in and never come out.',
  fields: (t) => ({
    name: t.exposeString('name', column('name')),
    channel: t.field({ type: ChannelType, ...column('channel'), resolve: (account) => account.channel }),
    provider: t.field({ type: Provider, ...column('provider'), resolve: (account) => account.provider }),
    isSandbox: t.boolean({
      description: 'Nothing sent from here leaves the machine.',
      resolve: (account, _args, { deps }) => deps.channels.get(account.provider, account.channel).sandbox,
    }),
    address: t.exposeString('address', { ...column('address'), description: 'As the channel spells it; phone numbers in E.164.' }),
    status: t.field({ type: ChannelAccountStatus, ...column('status'), resolve: (account) => account.status }),
    webhookUrl: t.string({
      description:
        "Enter this at the provider as the address for inbound messages. It contains the server's PUBLIC_URL and, for ADMINs where the provider may sign nothing (SendGrid), a secret: treat it as one. For the web chat, which has no provider: this graph's own address.",
      resolve: (account, _args, context) => urlsOf(context, account)?.messages ?? `${context.deps.config.PUBLIC_URL}/graphql`,
    }),
    webhookEventsUrl: t.string({
      nullable: true,
      description:
        "Enter this at the provider as the address for events about messages that were sent (SendGrid's Event Webhook); null where nothing has to be entered. For ADMINs it may contain a secret.",
      resolve: (account, _args, context) => urlsOf(context, account)?.events ?? null,
    }),
    webhookCallsUrl: t.string({
      nullable: true,
      description:
        "Enter this at the provider as the address that is told how calls went (Twilio: the number's call status callback, and the action of <Dial>): each becomes a CALL_LOG. null where it tells of none.",
      resolve: (account, _args, context) => urlsOf(context, account)?.calls ?? null,
    }),
    webhookVerifyToken: t.string({
      nullable: true,
      description:
        'Enter this at the provider beside `webhookUrl` (Meta: "Verify token"). ADMIN only: null for others, where the provider asks for none, and where the server has none (META_VERIFY_TOKEN).',
      resolve: ({ provider, channel }, _args, context) => {
        const { wire } = context.deps.channels.get(provider, channel)
        return isAdmin(context) && wire?.reach === 'app' ? wire.verifyToken : null
      },
    }),
    capabilities: t.field({
      type: ChannelCapabilities,
      resolve: (account, _args, { deps }) => deps.channels.get(account.provider, account.channel).capabilities,
    }),
    messagesPerSecond: t.exposeInt('messagesPerSecond', {
      ...column('messages_per_second'),
      nullable: true,
      description:
        "How many messages a second the provider takes from it, where that is not the channel's usual limit (`capabilities`): what is over it waits, and holds up no other account.",
    }),
    health: t.field({ type: ChannelHealth, resolve: (account) => account }),
    createdAt: t.field({ type: 'DateTime', ...timeColumn('created_at'), resolve: (account) => account.createdAt }),
  }),
})

builder.queryField('channelAccounts', (t) =>
  t.field({
    type: [ChannelAccount],
    description: 'All accounts, also disconnected ones, oldest first.',
    resolve: (_root, _args, context) =>
      context.deps.db.channelAccount.findMany({
        where: { organizationId: organizationOf(context) },
        orderBy: { id: 'asc' },
        ...columnsOf(context, 'ChannelAccount'),
      }),
  }),
)

const Connect = builder.inputType('ConnectChannelAccountInput', {
  fields: (t) => ({
    channel: t.field({ type: ChannelType, required: true }),
    name: t.string({ required: true, description: '1 to 200 characters, for people.' }),
    address: t.string({
      required: true,
      description:
        "SMS: a number such as +15005550006, a short code or a sender's name; WHATSAPP: the number; RCS: the sender's id, e.g. acme_agent; EMAIL: the address; MESSENGER: the page's id; INSTAGRAM: the account's id; WEBCHAT: a key of your choice, 3 to 63 letters, digits, - and _.",
    }),
    credentials: t.field({ type: ChannelCredentials, required: true }),
  }),
})

const Update = builder.inputType('UpdateChannelAccountInput', {
  fields: (t) => ({
    channelAccountId: t.id({ required: true }),
    name: t.string(),
    credentials: t.field({ type: ChannelCredentials, description: 'For the same provider; replaces all of the former ones.' }),
    messagesPerSecond: t.int({
      description: "1 to 10,000; null: the channel's usual limit again. See `ChannelAccount.messagesPerSecond`.",
    }),
  }),
})

const chosen = (name: string) => builder.inputType(name, { fields: (t) => ({ channelAccountId: t.id({ required: true }) }) })

const success = (name: string) =>
  builder.objectRef<{ account: Row }>(name).implement({
    fields: (t) => ({ channelAccount: t.field({ type: ChannelAccount, resolve: ({ account }) => account }) }),
  })

const authScopes = { role: 'ADMIN' } as const
const path = ['input', 'channelAccountId']

builder.mutationFields((t) => ({
  connectChannelAccount: t.field({
    type: success('ConnectChannelAccountSuccess'),
    description:
      'ADMIN. The provider is asked whether the credentials are right before the account becomes ACTIVE; else it is PENDING, and `health` says what to do. An address that was disconnected before is taken up again, with its conversations.',
    authScopes,
    errors: { types: [ValidationError, AlreadyExistsError] },
    args: { input: t.arg({ type: Connect, required: true }) },
    resolve: async (_root, { input }, context) => ({ account: await connectChannelAccount(context.deps, actorOf(context), input) }),
  }),
  updateChannelAccount: t.field({
    type: success('UpdateChannelAccountSuccess'),
    description:
      'ADMIN. Absent fields stay as they are. New credentials are checked with the provider: the account is then ACTIVE, or PENDING with the reason in its `health`.',
    authScopes,
    errors: { types: [ValidationError, NotFoundError, ChannelNotConnectedError] },
    args: { input: t.arg({ type: Update, required: true }) },
    resolve: async (_root, { input }, context) => {
      const channelAccountId = requiredId('ChannelAccount', input.channelAccountId, path)
      return { account: await updateChannelAccount(context.deps, actorOf(context), { ...input, channelAccountId }) }
    },
  }),
  disconnectChannelAccount: t.field({
    type: success('DisconnectChannelAccountSuccess'),
    description: 'ADMIN. Nothing is sent or received any more and the credentials are erased; conversations stay.',
    authScopes,
    errors: { types: [NotFoundError] },
    args: { input: t.arg({ type: chosen('DisconnectChannelAccountInput'), required: true }) },
    resolve: async (_root, { input }, context) => ({
      account: await disconnectChannelAccount(context.deps, actorOf(context), requiredId('ChannelAccount', input.channelAccountId, path)),
    }),
  }),
  checkChannelAccount: t.field({
    type: success('CheckChannelAccountSuccess'),
    description:
      'ADMIN. Asks the provider whether credentials, address and webhook are right, and keeps the answer: a PENDING account becomes ACTIVE by it, and an ACTIVE one PENDING where the provider refuses it. A provider that gives no answer leaves an ACTIVE account active.',
    authScopes,
    errors: { types: [NotFoundError, ChannelNotConnectedError] },
    args: { input: t.arg({ type: chosen('CheckChannelAccountInput'), required: true }) },
    resolve: async (_root, { input }, context) => ({
      account: await checkChannelAccount(context.deps, actorOf(context), requiredId('ChannelAccount', input.channelAccountId, path)),
    }),
  }),
}))
