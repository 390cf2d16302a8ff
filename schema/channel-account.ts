import type { Capabilities as CapabilitiesShape, HealthCheck } from '../src/channels/channel.ts'
import type { ChannelAccount as Row } from '../src/db/generated/client.ts'
import {
  checkChannelAccount,
  connectChannelAccount,
  disconnectChannelAccount,
  type Health,
  inboundUrl,
  updateChannelAccount,
} from '../src/domain/channel-accounts.ts'
import { AlreadyExistsError, ChannelNotConnectedError, NotFoundError, ValidationError } from '../src/domain/errors.ts'
import { builder } from './builder.ts'
import { actorOf, type Context, organizationOf, signedIn } from './context.ts'
import { ChannelAccountStatus, ChannelType, Provider, TextLimitUnit } from './enums.ts'
import { requiredId } from './global-id.ts'
import { inOrder } from './loaders.ts'

const ContentType = builder.enumType('MessageContentType', { values: ['TEXT', 'TEMPLATE'] as const })

const Capabilities = builder.objectRef<CapabilitiesShape>('ChannelCapabilities').implement({
  description: 'What the channel allows. The same values decide whether a message is accepted.',
  fields: (t) => ({
    textLimit: t.exposeInt('textLimit', { description: 'Longest text, in `textLimitUnit`.' }),
    textLimitUnit: t.field({ type: TextLimitUnit, resolve: (capabilities) => capabilities.textLimitUnit }),
    messagingWindowHours: t.exposeInt('messagingWindowHours', {
      nullable: true,
      description: "Hours after the customer's last message in which free text is allowed; null: always.",
    }),
    content: t.field({ type: [ContentType], description: 'What can be sent.', resolve: (capabilities) => [...capabilities.content] }),
    inbound: t.exposeBoolean('inbound', { description: 'Customers can write on it.' }),
    deliveryReceipts: t.exposeBoolean('deliveryReceipts'),
    readReceipts: t.exposeBoolean('readReceipts'),
  }),
})

const Check = builder.objectRef<HealthCheck>('ChannelHealthCheck').implement({
  fields: (t) => ({
    name: t.exposeString('name'),
    ok: t.exposeBoolean('ok'),
    message: t.exposeString('message', { nullable: true, description: 'What was found, or what to do.' }),
  }),
})

const HealthStatus = builder.enumType('ChannelHealthStatus', {
  values: { HEALTHY: {}, UNHEALTHY: {}, UNKNOWN: { description: 'Never checked: see `checkChannelAccount`.' } } as const,
})

const ChannelHealth = builder.objectRef<Row>('ChannelHealth').implement({
  description: 'The answer to the latest `checkChannelAccount`.',
  fields: (t) => ({
    status: t.field({ type: HealthStatus, resolve: (account) => (account.health as Health | null)?.status ?? 'UNKNOWN' }),
    checks: t.field({ type: [Check], resolve: (account) => (account.health as Health | null)?.checks ?? [] }),
    checkedAt: t.field({ type: 'DateTime', nullable: true, resolve: (account) => account.healthCheckedAt }),
  }),
})

