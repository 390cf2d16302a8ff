import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { inspect } from 'node:util'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import type { ChannelAdapter, Outgoing, OutgoingFile } from '../../src/channels/channel.ts'
import { createTwilioChannels } from '../../src/channels/twilio/channels.ts'
import type { TwilioCredentials } from '../../src/channels/twilio/credentials.ts'
import { twilioWire } from '../../src/channels/twilio/wire.ts'
import { type SendBehaviour, startFakeTwilio } from '../support/fake-twilio.ts'
import { outgoingMessage } from '../support/outgoing.ts'

const fake = await startFakeTwilio()
const callbacks: { url: string; body: string; signature: string | undefined }[] = []
const inbox = createServer(async (request, response) => {
  let body = ''
  for await (const chunk of request) body += chunk
  callbacks.push({ url: request.url ?? '', body, signature: request.headers['x-twilio-signature']?.toString() })
  response.end()
})
await new Promise<void>((resolve) => inbox.listen(0, '127.0.0.1', resolve))
const inboxUrl = `http://127.0.0.1:${(inbox.address() as AddressInfo).port}`
afterAll(async () => {
  inbox.close()
  await fake.close()
})

const channelsAt = (apiUrl: string, timeoutMs = 5000) => createTwilioChannels({ apiUrl, timeoutMs })
const [sms, whatsapp] = channelsAt(fake.url) as [ChannelAdapter<TwilioCredentials>, ChannelAdapter<TwilioCredentials>]
const file = (url: string): OutgoingFile => ({
  filename: null,
  contentType: 'image/png',
  size: 3,
  media: 'IMAGE',
  url,
  read: () => Promise.reject(new Error('Twilio fetches files by itself')),
})

const outgoing = (changes: Partial<Outgoing> = {}) =>
  outgoingMessage({
    statusCallbackUrl: `${inboxUrl}/status?communicationId=0198c2a0-0000-7000-8000-000000000001`,
    ...changes,
  })

const failureOf = (adapter: ChannelAdapter<TwilioCredentials>, credentials: TwilioCredentials = fake.credentials): Promise<unknown> =>
  adapter.send(outgoing(), credentials).then(
    () => 'sent',
    (error: unknown) => error,
  )

function expectNoSecretIn(error: unknown): void {
  const { accountSid, authToken } = fake.credentials
  const everything = [inspect(error, { depth: null, showHidden: true }), JSON.stringify(error), String(error), (error as Error).stack].join(
    '\n',
  )
  expect(everything).not.toContain(authToken)
  expect(everything).not.toContain(Buffer.from(`${accountSid}:${authToken}`).toString('base64'))
}

beforeEach(() => {
  fake.requests.length = 0
  fake.messages.length = 0
  callbacks.length = 0
})

describe('what Twilio is asked', () => {
  const statusCallback = outgoing().statusCallbackUrl

  test('SMS: the plain numbers', async () => {
    await sms.send(outgoing(), fake.credentials)
    expect(fake.messages[0]?.params).toEqual({
      To: '+905551112233',
      From: '+15005550006',
      Body: 'Your permit is ready.',
      StatusCallback: statusCallback,
    })
  })
  test('WhatsApp: with its prefix, also for a sender without a number', async () => {
    await whatsapp.send(outgoing({ to: 'IN.123abc' }), fake.credentials)
    expect(fake.messages[0]?.params).toMatchObject({ To: 'whatsapp:IN.123abc', From: 'whatsapp:+15005550006' })
  })
  test('a messaging service instead of the sender, media, an approved template', async () => {
    const template = { id: 'HX0123', name: 'ready', language: 'en', variables: { '1': 'Ada', '2': '“quoted”' }, components: null }
    await whatsapp.send(outgoing({ template, files: [file('https://inbox.test/a'), file('https://inbox.test/b')] }), {
      ...fake.credentials,
      messagingServiceSid: 'MG01',
    })
    expect(fake.messages[0]?.params).toEqual({
      To: 'whatsapp:+905551112233',
      MessagingServiceSid: 'MG01',
      ContentSid: 'HX0123',
      ContentVariables: '{"1":"Ada","2":"“quoted”"}',
      MediaUrl: ['https://inbox.test/a', 'https://inbox.test/b'],
      StatusCallback: statusCallback,
    })
  })
})

