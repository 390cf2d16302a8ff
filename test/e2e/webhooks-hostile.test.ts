import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type ContractServer, connectEverything, multipartOf, startContractServer } from '../support/contract-files.ts'

let server: ContractServer

beforeAll(async () => {
  server = await startContractServer()
  await connectEverything(server, 't')
})
afterAll(() => server?.app.close())

const metadata = { phone_number_id: '111', display_phone_number: '15550001' }
const good = (id: string) => ({ from: '905551112233', id, timestamp: '1730000000', type: 'text', text: { body: `good ${id}` } })

/** One of everything that WhatsApp says in a change. */
const whatsapp = (id: string) => ({
  object: 'whatsapp_business_account',
  entry: [
    {
      id: '9',
      changes: [
        {
          field: 'messages',
          value: {
            messaging_product: 'whatsapp',
            metadata,
            contacts: [{ profile: { name: 'Ayşe' }, wa_id: '905551112233', user_id: 'TR.1' }],
            messages: [
              {
                ...good(`${id}.1`),
                context: { id: 'x', from: '1', referred_product: { catalog_id: '1' } },
                referral: { source_url: 'https://a.example' },
              },
              {
                from: '905551112233',
                id: `${id}.2`,
                timestamp: '1',
                type: 'image',
                image: { id: '5', mime_type: 'image/png', caption: 'c' },
              },
              {
                from: '905551112233',
                id: `${id}.3`,
                timestamp: '1',
                type: 'contacts',
                contacts: [{ name: { formatted_name: 'N' }, phones: [{ phone: '1' }] }],
              },
              {
                from: '905551112233',
                id: `${id}.4`,
                timestamp: '1',
                type: 'order',
                order: { product_items: [{ product_retailer_id: 'p', quantity: 2 }] },
              },
              {
                from: '905551112233',
                id: `${id}.5`,
                timestamp: '1',
                type: 'interactive',
                interactive: { type: 'list_reply', list_reply: { id: 'i', title: 't' } },
              },
            ],
            statuses: [{ id: 's', status: 'failed', timestamp: '1', recipient_id: '905551112233', errors: [{ code: 131026, title: 't' }] }],
          },
        },
      ],
    },
  ],
})

const messaging = (object: string, account: string) => (id: string) => ({
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
          message: {
            mid: `${id}.1`,
            text: 't',
            attachments: [{ type: 'image', payload: { url: 'https://x.fbcdn.net/a' } }],
            reply_to: { mid: 'm', story: { id: 's', url: 'u' } },
          },
        },
        {
          sender: { id: '7' },
          recipient: { id: account },
          timestamp: 2,
          postback: { title: 't', payload: 'p', referral: { ref: 'r', source: 'ADS' } },
        },
        { sender: { id: '7' }, recipient: { id: account }, timestamp: 3, reaction: { mid: 'm', action: 'react', emoji: '❤' } },
        { sender: { id: '7' }, recipient: { id: account }, timestamp: 4, delivery: { mids: ['m'], watermark: 5 } },
      ],
    },
  ],
})

const events = (id: string) => [
  {
    event: 'bounce',
    email: 'a@example.com',
    timestamp: 1,
    sg_event_id: id,
    sg_message_id: `${id}.x`,
    reason: 'r',
    status: '5.0.0',
    type: 'bounce',
  },
  {
    event: 'delivered',
    email: 'a@example.com',
    timestamp: 1,
    sg_event_id: `${id}d`,
    'smtp-id': '<a@b>',
    communicationId: '0192f3a4-0000-7000-8000-000000000000',
  },
]

type Json = unknown

/** Every place in a JSON value. */
function placesIn(value: Json, at: (string | number)[] = []): (string | number)[][] {
  if (typeof value !== 'object' || value === null) return [at]
  return [at, ...Object.entries(value).flatMap(([key, part]) => placesIn(part, [...at, Array.isArray(value) ? Number(key) : key]))]
}

function replaced(value: Json, [key, ...rest]: (string | number)[], by: Json): Json {
  if (key === undefined) return by
  const copy = (Array.isArray(value) ? [...value] : { ...(value as object) }) as Record<string | number, Json>
  copy[key] = replaced(copy[key], rest, by)
  return copy
}

const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth)

/** What nobody would send. `DEEP` is put in by text, because JSON.stringify itself would fail. */
const odd: fc.Arbitrary<Json> = fc.oneof(
  fc.jsonValue({ maxDepth: 3 }),
  fc.constantFrom<Json>(
    null,
    [],
    {},
    '',
    '\u0000',
    '\ud800',
    -1,
    1e308,
    true,
    'x'.repeat(70_000),
    [[null]],
    { __proto__: null, constructor: 1 },
    'DEEP',
  ),
)

const textOf = (value: Json): string => (JSON.stringify(value) ?? 'null').replaceAll('"DEEP"', nested(5000))

let serial = 0

/** A body with one place replaced, or cut off, or bytes put in. */
const spoiled = (make: (id: string) => Json): fc.Arbitrary<string> =>
  fc
    .record({ place: fc.nat(), by: odd, cut: fc.option(fc.double({ min: 0, max: 1, noNaN: true }), { freq: 4 }) })
    .map(({ place, by, cut }) => {
      const whole = make(`h${serial++}`)
      const places = placesIn(whole)
      const text = textOf(replaced(whole, places[place % places.length] ?? [], by))
      return cut === null ? text : text.slice(0, Math.floor(text.length * cut))
    })

