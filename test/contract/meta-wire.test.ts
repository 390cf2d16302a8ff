import { existsSync, readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Part, RawRequest } from '../../src/channels/channel.ts'
import { createMetaChannels } from '../../src/channels/meta/channels.ts'
import { signatureOf } from '../../src/channels/meta/signature.ts'
import { createMetaWire } from '../../src/channels/meta/wire.ts'

const FOLDER = '../shared/contracts/signatures'
const present = existsSync(FOLDER)
if (!present) console.warn(`${FOLDER} is not here: Meta's recorded signatures are not tested`)

type MetaApp = Parameters<typeof createMetaWire>[0]

const app = (changes: Partial<MetaApp> = {}): MetaApp => ({
  appId: '1',
  appSecret: 'secret',
  verifyToken: 'verify-token',
  graphUrl: 'https://graph.facebook.com',
  version: 'v26.0',
  timeoutMs: 1000,
  ...changes,
})

function wireOf(changes: Partial<MetaApp> = {}) {
  const wire = createMetaWire(app(changes))
  if (wire.reach !== 'app') throw new Error('the wire is one address for all organizations')
  return wire
}

const request = (body: Buffer | string, headers: Record<string, string> = {}): RawRequest => ({
  method: 'POST',
  url: 'https://inbox.test/webhooks/meta',
  headers,
  body: Buffer.from(body),
})

const wire = wireOf()

async function partsOf(body: unknown): Promise<Part[]> {
  return wire.parse('', request(typeof body === 'string' ? body : JSON.stringify(body)))
}

const text = (id: string, from = '16505551234') => ({ from, id, timestamp: '1750000000', type: 'text', text: { body: 'hi' } })
const change = (phoneNumberId: string, ...messages: unknown[]) => ({
  field: 'messages',
  value: { messaging_product: 'whatsapp', metadata: { phone_number_id: phoneNumberId }, messages },
})
const whatsapp = (...entry: unknown[]) => ({ object: 'whatsapp_business_account', entry })
const kindsOf = (part: Part | undefined): string[] => (part?.facts ?? []).map(({ kind }) => kind)

test('every channel of Meta speaks this wire', () => {
  const channels = createMetaChannels(app())
  expect(channels.map(({ channel }) => channel)).toEqual(['WHATSAPP', 'MESSENGER', 'INSTAGRAM'])
  for (const { wire: spoken } of channels) expect(spoken).toMatchObject({ path: 'meta', reach: 'app', verifyToken: 'verify-token' })
})

describe.runIf(present)('recorded signatures', () => {
  type Vector = { app_secret: string; raw_body: string; signature: string; valid: boolean }
  const vectors: Vector[] = present ? JSON.parse(readFileSync(`${FOLDER}/meta.x_hub_signature_256.json`, 'utf8')).vectors : []
  const signed = ({ raw_body, signature }: Vector) => request(raw_body, { 'x-hub-signature-256': signature })

  test.each(vectors)('valid is $valid', (vector) => {
    expect(wireOf({ appSecret: vector.app_secret }).verify(signed(vector))).toBe(vector.valid)
  })

  test.each(vectors)('not with anything changed', (vector) => {
    const exact = wireOf({ appSecret: vector.app_secret })
    expect(wireOf({ appSecret: `${vector.app_secret}0` }).verify(signed(vector))).toBe(false)
    expect(exact.verify(signed({ ...vector, raw_body: `${vector.raw_body} ` }))).toBe(false)
    expect(exact.verify(signed({ ...vector, signature: vector.signature.replace('sha256=', 'sha1=') }))).toBe(false)
    expect(exact.verify(signed({ ...vector, signature: vector.signature.slice(0, -1) }))).toBe(false)
    expect(exact.verify(request(vector.raw_body))).toBe(false)
  })

  test('the handshake', () => {
    const recorded = JSON.parse(readFileSync(`${FOLDER}/meta.verification_handshake.json`, 'utf8'))
    const query = new URLSearchParams(recorded.request.query)
    expect(wireOf({ verifyToken: query.get('hub.verify_token') }).handshake(query)).toBe(recorded.ok.body)
    expect(wireOf({ verifyToken: 'another-token' }).handshake(query)).toBeNull()
  })
})

