import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { RawRequest } from '../../src/channels/channel.ts'
import type { Fact, MessageFact } from '../../src/channels/fact.ts'
import { sendgridWire } from '../../src/channels/sendgrid/wire.ts'
import { withReplyToken } from '../../src/domain/email-reply-token.ts'
import { inboundPost, multipartPost } from '../support/email-posts.ts'

const FOLDER = '../shared/contracts/sendgrid/inbound-parse'
const present = existsSync(FOLDER)
if (!present) console.warn(`${FOLDER} is not here: recorded Inbound Parse posts are not read`)

const wire = sendgridWire(40_000_000)

async function factsOf(request: RawRequest): Promise<Fact[]> {
  return (await wire.parse('inbound', request)).flatMap(({ facts }) => facts)
}

async function messageOf(request: RawRequest): Promise<MessageFact> {
  const fact = (await factsOf(request)).find(({ kind }) => kind === 'message')
  if (fact?.kind !== 'message') throw new Error('there is no message')
  return fact
}

function recorded(name: string): RawRequest {
  const bytes = readFileSync(`${FOLDER}/${name}`)
  if (name.endsWith('.multipart')) return multipartPost(bytes, 'xYzZY')
  const fields: Record<string, unknown> = JSON.parse(bytes.toString('utf8'))
  return inboundPost(
    Object.fromEntries(Object.entries(fields).map(([field, value]) => [field, typeof value === 'string' ? value : JSON.stringify(value)])),
  )
}

const hello = {
  body: 'Hello Twilio SendGrid!',
  profileName: 'Example User',
  address: 'test@example.com',
  addresses: ['inbound@inbound.inbound.com'],
  html: '<strong>Hello Twilio SendGrid!</strong>',
}
const parsedForm = { ...hello, subject: 'Testing non-raw', addresses: ['inbound@inbound.example.com'], files: [] }
const rawForm = { ...hello, subject: 'Inbound Parse Test Raw Data', files: [] }
const rawWithFile = { ...hello, subject: 'Inbound Parse Test Raw Data with Attachment', files: [['SendGrid.jpg', 'image/jpeg', 10295]] }

type Expected = {
  addresses: string[]
  address: string
  profileName: string
  subject: string
  body: string
  html: string | RegExp
  files: unknown[]
  messageId?: string
  payload?: object
}

const EXPECTED: Record<string, Expected> = {
  'anymail.inbound_basics.fields.json': {
    addresses: ['test@inbound.example.com', 'other@example.com', 'cc@example.com'],
    address: 'from+test@example.org',
    profileName: 'Displayed From',
    subject: 'Test subject',
    body: 'Test body plain',
    html: '<div>Test body html</div>',
    files: [],
    messageId: 'CAEPk3R+4Zr@mail.example.org',
    payload: { spf: 'pass', dkim: '{@example.org : pass}', spamScore: 1.7, senderIp: '10.10.1.71', date: '2017-10-12T01:31:04.000Z' },
  },
  'docs.default_payload_fields.json': {
    addresses: ['example@example.comom'],
    address: 'example@example.com',
    profileName: 'Sender Name',
    subject: 'Different File Types',
    body: "Here's an email with multiple attachments",
    html: /src="cid:ii_1562e2169c132d83".*src="https:\/\/sendgrid\.com\/brand\/sg-logo-email\.png"/s,
    files: [],
    messageId: 'CAN_P_JMvV7ZpAQhOnDienypLrJmuhN=LQWweu4yScw4jQyXY2w@mail.gmail.com',
  },
  'sendgrid_python.default_data.crlf.multipart': parsedForm,
  'sendgrid_python.default_data.multipart': parsedForm,
  'sendgrid_python.raw_data.crlf.multipart': rawForm,
  'sendgrid_python.raw_data.multipart': rawForm,
  'sendgrid_python.raw_data_with_attachments.crlf.multipart': rawWithFile,
  'sendgrid_python.raw_data_with_attachments.multipart': rawWithFile,
}

