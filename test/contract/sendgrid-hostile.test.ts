import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Part, RawRequest } from '../../src/channels/channel.ts'
import { sendgridWire } from '../../src/channels/sendgrid/wire.ts'
import { inboundPost, multipartPost } from '../support/email-posts.ts'

const wire = sendgridWire(1_000_000)

/** What every answer to hostile bytes has to be: parts with facts that can be stored. */
function expectFacts(parts: Part[]): void {
  expect(parts.length).toBeGreaterThan(0)
  for (const { to, facts } of parts) {
    expect(facts.length).toBeGreaterThan(0)
    for (const address of to?.addresses ?? []) expect(address).toMatch(/^\S+@\S+$/)
    for (const fact of facts) {
      expect(JSON.parse(JSON.stringify(fact))).toBeTypeOf('object')
      if (fact.kind !== 'message') continue
      expect(fact.externalMessageId).not.toBe('')
      expect(fact.externalMessageId.length).toBeLessThanOrEqual(250)
      expect(fact.identities).toHaveLength(1)
      expect(fact.address).toBe(fact.identities[0]?.value)
    }
  }
}

const inbound = async (request: RawRequest) => expectFacts(await wire.parse('inbound', request))

const mime = [
  'From: ada@example.com\r\nSubject: x\r\nMessage-ID: <1@x>\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n',
  '--b\r\n',
  '--b--\r\n',
  'Content-Type: text/plain; charset=nonsense\r\nContent-Transfer-Encoding: base64\r\n\r\n====\r\n',
  'Content-Type: text/html\r\n\r\n<p>hi</p>\r\n',
  'Content-Type: message/rfc822\r\n\r\nFrom: x\r\n\r\n',
  'Content-Type: message/delivery-status\r\n\r\nAction: failed\r\n',
  'Content-Type: multipart/report; boundary=b\r\n\r\n',
  'Content-Disposition: attachment; filename*0*=utf-8\'\'%ff; filename="../../etc/passwd"\r\n\r\nx\r\n',
  'Subject: =?utf-8?B?////?= =?x?Q?=ZZ?=\r\n',
  'From: "a\\" <<<@@>> (((\r\n',
  'References: <<>><a <b> \0\r\n',
  'Date: 99 Foo 999999\r\n',
  '\r\n\r\n',
  '\0\xff\n',
]
const fields = [
  'email',
  'headers',
  'from',
  'to',
  'subject',
  'text',
  'html',
  'charsets',
  'envelope',
  'attachment-info',
  'content-ids',
  'spam_score',
  'dkim',
  '__proto__',
  'constructor',
  '',
]
const json = fc.oneof(
  fc.json(),
  fc.constantFrom('{"to":[null,7,{}],"from":[]}', '{"text":null,"__proto__":"x"}', '[[[[', '{"a":{"filename":7}}'),
)

