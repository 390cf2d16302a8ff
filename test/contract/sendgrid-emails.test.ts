import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { extract, type LetterparserMail } from 'letterparser'
import { describe, expect, test } from 'vitest'
import type { MessageFact } from '../../src/channels/fact.ts'
import { sendgridWire } from '../../src/channels/sendgrid/wire.ts'
import { inboundPost } from '../support/email-posts.ts'

const FOLDER = '../shared/contracts/email'
const present = existsSync(FOLDER)
if (!present) console.warn(`${FOLDER} is not here: recorded e-mails are not read`)

const wire = sendgridWire(40_000_000)

async function read(name: string): Promise<MessageFact> {
  const parts = await wire.parse('inbound', inboundPost({ email: readFileSync(`${FOLDER}/${name}`) }))
  const [fact] = parts.flatMap(({ facts }) => facts)
  if (parts.length !== 1 || parts[0]?.facts.length !== 1 || fact?.kind !== 'message') throw new Error(`${name} is not one message`)
  return fact
}

type Expected = {
  from: string
  name: string | null
  to?: string[]
  subject?: string
  /** The whole body, or how it begins. */
  body: string | RegExp
  messageId: string | null
  references?: string[]
  /** Filename, type and bytes of each. */
  files?: [string | undefined, string, number][]
  html?: RegExp
  autoSubmitted?: string
}

