import type { AnyChannelAdapter, Capabilities, Outgoing } from '../../src/channels/channel.ts'
import type { Content } from '../../src/channels/content.ts'
import type { MessageFact } from '../../src/channels/fact.ts'
import type { ChannelAccount } from '../../src/db/generated/client.ts'
import type { ChannelType, IdentityKind } from '../../src/db/generated/enums.ts'
import { newId } from '../../src/domain/ids.ts'
import { receiveMessages } from '../../src/domain/receive-message.ts'
import type { TestApp } from './app.ts'

/** A channel account of the demo organization whose provider is the test. Its customers' addresses are `user-<number>`. */
export type ScriptedChannel = {
  account: ChannelAccount
  /** What the provider was given, in order. */
  sent: Outgoing[]
  /** The external ids that were marked read. */
  read: string[]
  /** From now on the channel can do this. */
  becomes(changes: Partial<Capabilities>): void
  /** The next send throws this. */
  failNext(error: Error): void
  /** A message comes in; gives what it became. */
  says(from: string, fact?: Partial<MessageFact>): Promise<{ communicationId: string; conversationId: string; customerId: string }>
}

const everything: Capabilities = {
  textLimit: 100,
  textLimitUnit: 'CHARACTERS',
  messagingWindowHours: null,
  humanAgentHours: null,
  businessInitiated: true,
  templatesNeedApproval: false,
  content: ['TEXT', 'TEMPLATE', 'MEDIA', 'INTERACTIVE', 'REACTION'],
  media: {
    IMAGE: { maxBytes: 1000, types: ['image/png', 'image/jpeg'] },
    AUDIO: { maxBytes: 2000, types: [] },
    VOICE: { maxBytes: 2000, types: ['audio/ogg'] },
    DOCUMENT: { maxBytes: 3000, types: [] },
  },
  maxAttachments: 2,
  captionLimit: 20,
  interactive: { maxButtons: 3, maxRows: 4, maxTitle: 10, maxRowTitle: 10, maxBody: 50 },
  quotedReplies: true,
  messagesPerSecond: null,
  inbound: true,
  deliveryReceipts: true,
  readReceipts: true,
}

const kinds: Record<ChannelType, IdentityKind> = {
  WHATSAPP: 'WHATSAPP',
  EMAIL: 'EMAIL',
  SMS: 'PHONE',
  RCS: 'PHONE',
  MESSENGER: 'MESSENGER',
  INSTAGRAM: 'INSTAGRAM',
  WEBCHAT: 'WEBCHAT',
}

let made = 0

/** Puts a provider of our own in the place of the sandbox's for this channel. */
export async function scriptChannel(app: TestApp, channel: ChannelType, changes: Partial<Capabilities> = {}): Promise<ScriptedChannel> {
  const { deps } = app
  const usual = deps.channels
  const sms = usual.get('SANDBOX', 'SMS')
  const failures: Error[] = []
  const sent: Outgoing[] = []
  const read: string[] = []
  const isEmail = channel === 'EMAIL'
  let capabilities: Capabilities = { ...everything, ...changes }
  const adapter: AnyChannelAdapter = {
    ...sms,
    channel,
    get capabilities() {
      return capabilities
    },
    normalize: (text) => (isEmail ? (text.includes('@') ? text.toLowerCase() : null) : /^user-\d+$/.test(text) ? text : null),
    identify: (value, scope) => ({ kind: kinds[channel], scope: isEmail ? '' : scope, value, verified: false }),
    async send(outgoing: Outgoing) {
      const failure = failures.shift()
      if (failure !== undefined) throw failure
      sent.push(outgoing)
      return { externalMessageId: `sent-${++made}` }
    },
    markRead: async (externalMessageId) => {
      read.push(externalMessageId)
    },
  }
  const others = usual.all.filter((other) => other.provider !== 'SANDBOX' || other.channel !== channel)
  const isScripted = (provider: string, wanted: ChannelType) => provider === 'SANDBOX' && wanted === channel
  deps.channels = {
    all: [...others, adapter],
    find: (provider, wanted) => (isScripted(provider, wanted) ? adapter : usual.find(provider, wanted)),
    get: (provider, wanted) => (isScripted(provider, wanted) ? adapter : usual.get(provider, wanted)),
    speaking: usual.speaking,
  }
  const { id: organizationId } = await deps.db.organization.findUniqueOrThrow({ where: { slug: 'demo' } })
  const { ciphertext, keyId } = deps.secrets.encrypt('{}')
  const account = await deps.db.channelAccount.create({
    data: {
      id: newId(),
      organizationId,
      channel,
      provider: 'SANDBOX',
      name: `Scripted ${channel}`,
      address: isEmail ? 'support@example.com' : `scripted-${++made}`,
      status: 'ACTIVE',
      credentials: ciphertext,
      credentialsKey: keyId,
    },
  })
  return {
    account,
    sent,
    read,
    becomes: (now) => {
      capabilities = { ...everything, ...changes, ...now }
    },
    failNext: (error) => failures.push(error),
    async says(from, fact = {}) {
      const content: Content = fact.content ?? { kind: 'TEXT' }
      const message: MessageFact = {
        kind: 'message',
        externalMessageId: `in-${++made}`,
        address: from,
        identities: [{ ...adapter.identify(from, account.address), verified: true }],
        profileName: null,
        body: 'Hello',
        attachments: [],
        payload: null,
        consent: null,
        ...fact,
        content,
      }
      const windowHours = adapter.capabilities.messagingWindowHours
      const [result] = await receiveMessages(deps, null, [{ account, windowHours, fact: message }])
      if (result?.status !== 'fulfilled' || result.value === null) throw new Error(`not received: ${JSON.stringify(result)}`)
      return result.value
    },
  }
}

/** A file as the upload would have left it. */
export async function uploaded(app: TestApp, file: { contentType: string; bytes: Buffer; filename?: string; organizationId?: string }) {
  const { deps } = app
  const id = newId()
  const organizationId = file.organizationId ?? (await deps.db.organization.findUniqueOrThrow({ where: { slug: 'demo' } })).id
  const storageKey = `attachments/${organizationId}/${id}`
  await deps.storage.put(storageKey, file.bytes)
  const { contentType, filename = null, bytes } = file
  await deps.db.attachment.create({
    data: { id, organizationId, filename, contentType, size: bytes.byteLength, status: 'STORED', storageKey },
  })
  return id
}