describe('what an outcome means', () => {
  const inTwoMinutes = () => new Date(Date.now() + 120_000).toUTCString()
  const outcomes: [string, SendBehaviour, object, number][] = [
    [
      'a refusal with a known code',
      { status: 400, code: 21610 },
      { name: 'Rejected', code: '21610', recipientOptedOut: true, explanation: expect.stringContaining('STOP') },
      0,
    ],
    [
      'a refusal with an unknown code',
      { status: 400, code: 29999, message: 'Odd.' },
      { name: 'Rejected', code: '29999', recipientOptedOut: false, explanation: expect.stringContaining('Odd.') },
      0,
    ],
    ['a refusal without a code', { status: 404 }, { name: 'Rejected', code: 'HTTP 404' }, 0],
    [
      'a forbidden account',
      { status: 403, code: 20006 },
      { name: 'Rejected', code: '20006', explanation: expect.stringContaining('credentials') },
      0,
    ],
    ['too many requests', { status: 429, code: 20429, retryAfter: 7 }, { name: 'Unavailable', retryAfterMs: 7000 }, 0],
    [
      'too many requests, with a date',
      { status: 429, retryAfter: inTwoMinutes() },
      { name: 'Unavailable', retryAfterMs: expect.any(Number) },
      0,
    ],
    ['maintenance', { status: 503 }, { name: 'Unavailable', retryAfterMs: null }, 0],
    ['an internal error', { status: 500, code: 20500 }, { name: 'Uncertain' }, 0],
    ['a bad gateway', { status: 502 }, { name: 'Uncertain' }, 0],
    ['a gateway’s timeout', { status: 504 }, { name: 'Uncertain' }, 0],
    ['a connection that breaks before', { drop: 'before' }, { name: 'Uncertain' }, 0],
    ['a connection that breaks after', { drop: 'after' }, { name: 'Uncertain' }, 1],
    ['an answer that is no JSON', { unreadable: '<html>' }, { name: 'Uncertain' }, 1],
    ['an answer without an id', { unreadable: '{}' }, { name: 'Uncertain' }, 1],
    ['an answer of nothing', { unreadable: '' }, { name: 'Uncertain' }, 1],
    [
      'a refusal that repeats the token',
      { status: 400, code: 29999, message: `bad ${fake.credentials.authToken}` },
      { name: 'Rejected', explanation: expect.stringContaining('bad …') },
      0,
    ],
  ]
  test.each(outcomes)('%s', async (_name, behaviour, expected, accepted) => {
    fake.next(behaviour)
    const failure = await failureOf(sms)
    expect(failure).toMatchObject(expected)
    expect(fake.messages).toHaveLength(accepted)
    expect(fake.requests).toHaveLength(1)
    expectNoSecretIn(failure)
  })

  test('no answer in time', async () => {
    const [impatient] = channelsAt(fake.url, 200)
    fake.next({ delayMs: 60_000 })
    const failure = await failureOf(impatient as ChannelAdapter<TwilioCredentials>)
    expect(failure).toMatchObject({ name: 'Uncertain' })
    expect(fake.messages).toHaveLength(1)
    expectNoSecretIn(failure)
  })

  test.each(['http://127.0.0.1:1', 'http://localhost:1', 'http://nowhere.invalid'])('nobody at %s', async (apiUrl) => {
    const [unreachable] = channelsAt(apiUrl)
    const failure = await failureOf(unreachable as ChannelAdapter<TwilioCredentials>)
    expect(failure).toMatchObject({ name: 'Unavailable', retryAfterMs: null })
    expectNoSecretIn(failure)
  })

  test('a server that is no TLS server', async () => {
    const [confused] = channelsAt(fake.url.replace('http:', 'https:'))
    const failure = await failureOf(confused as ChannelAdapter<TwilioCredentials>)
    expect((failure as Error).name).toMatch(/^(Unavailable|Uncertain)$/)
    expectNoSecretIn(failure)
  })

  test('a wrong token', async () => {
    const failure = await failureOf(sms, { ...fake.credentials, authToken: 'wrong-token-81' })
    expect(failure).toMatchObject({ name: 'Rejected', code: '20003', explanation: expect.stringContaining('credentials') })
    expect(inspect(failure)).not.toContain('wrong-token-81')
  })
})

