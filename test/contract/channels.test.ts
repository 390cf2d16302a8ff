import { stringify } from 'node:querystring'
import { inspect } from 'node:util'
import fc from 'fast-check'
import twilio from 'twilio'
import { afterAll, describe, expect, test } from 'vitest'
import type { AnyChannelAdapter, Outgoing, RawRequest } from '../../src/channels/channel.ts'
import { createChannels } from '../../src/channels/registry.ts'
import { twilioWire } from '../../src/channels/twilio/wire.ts'
import { loadConfig } from '../../src/config.ts'
import { startFakeTwilio } from '../support/fake-twilio.ts'
import { outgoingMessage } from '../support/outgoing.ts'

const fake = await startFakeTwilio()
afterAll(() => fake.close())

const registry = createChannels({
  ...loadConfig({ AUTH_JWT_SECRET: 'x'.repeat(32), ENCRYPTION_KEY: Buffer.alloc(32).toString('base64') }),
  TWILIO_API_URL: fake.url,
  PROVIDER_TIMEOUT_SECONDS: 5,
})

/** The providers that speak Twilio's wire: working credentials and their secret. */
const accounts = {
  TWILIO: { credentials: fake.credentials, secret: fake.credentials.authToken },
  SANDBOX: { credentials: { authToken: 'sandbox-token-7f3a' }, secret: 'sandbox-token-7f3a' },
}

const ADDRESSES = ['+905551112233', '+15005550006', '+12345', '+5215512345678', '+5511987654321']
const WEBHOOK_URL = 'https://inbox.test/webhooks/twilio/demo/sms'

const outgoing = (adapter: AnyChannelAdapter, changes: Partial<Outgoing> = {}) =>
  outgoingMessage({
    channel: adapter.channel,
    statusCallbackUrl: 'https://inbox.test/webhooks/twilio/demo/status?communicationId=0198c2a0-0000-7000-8000-000000000001',
    ...changes,
  })

const named = registry.all.map((adapter) => ({ name: `${adapter.provider} ${adapter.channel}`, adapter }))

describe.each(named)('$name', ({ adapter }) => {
  test('normalizing twice is normalizing once', () => {
    const phoneLike = fc.array(fc.constantFrom(...'+0123456789 ()-.'), { maxLength: 20 }).map((characters) => `+${characters.join('')}`)
    fc.assert(
      fc.property(
        fc.oneof(
          phoneLike,
          fc.string({ unit: 'grapheme' }),
          fc.constantFrom('ACME', '12345', '+43000852', 'IN.123abc', 'whatsapp:+15005550006', 'rcs:acme_agent', 'Ada@Example.com'),
        ),
        (spelled) => {
          const once = adapter.normalize(spelled)
          if (once === null) return
          expect(adapter.normalize(once)).toBe(once)
          expect(adapter.identify(once, 'account').value).toBe(once)
        },
      ),
      { numRuns: 500 },
    )
  })

  test('capabilities agree with each other', () => {
    const { content, media, maxAttachments, interactive, messagingWindowHours, templatesNeedApproval, textLimit } = adapter.capabilities
    expect(textLimit).toBeGreaterThan(0)
    expect(content).toContain('TEXT')
    // What goes out as an e-mail is told from this alone: subject, HTML, threading.
    expect(content.includes('EMAIL')).toBe(adapter.channel === 'EMAIL')
    expect(content.includes('MEDIA')).toBe(maxAttachments > 0)
    expect(content.includes('MEDIA')).toBe(Object.keys(media).length > 0)
    expect(content.includes('INTERACTIVE')).toBe(interactive !== null)
    for (const limits of Object.values(media)) expect(limits.maxBytes).toBeGreaterThan(0)
    if (templatesNeedApproval) expect(messagingWindowHours).not.toBeNull()
  })

  test('credentials that are none are refused without an error', () => {
    for (const none of [null, 3, 'x', []]) expect(adapter.credentials.safeParse(none).success).toBe(false)
  })

  test('any bytes are facts, and verified as false, without an error', async () => {
    const { wire } = adapter
    if (wire === null) return
    const segment = wire.inboundSegment(adapter.channel)
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 300 }),
        fc.string(),
        fc.constantFrom(segment, 'status', 'voice', ''),
        async (bytes, query, last) => {
          const request: RawRequest = { method: 'POST', url: `https://inbox.test/x?${query}`, headers: {}, body: Buffer.from(bytes) }
          expect(Array.isArray(await wire.parse(last, request))).toBe(true)
          if (wire.reach === 'app') expect(wire.verify(request)).toBe(false)
          else wire.locate(last, request)
        },
      ),
    )
  })
})

