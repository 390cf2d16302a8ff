import { generateKeyPairSync } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { EventWebhook } from '@sendgrid/eventwebhook'
import { describe, expect, test } from 'vitest'
import type { RawRequest } from '../../src/channels/channel.ts'
import type { Fact } from '../../src/channels/fact.ts'
import { SendgridCredentials } from '../../src/channels/sendgrid/credentials.ts'
import { sendgridWire } from '../../src/channels/sendgrid/wire.ts'
import { inboundPost } from '../support/email-posts.ts'
import { signedHeaders } from '../support/fake-sendgrid.ts'

const CONTRACTS = '../shared/contracts'
const present = existsSync(CONTRACTS)
if (!present) console.warn(`${CONTRACTS} is not here: recorded events and signatures of SendGrid are not tested`)

const wire = sendgridWire(40_000_000)
if (wire.reach !== 'organization') throw new Error('SendGrid signs with the credentials of an account')

const URL_OF = (segment: string) => `https://inbox.test/webhooks/sendgrid/demo/${segment}`
const post = (body: string | Buffer, headers: Record<string, string> = {}, url = URL_OF('events')): RawRequest => ({
  method: 'POST',
  url,
  headers,
  body: Buffer.from(body as string),
})
const parsed = async (events: unknown) => wire.parse('events', post(JSON.stringify(events)))
const factsOf = async (events: unknown): Promise<Fact[]> => (await parsed(events)).flatMap(({ facts }) => facts)

const at = new Date('2017-12-15T00:59:29Z')
const of2016 = new Date('2016-04-19T19:47:30Z')
const receipt = (status: string, externalMessageId: string, error: object | null = null) => ({
  kind: 'receipt',
  status,
  externalMessageId,
  communicationId: null,
  error,
})
const consent = (value: string, state: string, source: string, purposes: string[], when = at) => ({
  kind: 'consent',
  identity: { kind: 'EMAIL', scope: '', value, verified: true },
  state,
  source,
  purposes,
  at: when,
})
const both = ['TRANSACTIONAL', 'MARKETING']
const error = (code: string, message: string) => ({ code, message: expect.stringContaining(message) })
const docs = '14c5d75ce93'
const bounced = (id: string) => [
  receipt('FAILED', id, error('5.0.0', '500 unknown recipient')),
  consent('example@test.com', 'OPTED_OUT', 'BOUNCE', both),
]
const dropped = (id: string) => [
  receipt('FAILED', id, error('dropped', 'an earlier e-mail to this address came back')),
  consent('example@test.com', 'OPTED_OUT', 'BOUNCE', both),
]
const reported = (id: string) => [
  receipt('FAILED', id, error('spamreport', 'reported the e-mail as spam')),
  consent('example@test.com', 'OPTED_OUT', 'SPAM_REPORT', both),
]
const unsubscribed = consent('example@test.com', 'OPTED_OUT', 'UNSUBSCRIBE', ['MARKETING'])

