import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { HealthCheck, OutgoingTemplate } from '../../src/channels/channel.ts'
import { templateBody } from '../../src/channels/meta/whatsapp/template-body.ts'
import { createWhatsapp } from '../../src/channels/meta/whatsapp/whatsapp.ts'
import { type FakeMeta, startFakeMeta } from '../support/fake-meta.ts'

let meta: FakeMeta
beforeAll(async () => {
  meta = await startFakeMeta({ app: { appId: null } })
})
afterAll(() => meta.close())
beforeEach(() => {
  meta.requests.length = 0
  meta.objects.clear()
})

const PHONE = '106540352242922'
const BUSINESS = '419561257915477'
const credentials = () => ({ accessToken: meta.accessToken, phoneNumberId: PHONE, businessAccountId: BUSINESS })
const adapter = () => createWhatsapp(meta.app)

describe('media', () => {
  const bytes = Buffer.from('a picture')
  const fetched = (address: string, maxBytes = 100) => adapter().fetchMedia(address, credentials(), maxBytes)
  const addressOf = (id: string, version = 'v26.0') => `${meta.url}/${version}/${id}`

  test('the id gives an address, and both need the token', async () => {
    const id = meta.media({ bytes, contentType: 'image/png' })
    expect(await fetched(addressOf(id, 'v20.0'))).toEqual({ body: bytes, contentType: 'image/png' })
    expect(meta.requests.map(({ version, path, authorization }) => [version, path, authorization])).toEqual([
      ['v26.0', id, `Bearer ${meta.accessToken}`],
      ['', `/files/${id}`, `Bearer ${meta.accessToken}`],
    ])
    expect(await fetched(`https://graph.facebook.com/v19.0/${id}`)).toMatchObject({ body: bytes })
  })

  test.each([
    'https://evil.test/v26.0/1',
    'https://graph.facebook.com.evil.test/v26.0/1',
    'https://user@graph.facebook.com/v26.0/1',
    'http://graph.facebook.com/v26.0/1',
    'https://graph.facebook.com/v26.0/1/../../me',
    'file:///etc/passwd',
    'nonsense',
  ])('%s is not fetched', async (address) => {
    await expect(fetched(address)).rejects.toMatchObject({ name: 'Rejected', code: 'FOREIGN_MEDIA' })
    expect(meta.requests).toEqual([])
  })

  test('an address elsewhere is not fetched, and the token goes to no other host', async () => {
    const elsewhere = await startFakeMeta()
    const foreign = elsewhere.cdn({ bytes, contentType: 'image/png' })
    for (const id of [
      meta.media({ url: foreign }),
      meta.media({ redirectTo: foreign }),
      meta.media({ url: 'http://lookaside.fbsbx.com/x' }),
    ])
      await expect(fetched(addressOf(id))).rejects.toMatchObject({ name: 'Rejected', code: 'FOREIGN_MEDIA' })
    expect(elsewhere.requests).toEqual([])
    await elsewhere.close()
    const own = meta.cdn({ bytes, contentType: 'image/png' })
    expect(await fetched(addressOf(meta.media({ redirectTo: own })))).toMatchObject({ body: bytes })
    expect(meta.requests.at(-1)?.authorization).toBeUndefined()
  })

  test('what is too large, gone or not ready', async () => {
    const large = meta.media({ bytes: Buffer.alloc(101), contentType: 'image/png' })
    await expect(fetched(addressOf(large))).rejects.toMatchObject({ name: 'Rejected', code: 'MEDIA_TOO_LARGE' })
    expect(meta.requests).toHaveLength(1)
    const liar = meta.media({ url: meta.cdn({ bytes: Buffer.alloc(101), contentType: 'image/png' }) })
    await expect(fetched(addressOf(liar))).rejects.toMatchObject({ name: 'Rejected', code: 'MEDIA_TOO_LARGE' })
    await expect(fetched(addressOf('404404'))).rejects.toMatchObject({ name: 'Rejected', code: '100' })
    await expect(fetched(addressOf(meta.media({ status: 404 })))).rejects.toMatchObject({ name: 'Rejected', code: 'HTTP 404' })
    await expect(fetched(addressOf(meta.media({ status: 503 })))).rejects.toMatchObject({ name: 'Unavailable' })
  })
})

