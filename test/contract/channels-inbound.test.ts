import { stringify } from 'node:querystring'
import { describe, expect, test } from 'vitest'
import { consentOf } from '../../src/channels/consent.ts'
import type { Fact, MessageFact } from '../../src/channels/fact.ts'
import { retryAfterMs } from '../../src/channels/retry-after.ts'
import { normalizeRcs, normalizeSms, normalizeWhatsapp } from '../../src/channels/twilio/address.ts'
import { explain } from '../../src/channels/twilio/errors.ts'
import { twilioWire } from '../../src/channels/twilio/wire.ts'

const request = (params: Record<string, string | string[]>) => ({
  method: 'POST',
  url: 'https://inbox.test/x',
  headers: {},
  body: Buffer.from(stringify(params)),
})
const base = { MessageSid: 'SM1', To: 'whatsapp:+14155238886', From: 'whatsapp:+15005550006' }
/** `base` in the words of a channel. */
const addressed = (segment: string): Record<string, string> =>
  segment === 'whatsapp'
    ? {}
    : { From: `${segment === 'rcs' ? 'rcs:' : ''}+15005550006`, To: segment === 'rcs' ? 'rcs:acme_agent' : '+14155238886' }
const read = (segment: string, params: Record<string, string | string[]>): Fact | undefined =>
  twilioWire.parse(segment, request({ ...base, ...params }))[0]?.facts[0]
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
  test('RCS: people are numbers, we are a sender’s id', () => {
    const fact = message('rcs', { ...addressed('rcs'), Body: 'Hello' })
    expect(fact).toMatchObject({ address: '+15005550006', body: 'Hello', content: { kind: 'TEXT' } })
    expect(fact.identities).toEqual([{ kind: 'PHONE', scope: '', value: '+15005550006', verified: true }])
    expect(twilioWire.locate('rcs', request({ ...base, ...addressed('rcs'), MessagingServiceSid: 'MG1' }))).toEqual({
      channel: 'RCS',
      addresses: ['acme_agent', 'MG1'],
      communicationId: null,
    })
    // The number of a Messaging Service has one address for all that it receives.
    expect(twilioWire.locate('sms', request({ ...base, ...addressed('rcs') }))).toMatchObject({ channel: 'RCS', addresses: ['acme_agent'] })
    expect(message('sms', addressed('rcs')).address).toBe('+15005550006')
  })
  test('RCS: a sender’s id in every spelling', () => {
    expect(['acme_x7_agent', ' rcs:acme_x7_agent ', 'RCS:acme_x7_agent', 'rcs:+1 500 555 0006'].map(normalizeRcs)).toEqual([
      'acme_x7_agent',
      'acme_x7_agent',
      'acme_x7_agent',
      '+15005550006',
    ])
    expect(['', 'rcs:', '12345678', 'acme agent', `a${'b'.repeat(100)}`, 'acme/agent'].map(normalizeRcs)).toEqual(Array(6).fill(null))
  })
  test('a receipt of RCS says when an SMS carried it, and is found for the account that sent', () => {
    const status = (params: Record<string, string>, query = '?communicationId=0198c2a0-0000-7000-8000-000000000001&channel=rcs') => {
      const form = { ...request({ MessageSid: 'SM1', MessageStatus: 'delivered', ...params }), url: `https://inbox.test/status${query}` }
      return { locator: twilioWire.locate('status', form), fact: twilioWire.parse('status', form)[0]?.facts[0] }
    }
    const fellBack = status({ From: '+14155238886', To: '+15005550006', MessagingServiceSid: 'MG1' })
    expect(fellBack.fact).toMatchObject({ kind: 'receipt', status: 'DELIVERED', carriedBy: 'SMS' })
    expect(fellBack.locator).toMatchObject({ channel: 'RCS', addresses: ['+14155238886', '+15005550006', 'MG1'] })
    const byRcs = status({ From: 'rcs:acme_agent', To: 'rcs:+15005550006' })
    expect(byRcs.fact).not.toHaveProperty('carriedBy')
    expect(byRcs.locator).toMatchObject({ channel: 'RCS', addresses: ['acme_agent', '+15005550006'] })
    expect(status({ To: '+15005550006' }).fact).not.toHaveProperty('carriedBy')
    expect(status({ From: '+14155238886', To: '+15005550006' }, '').fact).not.toHaveProperty('carriedBy')
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
    ['STOP', 'OPTED_OUT'],
    [' stop\n', 'OPTED_OUT'],
    ['OptOut', 'OPTED_OUT'],
    ['please stop calling', null],
    ['STOP.', null],
    ['unstop', 'OPTED_IN'],
    ['Start', 'OPTED_IN'],
    ['HELP', null],
    ['', null],
  ])('%j is %s', (body, state) => {
    const consent = state === null ? null : { state, source: 'KEYWORD' }
    expect(consentOf(body)).toEqual(consent)
    for (const segment of ['sms', 'whatsapp', 'rcs'])
      expect(message(segment, { ...addressed(segment), Body: body }).consent).toEqual(consent)
  })
  test('Twilio’s own verdict counts more than the words', () => {
    expect(message('sms', { Body: 'arret', OptOutType: 'STOP' }).consent).toEqual({ state: 'OPTED_OUT', source: 'PROVIDER' })
    expect(message('sms', { Body: 'STOP', OptOutType: 'HELP' }).consent).toBeNull()
    expect(message('sms', { Body: 'STOP', OptOutType: 'START' }).consent).toEqual({ state: 'OPTED_IN', source: 'PROVIDER' })
  })
  test('where an advertisement led here', () => {
    expect(
      message('whatsapp', { ReferralNumMedia: '0', ReferralSourceUrl: 'https://fb.me/1', ReferralHeadline: 'Permits' }).payload,
    ).toEqual({
      referral: { sourceUrl: 'https://fb.me/1', headline: 'Permits' },
    })
    expect(message('whatsapp', { ReferralNumMedia: '0' }).payload).toBeNull()
  })
  test('an advertisement makes messages free for longer, but not the window: free text stays refused after 24 hours', () => {
    expect(message('whatsapp', { ReferralSourceUrl: 'https://fb.me/1', ReferralCtwaClid: 'x' }).window).toBeUndefined()
  })
  test('a forwarded message says so', () => {
    expect(message('whatsapp', { Body: 'Look', Forwarded: 'true', FrequentlyForwarded: 'false' }).payload).toEqual({ forwarded: true })
  })
  test('a place has a name, also at the equator', () => {
    const place = { Latitude: '0', Longitude: '-0.5', Label: 'Town hall', Address: 'Main Street 1' }
    expect(message('whatsapp', place)).toMatchObject({
      body: 'Town hall\nMain Street 1\n0, -0.5',
      content: { kind: 'LOCATION', latitude: 0, longitude: -0.5, name: 'Town hall', address: 'Main Street 1', url: null },
      payload: null,
    })
    expect(message('whatsapp', { Body: 'x', Latitude: 'north', Longitude: '1' }).content).toEqual({ kind: 'TEXT' })
    expect(message('whatsapp', { MessageType: 'location', Latitude: '200', Longitude: '1' }).content).toMatchObject({ kind: 'UNSUPPORTED' })
  })
  test('a button and a row of a list that were chosen', () => {
    const quoted = { OriginalRepliedMessageSid: 'SM7', OriginalRepliedMessageSender: 'whatsapp:+14155238886' }
    expect(message('whatsapp', { Body: 'Yes', ButtonText: 'Yes', ButtonPayload: 'y', MessageType: 'button', ...quoted })).toMatchObject({
      body: 'Yes',
      inReplyTo: 'SM7',
      content: { kind: 'INTERACTIVE_REPLY', reply: 'BUTTON', id: 'y', title: 'Yes', description: null, data: null },
    })
    expect(
      message('whatsapp', { ListId: 'r1', ListTitle: 'Monday', ListDescription: '9 to 17', MessageType: 'interactive' }),
    ).toMatchObject({
      body: 'Monday',
      inReplyTo: null,
      content: { kind: 'INTERACTIVE_REPLY', reply: 'LIST', id: 'r1', title: 'Monday', description: '9 to 17', data: null },
    })
  })
  test.each([
    ['Cancel', null],
    ['Yes', null],
    ['END', null],
    ['STOP', { state: 'OPTED_OUT', source: 'KEYWORD' }],
    ['Unsubscribe', { state: 'OPTED_OUT', source: 'KEYWORD' }],
  ])('pressing %s answers a question, unless it can only be about consent', (title, consent) => {
    expect(message('whatsapp', { Body: title, ButtonText: title, ButtonPayload: '1', MessageType: 'button' }).consent).toEqual(consent)
    expect(message('whatsapp', { Body: title, ListId: '1', ListTitle: title, MessageType: 'interactive' }).consent).toBeNull()
  })
  test('a form that was filled in', () => {
    const flow = { Body: 'Sent', MessageType: 'interactive', InteractiveData: '{"name":"Ada","flow_token":"t"}' }
    expect(message('whatsapp', flow).content).toEqual({
      kind: 'INTERACTIVE_REPLY',
      reply: 'FLOW',
      id: null,
      title: 'Sent',
      description: null,
      data: { name: 'Ada', flow_token: 't' },
    })
    for (const InteractiveData of ['{', '[]', 'null', '3'])
      expect(message('whatsapp', { ...flow, InteractiveData }).content.kind).toBe('TEXT')
  })
  test.each([
    ['image/jpeg', '', 'IMAGE'],
    ['audio/ogg; codecs=opus', '', 'AUDIO'],
    ['Video/MP4', '', 'VIDEO'],
    ['text/vcard', 'contacts', 'DOCUMENT'],
    ['application/pdf', '', 'DOCUMENT'],
    ['json', '', 'DOCUMENT'],
    ['', '', 'DOCUMENT'],
    ['image/webp', 'sticker', 'STICKER'],
  ])('a file of type %j (%s) is %s', (MediaContentType0, MessageType, media) => {
    const file = { NumMedia: '1', MediaUrl0: 'https://api.twilio.com/a', MediaContentType0, MessageType }
    expect(message('whatsapp', { ...file, Body: 'Look' })).toMatchObject({
      body: 'Look',
      content: { kind: 'MEDIA', media, caption: 'Look' },
    })
    expect(message('whatsapp', file)).toMatchObject({ body: '', content: { kind: 'MEDIA', media, caption: null } })
  })
  test('what is of no known sort is kept as it came', () => {
    expect(message('whatsapp', { MessageType: 'order', ProductItems: '[1]' })).toMatchObject({
      body: '',
      content: { kind: 'UNSUPPORTED', type: 'order', raw: { MessageType: 'order', ProductItems: '[1]', MessageSid: 'SM1' } },
    })
    expect(message('whatsapp', { MessageType: 'order', Body: 'Two of these' }).content).toEqual({ kind: 'TEXT' })
    expect(message('whatsapp', { MessageType: 'text' }).content).toEqual({ kind: 'TEXT' })
  })
})

describe('what is written to people', () => {
  test('every documented code has its own sentence', () => {
    const codes =
      '21211 21214 21408 21606 21608 21610 21612 21614 21617 21660 21664 21665 21666 21667 21703 30001 30002 30003 30004 30005 30006 30007 30008 30034 63001 63003 63007 63013 63015 63016 63018 63024 63032 63049'
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