const RUNS = { numRuns: 60 }

async function expectNoHarm(answer: Response, body: string): Promise<void> {
  expect(answer.status, body.slice(0, 2000)).toBeLessThan(500)
  expect(await answer.text()).not.toMatch(/\bat .*\.ts:\d+/)
}

describe('a signed webhook that nobody would send is answered 2xx or 4xx', () => {
  test.each([
    ['WhatsApp', whatsapp],
    ['Messenger', messaging('page', '333')],
    ['Instagram', messaging('instagram', '444')],
  ])('%s', async (_name, make) => {
    await fc.assert(
      fc.asyncProperty(spoiled(make), async (body) => expectNoHarm(await server.meta(body), body)),
      RUNS,
    )
  })

  test('SendGrid events', async () => {
    await fc.assert(
      fc.asyncProperty(spoiled(events), async (body) => expectNoHarm(await server.sendgridEvents(body), body)),
      RUNS,
    )
  })

  test('SendGrid inbound', async () => {
    const fields = fc.dictionary(
      fc.constantFrom(
        'email',
        'from',
        'to',
        'subject',
        'text',
        'html',
        'headers',
        'charsets',
        'envelope',
        'attachment-info',
        'attachments',
      ),
      fc.oneof(
        fc.string({ unit: 'binary' }),
        fc.constantFrom('{"to":"utf-99"}', '{', nested(3000), '<'.repeat(5000), 'From: a@b.c\r\n\r\nx'),
      ),
    )
    await fc.assert(
      fc.asyncProperty(fields, fc.option(fc.nat({ max: 400 })), fc.uint8Array({ maxLength: 300 }), async (given, cut, noise) => {
        const { body, boundary } = multipartOf({ ...given, email: given.email ?? Buffer.from(noise) })
        const sent = cut === null ? body : body.subarray(0, cut)
        await expectNoHarm(await server.sendgridInbound(sent, boundary), JSON.stringify(given))
      }),
      RUNS,
    )
  })

  test('Twilio', async () => {
    const names = fc.constantFrom(
      'MessageSid',
      'From',
      'Body',
      'NumMedia',
      'MediaUrl0',
      'MediaContentType0',
      'Latitude',
      'ButtonPayload',
      'MessageStatus',
      'ErrorCode',
      'OptOutType',
      'ProfileName',
      'ChannelMetadata',
      'CallSid',
      'CallStatus',
      'DialCallStatus',
      'Direction',
    )
    const values = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom('\u0000', 'NaN', '-1', '1e999', nested(3000), 'whatsapp:', 'x'.repeat(5000)),
    )
    await fc.assert(
      fc.asyncProperty(fc.dictionary(names, values), fc.constantFrom('sms', 'status', 'voice'), async (params, segment) => {
        const sent = { To: '+15550002', From: '+905551112233', ...params }
        if (segment === 'status') Object.assign(sent, { From: '+15550002' })
        await expectNoHarm(await server.twilio(segment, sent), JSON.stringify(params))
      }),
      RUNS,
    )
  })

  test('bytes that are no text, and nothing at all', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 400 }), async (bytes) => {
        const body = Buffer.from(bytes).toString('latin1')
        await expectNoHarm(await server.meta(body), body)
        await expectNoHarm(await server.sendgridEvents(body), body)
      }),
      { numRuns: 30 },
    )
  })

  test('more than is allowed is refused with the limit', async () => {
    const answer = await server.meta(JSON.stringify({ object: 'page', x: 'x'.repeat(4_000_000) }))
    expect(answer.status).toBe(413)
    expect(await answer.text()).toMatch(/larger than/)
  })
})

test('a bad item does not lose its neighbours', async () => {
  let n = 0
  await fc.assert(
    fc.asyncProperty(odd, fc.nat({ max: 3 }), async (bad, place) => {
      n += 1
      const ids = [1, 2, 3].map((k) => `neighbour.${n}.${k}`)
      const messages: Json[] = ids.map(good)
      messages.splice(place, 0, bad)
      const body = textOf({
        object: 'whatsapp_business_account',
        entry: [{ id: '9', changes: [{ field: 'messages', value: { messaging_product: 'whatsapp', metadata, messages } }] }],
      })
      await expectNoHarm(await server.meta(body), body)
      const { organizationId } = server
      expect(await server.app.deps.db.communication.count({ where: { organizationId, externalMessageId: { in: ids } } })).toBe(3)
    }),
    { numRuns: 40 },
  )
})

test('and the server goes on', async () => {
  const body = JSON.stringify({
    object: 'whatsapp_business_account',
    entry: [{ id: '9', changes: [{ field: 'messages', value: { messaging_product: 'whatsapp', metadata, messages: [good('at.last')] } }] }],
  })
  expect((await server.meta(body)).status).toBe(200)
  expect(await server.app.deps.db.communication.count({ where: { externalMessageId: 'at.last' } })).toBe(1)
  expect((await fetch(`${server.app.url}/health/ready`)).status).toBe(200)
})
