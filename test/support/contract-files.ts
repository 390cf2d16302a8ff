import { createHmac, createSign, generateKeyPairSync, randomUUID } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { parse, stringify } from 'node:querystring'
import twilio from 'twilio'
import type { ChannelType, Provider } from '../../src/db/generated/enums.ts'
import { sealedCredentials } from '../../src/domain/channel-credentials.ts'
import { createOrganization } from '../../src/domain/create-organization.ts'
import { newId } from '../../src/domain/ids.ts'
import { startTestApp, type TestApp } from './app.ts'

/** Other people's webhooks; see the README beside them. */
export const CONTRACTS = '../shared/contracts'
export const contractsArePresent = existsSync(CONTRACTS)

/** Every file below a folder of the contracts, relative to the contracts. */
export const contractFiles = (folder = ''): string[] =>
  contractsArePresent
    ? readdirSync(join(CONTRACTS, folder), { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => relative(CONTRACTS, join(entry.parentPath, entry.name)))
        .sort()
    : []

export const contractBytes = (file: string): Buffer => readFileSync(join(CONTRACTS, file))

export const contractText = (file: string): string => contractBytes(file).toString('utf8')

const META_SECRET = 'the secret of the app at Meta'
const TWILIO_TOKEN = 'the auth token'
export const INBOUND_SECRET = 'the secret in the address of inbound mail'
const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const publicKey = keys.publicKey.export({ format: 'der', type: 'spki' }).toString('base64')

export type ContractServer = {
  app: TestApp
  organizationId: string
  /** Makes an active account, once for each address. */
  account(provider: Provider, channel: ChannelType, address: string, credentials: object, routingKeys?: string[]): Promise<string>
  /** Posts Meta's JSON, signed. */
  meta(body: string): Promise<Response>
  /** Posts form parameters to a segment of Twilio's webhooks, signed. */
  twilio(segment: string, params: Record<string, string>): Promise<Response>
  /** Posts SendGrid's events, signed. */
  sendgridEvents(body: string): Promise<Response>
  /** Posts an inbound e-mail, a multipart body. */
  sendgridInbound(body: Buffer, boundary: string): Promise<Response>
  /** Forgets every customer and all that was received. */
  clear(): Promise<void>
}

/** The product with one organization that is ready for any recorded webhook. No worker: media are on hosts of others. */
export async function startContractServer(settings: Record<string, string> = {}): Promise<ContractServer> {
  const app = await startTestApp({
    WORKER: 'off',
    META_APP_ID: '1',
    META_APP_SECRET: META_SECRET,
    META_VERIFY_TOKEN: 'verify me',
    ...settings,
  })
  const { id: organizationId } = await createOrganization(app.deps, { slug: 'contracts', name: 'Contracts' })
  const at = (path: string) => `${app.url}/webhooks/${path}`
  const signedUrl = (path: string) => `${app.deps.config.PUBLIC_URL}/webhooks/${path}`
  const send = (path: string, headers: Record<string, string>, body: string | Buffer) =>
    fetch(at(path), { method: 'POST', headers, body: typeof body === 'string' ? body : new Uint8Array(body) })
  return {
    app,
    organizationId,
    async account(provider, channel, address, credentials, routingKeys = []) {
      const key = { organizationId_channel_address: { organizationId, channel, address } }
      const made = {
        organizationId,
        provider,
        channel,
        address,
        name: address,
        status: 'ACTIVE' as const,
        ...sealedCredentials(app.deps, credentials),
      }
      const { id } = await app.deps.db.channelAccount.upsert({ where: key, create: { id: newId(), ...made, routingKeys }, update: {} })
      return id
    },
    meta: (body) =>
      send(
        'meta',
        {
          'content-type': 'application/json',
          'x-hub-signature-256': `sha256=${createHmac('sha256', META_SECRET).update(body).digest('hex')}`,
        },
        body,
      ),
    twilio: (segment, params) => {
      const path = `twilio/contracts/${segment}`
      const signature = twilio.getExpectedTwilioSignature(TWILIO_TOKEN, signedUrl(path), params)
      return send(path, { 'content-type': 'application/x-www-form-urlencoded', 'x-twilio-signature': signature }, stringify(params))
    },
    sendgridEvents: (body) => {
      const timestamp = String(Math.floor(Date.now() / 1000))
      const signature = createSign('sha256')
        .update(timestamp + body)
        .sign(keys.privateKey, 'base64')
      const headers = { 'x-twilio-email-event-webhook-signature': signature, 'x-twilio-email-event-webhook-timestamp': timestamp }
      return send('sendgrid/contracts/events', { 'content-type': 'application/json', ...headers }, body)
    },
    sendgridInbound: (body, boundary) =>
      send(
        `sendgrid/contracts/inbound?key=${encodeURIComponent(INBOUND_SECRET)}`,
        { 'content-type': `multipart/form-data; boundary=${boundary}` },
        body,
      ),
    async clear() {
      const tables = [
        'receipt',
        'received_message',
        'webhook_receipt',
        'consent_entry',
        'merge_suggestion',
        'email_message',
        'attachment',
        'template',
      ]
      for (const table of [...tables, 'communication', 'conversation', 'customer_identity', 'customer'])
        await app.deps.pool.query(
          `DELETE FROM ${table} WHERE organization_id = $1${table === 'webhook_receipt' ? ' OR organization_id IS NULL' : ''}`,
          [organizationId],
        )
      await app.deps.pool.query('UPDATE organization SET unread_count = 0 WHERE id = $1', [organizationId])
      await app.deps.pool.query('UPDATE channel_account SET health = NULL WHERE organization_id = $1', [organizationId])
    },
  }
}

export const twilioCredentials = { accountSid: 'AC00000000000000000000000000000000', authToken: TWILIO_TOKEN }
export const sendgridCredentials = { apiKey: 'SG.key', webhookPublicKey: publicKey, inboundSecret: INBOUND_SECRET }

/** An account at each provider: WhatsApp 111 of business account 9, page 333, Instagram 444, SMS +15550002, us@parley.example. */
export async function connectEverything(server: ContractServer, accessToken: string): Promise<void> {
  await server.account('META', 'WHATSAPP', '+15550001', { accessToken, phoneNumberId: '111', businessAccountId: '9' }, ['111', '9'])
  await server.account('META', 'MESSENGER', '333', { pageAccessToken: accessToken, pageId: '333' })
  await server.account('META', 'INSTAGRAM', '444', { accessToken, instagramAccountId: '444' })
  await server.account('TWILIO', 'SMS', '+15550002', twilioCredentials)
  await server.account('SENDGRID', 'EMAIL', 'us@parley.example', sendgridCredentials)
}

/** The parameters of a recorded request of Twilio's. */
export const twilioParams = (file: string): Record<string, string> =>
  file.endsWith('.form') ? (parse(contractText(file).trim()) as Record<string, string>) : JSON.parse(contractText(file)).params

/** A multipart body of text fields, the last of which may be bytes. */
export function multipartOf(fields: Record<string, string | Buffer>): { body: Buffer; boundary: string } {
  const boundary = `----${randomUUID()}`
  const parts = Object.entries(fields).flatMap(([name, value]) => [
    Buffer.from(`--${boundary}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n`),
    Buffer.isBuffer(value) ? value : Buffer.from(value),
    Buffer.from('\r\n'),
  ])
  return { body: Buffer.concat([...parts, Buffer.from(`--${boundary}--\r\n`)]), boundary }
}