const EXPECTED: Record<string, Expected> = {
  'attachment_emails.attachment_nonascii_filename.eml': {
    from: 'foo@example.com',
    name: null,
    to: ['blah@example.com'],
    subject: 'testing',
    body: 'This is the first part.',
    messageId: '9169D984-4E0B-45EF-82D4-8F5E53AD7012@example.com',
    files: [['ciële.txt', 'text/plain', 11]],
  },
  'attachment_emails.attachment_only_email.eml': {
    from: 'rfinnie@domain.dom',
    name: 'Ryan Finnie',
    to: ['bob@domain.dom'],
    subject: 'this message JUST contains an attachment',
    body: '',
    messageId: '1066974048.4264.62.camel@localhost',
    files: [['blah.gz', 'application/x-gzip', 288]],
  },
  'attachment_emails.attachment_pdf.eml': {
    from: 'xxxx@xxxx.com',
    name: 'Test Tester',
    to: ['xxxx@xxxx.com', 'xxxx@xxxx.com'],
    subject: 'Another PDF with 🎉 Unicode chars in it 🍿',
    body: 'Just attaching another PDF, here, to see what the message looks like,\nand to see if I can figure out what is going wrong here.',
    messageId: 'xxxx@xxxx.com',
    files: [['broken.pdf', 'application/pdf', 1026]],
  },
  'attachment_emails.attachment_with_encoded_name.eml': {
    from: 'xxxxxxxxx.xxxxxxx@gmail.com',
    name: 'xxxxxxxxx xxxxxxx',
    to: ['xxxxx@xxxxxxxxx.com'],
    subject: 'Fwd: Signed email causes file attachments',
    // Forwarded, so nothing is folded off.
    body: /^We should not include these files or vcards as attachments\.\n\n-{10} Forwarded message -{10}\n[\s\S]*Test attachments oddly encoded with japanese charset\.$/,
    messageId: 'e85734b90505081209eaaa17b@mail.gmail.com',
    references: ['F6E2D0B4-CC35-4A91-BA4C-C7C712B10C13@mac.com'],
    // Its name says ISO-2022-JP and is not: the byte that is none there is replaced.
    files: [['01 Quien Te Dij\ufffdat. Pitbull.mp3', 'application/octet-stream', 399]],
  },
  'error_emails.empty_in_reply_to.eml': {
    from: 'ak@g.com',
    name: 'Andrey Kuznetsov',
    to: ['abuser@r.ru'],
    subject: 'illegal copy of our patient education software',
    body: '',
    messageId: 'F194F88AF3E341A6B2B135CC17912811@articondell',
  },
  'error_emails.missing_body.eml': {
    from: 'redacted@attglobal.net',
    name: 'SCS_2',
    to: [],
    subject: 'REDACTED',
    body: '',
    messageId: '001301c17797$9cd0ef30$a3ab620c@vaio',
  },
  'mime_emails.raw_email7.eml': {
    from: 'foo@example.com',
    name: null,
    to: ['blah@example.com'],
    subject: 'testing',
    body: 'This is the first part.',
    messageId: '9169D984-4E0B-45EF-82D4-8F5E53AD7012@example.com',
    files: [
      ['test.rb', 'text/x-ruby-script', 25],
      ['test.pdf', 'application/pdf', 14],
      ['smime.p7s', 'application/pkcs7-signature', 227],
    ],
  },
  'mime_emails.raw_email_with_nested_attachment.eml': {
    from: 'jamis@37signals.com',
    name: 'Jamis Buck',
    to: ['jamis@jamisbuck.org'],
    subject: 'Testing attachments',
    body: 'Here is a test of an attachment via email.\n\n- Jamis',
    messageId: '2CCE0408-10C7-4045-9B16-A1C11C31469B@37signals.com',
    files: [
      ['truncated.png', 'image/png', 1902],
      ['smime.p7s', 'application/pkcs7-signature', 939],
    ],
  },
  'mime_emails.sig_only_email.eml': {
    from: 'test@test.lindsaar.net',
    name: 'Test',
    to: ['mikel@test.lindsaar.net'],
    subject: 'Re: Testing multipart/signed',
    body: 'This is random text, not what has been signed below, ie, this sig\nemail is not signed correctly.',
    messageId: '20070604150131.40d4fa1e@reforged',
    files: [['signature.asc', 'application/pgp-signature', 191]],
  },
  'mime_emails.two_from_in_message.eml': {
    from: 'tester1@test.com',
    name: 'Tester 1',
    to: ['tester2@test.com'],
    subject: 'Sending messages include last little bit',
    // All of it stands in a "gmail_quote": that is then the message.
    body: /^When sending email:\n[\s\S]*from email messages\.$/,
    messageId: '8fc5086d0912020139y1564ad32jb4f4209fa464f4a6@test.com',
    references: ['8fc5086d0912020131y377ba0ccpf8f14783cfc3014a@test.com'],
    html: /^<div><div><div>When sending email:<\/div>/,
  },
  'multi_charset.japanese.eml': {
    from: 'raasdnil@gmail.com',
    name: 'Mikel Lindsaar',
    to: ['raasdnil@gmail.com'],
    subject: 'まみむめも',
    body: 'かきくえこ\n\n-- \nhttp://lindsaar.net/\nRails, RSpec and Life blog....',
    messageId: null,
  },
  'multi_charset.japanese_iso_2022.eml': {
    from: 'raasdnil@gmail.com',
    name: 'Mikel Lindsaar',
    to: ['raasdnil@gmail.com'],
    subject: 'まみむめも',
    body: 'すみません。',
    messageId: null,
  },
  'multipart_report_emails.multi_address_bounce1.eml': {
    from: 'mailer-daemon@lvmail01.ll.com',
    name: 'Mail Delivery System',
    to: ['rahul.chaudhari@ll.com'],
    subject: 'Undelivered Mail Returned to Sender',
    body: /^This is the mail system at host lvmail01\.LL\.com\.\n/,
    messageId: '20100224061641.3E47A1BC025@lvmail01.LL.com',
    files: [
      [undefined, 'message/delivery-status', 2722],
      ['message.eml', 'message/rfc822', 1346],
    ],
    autoSubmitted: 'auto-replied',
  },
  'multipart_report_emails.report_422.eml': {
    from: 'mailer-daemon@tppppp.com.au',
    name: 'Mail Delivery Subsystem',
    to: ['jennifer@sss.sssssss.net.au'],
    subject: 'Warning: could not send message for past 8 hours',
    body: /^ {4}\*{46}\n {4}\*\* {6}THIS IS A WARNING MESSAGE ONLY/,
    messageId: '200801161640.m0GFZ1c3009410@mail11.ttttt.com.au',
    files: [
      [undefined, 'message/delivery-status', 329],
      [undefined, 'text/rfc822-headers', 674],
    ],
    autoSubmitted: 'auto-generated (warning-timeout)',
  },
  'plain_emails.basic_email.eml': {
    from: 'test@lindsaar.net',
    name: 'Mikel Lindsaar',
    to: ['raasdnil@gmail.com'],
    subject: 'Testing 123',
    body: 'Plain email.\n\nHope it works well!\n\nMikel',
    messageId: '6B7EC235-5B17-4CA8-B2B8-39290DEB43A3@test.lindsaar.net',
  },
  'plain_emails.raw_email_multiple_from.eml': {
    // "a@x b@x" without a comma is the mailbox a@x of somebody called b@x.
    from: 'tim@powerupdev.com',
    name: 'concierge@powerupdev.com',
    to: ['tim@powerupdev.com'],
    subject: '/home/svn/public/minebox revision 214',
    body: /^<p><b>recordkick<\/b> 2007-10-22/,
    messageId: '20071022234523.5BD8E86D2@mangaverde.net',
  },
  'plain_emails.raw_email_reply.eml': {
    from: 'xxxxxxxx@xxx.org',
    name: 'Testing',
    to: ['mikel@xxxx.net'],
    subject: 'Re: Test reply email',
    body: 'Message body',
    messageId: '473FFE27.20003@xxx.org',
    references: ['473FF3B8.9020707@xxx.org', '348F04F142D69C21-291E56D292BC@xxxx.net'],
  },
  'plain_emails.raw_email_simple.eml': {
    from: 'mikel@nowhere.com',
    name: 'Mikel Lindsaar',
    to: ['mikel@somewhere.com'],
    subject: 'Testing outlook',
    body: 'Hello Mikel',
    messageId: '009601c813c6$19df3510$0437d30a@mikel091a',
  },
  'plain_emails.raw_email_with_at_display_name.eml': {
    from: 'test@lindsaar.net',
    name: 'Mikel Lindsaar',
    to: ['smith@gmail.com', 'raasdnil@gmail.com', 'tom@gmail.com'],
    subject: 'Testing 123',
    body: 'Plain email.\n\nHope it works well!\n\nMikel',
    messageId: '6B7EC235-5B17-4CA8-B2B8-39290DEB43A3@test.lindsaar.net',
  },
  'plain_emails.raw_email_with_bad_date.eml': {
    from: 'subventive@vodtravel.com',
    name: 'Darrell Shaw',
    to: ['sydney@xxxxxxxx.xxx'],
    subject: 'Microsoft Vlsta & Office2007, Just released for 79$ Save 1599.95$ 0ff Retai|',
    body: 'hotnewsoft . com',
    messageId: '000001c81a67$a4450700$0100007f@localhost',
  },
  'rfc2822.example09.eml': {
    from: 'jdoe@machine.example',
    name: 'John Doe',
    to: ['mary@example.net'],
    subject: 'Saying Hello',
    body: 'This is a message just to say hello.\nSo, "Hello".',
    messageId: '1234@local.machine.example',
  },
  'rfc2822.example10.eml': {
    from: 'pete@silly.test',
    name: 'Pete',
    to: ['c@public.example', 'joe@example.org', 'jdoe@one.test'],
    body: 'Testing.',
    messageId: 'testabcd.1234@silly.test',
  },
}