const EXPECTED: Record<string, object[]> = {
  'anymail.bounce_event.json': [
    receipt('FAILED', 'Lli-03HcQ5-JLybO9fXsJg', error('5.1.1', 'The email account that you tried to reach does not exist')),
    consent('noreply@example.com', 'OPTED_OUT', 'BOUNCE', both, of2016),
  ],
  'anymail.deferred_event.json': [receipt('PENDING', 'u9Gvi3mzT6iC2poAb58_qQ')],
  'anymail.delivered_event.json': [receipt('DELIVERED', 'wrfRRvF7Q0GgwUo2CvDmEA')],
  // Its sg_message_id begins with a filter's name: the id of the send is that of `smtp-id`.
  'anymail.dropped_unsubscribed_event.json': [
    receipt('FAILED', 'wrfRRvF7Q0GgwUo2CvDmEA', error('dropped', 'the recipient has unsubscribed')),
    consent('unsubscribe@example.com', 'OPTED_OUT', 'UNSUBSCRIBE', ['MARKETING'], of2016),
  ],
  'anymail.open_event.json': [receipt('READ', 'wrfRRvF7Q0GgwUo2CvDmEA')],
  'anymail.processed_event.json': [receipt('SENT', 'wrfRRvF7Q0GgwUo2CvDmEA')],
  'docs.all_types_batch.json': [
    receipt('SENT', 'sg_message_id'),
    receipt('PENDING', 'sg_message_id'),
    receipt('DELIVERED', 'sg_message_id'),
    receipt('READ', 'sg_message_id'),
    receipt('READ', 'sg_message_id'),
    ...bounced('sg_message_id'),
    ...dropped('sg_message_id'),
    ...reported('sg_message_id'),
    unsubscribed,
    unsubscribed,
    consent('example@test.com', 'OPTED_IN', 'PROVIDER', ['MARKETING']),
  ],
  'docs.bounce_bounce.json': bounced(docs),
  'docs.deferred.json': [receipt('PENDING', docs)],
  'docs.delivered.json': [receipt('DELIVERED', docs)],
  'docs.dropped.json': dropped(docs),
  'docs.open.json': [receipt('READ', docs)],
  'docs.processed.json': [receipt('SENT', docs)],
  'docs.spamreport.json': reported(docs),
  'docs.unique_args.json': [receipt('READ', 'sendgrid_internal_message_id')],
  'docs.unsubscribe.json': [unsubscribed],
}

describe.runIf(present)('recorded events', () => {
  const names = present ? readdirSync(`${CONTRACTS}/sendgrid/events`).sort() : []

  test('each has its expectation', () => {
    expect(Object.keys(EXPECTED).sort()).toEqual(names)
  })

  test.each(names)('%s', async (name) => {
    const parts = await wire.parse('events', post(readFileSync(`${CONTRACTS}/sendgrid/events/${name}`)))
    // None of these carries an id of ours: they are for the account that verified them.
    expect(parts.map(({ to }) => to)).toEqual([null])
    const expected = EXPECTED[name]
    expect(parts[0]?.facts).toHaveLength(expected?.length ?? -1)
    expect(parts[0]?.facts).toMatchObject(expected ?? [])
    for (const fact of parts[0]?.facts ?? []) if (fact.kind === 'consent') expect(fact.evidence).toMatch(/^SendGrid: \w+/)
  })
})