describe.runIf(present)('recorded Inbound Parse posts', () => {
  const names = present ? readdirSync(FOLDER).sort() : []

  test('each has its expectation', () => {
    expect(Object.keys(EXPECTED).sort()).toEqual(names)
  })

  test.each(names)('%s is read', async (name) => {
    const expected = EXPECTED[name]
    if (expected === undefined) throw new Error(`${name} has no expectation`)
    const parts = await wire.parse('inbound', recorded(name))
    expect(parts).toHaveLength(1)
    expect(parts[0]?.to).toEqual({ channel: 'EMAIL', addresses: expected.addresses, communicationId: null })
    expect(parts[0]?.facts).toHaveLength(1)
    const fact = await messageOf(recorded(name))
    expect(fact).toMatchObject({
      externalMessageId: expected.messageId ?? expect.stringMatching(/^sha256:/),
      address: expected.address,
      profileName: expected.profileName,
      subject: expected.subject,
      body: expected.body,
      content: { kind: 'EMAIL' },
      payload: expected.payload ?? {},
    })
    if (typeof expected.html === 'string') expect(fact.email?.html).toBe(expected.html)
    else expect(fact.email?.html).toMatch(expected.html)
    expect(fact.attachments.map(({ filename, contentType, bytes }) => [filename, contentType, bytes?.byteLength])).toEqual(expected.files)
    expect(await wire.parse('inbound', recorded(name))).toEqual(parts)
  })
})

describe('the parsed form', () => {
  const headers =
    'From: Ada <ada@example.com>\nTo: desk@example.org\nMessage-ID: <1@example.com>\nReferences: <a@x> <b@x>\nIn-Reply-To: <c@x>\n'

  test('each field in its own charset', async () => {
    const fact = await messageOf(
      inboundPost({
        headers,
        charsets: JSON.stringify({ subject: 'ISO-8859-9', text: 'Shift_JIS', html: 'UTF-8', from: 'koi8-r' }),
        subject: Buffer.from([0x44, 0xfd, 0xfe, 0x61, 0x72, 0xfd]),
        text: Buffer.from([0x82, 0xb1, 0x82, 0xf1]),
        html: '<p>dışarı</p>',
      }),
    )
    expect(fact).toMatchObject({ subject: 'Dışarı', body: 'こん', email: { html: '<p>dışarı</p>' } })
    const old = inboundPost({
      headers,
      charsets: JSON.stringify({ subject: 'cp850', text: 'utf-7' }),
      subject: Buffer.from([0x70, 0xa2]),
      text: '+Jjo-',
    })
    expect(await messageOf(old)).toMatchObject({ subject: 'pó', body: '☺' })
  })

  test.each([
    ['unknown', JSON.stringify({ text: 'x-nonsense' }), Buffer.from('Grüße'), 'Grüße'],
    ['wrong', JSON.stringify({ text: 'UTF-8' }), Buffer.from('Grüße', 'latin1'), 'Grüße'],
    ['not JSON', '{text: ', Buffer.from('Grüße'), 'Grüße'],
    ['of a wrong type', '{"text": 7}', Buffer.from('Grüße'), 'Grüße'],
    ['absent', '', Buffer.from('Grüße'), 'Grüße'],
  ])('a charset that is %s', async (_name, charsets, text, body) => {
    expect((await messageOf(inboundPost({ headers, charsets, text }))).body).toBe(body)
  })

  test('files, also those within the text', async () => {
    const picture = Buffer.from([0x89, 0x50, 0, 0xff, 0x0d, 0x0a])
    const fact = await messageOf(
      inboundPost(
        {
          headers,
          html: '<p>See <img src="cid:picture@1"></p>',
          attachments: '3',
          'attachment-info': JSON.stringify({
            attachment1: { filename: 'görsel.png', type: 'image/png', 'content-id': '<picture@1>' },
            attachment2: { name: String.raw`\share\mail\b.txt` },
            attachment3: 7,
          }),
          'content-ids': JSON.stringify({ 'other@1': 'attachment3' }),
        },
        [
          { name: 'attachment1', filename: 'g.png', type: 'application/octet-stream', bytes: picture },
          { name: 'attachment2', filename: '', type: 'text/plain', bytes: Buffer.from('b') },
          { name: 'attachment3', filename: 'c.gif', type: 'image/gif', bytes: Buffer.alloc(0) },
        ],
      ),
    )
    expect(fact.attachments).toEqual([
      { url: null, bytes: picture, contentType: 'image/png', filename: 'görsel.png', contentId: 'picture@1' },
      { url: null, bytes: Buffer.from('b'), contentType: 'text/plain', filename: 'b.txt' },
      { url: null, bytes: Buffer.alloc(0), contentType: 'image/gif', filename: 'c.gif', contentId: 'other@1' },
    ])
    expect(fact.email?.html).toContain('src="cid:picture@1"')
    expect(fact.body).toBe('See')
  })

  test('what it answers, oldest first', async () => {
    expect((await messageOf(inboundPost({ headers, text: 'Yes' }))).email).toMatchObject({
      messageId: '1@example.com',
      references: ['a@x', 'b@x', 'c@x'],
    })
  })

  test('the history is folded off and kept', async () => {
    const text = 'Yes.\n\nOn Mon, Nov 9, 2026 at 10:15 AM Desk <desk@example.org> wrote:\n> Is it?\n'
    const fact = await messageOf(inboundPost({ headers, text, html: '<p>Yes.</p>' }))
    expect(fact.body).toBe('Yes.')
    expect(fact.email?.quotedText).toBe('On Mon, Nov 9, 2026 at 10:15 AM Desk <desk@example.org> wrote:\n> Is it?')
  })

  test('very long texts and pages are kept whole as files', async () => {
    const text = 'word '.repeat(50_000)
    const html = `<p>${'word '.repeat(500_000)}</p>`
    const fact = await messageOf(inboundPost({ headers, text, html }))
    expect(fact.body.length).toBeLessThanOrEqual(100_000)
    expect(fact.email?.html).toBeNull()
    expect(fact.attachments.map(({ filename, bytes }) => [filename, bytes?.toString()])).toEqual([
      ['message.html', html],
      ['message.txt', text],
    ])
  })
})

