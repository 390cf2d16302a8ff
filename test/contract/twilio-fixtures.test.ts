import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { stringify } from 'node:querystring'
import { describe, expect, test } from 'vitest'
import type { RawRequest } from '../../src/channels/channel.ts'
import type { Fact } from '../../src/channels/fact.ts'
import { twilioWire } from '../../src/channels/twilio/wire.ts'

const CONTRACTS = '../shared/contracts'
const present = existsSync(CONTRACTS)
if (!present) console.warn(`${CONTRACTS} is not here: Twilio's recorded webhooks and signatures are not tested`)

const request = (body: string, url = 'https://inbox.test/webhooks/twilio/demo/sms', headers: Record<string, string> = {}): RawRequest => ({
  method: 'POST',
  url,
  headers,
  body: Buffer.from(body),
})

/** A fixture's name says what it is; the segment is where Twilio would post it. */
const segmentOf = (name: string): 'sms' | 'whatsapp' | 'status' | 'voice' => {
  if (isVoice(name)) return 'voice'
  if (/status|message_(sent|delivered|read)\./.test(name)) return 'status'
  return name.includes('whatsapp') ? 'whatsapp' : 'sms'
}
const isVoice = (name: string): boolean => /call_status|dial_action|voice/.test(name)

const STATUS_IN_NAME = { sent: 'SENT', delivered: 'DELIVERED', read: 'READ', failed: 'FAILED', undelivered: 'FAILED' } as const

function bodyOf(name: string): string {
  const text = readFileSync(`${CONTRACTS}/twilio/${name}`, 'utf8')
  return name.endsWith('.form') ? text.trim() : stringify(JSON.parse(text).params)
}

const parsed = (name: string): Fact[] => twilioWire.parse(segmentOf(name), request(bodyOf(name))).flatMap(({ facts }) => facts)

describe.runIf(present)('recorded Twilio webhooks', () => {
  const names = present ? readdirSync(`${CONTRACTS}/twilio`).filter((name) => name !== 'headers.json') : []

  test('there are some of every sort', () => {
    expect(names.filter(isVoice).length).toBeGreaterThan(2)
    expect(new Set(names.map(segmentOf))).toEqual(new Set(['sms', 'whatsapp', 'status', 'voice']))
  })

  test.each(names)('%s is what its name says', (name) => {
    const facts = parsed(name)
    expect(facts).toHaveLength(1)
    const [fact] = facts
    if (isVoice(name)) return expect(fact).toMatchObject({ kind: name.includes('ringing') ? 'unknown' : 'call' })
    expect(JSON.parse(JSON.stringify(fact))).toEqual(fact)
    if (segmentOf(name) !== 'status')
      return expect(fact).toMatchObject({ kind: 'message', externalMessageId: expect.stringMatching(/^(SM|MM|\d)/) })
    const word = /_(sent|delivered|read|failed|undelivered)[._]/.exec(name)?.[1] as keyof typeof STATUS_IN_NAME
    expect(fact).toMatchObject({
      kind: 'receipt',
      status: STATUS_IN_NAME[word],
      error: word.endsWith('ed') && word !== 'delivered' ? { code: expect.stringMatching(/^\d{5}$/) } : null,
    })
  })

  test.each(names.filter((name) => !isVoice(name)))('%s names the account it is for', (name) => {
    const locator = twilioWire.locate(segmentOf(name), request(bodyOf(name)))
    expect(locator?.channel).toMatch(/^(SMS|WHATSAPP)$/)
    expect(locator?.addresses?.length).toBeGreaterThan(0)
    expect(locator?.addresses?.join()).not.toContain('whatsapp:')
  })

  test.each(names.filter(isVoice))('%s, at an address for messages, is not understood', (name) => {
    for (const segment of ['sms', 'whatsapp', 'status'])
      expect(twilioWire.parse(segment, request(bodyOf(name)))[0]?.facts).toEqual([
        { kind: 'unknown', reason: expect.stringContaining('MessageSid') },
      ])
  })

  test('what is said beyond the text is kept', () => {
    expect(parsed('chatwoot.mms_two_media.json')[0]).toMatchObject({
      address: '+12345',
      attachments: [
        { url: 'https://chatwoot-assets.local/sample.png', contentType: 'image/png' },
        { url: 'https://chatwoot-assets.local/sample.jpg', contentType: 'image/jpeg' },
      ],
    })
    expect(parsed('bottender.whatsapp_image_message_received.json')[0]).toMatchObject({
      body: 'xd',
      content: { kind: 'MEDIA', media: 'IMAGE', caption: 'xd' },
    })
    expect(parsed('botbuilder.mediapayload.form')[0]).toMatchObject({
      externalMessageId: '3333',
      content: { kind: 'MEDIA', media: 'DOCUMENT', caption: 'Hello' },
      attachments: [{ url: 'www.contoso.com', contentType: 'json' }],
    })
    expect(parsed('chatwoot.whatsapp_location.json')[0]).toMatchObject({
      body: '12.160894393921, 75.265205383301',
      content: { kind: 'LOCATION', latitude: 12.160894393921, longitude: 75.265205383301, name: null, address: null, url: null },
    })
    expect(parsed('chatwoot.whatsapp_profile_name.json')[0]).toMatchObject({ profileName: 'John Doe' })
    expect(parsed('composed.inbound_stop_optouttype.json')[0]).toMatchObject({
      consent: { state: 'OPTED_OUT', source: 'PROVIDER' },
    })
    expect(parsed('composed.whatsapp_button_reply.json')[0]).toMatchObject({
      address: '+15005550006',
      identities: [{ kind: 'PHONE', scope: '', value: '+15005550006', verified: true }],
      content: { kind: 'INTERACTIVE_REPLY', reply: 'BUTTON', id: 'confirm-1', title: 'Confirm', description: null, data: null },
      inReplyTo: 'SMbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb',
      payload: null,
      consent: null,
    })
    expect(parsed('vitamin.status_undelivered_30007.json')[0]).toMatchObject({
      error: { code: '30007', message: expect.stringContaining('carrier filtered') },
    })
  })
})

type Vector = {
  name: string
  auth_token: string
  url: string
  signature: string
  valid: boolean
  params?: Record<string, string>
  raw_body?: string
}

describe.runIf(present)('recorded Twilio signatures', () => {
  const vectors: Vector[] = present
    ? JSON.parse(readFileSync(`${CONTRACTS}/signatures/twilio.x_twilio_signature.json`, 'utf8')).vectors
    : []
  const signed = ({ url, signature, params, raw_body }: Vector): RawRequest =>
    request(raw_body ?? stringify(params), url, { 'x-twilio-signature': signature })

  test.each(vectors)('$name: valid is $valid', (vector) => {
    expect(twilioWire.verify(signed(vector), { authToken: vector.auth_token })).toBe(vector.valid)
  })

  test.each(vectors.filter(({ valid }) => valid))('$name: not with anything changed', (vector) => {
    const original = signed(vector)
    expect(twilioWire.verify(original, { authToken: `${vector.auth_token}6` })).toBe(false)
    expect(
      twilioWire.verify({ ...original, body: Buffer.concat([original.body, Buffer.from('&Extra=1')]) }, { authToken: vector.auth_token }),
    ).toBe(false)
    expect(twilioWire.verify({ ...original, url: original.url.replace('mycompany', 'other') }, { authToken: vector.auth_token })).toBe(
      false,
    )
    expect(twilioWire.verify({ ...original, headers: {} }, { authToken: vector.auth_token })).toBe(false)
  })
})