describe('templates', () => {
  const components = [
    { type: 'HEADER', format: 'TEXT', text: 'Order {{1}}' },
    { type: 'BODY', text: 'Dear {{1}}, it comes on {{2}}.' },
    { type: 'FOOTER', text: 'The shop' },
    {
      type: 'BUTTONS',
      buttons: [
        { type: 'QUICK_REPLY', text: 'Thanks' },
        { type: 'URL', text: 'Track', url: 'https://shop.test/{{1}}' },
        { type: 'COPY_CODE', text: 'Copy', example: 'X' },
      ],
    },
  ]
  const listed = { id: '1', name: 'order', language: 'en_US', status: 'APPROVED', category: 'UTILITY', components }

  test('all pages are read by their cursors, and every placeholder becomes a variable', async () => {
    const path = `${BUSINESS}/message_templates`
    const second = {
      ...listed,
      id: '2',
      name: 'code',
      status: 'REJECTED',
      rejected_reason: 'INVALID_FORMAT',
      quality_score: { score: 'RED' },
    }
    const named = [
      { type: 'HEADER', format: 'IMAGE' },
      { type: 'BODY', text: 'Hello {{ first_name }}' },
    ]
    const pages = [
      { data: [listed, null, { id: 'x' }], paging: { cursors: { after: 'next' }, next: 'https://evil.test/?access_token=x' } },
      { data: [{ ...second, components: named }], paging: { cursors: { after: 'end' } } },
    ]
    meta.objects.set(path, pages[0] ?? {})
    const original = meta.requests.push.bind(meta.requests)
    meta.requests.push = (...requests) => {
      for (const { query } of requests) meta.objects.set(path, pages[query.after === 'next' ? 1 : 0] ?? {})
      return original(...requests)
    }
    try {
      expect(await adapter().listTemplates?.({ address: '+15550783881' }, credentials())).toEqual([
        {
          providerTemplateId: '1',
          name: 'order',
          language: 'en_US',
          status: 'APPROVED',
          statusReason: null,
          category: 'UTILITY',
          quality: null,
          body: 'Order {{header_1}}\nDear {{1}}, it comes on {{2}}.\nThe shop\nTrack: https://shop.test/{{button_2}}\nCopy: {{button_3}}',
          components,
        },
        expect.objectContaining({
          providerTemplateId: '2',
          status: 'REJECTED',
          statusReason: 'INVALID_FORMAT',
          quality: 'RED',
          body: '{{header_image}}\nHello {{first_name}}',
        }),
      ])
    } finally {
      meta.requests.push = original
    }
    expect(meta.requests.map(({ query }) => query.after)).toEqual([undefined, 'next'])
  })

  const template = (changes: Partial<OutgoingTemplate>): OutgoingTemplate => ({
    id: '1',
    name: 'order',
    language: 'en_US',
    variables: { header_1: '42', 1: 'Ada', 2: 'Monday', button_2: 'orders/42', button_3: 'SAVE' },
    components,
    ...changes,
  })
  const text = (value: string) => ({ type: 'text', text: value })

  test('every placeholder gets its value', () => {
    expect(templateBody(template({}), null)).toEqual({
      name: 'order',
      language: { code: 'en_US', policy: 'deterministic' },
      components: [
        { type: 'header', parameters: [text('42')] },
        { type: 'body', parameters: [text('Ada'), text('Monday')] },
        { type: 'button', sub_type: 'url', index: '1', parameters: [text('orders/42')] },
        { type: 'button', sub_type: 'copy_code', index: '2', parameters: [{ type: 'coupon_code', coupon_code: 'SAVE' }] },
      ],
    })
  })

  test('named placeholders, files in the header, codes, and templates that were never synchronized', () => {
    const named = [
      { type: 'HEADER', format: 'DOCUMENT' },
      { type: 'BODY', text: 'Hello {{first_name}}' },
    ]
    const variables = { first_name: 'Ada', header_document: 'https://shop.test/a.pdf' }
    const body = { type: 'body', parameters: [{ type: 'text', parameter_name: 'first_name', text: 'Ada' }] }
    const header = (document: object) => ({ type: 'header', parameters: [{ type: 'document', document }] })
    expect(templateBody(template({ components: named, variables }), null)).toMatchObject({
      components: [header({ link: 'https://shop.test/a.pdf' }), body],
    })
    expect(templateBody(template({ components: named, variables }), '900')).toMatchObject({ components: [header({ id: '900' }), body] })
    const code = [
      { type: 'BODY', text: '*{{1}}* is your code.' },
      { type: 'BUTTONS', buttons: [{ type: 'URL', text: 'Copy code', url: 'https://www.whatsapp.com/otp/code/?code=otp{{1}}' }] },
    ]
    expect(templateBody(template({ components: code, variables: { 1: '123456' } }), null)).toMatchObject({
      components: [
        { type: 'body', parameters: [text('123456')] },
        { type: 'button', sub_type: 'url', index: '0', parameters: [text('123456')] },
      ],
    })
    const unseen = templateBody(template({ components: null, variables: { 10: 'j', 2: 'b', 1: 'a' } }), null)
    expect(unseen).toMatchObject({ components: [{ type: 'body', parameters: [text('a'), text('b'), text('j')] }] })
    expect(templateBody(template({ components: [{ type: 'BODY', text: 'Hello' }] }), null)).not.toHaveProperty('components')
  })

  test('a value that is missing is named', () => {
    expect(() => templateBody(template({ variables: { header_1: '42', 1: 'Ada' } }), null)).toThrow(/\{\{2\}\}/)
  })
})