describe('charsets of a raw e-mail', () => {
  const raw = (headers: string, body: string | Buffer) =>
    messageOf(
      inboundPost({ email: Buffer.concat([Buffer.from(`From: ada@example.com\r\n${headers}\r\n\r\n`), Buffer.from(body as string)]) }),
    )
  const latin1 = Buffer.from('Grüße', 'latin1')

  test.each([
    ['none', 'Subject: x', latin1, 'Grüße'],
    ['none, and UTF-8', 'Subject: x', 'Grüße', 'Grüße'],
    ['a wrong one', 'Content-Type: text/plain; charset=utf-8', latin1, 'Grüße'],
    ['a wrong one of seven bits', 'Content-Type: text/plain; charset=iso-2022-jp', 'すみません', 'すみません'],
    ['cp850', 'Content-Type: text/plain; charset=cp850', Buffer.from([0x70, 0xa2, 0x81]), 'póü'],
    [
      'cp437, quoted-printable',
      'Content-Type: text/plain; charset="IBM437"\r\nContent-Transfer-Encoding: quoted-printable',
      'caf=82',
      'café',
    ],
    ['UTF-7', 'Content-Type: text/plain; charset=utf-7', 'Hi +Jjo-', 'Hi ☺'],
    ['KS C 5601', 'Content-Type: text/plain; charset="ks_c_5601-1987"', Buffer.from([0xbd, 0xba, 0xc6, 0xbc]), '스티'],
    ['ISO-2022-KR', 'Content-Type: text/plain; charset=iso-2022-kr', '\x1b$)CHi \x0e=:F<\x0f!', 'Hi 스티!'],
    ['HZ', 'Content-Type: text/plain; charset=hz-gb-2312', 'He said ~{<:Ky2;S{~} ~~', 'He said 己所不欲 ~'],
    ['one that nobody knows', 'Content-Type: text/plain; charset=x-nonsense', 'plain', 'plain'],
  ])('%s', async (_name, headers, body, text) => {
    expect((await raw(headers, body)).body).toBe(text)
  })

  test('of a page, of the subject and of the sender’s name', async () => {
    const page = await raw('Content-Type: text/html; charset=cp850', Buffer.from([0x3c, 0x70, 0x3e, 0xa2, 0x3c, 0x2f, 0x70, 0x3e]))
    expect(page).toMatchObject({ body: 'ó', email: { html: '<p>ó</p>' } })
    const named = inboundPost({ email: 'From: =?cp850?q?Jos=82?= <jose@example.com>\r\nSubject: =?cp850?q?pidi=A2?=\r\n\r\nhi' })
    expect(await messageOf(named)).toMatchObject({ profileName: 'José', subject: 'pidió', body: 'hi' })
  })
})

