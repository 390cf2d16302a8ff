import { createHmac } from 'node:crypto'
import type { TypedDocumentNode } from '@graphql-typed-document-node/core'
import { globalId } from '../../schema/global-id.ts'
import {
  ConnectChannelAccountDocument,
  SendMessageDocument,
  SendWebchatMessageDocument,
  type SendWebchatMessageInput,
  StartWebchatDocument,
  type StartWebchatInput,
  type StartWebchatMutation,
  WebchatDocument,
  WebchatEventsDocument,
  type WebchatEventsSubscription,
} from '../generated/graphql.ts'
import type { TestApp } from './app.ts'
import { overSocket, overSse, type Subscriber } from './live.ts'
import type { TestOrganization } from './organization.ts'
import { dataOf, member, present } from './result.ts'

export const IDENTITY_SECRET = 'the secret with which the shop vouches for its users'

export type WebchatEvent = WebchatEventsSubscription['webchatEvents']

export type TestVisitor = {
  token: string
  /** The place in the log at the start. */
  cursor: string
  ask<Data, Variables>(document: TypedDocumentNode<Data, Variables> | string, variables?: Variables): Promise<Data>
  /** Sends a text, or whatever the input says; gives the message. */
  say(said: string | Partial<SendWebchatMessageInput>): Promise<{ id: string; text: string; status: string }>
  /** The texts of the conversation as the visitor sees it, oldest first. */
  texts(): Promise<string[]>
  follow(way: 'socket' | 'sse', after?: string): Promise<Subscriber<WebchatEventsSubscription>>
}

export type TestChat = {
  /** The channel account's global id. */
  id: string
  key: string
  begin(input?: Partial<StartWebchatInput>): Promise<StartWebchatMutation['startWebchat']>
  visitor(input?: Partial<StartWebchatInput>): Promise<TestVisitor>
  /** The organization's word, as its server would make it. */
  vouch(externalId: string): { externalId: string; hmac: string }
  /** The conversation's id in the inbox, found by a text that was written in it, word for word. */
  conversation(text: string): Promise<string>
  /** Staff answers in the conversation. */
  answer(conversationId: string, text: string, token?: string): Promise<string>
}

let counter = 0

/** A web chat of the organization. */
export async function openChat(
  app: TestApp,
  org: TestOrganization,
  options: { key: string; allowedOrigins?: string[] },
): Promise<TestChat> {
  const { key, allowedOrigins } = options
  const credentials = { parley: { identitySecret: IDENTITY_SECRET, ...(allowedOrigins === undefined ? {} : { allowedOrigins }) } }
  const input = { channel: 'WEBCHAT' as const, name: 'Chat', address: key, credentials }
  const connected = (await org.ask(ConnectChannelAccountDocument, { input })).connectChannelAccount
  const { channelAccount } = member(connected, 'ConnectChannelAccountSuccess')
  const begin: TestChat['begin'] = async (given = {}) =>
    dataOf(await app.request(StartWebchatDocument, { input: { organization: org.slug, account: key, ...given } }, null)).startWebchat
  return {
    id: channelAccount.id,
    key,
    begin,
    async visitor(given) {
      const { token, webchat } = member(await begin(given), 'StartWebchatSuccess')
      return visitorWith(app, token, webchat.cursor)
    },
    vouch: (externalId) => ({ externalId, hmac: createHmac('sha256', IDENTITY_SECRET).update(externalId).digest('hex') }),
    async conversation(text) {
      const { conversationId } = await app.deps.db.communication.findFirstOrThrow({ where: { organizationId: org.id, body: text } })
      return globalId('Conversation', present(conversationId))
    },
    async answer(conversationId, text, token = org.token) {
      const answer = dataOf(await app.request(SendMessageDocument, { input: { to: { conversationId }, content: { text } } }, token))
      return member(answer.sendMessage, 'SendMessageSuccess').communication.id
    },
  }
}

/** Someone who has this token. */
export function visitorWith(app: TestApp, token: string, cursor: string): TestVisitor {
  const ask: TestVisitor['ask'] = async (document, variables) => dataOf(await app.request(document, variables, token))
  return {
    token,
    cursor,
    ask,
    async say(said) {
      counter += 1
      const input = { clientMessageId: `message-${counter}`, ...(typeof said === 'string' ? { text: said } : said) }
      return member((await ask(SendWebchatMessageDocument, { input })).sendWebchatMessage, 'SendWebchatMessageSuccess').webchatMessage
    },
    async texts() {
      return (await ask(WebchatDocument)).webchat.messages.nodes.map(({ text }) => text)
    },
    follow: async (way, after) => {
      const operation = { document: WebchatEventsDocument, variables: { after: after ?? null }, token }
      return way === 'sse' ? overSse(app, operation) : overSocket(app, operation)
    },
  }
}

export const eventsOf = (subscriber: Subscriber<WebchatEventsSubscription>): WebchatEvent[] =>
  subscriber.data().map(({ webchatEvents }) => webchatEvents)

/** The texts of the messages that a subscription has told, in their order. */
export const toldTexts = (subscriber: Subscriber<WebchatEventsSubscription>): string[] =>
  eventsOf(subscriber).flatMap((event) => (event.__typename === 'WebchatMessageEvent' ? [event.message.text] : []))
