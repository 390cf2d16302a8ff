import { stringify } from 'node:querystring'
import { inspect } from 'node:util'
import fc from 'fast-check'
import twilio from 'twilio'
import { afterAll, describe, expect, test } from 'vitest'
import type { AnyChannelAdapter, Outgoing, RawRequest } from '../../src/channels/channel.ts'
import { createChannels } from '../../src/channels/registry.ts'
import type { ChannelType, Provider } from '../../src/db/generated/enums.ts'
import { startFakeTwilio } from '../support/fake-twilio.ts'

const fake = await startFakeTwilio()
afterAll(() => fake.close())

const registry = createChannels({ TWILIO_API_URL: fake.url, PROVIDER_TIMEOUT_SECONDS: 5 })

/** What every provider must bring to be tested: working credentials and their secret. */
const accounts = {
  TWILIO: { credentials: fake.credentials, secret: fake.credentials.authToken },
  SANDBOX: { credentials: { authToken: 'sandbox-token-7f3a' }, secret: 'sandbox-token-7f3a' },
} satisfies Record<Provider, { credentials: object; secret: string }>

const ADDRESSES = ['+905551112233', '+15005550006', '+12345', '+5215512345678', '+5511987654321']
const WEBHOOK_URL = 'https://inbox.test/webhooks/twilio/demo/sms'

/** How the requests of a wire are made; a new wire brings its own. */
const signedRequests: Record<string, (channel: ChannelType, params: Record<string, string>, secret: string) => RawRequest> = {
  twilio: (_channel, params, secret) => ({
    method: 'POST',
    url: WEBHOOK_URL,
    headers: { 'x-twilio-signature': twilio.getExpectedTwilioSignature(secret, WEBHOOK_URL, params) },
    body: Buffer.from(stringify(params)),
  }),
}

const outgoing = (adapter: AnyChannelAdapter, changes: Partial<Outgoing> = {}): Outgoing => ({
  communicationId: '0198c2a0-0000-7000-8000-000000000001',
  channel: adapter.channel,
  from: '+15005550006',
  to: '+905551112233',
  body: 'Your permit is ready.',
  subject: null,
  template: null,
  mediaUrls: [],
  statusCallbackUrl: 'https://inbox.test/webhooks/twilio/demo/status?communicationId=0198c2a0-0000-7000-8000-000000000001',
  ...changes,
})

const named = registry.all.map((adapter) => ({ name: `${adapter.provider} ${adapter.channel}`, adapter }))

