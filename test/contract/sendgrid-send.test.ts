import { inspect } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ChannelAdapter, Outgoing, OutgoingEmail } from '../../src/channels/channel.ts'
import { createSendgridChannels } from '../../src/channels/sendgrid/channels.ts'
import { SendgridCredentials } from '../../src/channels/sendgrid/credentials.ts'
import { type FakeSendgrid, type MailBehaviour, startFakeSendgrid } from '../support/fake-sendgrid.ts'
import { outgoingMessage } from '../support/outgoing.ts'

const communicationId = '0198c2a0-0000-7000-8000-000000000001'
const statusCallbackUrl = `https://inbox.test/webhooks/sendgrid/demo/status?communicationId=${communicationId}`

const email = (changes: Partial<OutgoingEmail> = {}): OutgoingEmail => ({
  fromName: 'Permit desk',
  html: null,
  messageId: `${communicationId}@example.org`,
  references: [],
  replyTo: { name: 'Permit desk', address: 'desk+token@example.org' },
  marketing: false,
  ...changes,
})

const outgoing = (changes: Partial<Outgoing> = {}) =>
  outgoingMessage({
    communicationId,
    channel: 'EMAIL',
    from: 'desk@example.org',
    to: 'ada@example.com',
    subject: 'Your permit',
    content: { kind: 'EMAIL' },
    email: email(),
    statusCallbackUrl,
    ...changes,
  })

const file = (size: number, filename: string | null = 'a.pdf'): Outgoing['files'][number] => ({
  filename,
  contentType: 'application/pdf',
  size,
  media: 'DOCUMENT',
  url: 'https://inbox.test/a',
  read: async () => Buffer.alloc(size, 7),
})

let fake: FakeSendgrid
let adapter: ChannelAdapter<SendgridCredentials>
let credentials: SendgridCredentials

beforeAll(async () => {
  fake = await startFakeSendgrid()
  adapter = adapterAt(fake.url)
  credentials = SendgridCredentials.parse({ apiKey: fake.apiKey, inboundSecret: '0123456789abcdef' })
})
afterAll(() => fake?.close())

function adapterAt(apiUrl: string, timeoutMs = 5000): ChannelAdapter<SendgridCredentials> {
  const [made] = createSendgridChannels({ apiUrl, timeoutMs, maxEmailBytes: 40_000_000 })
  if (made === undefined) throw new Error('SendGrid offers no channel')
  return made
}

const sent = async (changes: Partial<Outgoing> = {}, more: Partial<SendgridCredentials> = {}) => {
  const { externalMessageId } = await adapter.send(outgoing(changes), { ...credentials, ...more })
  const accepted = fake.mails.find(({ id }) => id === externalMessageId)
  if (accepted === undefined) throw new Error('it was not accepted')
  return accepted.mail
}