/** Where the second parser reads something else, what that is, and why. */
const DIFFERENT: Record<string, { reason: string; differs: ('everything' | 'from' | 'text')[] }> = {
  'error_emails.empty_in_reply_to.eml': { reason: 'it refuses a message that does not end in its boundary', differs: ['everything'] },
  'error_emails.missing_body.eml': { reason: 'it refuses a message that does not end in its boundary', differs: ['everything'] },
  'multi_charset.japanese_iso_2022.eml': { reason: 'it decodes no 7-bit charset', differs: ['text'] },
  'multipart_report_emails.multi_address_bounce1.eml': {
    reason: 'it takes a comment behind an address for a part of it, and the returned message for more of the text',
    differs: ['from', 'text'],
  },
  'multipart_report_emails.report_422.eml': {
    reason: 'it takes the headers of the returned message for more of the text',
    differs: ['text'],
  },
  'plain_emails.raw_email_multiple_from.eml': { reason: 'it takes two addresses without a comma for one', differs: ['from'] },
  'rfc2822.example10.eml': { reason: 'it takes comments within an address for parts of it', differs: ['from'] },
}

describe.runIf(present)('recorded e-mails, posted raw', () => {
  const names = present ? readdirSync(FOLDER).sort() : []

  test('each has its expectation', () => {
    expect(Object.keys(EXPECTED).sort()).toEqual(names)
  })

  test.each(names)('%s is read', async (name) => {
    const expected = EXPECTED[name]
    if (expected === undefined) throw new Error(`${name} has no expectation`)
    const fact = await read(name)
    expect(fact).toMatchObject({
      externalMessageId: expected.messageId ?? expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
      address: expected.from,
      identities: [{ kind: 'EMAIL', scope: '', value: expected.from, verified: false }],
      profileName: expected.name,
      content: { kind: 'EMAIL' },
      email: {
        messageId: expected.messageId,
        references: expected.references ?? [],
        from: { address: expected.from, name: expected.name },
        quotedText: null,
      },
      consent: null,
    })
    expect(fact.direction).toBeUndefined()
    expect(fact.subject).toBe(expected.subject)
    if (typeof expected.body === 'string') expect(fact.body).toBe(expected.body)
    else expect(fact.body).toMatch(expected.body)
    if (expected.html === undefined) expect(fact.email?.html).toBeNull()
    else expect(fact.email?.html).toMatch(expected.html)
    expect(fact.email?.to.map(({ address }) => address)).toEqual(expected.to)
    expect(fact.attachments.map(({ filename, contentType, bytes }) => [filename, contentType, bytes?.byteLength])).toEqual(
      expected.files ?? [],
    )
    expect(fact.payload?.autoSubmitted).toBe(expected.autoSubmitted)
  })

  test.each(names.filter((name) => DIFFERENT[name]?.differs.includes('everything') !== true))(
    '%s: a second parser reads the same',
    async (name) => {
      const ours = await read(name)
      const theirs = extract(readFileSync(`${FOLDER}/${name}`).toString('utf8'))
      const [oursCompared, theirsCompared] = [
        { subject: ours.subject?.trim() ?? null, from: ours.address, text: ours.body.trim() },
        comparable(theirs),
      ]
      const differs = (['subject', 'from', 'text'] as const).filter((key) => oursCompared[key] !== theirsCompared[key])
      expect(differs, JSON.stringify({ oursCompared, theirsCompared })).toEqual(DIFFERENT[name]?.differs ?? [])
      if (name.startsWith('multipart_report')) expect(theirsCompared.text).toContain(oursCompared.text)
    },
  )

  test.each(names.filter((name) => DIFFERENT[name]?.differs.includes('everything')))('%s: the second parser refuses it', (name) => {
    expect(() => extract(readFileSync(`${FOLDER}/${name}`).toString('utf8'))).toThrow(/boundary/)
  })
})

const comparable = ({ subject, from, text }: LetterparserMail) => ({
  subject: subject?.trim() ?? null,
  from: from?.address.toLowerCase() ?? null,
  text: text?.replaceAll('\r\n', '\n').trim() ?? '',
})