describe('who wrote, and to whom', () => {
  const email = (headers: string) => ({ email: `${headers}\r\nMessage-ID: <1@x>\r\n\r\nHello` })
  const verified = async (fields: Record<string, string>) =>
    (await messageOf(inboundPost({ ...email('From: ada@mail.example.com'), ...fields }))).identities[0]?.verified

  test('a sender is proven by DKIM or SPF of their own domain', async () => {
    expect(await verified({})).toBe(false)
    expect(await verified({ dkim: '{@example.com : pass}' })).toBe(true)
    expect(await verified({ dkim: '{@mail.example.com : pass}' })).toBe(true)
    expect(await verified({ dkim: '{@example.com : fail}' })).toBe(false)
    expect(await verified({ dkim: '{@evil.example : pass}' })).toBe(false)
    expect(await verified({ dkim: '{@notexample.com : pass}' })).toBe(false)
    expect(await verified({ SPF: 'pass', envelope: '{"from":"bounce@example.com","to":[]}' })).toBe(true)
    expect(await verified({ SPF: 'pass', envelope: '{"from":"x@evil.example","to":[]}' })).toBe(false)
    expect(await verified({ SPF: 'softfail', envelope: '{"from":"ada@example.com","to":[]}' })).toBe(false)
  })

  test('without a From, who else the answer would go to', async () => {
    expect((await messageOf(inboundPost(email('Reply-To: Ada <ada@example.com>')))).address).toBe('ada@example.com')
    expect((await messageOf(inboundPost({ ...email('Subject: x'), envelope: '{"from":"Ada@Example.com","to":[]}' }))).address).toBe(
      'ada@example.com',
    )
    expect((await messageOf(inboundPost({ ...email('Subject: x'), from: 'Ada <ada@example.com>' }))).address).toBe('ada@example.com')
    expect(await factsOf(inboundPost(email('From: nobody')))).toEqual([{ kind: 'unknown', reason: 'the e-mail has no sender' }])
  })

  test('Reply-To is kept, and is not the sender', async () => {
    const fact = await messageOf(inboundPost(email('From: ada@example.com\r\nReply-To: Grace <grace@example.com>')))
    expect(fact).toMatchObject({ address: 'ada@example.com', payload: { replyTo: [{ name: 'Grace', address: 'grace@example.com' }] } })
  })

  test('the account is found by any recipient, the envelope’s first, with and without our token', async () => {
    const conversationId = '0198c2a0-0000-7000-8000-000000000001'
    const tokened = withReplyToken({ ENCRYPTION_KEY: [Buffer.alloc(32)] }, 'desk@example.org', 'organization', conversationId)
    const [part] = await wire.parse(
      'inbound',
      inboundPost({
        ...email(`From: ada@example.com\r\nTo: Desk <${tokened.toUpperCase()}>\r\nCc: Other <other@example.org>`),
        envelope: '{"from":"ada@example.com","to":["Real@Example.org"]}',
      }),
    )
    expect(part?.to?.addresses).toEqual(['real@example.org', tokened, 'desk@example.org', 'other@example.org'])
  })

  test('names in any encoding', async () => {
    const fact = await messageOf(
      inboundPost(email('From: =?iso-8859-9?Q?Ay=FEe?= <ayse@example.com>\r\nSubject: =?UTF-8?B?xZ5hcnTFnmFydA==?=')),
    )
    expect(fact).toMatchObject({ profileName: 'Ayşe', subject: 'ŞartŞart' })
  })
})

