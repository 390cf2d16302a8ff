import { stringify } from 'node:querystring'
import { describe, expect, test } from 'vitest'
import type { Fact, MessageFact } from '../../src/channels/channel.ts'
import { consentOf } from '../../src/channels/consent.ts'
import { retryAfterMs } from '../../src/channels/retry-after.ts'
import { normalizeSms, normalizeWhatsapp } from '../../src/channels/twilio/address.ts'
import { explain } from '../../src/channels/twilio/errors.ts'
import { twilioWire } from '../../src/channels/twilio/wire.ts'

const request = (params: Record<string, string | string[]>) => ({
  method: 'POST',
  url: 'https://inbox.test/x',
  headers: {},
  body: Buffer.from(stringify(params)),
})
const base = { MessageSid: 'SM1', To: 'whatsapp:+14155238886', From: 'whatsapp:+15005550006' }
const read = (segment: string, params: Record<string, string | string[]>): Fact | undefined =>
  twilioWire.parse(segment, request({ ...base, ...params }))[0]
const message = (segment: string, params: Record<string, string | string[]>): MessageFact => {
  const fact = read(segment, params)
  if (fact?.kind !== 'message') throw new Error(`not a message: ${JSON.stringify(fact)}`)
  return fact
}

describe('who writes', () => {
  test('a WhatsApp user without a number is known by the business-scoped id', () => {
    const fact = message('whatsapp', { From: 'whatsapp:IN.1349abc' })
    expect(fact.address).toBe('IN.1349abc')
    expect(fact.identities).toEqual([{ kind: 'WHATSAPP', scope: '', value: 'IN.1349abc', verified: true }])
  })
  test('a number that the payload proves beside the id is a second identity', () => {
    const metadata = JSON.stringify({ type: 'whatsapp', data: { context: { WaId: '15005550006', ProfileName: 'Ada' } } })
    const fact = message('whatsapp', { From: 'whatsapp:IN.1349abc', ChannelMetadata: metadata })
    expect(fact.identities.map(({ kind, value }) => [kind, value])).toEqual([
      ['WHATSAPP', 'IN.1349abc'],
      ['PHONE', '+15005550006'],
    ])
    expect(fact.profileName).toBe('Ada')
  })
  test('Brazil’s two spellings are two identities of one sender, each as it came', () => {
    const fact = message('whatsapp', { From: 'whatsapp:+5511987654321', WaId: '551187654321' })
    expect(fact.identities.map(({ value }) => value)).toEqual(['+5511987654321', '+551187654321'])
  })
  test.each(['{', '[]', 'null', '{"data":{"context":{"WaId":{}}}}', '{"data":{"context":"x"}}'])(
    'ChannelMetadata %s changes nothing',
    (ChannelMetadata) => {
      expect(message('whatsapp', { ChannelMetadata })).toEqual(message('whatsapp', {}))
    },
  )
  test('SMS and WhatsApp of one number are one identity', () => {
    expect(message('sms', { From: '+15005550006', To: '+14155238886' }).identities).toEqual(message('whatsapp', {}).identities)
  })
  test('short codes and alphanumeric senders are kept on SMS and are none on WhatsApp', () => {
    expect([normalizeSms('12345'), normalizeSms('ACME Inc')]).toEqual(['12345', 'ACME Inc'])
    expect([normalizeWhatsapp('12345'), normalizeWhatsapp('ACME Inc')]).toEqual([null, null])
    expect(read('whatsapp', { From: 'whatsapp:ACME' })).toMatchObject({ kind: 'unknown' })
  })
})