describe('whatever is posted to Inbound Parse', () => {
  test('bytes that are no form', () =>
    fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 500 }),
        fc.oneof(
          fc.string(),
          fc.constantFrom('multipart/form-data; boundary=b', 'multipart/form-data', 'multipart/form-data; boundary=', 'text/plain'),
        ),
        async (bytes, type) =>
          inbound({ method: 'POST', url: 'https://inbox.test/inbound', headers: { 'content-type': type }, body: Buffer.from(bytes) }),
      ),
    ))

  test('fields of any content', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.tuple(
            fc.constantFrom(...fields),
            fc.oneof(
              fc.uint8Array({ maxLength: 100 }).map((bytes) => Buffer.from(bytes)),
              json,
              fc.string(),
            ),
          ),
          { maxLength: 12 },
        ),
        async (entries) => inbound(inboundPost(Object.fromEntries(entries))),
      ),
    ))

  test('MIME in any disorder', () =>
    fc.assert(
      fc.asyncProperty(fc.array(fc.oneof(fc.constantFrom(...mime), fc.string({ maxLength: 20 })), { maxLength: 20 }), async (pieces) =>
        inbound(inboundPost({ email: `${pieces.join('')}`, envelope: '{"from":"ada@example.com"}' })),
      ),
      { numRuns: 500 },
    ))

  test('a form that ends anywhere', async () => {
    const { body } = inboundPost({ headers: 'From: ada@example.com', text: 'Hello', envelope: '{}' }, [
      { name: 'attachment1', filename: 'a.bin', type: 'image/png', bytes: Buffer.alloc(2000, 1) },
    ])
    for (let end = 0; end < body.length; end += 7) await inbound(multipartPost(body.subarray(0, end), 'xYzZY'))
  })

  test('forms of very many parts, and very deep ones', async () => {
    await inbound(inboundPost(Object.fromEntries(Array.from({ length: 2000 }, (_, n) => [`field${n}`, 'x']))))
    const nested = Array.from({ length: 3000 }, (_, n) => `Content-Type: multipart/mixed; boundary=b${n}\r\n\r\n--b${n}\r\n`).join('')
    await inbound(inboundPost({ email: `From: ada@example.com\r\n${nested}` }))
    await inbound(inboundPost({ email: `From: ada@example.com\r\n${'Content-Type: message/rfc822\r\n\r\n'.repeat(2000)}` }))
    await inbound(inboundPost({ email: `${'X: y\r\n'.repeat(200_000)}From: ada@example.com\r\n\r\nx` }))
    await inbound(inboundPost({ headers: 'From: ada@example.com', html: '<div class="gmail_quote">'.repeat(20_000) }))
    await inbound(
      inboundPost({
        headers: `From: ada@example.com\nTo: ${'a@b.example, '.repeat(5000)}`,
        text: '>'.repeat(200_000),
        charsets: `${'['.repeat(50_000)}`,
      }),
    )
  })

  test('pages that are nested without end, and mails of nothing but line ends, are kept as files', async () => {
    const html = '<li><p>'.repeat(200_000)
    const [part] = await wire.parse('inbound', inboundPost({ headers: 'From: ada@example.com', html }))
    expect(part?.facts[0]).toMatchObject({
      kind: 'message',
      body: '',
      email: { html: null },
      attachments: [{ filename: 'message.html', contentType: 'text/html' }],
    })
    const large = sendgridWire(40_000_000)
    for (const lines of ['\n'.repeat(20_000_000), `${'a'.repeat(63)}\n`.repeat(610_000)]) {
      const [read] = await large.parse('inbound', inboundPost({ email: `From: ada@example.com\r\nMessage-ID: <1@x>\r\n\r\n${lines}` }))
      expect(read?.facts[0]).toMatchObject({
        kind: 'message',
        externalMessageId: '1@x',
        payload: { problem: 'not readable as MIME: it has too many lines' },
      })
    }
    const [heads] = await large.parse('inbound', inboundPost({ headers: `From: ada@example.com${'\n'.repeat(20_000_000)}`, text: 'x' }))
    expect(heads?.facts[0]).toMatchObject({ kind: 'message', body: 'x' })
  })

  test('a file keeps its own name, whatever its field is called', async () => {
    const files = ['constructor', '__proto__', 'toString'].map((name) => ({
      name,
      filename: 'a.bin',
      type: 'x/y',
      bytes: Buffer.from('x'),
    }))
    const info = { 'attachment-info': '{"__proto__":{"filename":"b.bin"}}', 'content-ids': '{"__proto__":"constructor"}' }
    const [part] = await wire.parse('inbound', inboundPost({ headers: 'From: ada@example.com', ...info }, files))
    const [message] = part?.facts ?? []
    expect(message?.kind === 'message' ? message.attachments.map(({ filename }) => filename) : []).toEqual(['a.bin', 'a.bin', 'a.bin'])
  })

  test('quotations within quotations do not grow with each level', async () => {
    const html = `${'<blockquote type="cite">'.repeat(190)}${'x<br>'.repeat(180_000)}`
    const [part] = await wire.parse('inbound', inboundPost({ headers: 'From: ada@example.com', html }))
    const [message] = part?.facts ?? []
    const shown = message?.kind === 'message' ? (message.email?.html ?? '') : ''
    expect(shown.split('<blockquote>')).toHaveLength(191)
  })

  test('a part longer than an e-mail may be is cut, and says so', async () => {
    const small = sendgridWire(1000)
    const [part] = await small.parse('inbound', inboundPost({ headers: 'From: ada@example.com', text: 'x'.repeat(5000) }))
    expect(part?.facts[0]).toMatchObject({
      kind: 'message',
      body: 'x'.repeat(1000),
      payload: { problem: 'the part "text" is longer than 1000 bytes' },
    })
  })

  test('what is no MIME is kept as it came', async () => {
    const email = `From: ada@example.com\r\nMessage-ID: <1@x>\r\n${Array.from({ length: 200 }, (_, n) => `Content-Type: multipart/mixed; boundary=b${n}\r\n\r\n--b${n}\r\n`).join('')}`
    const [part] = await wire.parse('inbound', inboundPost({ email }))
    const [fact] = part?.facts ?? []
    expect(fact).toMatchObject({
      kind: 'message',
      externalMessageId: '1@x',
      payload: { problem: expect.stringContaining('not readable as MIME') },
    })
    expect(fact?.kind === 'message' && fact.attachments[0]?.bytes?.toString()).toBe(email)
  })
})

describe('whatever is posted as events', () => {
  const event = fc.record(
    {
      event: fc.oneof(
        fc.constantFrom('processed', 'delivered', 'open', 'bounce', 'dropped', 'spamreport', 'unsubscribe', 'group_resubscribe'),
        fc.jsonValue(),
      ),
      email: fc.oneof(fc.constant('ada@example.com'), fc.jsonValue()),
      timestamp: fc.oneof(fc.integer(), fc.double(), fc.jsonValue()),
      sg_message_id: fc.oneof(fc.constant('m1.filter'), fc.jsonValue()),
      communicationId: fc.oneof(fc.uuid(), fc.jsonValue()),
      reason: fc.oneof(fc.string(), fc.jsonValue()),
    },
    { requiredKeys: [] },
  )

  test('one good event among any others is read', () =>
    fc.assert(
      fc.asyncProperty(fc.array(fc.oneof(event, fc.jsonValue()), { maxLength: 10 }), fc.nat(10), async (others, place) => {
        const good = { event: 'delivered', sg_message_id: 'good.1', email: 'ada@example.com', timestamp: 1513299569 }
        const parts = await wire.parse('events', {
          method: 'POST',
          url: '',
          headers: {},
          body: Buffer.from(JSON.stringify(others.toSpliced(place, 0, good))),
        })
        expectFacts(parts)
        expect(
          parts.flatMap(({ facts }) => facts).filter((fact) => fact.kind === 'receipt' && fact.externalMessageId === 'good'),
        ).toHaveLength(1)
      }),
      { numRuns: 500 },
    ))
})
