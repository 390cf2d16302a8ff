import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import type { AnyChannelAdapter, HealthCheck } from '../../src/channels/channel.ts'
import { Rejected, Unavailable } from '../../src/channels/failures.ts'
import { createInstagram } from '../../src/channels/meta/messaging/instagram.ts'
import { createMessenger } from '../../src/channels/meta/messaging/messenger.ts'
import { startFakeMeta } from '../support/fake-meta.ts'

const PAGE = '100000000000001'
const ACCOUNT = '17841400000000000'
const WEBHOOK = 'https://inbox.test/webhooks/meta'

const fake = await startFakeMeta()
/** A machine that is not Meta's: nothing may arrive there. */
const stranger = await startFakeMeta()
afterAll(() => Promise.all([fake.close(), stranger.close()]))

const FIELDS = {
  page: 'messages messaging_postbacks message_deliveries message_reads message_reactions message_echoes messaging_referrals messaging_optins',
  instagram: 'messages messaging_postbacks messaging_seen message_reactions messaging_referral',
}
const fieldsOf = (object: keyof typeof FIELDS) => FIELDS[object].split(' ').map((name) => ({ name, version: 'v26.0' }))
const subscriptions = (changes: Record<string, unknown> = {}) => ({
  data: (['page', 'instagram'] as const).map((object) => ({
    object,
    callback_url: WEBHOOK,
    active: true,
    fields: fieldsOf(object),
    ...changes,
  })),
})

beforeEach(() => {
  fake.requests.length = 0
  stranger.requests.length = 0
  fake.objects.clear()
  fake.objects.set(PAGE, { id: PAGE })
  fake.objects.set(ACCOUNT, { id: ACCOUNT })
  fake.objects.set('me', { id: PAGE, instagram_business_account: { id: ACCOUNT } })
  fake.objects.set(`${PAGE}/subscribed_apps`, { data: [{ id: '4711', subscribed_fields: ['messages', 'messaging_postbacks'] }] })
  fake.objects.set('4711/subscriptions', subscriptions())
  fake.objects.set('debug_token', {
    data: { is_valid: true, scopes: ['pages_messaging', 'pages_manage_metadata', 'instagram_manage_messages'] },
  })
})

const sides = [
  {
    name: 'MESSENGER',
    adapter: createMessenger(fake.app) as AnyChannelAdapter,
    address: PAGE,
    credentials: { pageAccessToken: fake.accessToken, pageId: PAGE },
    object: 'page',
  },
  {
    name: 'INSTAGRAM',
    adapter: createInstagram(fake.app) as AnyChannelAdapter,
    address: ACCOUNT,
    credentials: { accessToken: fake.accessToken, instagramAccountId: ACCOUNT, pageId: PAGE },
    object: 'instagram',
  },
] as const