const twilioSpeaking = registry.all.flatMap((adapter) =>
  adapter.provider === 'TWILIO' || adapter.provider === 'SANDBOX'
    ? [{ name: `${adapter.provider} ${adapter.channel}`, adapter, ...accounts[adapter.provider] }]
    : [],
)

describe.each(twilioSpeaking)('$name', ({ adapter, credentials, secret }) => {
  const segment = twilioWire.inboundSegment(adapter.channel)
  const ours = adapter.channel === 'RCS' ? 'acme_agent' : '+15005550006'
  const params = { MessageSid: 'SM1', From: '+905551112233', To: ours, Body: 'Is my permit ready?' }
  const signed = (changes: Record<string, string> = {}): RawRequest => {
    const all = { ...params, ...changes }
    return {
      method: 'POST',
      url: WEBHOOK_URL,
      headers: { 'x-twilio-signature': twilio.getExpectedTwilioSignature(secret, WEBHOOK_URL, all) },
      body: Buffer.from(stringify(all)),
    }
  }

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
    expect(twilioWire.verify(request, credentials)).toBe(true)
    expect(twilioWire.verify({ ...request, headers: {} }, credentials)).toBe(false)
    expect(twilioWire.verify({ ...request, body: Buffer.from(request.body.toString().replace('permit', 'money')) }, credentials)).toBe(
      false,
    )
    expect(twilioWire.verify({ ...request, url: `${request.url}?x=1` }, credentials)).toBe(false)
    expect(twilioWire.verify({ ...request, url: 'no url' }, credentials)).toBe(false)
    expect(twilioWire.verify(request, { ...credentials, authToken: 'another' })).toBe(false)
    for (const header of Object.keys(request.headers)) {
      expect(twilioWire.verify({ ...request, headers: { ...request.headers, [header]: 'AAAA' } }, credentials)).toBe(false)
      expect(twilioWire.verify({ ...request, headers: { ...request.headers, [header]: '' } }, credentials)).toBe(false)
    }
  })

  test('an inbound message is found by the account’s address and read', () => {
    expect(twilioWire.locate(segment, signed())).toEqual({ channel: adapter.channel, addresses: [ours], communicationId: null })
    const message = {
      kind: 'message',
      externalMessageId: 'SM1',
      address: '+905551112233',
      identities: [{ kind: 'PHONE', scope: '', value: '+905551112233', verified: true }],
      profileName: null,
      body: 'Is my permit ready?',
      content: { kind: 'TEXT' },
      attachments: [],
      payload: null,
      inReplyTo: null,
      consent: null,
    }
    expect(twilioWire.parse(segment, signed())).toEqual([{ to: null, facts: [message] }])
    expect(twilioWire.locate('elsewhere', signed())).toBeNull()
  })

  test('any text comes out unchanged, but for NUL', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (body) => {
        const [part] = twilioWire.parse(segment, signed({ Body: body }))
        expect(part?.facts[0]).toMatchObject({ kind: 'message', body: body.replaceAll('\0', '') })
      }),
    )
  })

  test('any bytes are one fact, and verified as false', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.string(), fc.constantFrom(segment, 'status', 'voice', ''), (bytes, query, last) => {
        const request: RawRequest = {
          method: 'POST',
          url: `https://inbox.test/x?${query}`,
          headers: { 'x-twilio-signature': query },
          body: Buffer.from(bytes),
        }
        expect(twilioWire.parse(last, request).flatMap(({ facts }) => facts)).toHaveLength(1)
        expect(twilioWire.verify(request, credentials)).toBe(false)
        twilioWire.locate(last, request)
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
    const account = { address: ours, webhookUrl: WEBHOOK_URL }
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
    expect(registry.speaking('twilio')).toHaveLength(6)
    expect(registry.speaking('elsewhere')).toEqual([])
  })
  test('holds each channel of a provider once', () => {
    expect(new Set(named.map(({ name }) => name)).size).toBe(registry.all.length)
  })
})