describe('an e-mail', () => {
  test('has what SendGrid needs, and our id', async () => {
    expect(await sent()).toEqual({
      from: { email: 'desk@example.org', name: 'Permit desk' },
      reply_to: { email: 'desk+token@example.org', name: 'Permit desk' },
      subject: 'Your permit',
      personalizations: [{ to: [{ email: 'ada@example.com' }], custom_args: { communicationId } }],
      content: [{ type: 'text/plain', value: 'Your permit is ready.' }],
      headers: { 'Message-ID': `<${communicationId}@example.org>` },
    })
  })

  test('has text before HTML, and files', async () => {
    const mail = await sent({ email: email({ html: '<p>Ready</p>' }), files: [file(3), file(2, null), file(1, 'a\r\nb.pdf')] })
    expect(mail.content).toEqual([
      { type: 'text/plain', value: 'Your permit is ready.' },
      { type: 'text/html', value: '<p>Ready</p>' },
    ])
    expect(mail.attachments).toEqual([
      { content: 'BwcH', filename: 'a.pdf', type: 'application/pdf', disposition: 'attachment' },
      { content: 'Bwc=', filename: 'attachment', type: 'application/pdf', disposition: 'attachment' },
      { content: 'Bw==', filename: 'a b.pdf', type: 'application/pdf', disposition: 'attachment' },
    ])
  })

  test('continues its thread', async () => {
    const { headers } = await sent({ email: email({ references: ['a@x', 'b@y'] }) })
    expect(headers).toMatchObject({ 'In-Reply-To': '<b@y>', References: '<a@x> <b@y>' })
  })

  test('of marketing says how to unsubscribe', async () => {
    const mail = await sent({ email: email({ marketing: true }) }, { unsubscribeGroupId: 17 })
    expect(mail.asm).toEqual({ group_id: 17 })
    expect(mail.headers?.['List-Unsubscribe-Post']).toBe('List-Unsubscribe=One-Click')
    const [mailto, link] = (mail.headers?.['List-Unsubscribe'] ?? '').split(', ')
    expect(mailto).toBe('<mailto:desk+token@example.org?subject=unsubscribe>')
    expect(link).toMatch(/^<https:\/\/inbox\.test\/webhooks\/sendgrid\/demo\/unsubscribe\?/)
    expect(link).not.toContain(credentials.inboundSecret)
    expect(await sent({}, { unsubscribeGroupId: 17 })).not.toHaveProperty('asm')
  })

  test('that is pressed away is the recipient’s word', async () => {
    const { wire } = adapter
    if (wire?.reach !== 'organization') throw new Error('wrong reach')
    const mail = await sent({ email: email({ marketing: true }) })
    const url = /<(https:[^>]*)>/.exec(mail.headers?.['List-Unsubscribe'] ?? '')?.[1] ?? ''
    const request = { method: 'POST', url, headers: {}, body: Buffer.from('List-Unsubscribe=One-Click') }
    expect(wire.locate('unsubscribe', request)).toEqual({ channel: 'EMAIL', addresses: null, communicationId })
    expect(wire.verify(request, credentials)).toBe(true)
    expect(wire.parse('unsubscribe', request)).toMatchObject([
      {
        to: { channel: 'EMAIL', addresses: null, communicationId },
        facts: [
          { kind: 'consent', identity: { value: 'ada@example.com' }, purposes: ['MARKETING'], state: 'OPTED_OUT', source: 'UNSUBSCRIBE' },
        ],
      },
    ])
    for (const changed of [
      url.replace('ada', 'bob'),
      url.replace(communicationId, '0198c2a0-0000-7000-8000-000000000002'),
      url.replace('signature=', 'signature=A'),
      url.replace(/signature=[^&]*/, ''),
    ])
      expect(wire.verify({ ...request, url: changed }, credentials)).toBe(false)
    expect(wire.verify(request, { ...credentials, inboundSecret: 'another secret of it' })).toBe(false)
    expect(wire.locate('unsubscribe', { ...request, url: 'https://inbox.test/webhooks/sendgrid/demo/unsubscribe' })).toBeNull()
    expect(wire.locate('elsewhere', request)).toBeNull()
  })

  test('without a subject or text is sent all the same', async () => {
    expect((await sent({ subject: null, body: 'First line\nSecond' })).subject).toBe('First line Second')
    expect(await sent({ subject: ' ', body: '', files: [file(1)] })).toMatchObject({
      subject: '(no subject)',
      content: [{ type: 'text/plain', value: ' ' }],
    })
    expect((await sent({ subject: 'a\r\nBcc: evil@example.com' })).subject).toBe('a Bcc: evil@example.com')
  })

  test('has an id of its own', async () => {
    const [one, other] = [await adapter.send(outgoing(), credentials), await adapter.send(outgoing(), credentials)]
    expect(one.externalMessageId).not.toBe(other.externalMessageId)
  })

  test('larger than 30 MB is refused before anything is read or sent', async () => {
    const before = fake.requests.length
    const unread = { ...file(23_000_000), read: () => Promise.reject(new Error('it was read')) }
    await expect(adapter.send(outgoing({ files: [unread] }), credentials)).rejects.toMatchObject({
      name: 'Rejected',
      code: 'MESSAGE_TOO_LARGE',
    })
    expect(fake.requests).toHaveLength(before)
  })
})