describe.each(named)('$name', ({ adapter }) => {
  const { credentials, secret } = accounts[adapter.provider]
  const segment = adapter.wire.inboundSegment(adapter.channel)
  const params = { MessageSid: 'SM1', From: '+905551112233', To: '+15005550006', Body: 'Is my permit ready?' }
  const signed = (changes: Record<string, string> = {}) => {
    const make = signedRequests[adapter.wire.path]
    if (make === undefined) throw new Error(`signedRequests lacks the wire ${adapter.wire.path}`)
    return make(adapter.channel, { ...params, ...changes }, secret)
  }

  test('normalizing twice is normalizing once', () => {
    const phoneLike = fc.array(fc.constantFrom(...'+0123456789 ()-.'), { maxLength: 20 }).map((characters) => `+${characters.join('')}`)
    fc.assert(
      fc.property(
        fc.oneof(phoneLike, fc.string({ unit: 'grapheme' }), fc.constantFrom('ACME', '12345', 'IN.123abc', 'whatsapp:+15005550006')),
        (spelled) => {
          const once = adapter.normalize(spelled)
          if (once === null) return
          expect(adapter.normalize(once)).toBe(once)
          expect(adapter.identify(once).value).toBe(once)
        },
      ),
      { numRuns: 500 },
    )
  })

  test.each(ADDRESSES)('%s is an address, in any usual spelling', (address) => {
    expect(adapter.normalize(address)).toBe(address)
    expect(adapter.normalize(` ${address.slice(0, 4)} (${address.slice(4)}) `)).toBe(address)
    expect(adapter.normalize(`00${address.slice(1)}`)).toBe(address)
  })

  test.each(['', ' ', '+', 'not a phone number at all', 'call +15005550006 now', '+1512zzzyyyy', '+1234567890123456', '9055511122334'])(
    '%j is none',
    (address) => {
      expect(adapter.normalize(address)).toBeNull()
    },
  )

  test('credentials: what is missing is named', () => {
    expect(adapter.credentials.safeParse(credentials).success).toBe(true)
    const refused = adapter.credentials.safeParse({ ...credentials, authToken: '' })
    expect(refused.error?.issues.map(({ path }) => path.join('.'))).toEqual(['authToken'])
    // The sandbox makes up what signs its webhooks; a provider's token cannot be made up.
    expect(adapter.credentials.safeParse({}).success).toBe(adapter.sandbox)
  })

  test('a signed webhook is believed, and nothing else', () => {
    const request = signed()
    expect(adapter.wire.verify(request, credentials)).toBe(true)
    expect(adapter.wire.verify({ ...request, headers: {} }, credentials)).toBe(false)
    expect(adapter.wire.verify({ ...request, body: Buffer.from(request.body.toString().replace('permit', 'money')) }, credentials)).toBe(
      false,
    )
    expect(adapter.wire.verify({ ...request, url: `${request.url}?x=1` }, credentials)).toBe(false)
    expect(adapter.wire.verify({ ...request, url: 'no url' }, credentials)).toBe(false)
    expect(adapter.wire.verify(request, { ...credentials, authToken: 'another' })).toBe(false)
    for (const header of Object.keys(request.headers)) {
      expect(adapter.wire.verify({ ...request, headers: { ...request.headers, [header]: 'AAAA' } }, credentials)).toBe(false)
      expect(adapter.wire.verify({ ...request, headers: { ...request.headers, [header]: '' } }, credentials)).toBe(false)
    }
  })

  test('an inbound message is found by the account’s address and read', () => {
    expect(adapter.wire.locate(segment, signed())).toEqual({ channel: adapter.channel, addresses: ['+15005550006'], communicationId: null })
    expect(adapter.wire.parse(segment, signed())).toEqual([
      {
        kind: 'message',
        externalMessageId: 'SM1',
        address: '+905551112233',
        identities: [{ kind: 'PHONE', scope: '', value: '+905551112233', verified: true }],
        profileName: null,
        body: 'Is my permit ready?',
        attachments: [],
        payload: null,
        consent: null,
      },
    ])
    expect(adapter.wire.locate('elsewhere', signed())).toBeNull()
  })

  test('any text comes out unchanged, but for NUL', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (body) => {
        const [fact] = adapter.wire.parse(segment, signed({ Body: body }))
        expect(fact).toMatchObject({ kind: 'message', body: body.replaceAll('\0', '') })
      }),
    )
  })

  test('any bytes are facts, and verified as false, without an error', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.string(), fc.constantFrom(segment, 'status', ''), (bytes, query, last) => {
        const request: RawRequest = {
          method: 'POST',
          url: `https://inbox.test/x?${query}`,
          headers: { 'x-twilio-signature': query },
          body: Buffer.from(bytes),
        }
        expect(adapter.wire.parse(last, request).length).toBeGreaterThan(0)
        expect(adapter.wire.verify(request, credentials)).toBe(false)
        adapter.wire.locate(last, request)
      }),
    )
  })

  test('two sends have two ids', async () => {
    const first = await adapter.send(outgoing(adapter), credentials)
    const second = await adapter.send(outgoing(adapter), credentials)
    expect(first.externalMessageId).toMatch(/^\w{10,}$/)
    expect(second.externalMessageId).not.toBe(first.externalMessageId)
  })

  test('check answers in sentences and never throws', async () => {
    const account = { address: '+15005550006', webhookUrl: WEBHOOK_URL }
    for (const each of [credentials, { ...credentials, authToken: 'another' }]) {
      const checks = await adapter.check(account, each)
      expect(checks.length).toBeGreaterThan(0)
      for (const { ok, message } of checks) if (!ok) expect(message).toMatch(/^[A-Z+].*[.]$/)
    }
  })

  test('media elsewhere is refused', async () => {
    for (const url of [
      'https://example.com/a.jpg',
      'https://api.twilio.com.example.com/a',
      'https://user@api.twilio.com/a',
      'http://api.twilio.com/a',
      'www.contoso.com',
      'file:///etc/passwd',
    ]) {
      const failure = await adapter.fetchMedia(url, credentials, 1000).catch((error: unknown) => error)
      expect(failure, url).toMatchObject({ name: 'Rejected', code: 'FOREIGN_MEDIA' })
      expect(inspect(failure)).not.toContain(secret)
    }
  })
})

describe('the registry', () => {
  test('finds what there is and names what there is not', () => {
    expect(registry.get('TWILIO', 'SMS')).toBe(registry.find('TWILIO', 'SMS'))
    expect(registry.find('TWILIO', 'EMAIL')).toBeUndefined()
    expect(() => registry.get('SANDBOX', 'EMAIL')).toThrow('the provider SANDBOX does not offer the channel EMAIL')
    expect(registry.speaking('twilio')).toHaveLength(4)
    expect(registry.speaking('elsewhere')).toEqual([])
  })
  test('holds each channel of a provider once', () => {
    expect(new Set(named.map(({ name }) => name)).size).toBe(registry.all.length)
  })
})
