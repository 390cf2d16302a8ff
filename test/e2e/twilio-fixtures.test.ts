import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { parse } from 'node:querystring'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createOrganization } from '../../src/domain/create-organization.ts'
import { CommunicationsQueueDocument, CustomerWorkspaceDocument } from '../generated/graphql.ts'
import { startTestApp, type TestApp } from '../support/app.ts'
import { type FakeTwilio, startFakeTwilio } from '../support/fake-twilio.ts'
import { connect } from '../support/twilio-inbox.ts'

const FIXTURES = '../shared/contracts/twilio'
const present = existsSync(FIXTURES)
if (!present) console.warn(`${FIXTURES} is not here: Twilio's recorded messages are not sent through the server`)

type Params = Record<string, string>

function paramsOf(name: string): Params {
  const text = readFileSync(`${FIXTURES}/${name}`, 'utf8')
  return name.endsWith('.form') ? (parse(text.trim()) as Params) : JSON.parse(text).params
}

const isInboundMessage = (name: string): boolean =>
  name !== 'headers.json' && !/status|message_(sent|delivered|read)\.|call_|dial_|voice/.test(name)

const names = present ? readdirSync(FIXTURES).filter(isInboundMessage) : []

describe.runIf(present)('recorded messages', () => {
  let app: TestApp
  let fake: FakeTwilio

  // Without a worker: the media that the recordings name are on hosts of others.
  beforeAll(async () => {
    fake = await startFakeTwilio()
    app = await startTestApp({ WORKER: 'off', TWILIO_API_URL: fake.url })
  })
  afterAll(async () => {
    await app.close()
    await fake.close()
  })

  test('there are some', () => expect(names.length).toBeGreaterThan(8))

  test.each(names.map((name, index) => ({ name, slug: `fixture-${index}` })))(
    '$name arrives in the graph, once',
    async ({ name, slug }) => {
      const params = paramsOf(name)
      const channel = name.includes('whatsapp') ? 'WHATSAPP' : 'SMS'
      await createOrganization(app.deps, { slug, name: slug })
      const token = await app.token({ organization: slug })
      // The account that the recording is for: by its number, or by its Messaging Service where it names no number.
      const { MessagingServiceSid: messagingServiceSid = null, To = '+15017122661' } = params
      const credentials = { twilio: { ...fake.credentials, messagingServiceSid } }
      const account = await connect(app, { channel, name, address: To.replace('whatsapp:', ''), credentials }, token)

      expect((await fake.post(account.webhookUrl, params)).status).toBe(200)

      const queue = await app.request(CommunicationsQueueDocument, {}, token)
      expect(queue.errors).toBeUndefined()
      const nodes = queue.data?.communications?.nodes ?? []
      expect(nodes).toHaveLength(1)
      const [node] = nodes
      const media = Object.keys(params).filter((key) => /^MediaUrl\d+$/.test(key))
      expect(node).toMatchObject({
        type: channel,
        direction: 'INBOUND',
        body: params.Body ?? `${params.Latitude}, ${params.Longitude}`,
        isRead: false,
        externalMessageId: params.MessageSid ?? params.SmsSid,
        deliveryStatus: null,
        attachments: media.map((key) => ({ contentType: params[key.replace('Url', 'ContentType')], url: null })),
        customer: { name: params.ProfileName ?? null },
      })
      const customer = await app.request(CustomerWorkspaceDocument, { id: node?.customer.id ?? '' }, token)
      expect(customer.data?.customer).toMatchObject({
        unreadCount: 1,
        identities: [{ kind: 'PHONE', value: params.From?.replace('whatsapp:', ''), verified: true }],
        conversations: { nodes: [{ channel, status: 'OPEN', unreadCount: 1, messagingWindow: { isOpen: true } }] },
      })

      expect((await fake.post(account.webhookUrl, params)).status).toBe(200)
      const again = await app.request(CommunicationsQueueDocument, {}, token)
      expect(again.data?.communications?.nodes, 'the repeated webhook changes nothing').toEqual(nodes)
    },
  )
})