describe('receipts', () => {
  test('come back to the URL that was sent, signed, with our id', async () => {
    fake.next({ callbacksFirst: ['sent'], answerTwice: true })
    const { externalMessageId } = await sms.send(outgoing(), fake.credentials)
    expect(callbacks).toHaveLength(2)
    expect(await fake.callback(externalMessageId, 'failed', { ErrorCode: '30008' })).toEqual([200, 200])
    const [first, , third] = callbacks.map(({ url, body, signature = '' }) => ({
      method: 'POST',
      url: `${inboxUrl}${url}`,
      headers: { 'x-twilio-signature': signature },
      body: Buffer.from(body),
    }))
    if (first === undefined || third === undefined) throw new Error('callbacks are missing')
    expect(twilioWire.verify(third, fake.credentials)).toBe(true)
    expect(twilioWire.verify(third, { ...fake.credentials, authToken: 'another' })).toBe(false)
    const { communicationId } = outgoing()
    expect(twilioWire.locate('status', third)).toEqual({ channel: 'SMS', addresses: ['+15005550006', '+905551112233'], communicationId })
    expect(twilioWire.parse('status', first)).toEqual([
      { to: null, facts: [{ kind: 'receipt', externalMessageId, communicationId, status: 'SENT', error: null }] },
    ])
    expect(twilioWire.parse('status', third)[0]?.facts).toMatchObject([
      { status: 'FAILED', error: { code: '30008', message: expect.stringContaining('carrier') } },
    ])
  })
  test('our id is believed only where it is a UUID', () => {
    const request = {
      method: 'POST',
      url: `${inboxUrl}/status?communicationId=1%27--`,
      headers: {},
      body: Buffer.from('MessageSid=SM1&MessageStatus=read&From=whatsapp%3A%2B15005550006'),
    }
    expect(twilioWire.locate('status', request)).toEqual({ channel: 'WHATSAPP', addresses: ['+15005550006'], communicationId: null })
    expect(twilioWire.parse('status', request)[0]?.facts).toMatchObject([{ status: 'READ', communicationId: null }])
  })
})

describe('check', () => {
  const account = { address: '+15005550006', webhookUrl: 'https://inbox.test/webhooks/twilio/demo/sms' }
  const failed = async (credentials: TwilioCredentials = fake.credentials) =>
    (await sms.check(account, credentials)).filter(({ ok }) => !ok)

  test('all is well', async () => {
    fake.account.numbers = [{ phoneNumber: '+15005550006', smsUrl: account.webhookUrl, smsMethod: 'POST' }]
    expect(await failed()).toEqual([])
    expect(await whatsapp.check(account, fake.credentials)).toEqual([{ name: 'credentials', required: true, ok: true, message: null }])
  })
  test('the webhook goes elsewhere', async () => {
    fake.account.numbers = [{ phoneNumber: '+15005550006', smsUrl: 'https://elsewhere.test/', smsMethod: 'POST' }]
    expect(await failed()).toEqual([{ name: 'webhook', ok: false, message: expect.stringContaining(account.webhookUrl) }])
    expect(await failed({ ...fake.credentials, messagingServiceSid: 'MG01' })).toEqual([])
  })
  test('an address elsewhere is told without the password that Twilio uses there', async () => {
    const smsUrl = 'https://us:password@elsewhere.test/sms?key=secret'
    fake.account.numbers = [{ phoneNumber: '+15005550006', smsUrl, smsMethod: 'POST' }]
    const [check] = await failed()
    expect(check?.message).toMatch(/^Twilio posts incoming messages to https:\/\/elsewhere\.test\/sms: /)
  })
  test('the number is another account’s', async () => {
    fake.account.numbers = []
    expect(await failed()).toEqual([{ name: 'number', ok: false, message: expect.stringContaining('+15005550006 does not belong') }])
  })
  test('the account is suspended, the token wrong, nobody answers', async () => {
    fake.account.status = 'suspended'
    expect(await failed()).toEqual([{ name: 'credentials', required: true, ok: false, message: expect.stringContaining('suspended') }])
    fake.account.status = 'active'
    expect(await failed({ ...fake.credentials, authToken: 'another' })).toMatchObject([
      { required: true, message: expect.stringContaining('auth token') },
    ])
    const [unreachable] = channelsAt('http://127.0.0.1:1')
    expect(await unreachable?.check(account, fake.credentials)).toMatchObject([
      { required: true, ok: false, message: expect.stringContaining('Twilio could not be asked') },
    ])
  })
})