test('without a secret nothing is signed, without a token there is no handshake', () => {
  const body = '{"object":"page"}'
  const signed = request(body, { 'x-hub-signature-256': signatureOf(Buffer.from(body), '') })
  for (const appSecret of [null, '']) expect(wireOf({ appSecret }).verify(signed)).toBe(false)
  const query = new URLSearchParams({ 'hub.mode': 'subscribe', 'hub.verify_token': 'null', 'hub.challenge': '1' })
  expect(wireOf({ verifyToken: null }).handshake(query)).toBeNull()
  expect(wireOf({ verifyToken: 'null' }).handshake(query)).toBe('1')
  query.set('hub.mode', 'unsubscribe')
  expect(wireOf({ verifyToken: 'null' }).handshake(query)).toBeNull()
})

describe('a batch', () => {
  test('neighbours about one account are one part, with a body of its own', async () => {
    const parts = await partsOf(
      whatsapp(
        { id: '1', time: 5, changes: [change('11', text('a'), text('b')), change('11', text('c')), change('12', text('d'))] },
        { id: '2', changes: [change('21', text('e'))] },
        { id: '1', changes: [change('11', text('f'))] },
      ),
    )
    expect(parts.map(({ to }) => to?.addresses)).toEqual([['11'], ['12'], ['21'], ['11']])
    expect(parts.map(kindsOf).map(({ length }) => length)).toEqual([3, 1, 1, 1])
    expect(JSON.parse(String(parts[0]?.excerpt?.()))).toEqual(
      whatsapp({ id: '1', time: 5, changes: [change('11', text('a'), text('b')), change('11', text('c'))] }),
    )
    for (const part of parts) {
      const again = await partsOf(String(part.excerpt?.()))
      expect(again.map(({ to, facts }) => ({ to, facts }))).toEqual([{ to: part.to, facts: part.facts }])
    }
  })

  test('a thousand messages are read once each', async () => {
    const entry = { id: '1', changes: Array.from({ length: 1000 }, (_, index) => change('11', text(`wamid.${index}`))) }
    const [part, ...others] = await partsOf(whatsapp(entry))
    expect(others).toEqual([])
    expect(new Set(part?.facts.map((fact) => (fact.kind === 'message' ? fact.externalMessageId : '')))).toHaveLength(1000)
  })

  test('pages and Instagram accounts are found by the id of the entry', async () => {
    const item = { sender: { id: '7' }, recipient: { id: '5' }, timestamp: 1_750_000_000_000, message: { mid: 'm_1', text: 'hi' } }
    for (const [object, channel] of [
      ['page', 'MESSENGER'],
      ['instagram', 'INSTAGRAM'],
    ]) {
      const parts = await partsOf({
        object,
        entry: [
          { id: '5', time: 1, messaging: [item] },
          { id: '6', standby: [item] },
        ],
      })
      expect(parts.map(({ to }) => to)).toEqual([
        { channel, addresses: ['5'], communicationId: null },
        { channel, addresses: ['6'], communicationId: null },
      ])
      expect(parts.map(kindsOf)).toEqual([['message'], ['unknown']])
    }
  })
})