describe.each(sides)('$name', ({ name, adapter, address, credentials, object }) => {
  const check = (changes: Record<string, unknown> = {}): Promise<HealthCheck[]> =>
    adapter.check({ address, webhookUrl: WEBHOOK }, { ...credentials, ...changes })
  const named = async (check: Promise<HealthCheck[]>, name: string) => (await check).find((one) => one.name === name)

  test('all is well where the token is the page’s, may write, and Meta posts to us', async () => {
    expect(await check()).toEqual([
      { name: 'credentials', ok: true, message: null, required: true },
      { name: 'page', ok: true, message: null, required: true },
      { name: 'subscription', ok: true, message: null },
      { name: 'permissions', ok: true, message: null },
      { name: 'webhook', ok: true, message: null },
    ])
  })

  test('a wrong token is refused, and nothing further is asked', async () => {
    const token = name === 'MESSENGER' ? { pageAccessToken: 'wrong' } : { accessToken: 'wrong' }
    expect(await check(token)).toEqual([
      { name: 'credentials', ok: false, required: true, message: expect.stringContaining('does not accept the access token') },
    ])
    expect(fake.requests).toHaveLength(1)
  })

  test('credentials of another account are refused without asking', async () => {
    expect(await adapter.check({ address: '999', webhookUrl: WEBHOOK }, credentials)).toMatchObject([
      { name: 'credentials', ok: false, required: true },
    ])
    expect(fake.requests).toEqual([])
  })

  test('a token of which Meta does not say whose it is, is not the page’s', async () => {
    fake.objects.delete('me')
    expect(await named(check(), 'page')).toMatchObject({ ok: false, required: true, message: expect.any(String) })
  })

  test('the token of a person, or of another page, cannot be used', async () => {
    fake.objects.set('me', { id: '555', instagram_business_account: { id: '666' } })
    expect(await named(check(), 'page')).toMatchObject({
      ok: false,
      required: true,
      message: expect.stringContaining('page’s access token'),
    })
  })

  test('a page that sends this app nothing is named, with what to do', async () => {
    fake.objects.set(`${PAGE}/subscribed_apps`, { data: [{ id: '999', subscribed_fields: ['messages'] }] })
    expect(await named(check(), 'subscription')).toMatchObject({
      ok: false,
      message: expect.stringContaining('subscribe the app to the page'),
    })
    fake.objects.set(`${PAGE}/subscribed_apps`, { data: [{ id: '4711', subscribed_fields: ['feed'] }] })
    const other = await named(check(), 'subscription')
    if (name === 'INSTAGRAM') expect(other).toMatchObject({ ok: true })
    else expect(other).toMatchObject({ ok: false, message: expect.stringContaining('“messages”') })
  })

  test('missing permissions are listed', async () => {
    fake.objects.set('debug_token', { data: { scopes: ['pages_manage_metadata'] } })
    const missing = name === 'MESSENGER' ? 'pages_messaging' : 'instagram_manage_messages'
    expect(await named(check(), 'permissions')).toMatchObject({ ok: false, message: expect.stringContaining(`lacks ${missing}:`) })
  })

  test.each([
    [{ callback_url: 'https://old.test/hook?key=secret' }, 'posts webhooks to https://old.test/hook: '],
    [{ active: false }, 'switched the webhook off'],
    [{ fields: [{ name: 'messages' }] }, 'messaging_postbacks'],
    [{ object: 'user' }, 'posts nothing'],
  ])('a webhook with %o is explained', async (changes, words) => {
    fake.objects.set('4711/subscriptions', subscriptions(changes))
    expect(await named(check(), 'webhook')).toMatchObject({ ok: false, message: expect.stringContaining(words) })
  })

  test('where Meta gives no answer, that is not held against the account', async () => {
    const away = { ...fake.app, graphUrl: 'http://127.0.0.1:9' }
    const lonely = (name === 'MESSENGER' ? createMessenger(away) : createInstagram(away)) as AnyChannelAdapter
    expect(await lonely.check({ address, webhookUrl: WEBHOOK }, credentials)).toEqual([
      { name: 'credentials', ok: false, required: true, unanswered: true, message: expect.stringContaining('could not be asked') },
    ])
  })

  test('a wrong secret of the app is not blamed on the channel’s token', async () => {
    const wrong = { ...fake.app, appSecret: 'former' }
    const some = (name === 'MESSENGER' ? createMessenger(wrong) : createInstagram(wrong)) as AnyChannelAdapter
    const checks = await some.check({ address, webhookUrl: WEBHOOK }, credentials)
    expect(checks.filter((one) => !one.ok)).toMatchObject([
      { name: 'permissions', message: expect.stringContaining('secret of this server’s app') },
      { name: 'webhook', message: expect.stringContaining('secret of this server’s app') },
    ])
    expect(checks.some((one) => one.required === true && !one.ok)).toBe(false)
  })

  test('without the app’s secret its own settings are not asked for, and no webhook is believed', async () => {
    const bare = { ...fake.app, appSecret: null }
    const some = (name === 'MESSENGER' ? createMessenger(bare) : createInstagram(bare)) as AnyChannelAdapter
    expect(await some.check({ address, webhookUrl: WEBHOOK }, credentials)).toMatchObject([
      { name: 'credentials', ok: true },
      { name: 'page', ok: true },
      { name: 'subscription', ok: true },
      { name: 'webhook', ok: false, message: expect.stringContaining('META_APP_SECRET') },
    ])
  })

  test('without a verify token nobody could enter the webhook', async () => {
    const tokenless = { ...fake.app, verifyToken: null }
    const some = (name === 'MESSENGER' ? createMessenger(tokenless) : createInstagram(tokenless)) as AnyChannelAdapter
    const checks = await some.check({ address, webhookUrl: 'https://elsewhere.test/webhooks/meta' }, credentials)
    expect(checks.find((one) => one.name === 'webhook')).toMatchObject({ ok: false, message: expect.stringContaining('META_VERIFY_TOKEN') })
  })

  test('addresses are digits, and mean a customer of this account alone', () => {
    expect(adapter.normalize(` ${PAGE} `)).toBe(PAGE)
    for (const none of ['', '+90555', 'ada', '12 34', '1'.repeat(33)]) expect(adapter.normalize(none)).toBeNull()
    expect(adapter.identify('200', address)).toEqual({ kind: name, scope: address, value: '200', verified: false })
    expect(adapter.routingKeys(credentials)).toEqual([address])
    expect(adapter.wire).toMatchObject({ path: 'meta', reach: 'app' })
  })

  test('credentials that cannot be right are refused with the field’s name', () => {
    const wrong = Object.fromEntries(Object.keys(credentials).map((key) => [key, 'not good\n']))
    const issues = adapter.credentials.safeParse(wrong).error?.issues ?? []
    expect(issues.map(({ path }) => path.join('.')).sort()).toEqual(Object.keys(credentials).sort())
    expect(adapter.credentials.safeParse(credentials).success).toBe(true)
  })

  describe('media', () => {
    const fetchMedia = (url: string, maxBytes = 100) => adapter.fetchMedia(url, credentials, maxBytes)

    test('are fetched without any credential', async () => {
      const url = fake.cdn({ bytes: Buffer.from('picture'), contentType: 'image/png' })
      expect(await fetchMedia(url)).toEqual({ body: Buffer.from('picture'), contentType: 'image/png' })
      expect(fake.requests.map(({ authorization, query }) => ({ authorization, query }))).toEqual([{ authorization: undefined, query: {} }])
    })

    test('of another host are not fetched, directly or by a redirect', async () => {
      const foreign = stranger.cdn({ bytes: Buffer.from('secret'), contentType: 'image/png' })
      await expect(fetchMedia(foreign)).rejects.toThrow(Rejected)
      await expect(fetchMedia(fake.cdn({ redirectTo: foreign }))).rejects.toThrow(Rejected)
      await expect(fetchMedia(`http://user:pass@${new URL(fake.url).host}/cdn/1`)).rejects.toThrow(Rejected)
      for (const url of [
        'http://scontent.xx.fbcdn.net/1',
        'https://fbcdn.net.evil.test/1',
        'https://evilfbcdn.net/1',
        'file:///etc/passwd',
        'x',
      ]) {
        await expect(fetchMedia(url)).rejects.toThrow(Rejected)
      }
      expect(stranger.requests).toEqual([])
    })

    test('are bounded, and their failures told apart', async () => {
      const large = fake.cdn({ bytes: Buffer.alloc(101), contentType: 'image/png' })
      await expect(fetchMedia(large)).rejects.toMatchObject({ code: 'MEDIA_TOO_LARGE' })
      await expect(fetchMedia(fake.cdn({ status: 403 }))).rejects.toThrow(Rejected)
      await expect(fetchMedia(fake.cdn({ status: 503 }))).rejects.toThrow(Unavailable)
    })
  })

  test('capabilities promise what the platform does', () => {
    const { capabilities } = adapter
    expect(capabilities).toMatchObject({
      messagingWindowHours: 24,
      humanAgentHours: 168,
      businessInitiated: false,
      maxAttachments: 1,
      readReceipts: true,
      deliveryReceipts: object === 'page',
      ...(object === 'page' ? { textLimit: 2000, textLimitUnit: 'CHARACTERS' } : { textLimit: 1000, textLimitUnit: 'BYTES' }),
    })
  })
})
