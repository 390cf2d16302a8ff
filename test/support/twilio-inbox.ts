import { localId } from '../../schema/global-id.ts'
import type { Communication } from '../../src/db/generated/client.ts'
import { conversationQueue } from '../../src/jobs/enqueue.ts'
import {
  ConnectChannelAccountDocument,
  type ConnectChannelAccountInput,
  SendMessageDocument,
  type SendMessageInput,
  type SendMessageMutation,
} from '../generated/graphql.ts'
import { startTestApp, type TestApp } from './app.ts'
import { type FakeTwilio, startFakeTwilio } from './fake-twilio.ts'

/** `address` is spelled as Twilio spells it in webhooks. */
export type ConnectedAccount = { id: string; rowId: string; channel: 'SMS' | 'WHATSAPP' | 'RCS'; address: string; webhookUrl: string }

export type SendAnswer = NonNullable<SendMessageMutation['sendMessage']>

export type TwilioInbox = {
  app: TestApp
  fake: FakeTwilio
  sms: ConnectedAccount
  whatsapp: ConnectedAccount
  /** Posts what a customer wrote, signed. */
  inbound(account: ConnectedAccount, from: string, body?: string, params?: Record<string, string>): ReturnType<FakeTwilio['inbound']>
  /** What `sendMessage` answers, whichever member of its union. */
  trySend(input: SendMessageInput): Promise<SendAnswer>
  /** Queues a message and gives its row's id; throws where it was refused. */
  send(input: SendMessageInput): Promise<string>
  /** Queues a text for a number that nobody else uses, by SMS. */
  sendText(text?: string): Promise<string>
  /** As `sendText`, to a customer whose messages wait for nobody else's that was sent so: see `conversationQueue`. */
  sendApart(text?: string): Promise<string>
  row(id: string): Promise<Communication>
  close(): Promise<void>
}

let numbers = 0

/** A phone number that no other test of this file uses. */
export const newPhone = (): string => `+1415555${String(++numbers).padStart(4, '0')}`

/** The product with an SMS and a WhatsApp account at a Twilio of our own. `settings` are environment variables. */
export async function startTwilioInbox(settings: Record<string, string> = {}): Promise<TwilioInbox> {
  let reach = (url: string) => url
  const fake = await startFakeTwilio({ reach: (url) => reach(url) })
  const app = await startTestApp({ TWILIO_API_URL: fake.url, ...settings })
  reach = (url) => url.replace(app.deps.config.PUBLIC_URL ?? '', app.url)
  const sms = await connect(app, { channel: 'SMS', name: 'SMS', address: '+15017122661', credentials: { twilio: fake.credentials } })
  const whatsapp = await connect(app, {
    channel: 'WHATSAPP',
    name: 'WhatsApp',
    address: '+15017122662',
    credentials: { twilio: fake.credentials },
  })
  const queues = new Set<string>()
  const inbox: TwilioInbox = {
    app,
    fake,
    sms,
    whatsapp,
    inbound: (account, from, body = 'Hello', params = {}) =>
      fake.inbound({ url: account.webhookUrl, to: account.address, from, body, params }),
    async trySend(input) {
      const { data, errors } = await app.request(SendMessageDocument, { input })
      if (!data?.sendMessage) throw new Error(`sendMessage failed: ${JSON.stringify(errors)}`)
      return data.sendMessage
    },
    async send(input) {
      const answer = await inbox.trySend(input)
      const id = answer.__typename === 'SendMessageSuccess' ? localId('Communication', answer.communication.id) : null
      if (id === null) throw new Error(`not sent: ${JSON.stringify(answer)}`)
      return id
    },
    sendText: (text = 'Hello') => inbox.send({ to: { address: newPhone() }, channelAccountId: sms.id, content: { text } }),
    async sendApart(text = 'Hello') {
      const from = newPhone()
      const { messageSid } = await inbox.inbound(sms, from)
      const { conversationId } = await app.deps.db.communication.findFirstOrThrow({ where: { externalMessageId: messageSid } })
      const queue = conversationQueue('deliver', conversationId ?? '')
      if (queues.has(queue)) return inbox.sendApart(text)
      queues.add(queue)
      return inbox.send({ to: { address: from }, channelAccountId: sms.id, content: { text } })
    },
    row: (id) => app.deps.db.communication.findUniqueOrThrow({ where: { id } }),
    async close() {
      await app.close()
      await fake.close()
    },
  }
  return inbox
}

/** Connects a Twilio account; `token` where it is not for the demo organization. */
export async function connect(app: TestApp, input: ConnectChannelAccountInput, token?: string): Promise<ConnectedAccount> {
  const { data, errors } = await app.request(ConnectChannelAccountDocument, { input }, token)
  const answer = data?.connectChannelAccount
  if (answer?.__typename !== 'ConnectChannelAccountSuccess') throw new Error(`not connected: ${JSON.stringify(answer ?? errors)}`)
  const { id, channel, address, status, webhookUrl } = answer.channelAccount
  if (status !== 'ACTIVE') throw new Error(`${address} is ${status}`)
  const rowId = localId('ChannelAccount', id)
  if (rowId === null || (channel !== 'SMS' && channel !== 'WHATSAPP' && channel !== 'RCS')) throw new Error(`unexpected account ${id}`)
  return { id, rowId, channel, address: channel === 'SMS' ? address : `${channel.toLowerCase()}:${address}`, webhookUrl }
}