export const ChannelAccount = builder.loadableNodeRef('ChannelAccount', {
  id: { resolve: (account) => account.id },
  load: async (ids: string[], context: Context) =>
    inOrder(ids, await context.deps.db.channelAccount.findMany({ where: { id: { in: ids }, organizationId: organizationOf(context) } })),
})
ChannelAccount.implement({
  description: 'A number or address of the organization at a provider. Credentials go in and never come out.',
  fields: (t) => ({
    name: t.exposeString('name'),
    channel: t.field({ type: ChannelType, resolve: (account) => account.channel }),
    provider: t.field({ type: Provider, resolve: (account) => account.provider }),
    isSandbox: t.boolean({
      description: 'Nothing sent from here leaves the machine.',
      resolve: (account, _args, { deps }) => deps.channels.get(account.provider, account.channel).sandbox,
    }),
    address: t.exposeString('address', { description: 'As the channel spells it; phone numbers in E.164.' }),
    status: t.field({ type: ChannelAccountStatus, resolve: (account) => account.status }),
    webhookUrl: t.string({
      description: "Enter this at the provider as the address for inbound messages. It contains the server's PUBLIC_URL.",
      resolve: (account, _args, context) => inboundUrl(context.deps, account, signedIn(context).viewer.organization.slug),
    }),
    capabilities: t.field({
      type: Capabilities,
      resolve: (account, _args, { deps }) => deps.channels.get(account.provider, account.channel).capabilities,
    }),
    health: t.field({ type: ChannelHealth, resolve: (account) => account }),
    createdAt: t.field({ type: 'DateTime', resolve: (account) => account.createdAt }),
  }),
})

builder.queryField('channelAccounts', (t) =>
  t.field({
    type: [ChannelAccount],
    description: 'All accounts, also disconnected ones, oldest first.',
    resolve: (_root, _args, context) =>
      context.deps.db.channelAccount.findMany({ where: { organizationId: organizationOf(context) }, orderBy: { id: 'asc' } }),
  }),
)

const TwilioCredentials = builder.inputType('TwilioCredentialsInput', {
  fields: (t) => ({
    accountSid: t.string({ required: true, description: 'Starts with AC.' }),
    authToken: t.string({ required: true, description: 'Also verifies the signature of webhooks.' }),
    messagingServiceSid: t.string({ description: 'Starts with MG. Messages are then sent through this Messaging Service.' }),
  }),
})

const SandboxCredentials = builder.inputType('SandboxCredentialsInput', {
  fields: (t) => ({
    authToken: t.string({ description: "Signs simulated webhooks as Twilio's auth token does: any text; absent: a random one." }),
  }),
})

const Credentials = builder.inputType('ChannelCredentialsInput', {
  isOneOf: true,
  description: 'Stored encrypted, never returned. The one that is set chooses the provider.',
  fields: (t) => ({ twilio: t.field({ type: TwilioCredentials }), sandbox: t.field({ type: SandboxCredentials }) }),
})

const Connect = builder.inputType('ConnectChannelAccountInput', {
  fields: (t) => ({
    channel: t.field({ type: ChannelType, required: true }),
    name: t.string({ required: true, description: '1 to 200 characters, for people.' }),
    address: t.string({
      required: true,
      description: "The number or address, e.g. +15005550006; a sender's name where the channel has such.",
    }),
    credentials: t.field({ type: Credentials, required: true }),
  }),
})

const Update = builder.inputType('UpdateChannelAccountInput', {
  fields: (t) => ({
    channelAccountId: t.id({ required: true }),
    name: t.string(),
    credentials: t.field({ type: Credentials, description: 'For the same provider; replaces all of the former ones.' }),
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
    description: 'ADMIN. An address that was disconnected before is taken up again, with its conversations.',
    authScopes,
    errors: { types: [ValidationError, AlreadyExistsError] },
    args: { input: t.arg({ type: Connect, required: true }) },
    resolve: async (_root, { input }, context) => ({ account: await connectChannelAccount(context.deps, actorOf(context), input) }),
  }),
  updateChannelAccount: t.field({
    type: success('UpdateChannelAccountSuccess'),
    description: 'ADMIN. Absent fields stay as they are.',
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
    description: 'ADMIN. Asks the provider whether credentials, address and webhook are right, and keeps the answer.',
    authScopes,
    errors: { types: [NotFoundError, ChannelNotConnectedError] },
    args: { input: t.arg({ type: chosen('CheckChannelAccountInput'), required: true }) },
    resolve: async (_root, { input }, context) => ({
      account: await checkChannelAccount(context.deps, actorOf(context), requiredId('ChannelAccount', input.channelAccountId, path)),
    }),
  }),
}))