describe('events', () => {
  const ours = '0198c2a0-0000-7000-8000-000000000001'
  const event = (more: object) => ({
    email: 'ada@example.com',
    timestamp: 1513299569,
    sg_event_id: 'e1',
    sg_message_id: 'm1.recvd.0',
    ...more,
  })

  test('are about the message whose id they bring back', async () => {
    expect(
      await parsed([
        event({ event: 'processed', communicationId: ours }),
        event({ event: 'delivered' }),
        event({ event: 'open', communicationId: ours.toUpperCase() }),
      ]),
    ).toMatchObject([
      {
        to: { channel: 'EMAIL', addresses: null, communicationId: ours },
        facts: [
          { status: 'SENT', communicationId: ours },
          { status: 'READ', communicationId: ours },
        ],
      },
      { to: null, facts: [{ status: 'DELIVERED', communicationId: null }] },
    ])
  })

  test('a machine that opens a mail is no reader', async () => {
    expect(
      await factsOf([event({ event: 'open', sg_machine_open: true }), event({ event: 'open', sg_machine_open: false })]),
    ).toMatchObject([{ status: 'DELIVERED' }, { status: 'READ' }])
  })

  test('a block is no bounce: the address may be written to again', async () => {
    expect(await factsOf([event({ event: 'bounce', type: 'blocked', status: '5.7.1', reason: 'spam' })])).toEqual([
      {
        kind: 'receipt',
        externalMessageId: 'm1',
        communicationId: null,
        status: 'FAILED',
        error: { code: '5.7.1', message: 'The recipient’s mail server refused the e-mail for now: spam' },
        eventId: 'bounce e1',
      },
    ])
  })

  test('what comes back, and what is reported, has failed for good', async () => {
    const finals = (
      await factsOf([
        event({ event: 'bounce', type: 'bounce' }),
        event({ event: 'spamreport' }),
        event({ event: 'dropped' }),
        event({ event: 'delivered' }),
      ])
    ).flatMap((fact) => (fact.kind === 'receipt' ? [[fact.status, fact.final, fact.eventId]] : []))
    expect(finals).toEqual([
      ['FAILED', true, 'bounce e1'],
      ['FAILED', true, 'spamreport e1'],
      ['FAILED', undefined, 'dropped e1'],
      ['DELIVERED', undefined, 'delivered e1'],
    ])
  })

  test('the event’s id is the evidence of consent', async () => {
    expect(await factsOf([event({ event: 'spamreport' })])).toMatchObject([{}, { evidence: 'SendGrid: spamreport (event e1)' }])
  })

  test('what is wrong takes no neighbour with it', async () => {
    const facts = await factsOf([
      null,
      7,
      'x',
      [],
      {},
      { event: 7 },
      event({ event: 'delivered' }),
      { event: 'delivered' },
      event({ event: 'account_status_change' }),
      event({ event: 'open', timestamp: 'x', email: [] }),
    ])
    expect(facts.map((fact) => (fact.kind === 'receipt' ? fact.status : fact.kind))).toEqual([
      ...Array(6).fill('unknown'),
      'DELIVERED',
      'unknown',
      'unknown',
      'READ',
    ])
  })

  test.each(['', '{', 'null', '7', '"x"', '[]', '{"event":"delivered","sg_message_id":"m1"}'])('a body of %j', async (body) => {
    const facts = (await wire.parse('events', post(body))).flatMap((part) => part.facts)
    expect(facts.map(({ kind }) => kind)).toEqual(body === '[]' ? [] : [body.startsWith('{"') ? 'receipt' : 'unknown'])
  })

  test('a time that is none', async () => {
    for (const timestamp of [undefined, 'soon', 1e300, -1e300, Number.MAX_SAFE_INTEGER]) {
      const [fact] = await factsOf([event({ event: 'unsubscribe', timestamp })])
      expect(fact?.kind === 'consent' && fact.at.getTime()).toBeGreaterThan(0)
    }
  })
})