describe('failures', () => {
  const refusals: [string, MailBehaviour, { name: string; code?: string; explanation?: unknown; retryAfterMs?: unknown }][] = [
    [
      'an unverified sender',
      { status: 403, errors: [{ message: 'The from address does not match a verified Sender Identity.' }] },
      { name: 'Rejected', code: 'HTTP 403', explanation: expect.stringContaining('verify the sender') },
    ],
    [
      'a key that may not send',
      { status: 403, errors: [{ message: 'access forbidden' }] },
      { name: 'Rejected', explanation: expect.stringContaining('Mail Send') },
    ],
    [
      'no credits',
      { status: 401, errors: [{ message: 'Maximum credits exceeded' }] },
      { name: 'Rejected', explanation: expect.stringContaining('upgrade its plan') },
    ],
    [
      'a wrong address',
      { status: 400, errors: [{ message: 'Does not contain a valid address.', field: 'personalizations.0.to.0.email' }] },
      { name: 'Rejected', explanation: 'The recipient’s address is not one that SendGrid accepts.' },
    ],
    [
      'something else',
      { status: 400, errors: [{ message: 'The moon is full.' }] },
      { name: 'Rejected', code: 'HTTP 400', explanation: 'SendGrid refused the e-mail: The moon is full.' },
    ],
    ['too large', { status: 413 }, { name: 'Rejected', explanation: expect.stringContaining('30 MB') }],
    ['too many', { status: 429, headers: { 'retry-after': '7' } }, { name: 'Unavailable', retryAfterMs: 7000 }],
    ['too many, with a reset', { status: 429, headers: { 'x-ratelimit-reset': '1' } }, { name: 'Unavailable', retryAfterMs: null }],
    ['not now', { status: 503 }, { name: 'Unavailable' }],
    ['broken', { status: 500 }, { name: 'Uncertain' }],
    ['a gateway', { status: 502 }, { name: 'Uncertain' }],
    ['a redirection', { status: 302, headers: { location: 'https://evil.example/' } }, { name: 'Rejected' }],
    ['no answer', { drop: 'after' }, { name: 'Uncertain' }],
    ['a lost connection', { drop: 'before' }, { name: 'Uncertain' }],
    ['an answer without an id', { withoutId: true }, { name: 'Uncertain' }],
  ]
  test.each(refusals)('%s', async (_name, behaviour, expected) => {
    fake.next(behaviour)
    const failure = await adapter.send(outgoing(), credentials).catch((error: unknown) => error)
    expect(failure).toMatchObject(expected)
    expect(inspect(failure, { depth: 10, showHidden: true })).not.toContain(fake.apiKey)
  })

  test('a wrong key', async () => {
    const failure = await adapter.send(outgoing(), { ...credentials, apiKey: 'SG.wrong.key' }).catch((error: unknown) => error)
    expect(failure).toMatchObject({ name: 'Rejected', code: 'HTTP 401', explanation: expect.stringContaining('API key') })
    expect(inspect(failure, { depth: 10 })).not.toContain('SG.wrong.key')
  })

  test('SendGrid repeating the key does not spread it', async () => {
    fake.next({ status: 400, errors: [{ message: `the key ${fake.apiKey} is odd` }] })
    await expect(adapter.send(outgoing(), credentials)).rejects.toMatchObject({
      explanation: 'SendGrid refused the e-mail: the key … is odd',
    })
  })

  test('nobody there', async () => {
    const failure = await adapterAt('http://127.0.0.1:1')
      .send(outgoing(), credentials)
      .catch((error: unknown) => error)
    expect(failure).toMatchObject({ name: 'Unavailable' })
    expect(inspect(failure, { depth: 10, showHidden: true })).not.toContain(fake.apiKey)
  })

  test('no answer in time', async () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    fake.next({ beforeAnswering: promise })
    await expect(adapterAt(fake.url, 200).send(outgoing(), credentials)).rejects.toMatchObject({ name: 'Uncertain' })
    resolve()
  })

  test('nothing is fetched', async () => {
    await expect(adapter.fetchMedia('https://api.sendgrid.com/a', credentials, 10)).rejects.toMatchObject({
      name: 'Rejected',
      code: 'FOREIGN_MEDIA',
    })
  })
})