describe('check', () => {
  const number = {
    id: PHONE,
    display_phone_number: '+1 555-078-3881',
    verified_name: 'Shop',
    code_verification_status: 'VERIFIED',
    quality_rating: 'GREEN',
    status: 'CONNECTED',
    throughput: { level: 'STANDARD' },
  }
  const known = (changes: object = {}) => {
    meta.objects.set(PHONE, { id: PHONE })
    meta.objects.set(`${BUSINESS}/phone_numbers`, { data: [{ id: '1' }, { ...number, ...changes }] })
    meta.objects.set(`${BUSINESS}/subscribed_apps`, { data: [{ whatsapp_business_api_data: { id: '4711', name: 'Parley' } }] })
  }
  const check = (changes: Partial<FakeMeta['app']> = {}, accessToken = meta.accessToken) =>
    createWhatsapp({ ...meta.app, ...changes }).check(
      { address: '+15550783881', webhookUrl: 'https://inbox.test/webhooks/meta' },
      { ...credentials(), accessToken },
    )
  const failing = (checks: HealthCheck[]) => checks.filter(({ ok }) => !ok)

  test('all is well', async () => {
    known()
    const checks = await check()
    expect(failing(checks)).toEqual([])
    expect(checks.map(({ name }) => name)).toEqual([
      'credentials',
      'number',
      'connection',
      'verification',
      'quality',
      'throughput',
      'subscription',
    ])
    expect(checks.filter(({ required }) => required).map(({ name }) => name)).toEqual(['credentials', 'number'])
  })

  test('a token that is not accepted, and a number that is not known', async () => {
    expect(await check({}, 'EAAwrong')).toEqual([
      { name: 'credentials', required: true, ok: false, message: expect.stringContaining('access token') },
    ])
    expect(await check()).toMatchObject([{ name: 'credentials', required: true, ok: false }])
    expect(await check({ graphUrl: 'http://127.0.0.1:9' })).toMatchObject([{ name: 'credentials', ok: false, unanswered: true }])
  })

  test('another number, or another business account’s', async () => {
    known({ display_phone_number: '15550000000' })
    expect(failing(await check())).toMatchObject([{ name: 'number', required: true, message: expect.stringContaining('+15550000000') }])
    meta.objects.set(`${BUSINESS}/phone_numbers`, { data: [] })
    expect(failing(await check())).toMatchObject([{ name: 'number', required: true, message: expect.stringContaining(BUSINESS) }])
  })

  test.each([
    [{ status: 'PENDING' }, 'connection'],
    [{ code_verification_status: 'NOT_VERIFIED' }, 'verification'],
    [{ quality_rating: 'RED' }, 'quality'],
    [{ throughput: { level: 'NOT_APPLICABLE' } }, 'throughput'],
  ])('%j fails %s, but the account can be used', async (changes, name) => {
    known(changes)
    expect(failing(await check())).toEqual([{ name, ok: false, message: expect.stringMatching(/WhatsApp/) }])
  })

  test('an app that hears nothing', async () => {
    known()
    meta.objects.set(`${BUSINESS}/subscribed_apps`, { data: [] })
    expect(failing(await check())).toMatchObject([{ name: 'subscription', message: expect.stringContaining('subscribe') }])
    meta.objects.set(`${BUSINESS}/subscribed_apps`, { data: [{ whatsapp_business_api_data: { id: 'another' } }] })
    expect(failing(await check({ appId: '4711', appSecret: null }))).toMatchObject([{ name: 'subscription' }, { name: 'webhook' }])
  })

  test('a server without the app’s secret says so', async () => {
    known()
    expect(failing(await check({ appSecret: null }))).toMatchObject([
      { name: 'webhook', message: expect.stringContaining('META_APP_SECRET') },
    ])
  })
})

test('addresses, identities and routing', () => {
  const { normalize, identify, routingKeys, credentials: schema } = adapter()
  expect(normalize('+1 (650) 555-1234')).toBe('+16505551234')
  expect(normalize(' US.ENT.13491208655302741918 ')).toBe('US.ENT.13491208655302741918')
  expect(normalize('us.1')).toBeNull()
  expect(identify('US.1', '')).toEqual({ kind: 'WHATSAPP', scope: '', value: 'US.1', verified: false })
  expect(identify('+16505551234', '')).toEqual({ kind: 'PHONE', scope: '', value: '+16505551234', verified: false })
  expect(routingKeys(credentials())).toEqual([PHONE, BUSINESS])
  const wrong = schema.safeParse({ accessToken: 'a b', phoneNumberId: '+1555', businessAccountId: '' })
  expect(wrong.error?.issues.map(({ path }) => path.join())).toEqual(['accessToken', 'phoneNumberId', 'businessAccountId'])
})
