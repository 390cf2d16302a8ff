import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type ContractServer, connectEverything, multipartOf, startContractServer } from '../support/contract-files.ts'
import { eventually } from '../support/eventually.ts'
import { type FakeMeta, startFakeMeta } from '../support/fake-meta.ts'
import { type FakeTwilio, startFakeTwilio } from '../support/fake-twilio.ts'

let server: ContractServer
let meta: FakeMeta
let twilio: FakeTwilio
let stranger: string
const visits: Pick<IncomingMessage, 'method' | 'url' | 'headers'>[] = []
const listener = createServer((request, response) => {
  visits.push(request)
  response.writeHead(200, { 'content-type': 'image/png' }).end('stolen')
})

beforeAll(async () => {
  listener.listen(0)
  await once(listener, 'listening')
  stranger = `http://localhost:${(listener.address() as AddressInfo).port}`
  meta = await startFakeMeta()
  twilio = await startFakeTwilio()
  server = await startContractServer({ WORKER: 'inline', META_GRAPH_URL: meta.url, TWILIO_API_URL: twilio.url, SENDGRID_API_URL: stranger })
  await connectEverything(server, meta.accessToken)
})
afterAll(async () => {
  await server?.app.close()
  await meta?.close()
  await twilio?.close()
  listener.close()
})

const whatsapp = (id: string, image: object) =>
  JSON.stringify({
    object: 'whatsapp_business_account',
    entry: [
      {
        id: '9',
        changes: [
          {
            field: 'messages',
            value: {
              messaging_product: 'whatsapp',
              metadata: { phone_number_id: '111' },
              messages: [{ from: '905551112233', id, timestamp: '1', type: 'image', image }],
            },
          },
        ],
      },
    ],
  })

const messaging = (object: string, account: string, mid: string, url: string) =>
  JSON.stringify({
    object,
    entry: [
      {
        id: account,
        time: 1,
        messaging: [
          {
            sender: { id: '7' },
            recipient: { id: account },
            timestamp: 1,
            message: { mid, attachments: [{ type: 'image', payload: { url } }] },
          },
        ],
      },
    ],
  })

/** Posts it and waits until its one file is given up. */
async function refused(externalMessageId: string, post: () => Promise<Response>): Promise<string> {
  expect((await post()).status).toBe(200)
  return eventually(async () => {
    const found = await server.app.deps.db.attachment.findFirstOrThrow({ where: { communication: { externalMessageId } } })
    expect(found.status).toBe('FAILED')
    return found.failure ?? ''
  })
}

test.each<[string, string, () => Promise<Response>]>([
  [
    'a picture of WhatsApp whose metadata point elsewhere',
    'w1',
    () => server.meta(whatsapp('w1', { id: meta.media({ url: `${stranger}/a.png` }), mime_type: 'image/png' })),
  ],
  [
    'a picture of WhatsApp that is redirected elsewhere',
    'w2',
    () => server.meta(whatsapp('w2', { id: meta.media({ redirectTo: `${stranger}/a.png` }), mime_type: 'image/png' })),
  ],
  [
    'a media id of WhatsApp that is an address',
    'w3',
    () => server.meta(whatsapp('w3', { id: `${stranger}/a.png`, mime_type: 'image/png' })),
  ],
  ['a picture of Messenger', 'm1', () => server.meta(messaging('page', '333', 'm1', `${stranger}/a.png`))],
  [
    'a picture of Messenger that is redirected',
    'm2',
    () => server.meta(messaging('page', '333', 'm2', meta.cdn({ redirectTo: `${stranger}/a.png` }))),
  ],
  ['a picture of Instagram', 'i1', () => server.meta(messaging('instagram', '444', 'i1', `${stranger}/a.png`))],
  [
    'a picture of Instagram on a name that only looks right',
    'i2',
    () => server.meta(messaging('instagram', '444', 'i2', `${stranger.replace('localhost', 'cdn.fbcdn.net.localhost')}/a.png`)),
  ],
  [
    'a picture of Twilio',
    'SM1',
    () =>
      server.twilio('sms', {
        MessageSid: 'SM1',
        From: '+905551112233',
        To: '+15550002',
        Body: '',
        NumMedia: '1',
        MediaUrl0: `${stranger}/a.png`,
        MediaContentType0: 'image/png',
      }),
  ],
  [
    'a picture of Twilio behind a user name',
    'SM2',
    () =>
      server.twilio('sms', {
        MessageSid: 'SM2',
        From: '+905551112233',
        To: '+15550002',
        Body: '',
        NumMedia: '1',
        MediaUrl0: `${stranger.replace('//', '//api.twilio.com@')}/a.png`,
        MediaContentType0: 'image/png',
      }),
  ],
])('%s is not fetched from a foreign host', async (_name, id, post) => {
  expect(await refused(id, post)).toMatch(/\w/)
  expect(visits.map(({ url }) => url)).toEqual([])
})

test('nothing that an e-mail names is fetched', async () => {
  const html = `<img src="${stranger}/pixel.png"><link rel=stylesheet href="${stranger}/a.css"><style>@import "${stranger}/b.css"</style>`
  const email = `From: a@example.com\r\nTo: us@parley.example\r\nMessage-ID: <one@example.com>\r\nMIME-Version: 1.0\r\nContent-Type: text/html\r\n\r\n${html}`
  const { body, boundary } = multipartOf({ email, envelope: JSON.stringify({ to: ['us@parley.example'], from: 'a@example.com' }) })
  expect((await server.sendgridInbound(body, boundary)).status).toBe(200)
  expect(await server.app.deps.db.emailMessage.count()).toBe(1)
  expect(visits.map(({ url }) => url)).toEqual([])
})
