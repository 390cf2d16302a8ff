import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Outgoing, OutgoingEmail } from '../../src/channels/channel.ts'
import { createSendgridChannels } from '../../src/channels/sendgrid/channels.ts'
import { SendgridCredentials } from '../../src/channels/sendgrid/credentials.ts'
import { outgoingMessage } from '../support/outgoing.ts'
import { type Prism, startPrism } from '../support/prism.ts'

const SPECIFICATION = '../shared/contracts/openapi/sendgrid_mail_v3.json'
const present = existsSync(SPECIFICATION)
if (!present) console.warn(`${SPECIFICATION} is not here: sends are not tested against SendGrid's API description`)

const credentials = SendgridCredentials.parse({ apiKey: 'SG.a.b', inboundSecret: '0123456789abcdef', unsubscribeGroupId: 17 })
const email: OutgoingEmail = {
  fromName: 'Desk',
  html: null,
  messageId: '1@example.org',
  references: [],
  replyTo: { name: null, address: 'desk+token@example.org' },
  marketing: false,
}
const outgoing = (changes: Partial<Outgoing> = {}) =>
  outgoingMessage({
    channel: 'EMAIL',
    from: 'desk@example.org',
    to: 'ada@example.com',
    body: 'Hello',
    subject: 'Hello',
    content: { kind: 'EMAIL' },
    email,
    statusCallbackUrl: 'https://inbox.test/webhooks/sendgrid/demo/status?communicationId=0198c2a0-0000-7000-8000-000000000001',
    ...changes,
  })

describe.runIf(present)('SendGrid’s own API description', () => {
  let prism: Prism
  let front: ReturnType<typeof createServer>
  let prefer: string | undefined
  let adapter: ReturnType<typeof createSendgridChannels>[number]

  beforeAll(async () => {
    prism = await startPrism(SPECIFICATION)
    front = createServer((incoming, outgoingResponse) => forward(incoming, outgoingResponse, prism.port)).listen(0, '127.0.0.1')
    await once(front, 'listening')
    const [made] = createSendgridChannels({
      apiUrl: `http://127.0.0.1:${(front.address() as AddressInfo).port}`,
      timeoutMs: 15_000,
      maxEmailBytes: 40_000_000,
    })
    if (made === undefined) throw new Error('SendGrid offers no channel')
    adapter = made
  })
  afterAll(async () => {
    front?.close()
    front?.closeAllConnections()
    await prism?.stop()
  })

  /** The description has no X-Message-Id, which SendGrid's real answers carry; everything else is Prism's own. */
  function forward(incoming: IncomingMessage, response: ServerResponse, port: number): void {
    const headers = { ...incoming.headers, ...(prefer !== undefined && { prefer }) }
    const onward = request({ host: '127.0.0.1', port, path: incoming.url, method: incoming.method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 500, {
        ...answer.headers,
        ...(answer.statusCode === 202 && { 'x-message-id': 'from-the-test' }),
      })
      answer.pipe(response)
    })
    incoming.pipe(onward)
  }

  test.each<[string, Partial<Outgoing>]>([
    ['a text', {}],
    ['HTML', { email: { ...email, html: '<p>Hello</p>' } }],
    ['an answer', { email: { ...email, references: ['a@x', 'b@x'], replyTo: { name: 'Desk', address: 'desk@example.org' } } }],
    ['marketing', { email: { ...email, marketing: true } }],
    [
      'files and no text',
      {
        body: '',
        subject: null,
        files: [
          {
            filename: 'a.pdf',
            contentType: 'application/pdf',
            size: 3,
            media: 'DOCUMENT',
            url: 'https://x',
            read: async () => Buffer.from('abc'),
          },
        ],
      },
    ],
  ])('accepts %s', async (_name, changes) => {
    prefer = undefined
    expect(await adapter.send(outgoing(changes), credentials)).toEqual({ externalMessageId: 'from-the-test' })
  })

  test('refuses what is no address', async () => {
    prefer = undefined
    await expect(adapter.send(outgoing({ to: 'nobody' }), credentials)).rejects.toMatchObject({ name: 'Rejected' })
  })

  test.each([
    [400, 'Rejected'],
    [401, 'Rejected'],
    [413, 'Rejected'],
    [500, 'Uncertain'],
  ])('its own answer %i is %s', async (code, name) => {
    prefer = `code=${code}`
    await expect(adapter.send(outgoing(), credentials)).rejects.toMatchObject({ name })
  })
})