describe('what nobody wrote', () => {
  const dsn = (action: string, id: string, type = 'message/rfc822') =>
    `From: MAILER-DAEMON@example.com\r\nTo: desk@example.org\r\nMessage-ID: <dsn@example.com>\r\nAuto-Submitted: auto-replied\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nIt came back.\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; example.com\r\n\r\nFinal-Recipient: rfc822; ada@example.com\r\nAction: ${action}\r\nStatus: 5.1.1\r\nDiagnostic-Code: smtp; 550 5.1.1\r\n User unknown\r\n--b\r\nContent-Type: ${type}\r\n\r\nFrom: desk@example.org\r\nMessage-ID: <${id}>\r\nSubject: Hello\r\n\r\nHello\r\n--b--\r\n`
  const ours = '0198c2a0-0000-7000-8000-000000000001'

  test('the status is found behind an explanation of the same type', async () => {
    const explanation = 'Content-Type: message/delivery-status\r\n\r\nThe mailbox is full.\r\n--b\r\n'
    const email = dsn('failed', `${ours}@example.org`).replace('--b\r\nContent-Type: message', `--b\r\n${explanation}Content-Type: message`)
    expect(await factsOf(inboundPost({ email }))).toMatchObject([{ kind: 'receipt', status: 'FAILED', error: { code: '5.1.1' } }, {}])
  })

  test.each(['message/rfc822', 'text/rfc822-headers'])('a failure of our message is a receipt too (%s)', async (type) => {
    const facts = await factsOf(inboundPost({ email: dsn('failed', `${ours}@example.org`, type) }))
    expect(facts).toMatchObject([
      {
        kind: 'receipt',
        communicationId: ours,
        status: 'FAILED',
        final: true,
        eventId: 'report dsn@example.com',
        error: { code: '5.1.1', message: 'The e-mail came back: 550 5.1.1 User unknown' },
      },
      { kind: 'message', body: 'It came back.', payload: { autoSubmitted: 'auto-replied' } },
    ])
  })

  test.each([
    ['a warning', dsn('delayed', `${ours}@example.org`)],
    ['about another’s message', dsn('failed', 'x@example.org')],
  ])('%s is none', async (_name, email) => {
    expect((await factsOf(inboundPost({ email }))).map(({ kind }) => kind)).toEqual(['message'])
  })

  test('automatic answers are marked', async () => {
    const marked = async (headers: string) =>
      (await messageOf(inboundPost({ email: `From: ada@example.com\r\n${headers}\r\n\r\nAway` }))).payload?.autoSubmitted
    expect(await marked('Auto-Submitted: auto-replied')).toBe('auto-replied')
    expect(await marked('Auto-Submitted: no')).toBeUndefined()
    expect(await marked('X-Autoreply: yes')).toBe('auto-replied')
    expect(await marked('Subject: Out of office')).toBeUndefined()
  })
})

describe('unsubscribing by mail', () => {
  const facts = (headers: string, body: string) =>
    factsOf(
      inboundPost({
        email: `From: ada@example.com\r\nMessage-ID: <1@x>\r\nDate: Mon, 9 Nov 2020 10:15:00 +0000\r\n${headers}\r\n\r\n${body}`,
      }),
    )

  test.each([
    ['Subject: unsubscribe', ''],
    ['Subject: Re: News', 'STOP'],
    ['Subject: Re: News', 'Unsubscribe\r\n\r\n> News'],
  ])('%s / %s', async (headers, body) => {
    expect(await facts(headers, body)).toMatchObject([
      { kind: 'message' },
      {
        kind: 'consent',
        identity: { kind: 'EMAIL', value: 'ada@example.com' },
        purposes: ['MARKETING'],
        state: 'OPTED_OUT',
        source: 'UNSUBSCRIBE',
        at: new Date('2020-11-09T10:15:00Z'),
      },
    ])
  })

  test.each([
    ['Subject: unsubscribe', 'Why do I get this?'],
    ['Subject: Yes', 'Yes'],
    ['Subject: Stop it', 'Stop it'],
    ['Subject: unsubscribe\r\nAuto-Submitted: auto-replied', ''],
  ])('not by %s / %s', async (headers, body) => {
    expect((await facts(headers, body)).map(({ kind }) => kind)).toEqual(['message'])
  })
})