describe('where it arrives', () => {
  test('the prefix decides where one number serves both channels', () => {
    expect(twilioWire.locate('sms', request(base))).toMatchObject({ channel: 'WHATSAPP', addresses: ['+14155238886'] })
    expect(message('sms', {}).address).toBe('+15005550006')
  })
  test('a messaging service is named beside the number', () => {
    expect(twilioWire.locate('sms', request({ To: '+14155238886', From: '+1', MessagingServiceSid: 'MGab' }))?.addresses).toEqual([
      '+14155238886',
      'MGab',
    ])
  })
  test('channels that are not spoken here have no account', () => {
    expect(twilioWire.locate('sms', request({ To: 'messenger:1', From: 'messenger:2' }))).toBeNull()
    expect(twilioWire.locate('status', request({ To: 'messenger:1', From: 'messenger:2' }))?.channel).toBeNull()
  })
  test('receipts and messages at each other’s address are not mistaken', () => {
    expect(read('sms', { MessageStatus: 'delivered' })).toMatchObject({
      kind: 'unknown',
      reason: expect.stringContaining('status callback'),
    })
    expect(read('status', { SmsStatus: 'received', Body: 'hi' })).toMatchObject({
      kind: 'unknown',
      reason: expect.stringContaining('received'),
    })
    expect(read('voice', {})).toMatchObject({ kind: 'unknown' })
  })
  test.each(['accepted', 'scheduled', 'queued', 'sending'])('%s is pending', (MessageStatus) => {
    expect(read('status', { MessageStatus })).toMatchObject({ kind: 'receipt', status: 'PENDING', error: null })
  })
  test('canceled, and a failure without a code', () => {
    expect(read('status', { MessageStatus: 'canceled' })).toMatchObject({ status: 'CANCELED', error: null })
    expect(read('status', { MessageStatus: 'failed' })).toMatchObject({ status: 'FAILED', error: { code: 'unknown' } })
  })
})

describe('what is said', () => {
  test.each([
    ['STOP', 'OPT_OUT'],
    [' stop\n', 'OPT_OUT'],
    ['OptOut', 'OPT_OUT'],
    ['please stop calling', null],
    ['STOP.', null],
    ['unstop', 'OPT_IN'],
    ['Start', 'OPT_IN'],
    ['HELP', null],
    ['', null],
  ])('%j is %s', (body, consent) => {
    expect(consentOf(body)).toBe(consent)
    expect(message('sms', { Body: body }).consent).toBe(consent)
    expect(message('whatsapp', { Body: body }).consent).toBe(consent)
  })
  test('Twilio’s own verdict counts more than the words', () => {
    expect(message('sms', { Body: 'arret', OptOutType: 'STOP' }).consent).toBe('OPT_OUT')
    expect(message('sms', { Body: 'STOP', OptOutType: 'HELP' }).consent).toBeNull()
    expect(message('sms', { Body: 'STOP', OptOutType: 'START' }).consent).toBe('OPT_IN')
  })
  test('where an advertisement led here', () => {
    expect(
      message('whatsapp', { ReferralNumMedia: '0', ReferralSourceUrl: 'https://fb.me/1', ReferralHeadline: 'Permits' }).payload,
    ).toEqual({
      referral: { sourceUrl: 'https://fb.me/1', headline: 'Permits' },
    })
    expect(message('whatsapp', { ReferralNumMedia: '0' }).payload).toBeNull()
  })
  test('a place has a name, also at the equator', () => {
    expect(message('whatsapp', { Latitude: '0', Longitude: '-0.5', Label: 'Town hall', Address: 'Main Street 1' }).payload).toEqual({
      location: { latitude: 0, longitude: -0.5, label: 'Town hall', address: 'Main Street 1' },
    })
  })
})

describe('what is written to people', () => {
  test('every documented code has its own sentence', () => {
    const codes =
      '21211 21214 21408 21606 21608 21610 21612 21614 21617 21660 21703 30001 30002 30003 30004 30005 30006 30007 30008 30034 63001 63003 63007 63013 63015 63016 63018 63024 63032 63049'
    const sentences = codes.split(' ').map((code) => explain(code, 'Twilio said this'))
    expect(new Set(sentences).size).toBe(sentences.length)
    for (const sentence of sentences) expect(sentence).not.toContain('Twilio said this')
  })
  test('another code keeps what Twilio said', () => {
    expect(explain('99999', 'Something new')).toBe('Twilio refused the message (error 99999): Something new')
    expect(explain('constructor')).toBe('Twilio refused the message (error constructor).')
  })
  test('Retry-After in both forms', () => {
    const now = new Date('2026-01-01T00:00:00Z')
    expect(retryAfterMs('120', now)).toBe(120_000)
    expect(retryAfterMs('Thu, 01 Jan 2026 00:00:30 GMT', now)).toBe(30_000)
    expect(retryAfterMs('Wed, 31 Dec 2025 00:00:00 GMT', now)).toBe(0)
    expect([retryAfterMs('soon', now), retryAfterMs('', now), retryAfterMs(null, now)]).toEqual([null, null, null])
  })
})