describe('signatures', () => {
  const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const publicKey = keys.publicKey.export({ format: 'der', type: 'spki' }).toString('base64')
  const base = SendgridCredentials.parse({ apiKey: 'SG.a.b', inboundSecret: '0123456789abcdef' })
  const { verify } = wire

  test.runIf(present)('the recorded one holds, and with anything else it does not', () => {
    const { public_key, headers, body_file, negatives } = JSON.parse(
      readFileSync(`${CONTRACTS}/signatures/sendgrid.event_webhook_single.json`, 'utf8'),
    )
    const body = readFileSync(`${CONTRACTS}/signatures/${body_file}`)
    const lower = Object.fromEntries(Object.entries<string>(headers).map(([name, value]) => [name.toLowerCase(), value]))
    const signature = 'x-twilio-email-event-webhook-signature'
    const timestamp = 'x-twilio-email-event-webhook-timestamp'
    const credentials = SendgridCredentials.parse({ ...base, webhookPublicKey: public_key })
    expect(verify(post(body, lower), credentials)).toBe(true)
    expect(verify(post(body, lower), SendgridCredentials.parse({ ...base, webhookPublicKey: negatives.wrong_public_key }))).toBe(false)
    expect(verify(post(body, { ...lower, [signature]: negatives.wrong_signature }), credentials)).toBe(false)
    expect(verify(post(body, { ...lower, [signature]: '' }), credentials)).toBe(false)
    expect(verify(post(body, { ...lower, [timestamp]: '1600112503' }), credentials)).toBe(false)
    expect(verify(post(body, {}), credentials)).toBe(false)
    expect(verify(post(body.subarray(0, -2), lower), credentials)).toBe(false)
    expect(verify(post(JSON.stringify(JSON.parse(body.toString())), lower), credentials)).toBe(false)
    expect(JSON.parse(body.toString())).toHaveLength(1)
    expect(wire.parse('events', post(body, lower))).toMatchObject([
      { facts: [{ externalMessageId: 'LRzXl_NHStOGhQ4kofSm_A', status: 'FAILED' }, { kind: 'consent' }] },
    ])
  })

  test('SendGrid’s own library agrees', () => {
    const library = new EventWebhook()
    const key = library.convertPublicKeyToECDSA(publicKey)
    const credentials = { ...base, webhookPublicKey: publicKey }
    for (const body of ['[]', '[{"email":"ayşe@example.com"}]\r\n', '']) {
      const headers = signedHeaders(keys.privateKey, body)
      const [signature = '', timestamp = ''] = Object.values(headers)
      expect(library.verifySignature(key, body, signature, timestamp)).toBe(true)
      expect(verify(post(body, headers), credentials)).toBe(true)
      expect(library.verifySignature(key, `${body} `, signature, timestamp)).toBe(false)
      expect(verify(post(`${body} `, headers), credentials)).toBe(false)
    }
  })

  test('a signed e-mail with bytes that are no text holds', () => {
    const credentials = { ...base, parsePublicKey: publicKey }
    const request = inboundPost({ text: Buffer.from([0xff, 0xfe, 0x80]) })
    expect(verify({ ...request, headers: { ...request.headers, ...signedHeaders(keys.privateKey, request.body) } }, credentials)).toBe(true)
    // Both read the same as text.
    const other = inboundPost({ text: Buffer.from([0x80, 0xfe, 0xff]) })
    expect(verify({ ...other, headers: { ...other.headers, ...signedHeaders(keys.privateKey, request.body) } }, credentials)).toBe(false)
    // Where there is a key, the secret in the address is not enough.
    expect(verify(request, credentials)).toBe(false)
  })

  test('where there is no key, the secret in the address', () => {
    for (const segment of ['inbound', 'events']) {
      expect(verify(post('', {}, `${URL_OF(segment)}?key=0123456789abcdef`), base)).toBe(true)
      for (const query of ['', '?key=', '?key=0123456789abcdeF', '?key=0123456789abcdef0', '?KEY=0123456789abcdef'])
        expect(verify(post('', {}, `${URL_OF(segment)}${query}`), base)).toBe(false)
    }
    expect(verify(post('', {}, 'no url'), base)).toBe(false)
  })

  test('each account has a secret of its own, which its address holds', () => {
    const [one, other] = [SendgridCredentials.parse({ apiKey: 'SG.a.b' }), SendgridCredentials.parse({ apiKey: 'SG.a.b' })]
    expect(one.inboundSecret).not.toBe(other.inboundSecret)
    const url = `${URL_OF('inbound')}?${wire.inboundQuery?.(one)}`
    expect(verify(post('', {}, url), one)).toBe(true)
    expect(verify(post('', {}, url), other)).toBe(false)
    const odd = { ...base, inboundSecret: 'a secret & more = 16' }
    expect(verify(post('', {}, `${URL_OF('inbound')}?${wire.inboundQuery?.(odd)}`), odd)).toBe(true)
  })

  test('credentials that cannot work are refused by name', () => {
    const problems = (changes: object) =>
      SendgridCredentials.safeParse({ ...base, ...changes }).error?.issues.map(({ path }) => path.join())
    expect(problems({ apiKey: 'key' })).toEqual(['apiKey'])
    expect(problems({ webhookPublicKey: 'AAAA' })).toEqual(['webhookPublicKey'])
    expect(problems({ parsePublicKey: publicKey.slice(0, 40) })).toEqual(['parsePublicKey'])
    expect(problems({ inboundSecret: 'short' })).toEqual(['inboundSecret'])
    expect(problems({ inboundAddress: 'nowhere' })).toEqual(['inboundAddress'])
    expect(problems({ unsubscribeGroupId: 1.5 })).toEqual(['unsubscribeGroupId'])
    expect(
      SendgridCredentials.parse({ ...base, webhookPublicKey: ` ${publicKey}\n`, inboundAddress: 'Desk@Parse.Example.org' }),
    ).toMatchObject({ webhookPublicKey: publicKey, inboundAddress: 'desk@parse.example.org' })
  })
})