describe('media', () => {
  const bytes = Buffer.from('a small picture')
  const failure = (url: string, maxBytes = 1000) => sms.fetchMedia(url, fake.credentials, maxBytes).catch((error: unknown) => error)

  test('is fetched with the credentials', async () => {
    expect(await sms.fetchMedia(fake.media({ bytes, contentType: 'image/png' }), fake.credentials, bytes.length)).toEqual({
      body: bytes,
      contentType: 'image/png',
    })
  })
  test('at Twilio’s own address is asked of the server that TWILIO_API_URL names, and of no other', async () => {
    const { pathname } = new URL(fake.media({ bytes, contentType: 'image/png' }))
    expect(await sms.fetchMedia(`https://api.twilio.com${pathname}`, fake.credentials, 1000)).toMatchObject({ body: bytes })
    const asked = fake.requests.length
    await failure(`https://api.twilio.com//${new URL(inboxUrl).host}/secret`)
    expect(callbacks).toEqual([])
    expect(fake.requests).toHaveLength(asked + 1)
  })
  test('is followed to the CDN without them', async () => {
    const url = fake.media({ redirectTo: fake.cdn({ bytes, contentType: 'image/png' }) })
    expect(await sms.fetchMedia(url, fake.credentials, 1000)).toEqual({ body: bytes, contentType: 'image/png' })
    expect(fake.requests.map(({ authorization }) => authorization !== undefined)).toEqual([true, false])
  })
  test('is not followed to an unsafe address, nor in circles', async () => {
    expect(await failure(fake.media({ redirectTo: `${inboxUrl}/secret` }))).toMatchObject({ name: 'Rejected', code: 'FOREIGN_MEDIA' })
    expect(await failure(fake.media({ redirectTo: 'file:///etc/passwd' }))).toMatchObject({ name: 'Rejected', code: 'FOREIGN_MEDIA' })
    expect(callbacks).toEqual([])
    let url = fake.cdn({ bytes, contentType: 'image/png' })
    for (let hop = 0; hop < 4; hop++) url = hop < 3 ? fake.cdn({ redirectTo: url }) : fake.media({ redirectTo: url })
    expect(await failure(url)).toMatchObject({ name: 'Rejected', code: 'TOO_MANY_REDIRECTS' })
  })
  test('is refused when it is too large', async () => {
    expect(await failure(fake.media({ bytes, contentType: 'image/png' }), bytes.length - 1)).toMatchObject({
      name: 'Rejected',
      code: 'MEDIA_TOO_LARGE',
    })
  })
  test('may come later, or never', async () => {
    expect(await failure(fake.media({ status: 404 }))).toMatchObject({ name: 'Unavailable' })
    expect(await failure(fake.media({ status: 503 }))).toMatchObject({ name: 'Unavailable' })
    expect(await failure(fake.media({ status: 410 }))).toMatchObject({ name: 'Rejected', code: 'HTTP 410' })
    const [unreachable] = channelsAt('http://127.0.0.1:1')
    const refused = await unreachable?.fetchMedia('http://127.0.0.1:1/a', fake.credentials, 1000).catch((error: unknown) => error)
    expect(refused).toMatchObject({ name: 'Unavailable' })
    expectNoSecretIn(refused)
  })
})
