import { stringify } from 'node:querystring'
import type { TypedDocumentNode } from '@graphql-typed-document-node/core'
import twilio from 'twilio'
import { createOrganization } from '../../src/domain/create-organization.ts'
import { type ChannelCredentialsInput, ConnectChannelAccountDocument } from '../generated/graphql.ts'
import type { TestApp } from './app.ts'
import { newSid } from './fake-twilio.ts'
import { dataOf, member } from './result.ts'

/** A connected channel account, from the customers' side. */
export type Line = {
  id: string
  channel: 'SMS' | 'WHATSAPP'
  address: string
  webhookUrl: string
  /** Posts a signed inbound message; `from` is a number. Throws where the webhook is not accepted. */
  inbound(from: string, body: string, extra?: Record<string, string>): Promise<{ sid: string }>
  /** Posts a signed status callback about a message that was sent. */
  status(externalMessageId: string, status: string, extra?: Record<string, string>): Promise<void>
}

export type TestOrganization = {
  /** The row's id. */
  id: string
  slug: string
  token: string
  /** Sends an operation as an ADMIN of the organization; throws where the answer has errors. */
  ask<Data, Variables>(document: TypedDocumentNode<Data, Variables> | string, variables?: Variables): Promise<Data>
  sms: Line
  whatsapp: Line
}

export type OrganizationOptions = {
  slug: string
  name?: string
  timezone?: string
  language?: string
  credentials?: ChannelCredentialsInput
  /** Signs the webhooks. */
  authToken?: string
}

export const SMS_ADDRESS = '+15005550006'
export const WHATSAPP_ADDRESS = '+14155238886'
const SANDBOX_TOKEN = 'signs the simulated webhooks'

/** An organization of its own with one account for SMS and one for WhatsApp; SANDBOX where no credentials are given. */
export async function openOrganization(app: TestApp, options: OrganizationOptions): Promise<TestOrganization> {
  const { slug, name = slug, timezone = 'UTC', language = 'en' } = options
  const { id } = await createOrganization(app.deps, { slug, name, timezone, language })
  const token = await app.token({ organization: slug })
  const ask: TestOrganization['ask'] = async (document, variables) => dataOf(await app.request(document, variables, token))
  const credentials = options.credentials ?? { sandbox: { authToken: SANDBOX_TOKEN } }
  const connect = async (channel: Line['channel'], address: string): Promise<Line> => {
    const input = { channel, name: `${slug} ${channel}`, address, credentials }
    const { channelAccount } = member(
      (await ask(ConnectChannelAccountDocument, { input })).connectChannelAccount,
      'ConnectChannelAccountSuccess',
    )
    return { ...channelAccount, channel, ...postingTo(channelAccount.webhookUrl, channel, address, options.authToken ?? SANDBOX_TOKEN) }
  }
  return { id, slug, token, ask, sms: await connect('SMS', SMS_ADDRESS), whatsapp: await connect('WHATSAPP', WHATSAPP_ADDRESS) }
}

function postingTo(webhookUrl: string, channel: Line['channel'], address: string, authToken: string): Pick<Line, 'inbound' | 'status'> {
  const spelled = (number: string) => (channel === 'WHATSAPP' ? `whatsapp:${number}` : number)
  return {
    async inbound(from, body, extra = {}) {
      const sid = extra.MessageSid ?? newSid('SM')
      await post(webhookUrl, authToken, { MessageSid: sid, From: spelled(from), To: spelled(address), Body: body, NumMedia: '0', ...extra })
      return { sid }
    },
    async status(sid, status, extra = {}) {
      const url = webhookUrl.replace(/[^/]+$/, 'status')
      await post(url, authToken, { MessageSid: sid, MessageStatus: status, From: spelled(address), ...extra })
    },
  }
}

async function post(url: string, authToken: string, params: Record<string, string>): Promise<void> {
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-www-form-urlencoded; charset=UTF-8',
      'x-twilio-signature': twilio.getExpectedTwilioSignature(authToken, url, params),
    },
    body: stringify(params),
  })
  if (response.status !== 200) throw new Error(`the webhook was answered with ${response.status}: ${await response.text()}`)
}