describe('the health of an account', () => {
  const account = { address: 'desk@example.org', webhookUrl: 'https://inbox.test/webhooks/sendgrid/demo/inbound?key=0123456789abcdef' }
  const healthy = (): FakeSendgrid['account'] => ({
    scopes: ['mail.send'],
    domains: [{ domain: 'example.org', valid: true }],
    senders: [],
    parse: [{ hostname: 'example.org', url: account.webhookUrl }],
    events: [
      { enabled: true, url: 'https://inbox.test/webhooks/sendgrid/demo/events?key=0123456789abcdef', delivered: true, bounce: true },
    ],
  })
  const check = async (changes: Partial<FakeSendgrid['account']> = {}, more: Partial<SendgridCredentials> = {}) => {
    fake.account = { ...healthy(), ...changes }
    const checks = await adapter.check(account, { ...credentials, ...more })
    for (const { ok, message } of checks) {
      if (!ok) expect(message).toMatch(/^[A-Z].*\.$/)
      expect(message ?? '').not.toContain(credentials.inboundSecret)
      expect(message ?? '').not.toContain(fake.apiKey)
    }
    return Object.fromEntries(checks.map(({ name, ok, message }) => [name, ok ? (message ?? true) : message]))
  }

  test('all is well', async () => {
    expect(await check()).toEqual({ credentials: true, sender: true, inbound: true, events: true })
    expect(await check({ domains: [], senders: [{ from_email: 'Desk@example.org', verified: true }] })).toMatchObject({ sender: true })
    expect((await adapter.check(account, credentials))[0]).toMatchObject({ name: 'credentials', required: true })
  })

  test('a key that cannot send is all that is asked about', async () => {
    expect(await check({ scopes: ['mail.read'] })).toEqual({ credentials: expect.stringContaining('Mail Send') })
    expect(await check({}, { apiKey: 'SG.wrong.key' })).toEqual({ credentials: expect.stringContaining('does not accept the API key') })
  })

  test.each<[string, Partial<FakeSendgrid['account']>, Record<string, unknown>]>([
    [
      'the domain is not authenticated',
      { domains: [{ domain: 'example.org', valid: false }] },
      { sender: expect.stringContaining('authenticate the domain example.org') },
    ],
    ['no host is parsed', { parse: [] }, { inbound: expect.stringContaining('add the host example.org') }],
    [
      'the host posts elsewhere',
      { parse: [{ hostname: 'example.org', url: 'https://other.test/' }] },
      { inbound: expect.stringContaining('Answers go elsewhere') },
    ],
    [
      'the host posts with an old key',
      { parse: [{ hostname: 'example.org', url: `${account.webhookUrl}0` }] },
      { inbound: expect.stringContaining('Answers are refused') },
    ],
    ['no event webhook', { events: [] }, { events: expect.stringContaining('add an event webhook') }],
    [
      'an event webhook without bounces',
      { events: [{ enabled: true, url: 'https://inbox.test/webhooks/sendgrid/demo/events', delivered: true, bounce: false }] },
      { events: expect.stringContaining('deliveries and bounces') },
    ],
    [
      'an event webhook that is not signed',
      { events: [{ enabled: true, url: 'https://inbox.test/webhooks/sendgrid/demo/events', delivered: true, bounce: true }] },
      { events: expect.stringContaining('verification key') },
    ],
    [
      'a key that may read nothing',
      { domains: null, parse: null, events: null },
      {
        sender: 'Not checked: the API key may not read "Sender Authentication".',
        inbound: expect.stringContaining('Not checked'),
        events: expect.stringContaining('Not checked'),
      },
    ],
  ])('%s', async (_name, changes, expected) => {
    expect(await check(changes)).toMatchObject({ credentials: true, ...expected })
  })

  test('answers may arrive at another host', async () => {
    const parse = [{ hostname: 'parse.example.org', url: account.webhookUrl }]
    expect(await check({ parse }, { inboundAddress: 'desk@parse.example.org' })).toMatchObject({ inbound: true })
    expect(adapter.routingKeys({ ...credentials, inboundAddress: 'desk@parse.example.org' })).toEqual(['desk@parse.example.org'])
  })

  test('SendGrid cannot be asked', async () => {
    expect(await adapterAt('http://127.0.0.1:1').check(account, credentials)).toMatchObject([
      { name: 'credentials', ok: false, unanswered: true, message: expect.stringContaining('Try again later') },
    ])
  })
})

describe('addresses', () => {
  test.each([
    ['Ada@Example.COM', 'ada@example.com'],
    [' mailto:ada+x@example.com ', 'ada+x@example.com'],
    ["o'brien_x=1@example.co.uk", "o'brien_x=1@example.co.uk"],
    ['ada@bücher.example', 'ada@xn--bcher-kva.example'],
    ['GÜL@example.com', 'gül@example.com'],
    ['root@localhost', 'root@localhost'],
  ])('%s is %s', (spelled, normalized) => {
    expect(adapter.normalize(spelled)).toBe(normalized)
    expect(adapter.identify(normalized, 'desk@example.org')).toEqual({ kind: 'EMAIL', scope: '', value: normalized, verified: false })
  })
  test.each([
    '',
    'ada',
    '@example.com',
    'ada@',
    'a b@example.com',
    'ada@exa mple.com',
    'ada@example..com',
    '<ada@example.com>',
    'ada@example.com\r\nBcc: x',
    `${'a'.repeat(65)}@example.com`,
    'a,b@example.com',
    '"a"@example.com',
    'ada@-x.com',
  ])('%j is none', (spelled) => {
    expect(adapter.normalize(spelled)).toBeNull()
  })
})