describe('hostile bodies', () => {
  test.each([
    ['nothing', ''],
    ['no JSON', 'hello'],
    ['a cut-off body', JSON.stringify(whatsapp({ id: '1', changes: [change('11', text('a'))] })).slice(0, -9)],
    ['null', 'null'],
    ['a list', '[]'],
    ['an unknown object', '{"object":"user","entry":[{"id":"1"}]}'],
    ['no entries', '{"object":"page","entry":[]}'],
    ['entries of the wrong type', '{"object":"whatsapp_business_account","entry":{"id":"1","changes":"x"}}'],
    ['100,000 open brackets', '['.repeat(100_000)],
  ])('%s becomes something unknown', async (_name, body) => {
    const parts = await partsOf(body)
    expect(parts.map(kindsOf)).toEqual([['unknown']])
  })

  test('a bad item does not lose its neighbours', async () => {
    const deep = JSON.parse(`${'{"a":'.repeat(5000)}1${'}'.repeat(5000)}`)
    const good = change('11', text('good'), null, 7, { type: 'text' }, text('fine'))
    const parts = await partsOf(JSON.stringify(whatsapp(null, { id: '1', changes: [null, 'x', good] }, { id: '3', changes: null })))
    const ids = parts.flatMap(({ facts }) => facts).flatMap((fact) => (fact.kind === 'message' ? [fact.externalMessageId] : []))
    expect(ids).toEqual(['good', 'fine'])
    expect(parts.flatMap(kindsOf).filter((kind) => kind === 'unknown')).toHaveLength(7)
    const text5000 = `{"object":"whatsapp_business_account","entry":[{"id":"1","changes":[${'{"a":'.repeat(5000)}1${'}'.repeat(5000)},${JSON.stringify(good)}]}]}`
    expect(deep).toBeDefined()
    expect((await partsOf(text5000)).flatMap(kindsOf).filter((kind) => kind === 'message')).toHaveLength(2)
  })

  test('what a database cannot store is taken out', async () => {
    const body = JSON.stringify(whatsapp({ id: '1', changes: [change('11', { ...text('a'), text: { body: 'TEXT', 'k\u0000': 1 } })] }))
    const [part] = await partsOf(body.replace('TEXT', String.raw`a\u0000b\ud83dc\ud83d\ude00\\u0000`))
    expect(part?.facts).toMatchObject([{ body: 'ab\ufffdc😀\\u0000' }])
    expect(String(part?.excerpt?.())).not.toContain('k\\u0000')
  })

  test('anything at all is read without failing, and the excerpts say the same', async () => {
    const word = fc.constantFrom('text', 'image', 'audio', 'location', 'contacts', 'interactive', 'button', 'order', 'reaction', 'system')
    const other = fc.constantFrom('edit', 'revoke', 'sent', 'failed', 'terminate', 'stop', 'marketing_messages', '16505551234', 'US.1', '')
    const names = fc.constantFrom(
      ...[
        'id',
        'from',
        'to',
        'type',
        'timestamp',
        'text',
        'body',
        'image',
        'location',
        'contacts',
        'name',
        'phones',
        'interactive',
        'nfm_reply',
      ],
      ...[
        'response_json',
        'button',
        'order',
        'reaction',
        'system',
        'edit',
        'message',
        'revoke',
        'original_message_id',
        'context',
        'referral',
      ],
      ...['errors', 'status', 'event', 'wa_id', 'user_id', 'profile', 'latitude', 'sender', 'recipient', 'postback', 'read', 'attachments'],
    )
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof({ maxDepth: 5 }, word, other, fc.string(), fc.double(), fc.constant(null), fc.boolean(), tie('list'), tie('object')),
      list: fc.array(tie('value'), { maxLength: 3 }),
      object: fc.dictionary(names, tie('value'), { maxKeys: 6 }),
    }))
    const item = fc.oneof(value, fc.dictionary(names, value, { maxKeys: 8 }))
    const lists = fc.constantFrom(
      'messages',
      'statuses',
      'message_echoes',
      'calls',
      'user_preferences',
      'contacts',
      'errors',
      'user_id_update',
    )
    const field = fc.constantFrom(
      'messages',
      'smb_message_echoes',
      'calls',
      'account_update',
      'message_template_status_update',
      'user_id_update',
    )
    const changes = fc.record({
      field: fc.oneof(field, value),
      value: fc.oneof(value, fc.dictionary(lists, fc.array(item, { maxLength: 3 }))),
    })
    const list = fc.array(fc.oneof(changes, item, value), { maxLength: 3 })
    const entry = fc.record({ id: fc.oneof(fc.constant('1'), value), time: value, changes: list, messaging: list }, { requiredKeys: [] })
    const object = fc.constantFrom('whatsapp_business_account', 'page', 'instagram')
    await fc.assert(
      fc.asyncProperty(object, fc.array(fc.oneof(entry, value), { maxLength: 3 }), async (kind, entries) => {
        const good = kind === 'whatsapp_business_account' ? [{ id: '1', changes: [change('99', text('good'))] }] : []
        const parts = await partsOf({ object: kind, entry: [...entries, ...good] })
        if (good.length > 0) expect(parts.at(-1)?.facts.at(-1)).toMatchObject({ kind: 'message', externalMessageId: 'good' })
        for (const { facts, excerpt } of parts) {
          expect(facts.length).toBeGreaterThan(0)
          expect(JSON.stringify(facts)).not.toContain('reading it failed')
          if (entries.length > 0) expect(excerpt?.()).toBeInstanceOf(Buffer)
        }
      }),
      { numRuns: 500 },
    )
  })

  test('any bytes are read without failing', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (bytes) => {
        expect((await wire.parse('', request(Buffer.from(bytes)))).map(kindsOf)).toEqual([['unknown']])
      }),
    )
  })
})
