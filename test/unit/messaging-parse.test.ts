import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Fact } from '../../src/channels/fact.ts'
import { parseMessaging, parseMessagingChange } from '../../src/channels/meta/messaging/parse.ts'

const app: Parameters<typeof parseMessaging>[3] = {
  appId: '4711',
  appSecret: null,
  verifyToken: null,
  graphUrl: 'https://graph.facebook.com',
  version: 'v26.0',
  timeoutMs: 1000,
}
const PAGE = '100'
const CUSTOMER = '200'
const COMMUNICATION = '0198c2a0-0000-7000-8000-000000000001'
const TIME = 1_772_998_024_000

const frame = { sender: { id: CUSTOMER }, recipient: { id: PAGE }, timestamp: TIME }
const echoFrame = { sender: { id: PAGE }, recipient: { id: CUSTOMER }, timestamp: TIME }

const messenger = (item: Record<string, unknown>): Fact[] => parseMessaging('page', PAGE, { ...frame, ...item }, app)
const instagram = (item: Record<string, unknown>): Fact[] => parseMessaging('instagram', PAGE, { ...frame, ...item }, app)
const message = (message: Record<string, unknown>): Fact[] => messenger({ message: { mid: 'm.1', ...message } })
const attachment = (type: string, payload: Record<string, unknown>, rest: Record<string, unknown> = {}): Fact[] =>
  message({ attachments: [{ type, payload, ...rest }], ...rest })

describe('attachments', () => {
  test('several files are one message, and a text is their caption', () => {
    const image = (url: string) => ({ type: 'image', payload: { url } })
    expect(message({ text: 'Both', attachments: [image('https://a.test/1'), image('https://a.test/2')] })).toMatchObject([
      {
        kind: 'message',
        body: 'Both',
        content: { kind: 'MEDIA', media: 'IMAGE', caption: 'Both' },
        attachments: [{ url: 'https://a.test/1' }, { url: 'https://a.test/2' }],
      },
    ])
  })

  test('a sticker is told from a picture', () => {
    expect(attachment('image', { url: 'https://a.test/1', sticker_id: 369239263222822 })).toMatchObject([
      { content: { kind: 'MEDIA', media: 'STICKER' } },
    ])
  })

  test('a sticker in its old form, in its new one, and in both at once', () => {
    const payload = { url: 'https://a.test/1', sticker_id: 369239263222822 }
    const sticker = { content: { kind: 'MEDIA', media: 'STICKER' }, attachments: [{ url: 'https://a.test/1' }] }
    for (const types of [['sticker'], ['image', 'sticker']]) {
      const [fact] = message({ attachments: types.map((type) => ({ type, payload })) })
      expect(fact).toMatchObject(sticker)
      expect(fact?.kind === 'message' && fact.attachments).toHaveLength(1)
    }
    const nowhere = { type: 'sticker', payload: { sticker_id: 1 } }
    expect(message({ attachments: [nowhere] })).toMatchObject([{ content: { kind: 'UNSUPPORTED', type: 'sticker', raw: nowhere } }])
  })

  test('a post that is told in two ways is one file with one caption', () => {
    const payload = { ig_post_media_id: '18', title: 'A desk', url: 'https://lookaside.fbsbx.com/ig_messaging_cdn/?asset_id=18' }
    const [fact] = message({ attachments: ['share', 'ig_post'].map((type) => ({ type, payload })) })
    expect(fact).toMatchObject({ body: 'A desk', content: { kind: 'MEDIA', media: 'IMAGE', caption: 'A desk' } })
    expect(fact?.kind === 'message' && fact.attachments).toHaveLength(1)
  })

  test('a place has its name and link', () => {
    expect(
      message({
        attachments: [
          { type: 'location', title: 'Pier 3', url: 'https://maps.test', payload: { coordinates: { lat: 41.02, long: 28.97 } } },
        ],
      }),
    ).toMatchObject([
      {
        body: 'Pier 3\n41.02, 28.97',
        content: { kind: 'LOCATION', latitude: 41.02, longitude: 28.97, name: 'Pier 3', url: 'https://maps.test' },
      },
    ])
  })

  test('a link preview is text, and adds nothing that the text says already', () => {
    const preview = { type: 'fallback', payload: { url: 'https://shop.test/1', title: 'A chair' } }
    expect(message({ attachments: [preview] })).toMatchObject([{ body: 'A chair\nhttps://shop.test/1', content: { kind: 'TEXT' } }])
    expect(message({ text: 'This: https://shop.test/1', attachments: [preview] })).toMatchObject([{ body: 'This: https://shop.test/1' }])
    expect(message({ text: 'This', attachments: [preview] })).toMatchObject([
      { body: 'This\nhttps://shop.test/1', content: { kind: 'TEXT' } },
    ])
  })

  test('a shared post is a file where Meta keeps it, and a link anywhere else', () => {
    expect(attachment('ig_reel', { url: 'https://lookaside.fbsbx.com/ig/1', title: 'Reel' })).toMatchObject([
      {
        body: 'Reel',
        content: { kind: 'MEDIA', media: 'VIDEO', caption: 'Reel' },
        attachments: [{ url: 'https://lookaside.fbsbx.com/ig/1' }],
      },
    ])
    expect(attachment('share', { url: 'https://evil.test/fbcdn.net' })).toMatchObject([
      { body: 'https://evil.test/fbcdn.net', content: { kind: 'TEXT' }, attachments: [] },
    ])
  })

  test.each([
    ['template', { template_type: 'generic', elements: [{ title: 'Chair', subtitle: 'Oak' }] }, 'Chair\nOak'],
    ['template', { product: { elements: [{ id: '1', title: 'Chair', subtitle: '$1' }] } }, 'Chair\n$1'],
    ['template', { template_type: 'button', text: 'What next?', buttons: [] }, 'What next?'],
    ['ephemeral', {}, ''],
    ['image', { url: 'file:///etc/passwd' }, ''],
    ['location', { coordinates: { lat: 'north' } }, ''],
    ['__proto__', {}, ''],
  ])('%s that is not understood is kept as it came', (type, payload, body) => {
    const raw = { type, payload }
    expect(message({ attachments: [raw] })).toMatchObject([
      { kind: 'message', body, content: { kind: 'UNSUPPORTED', type: type.toLowerCase(), raw }, attachments: [] },
    ])
  })

  test('what does not fit into the one content is kept beside it', () => {
    const ephemeral = { type: 'ephemeral', payload: {} }
    expect(message({ attachments: [{ type: 'image', payload: { url: 'https://a.test/1' } }, ephemeral] })).toMatchObject([
      { content: { kind: 'MEDIA' }, payload: { otherAttachments: [{ kind: 'UNSUPPORTED', raw: ephemeral }] } },
    ])
  })

  test('a message with nothing known in it is kept whole', () => {
    expect(message({ is_unsupported: true })).toMatchObject([
      { kind: 'message', body: '', content: { kind: 'UNSUPPORTED', raw: { mid: 'm.1', is_unsupported: true } } },
    ])
  })
})

describe('messages', () => {
  test('a reply names the message that it answers', () => {
    expect(message({ text: 'Yes', reply_to: { mid: 'm.0' } })).toMatchObject([{ inReplyTo: 'm.0' }])
  })

  test('STOP and START count as the whole of a text, never as a button', () => {
    expect(message({ text: ' stop ' })).toMatchObject([{ consent: { state: 'OPTED_OUT', source: 'KEYWORD' } }])
    expect(message({ text: 'Please stop' })).toMatchObject([{ consent: null }])
    expect(message({ text: 'Stop', quick_reply: { payload: 'STOP_TIMER' } })).toMatchObject([{ consent: null }])
  })

  test('a click on an advertisement opens a week, a link does not', () => {
    const ad = { ref: 'spring', source: 'ADS', type: 'OPEN_THREAD', ad_id: '9', ads_context_data: { ad_title: 'Spring sale' } }
    const week = { window: { hours: 168, reason: 'AD_REFERRAL' } }
    expect(message({ text: 'Hi', referral: ad })).toMatchObject([{ ...week, payload: { referral: ad } }])
    expect(messenger({ postback: { title: 'Get Started', payload: 'GO', referral: ad } })).toMatchObject([week])
    expect(messenger({ referral: ad })).toMatchObject([{ ...week, body: 'Spring sale' }])
    expect(messenger({ referral: { ...ad, source: 'SHORTLINK' } })[0]).not.toHaveProperty('window')
  })

  test('an edit is a revision of its message', () => {
    expect(messenger({ message_edit: { mid: 'm.1', text: 'Better', num_edit: 2 } })).toEqual([
      { kind: 'edit', externalMessageId: 'm.1', revision: '2', body: 'Better', content: { kind: 'TEXT' }, at: new Date(TIME) },
    ])
  })

  test('a reaction taken back has an id of its own, a repeated delivery the same', () => {
    const given = instagram({ reaction: { mid: 'm.1', action: 'react', emoji: '😆' } })
    const taken = instagram({ reaction: { mid: 'm.1', action: 'unreact' } })
    expect(taken).toMatchObject([{ content: { kind: 'REACTION', emoji: null, target: 'm.1' }, body: '' }])
    const idOf = ([fact]: Fact[]) => (fact as { externalMessageId: string }).externalMessageId
    expect(idOf(taken)).not.toBe(idOf(given))
    expect(idOf(instagram({ reaction: { mid: 'm.1', action: 'react', emoji: '😆' } }))).toBe(idOf(given))
    expect(instagram({ reaction: { mid: 'm.1', action: 'react', reaction: 'love' } })).toMatchObject([{ content: { emoji: '❤️' } }])
  })
})

describe('echoes', () => {
  const echo = (message: Record<string, unknown>): Fact[] =>
    parseMessaging('page', PAGE, { ...echoFrame, message: { mid: 'm.1', text: 'Hi', is_echo: true, ...message } }, app)

  test('of our own sending are receipts', () => {
    const receipt = { kind: 'receipt', externalMessageId: 'm.1', status: 'SENT' }
    expect(echo({ app_id: 4711 })).toMatchObject([{ ...receipt, communicationId: null }])
    expect(echo({ app_id: '4711', metadata: COMMUNICATION })).toMatchObject([{ ...receipt, communicationId: COMMUNICATION }])
    expect(echo({ metadata: COMMUNICATION })).toMatchObject([{ ...receipt, communicationId: COMMUNICATION }])
  })

  test('of anything else are the business’s own words to the customer', () => {
    expect(echo({ app_id: 263902037430900, metadata: 'theirs' })).toMatchObject([
      { kind: 'message', direction: 'OUTBOUND', address: CUSTOMER, identities: [{ kind: 'MESSENGER', scope: PAGE, value: CUSTOMER }] },
    ])
  })
})

describe('consent', () => {
  const optin = (rest: Record<string, unknown>): Fact[] =>
    messenger({ optin: { type: 'notification_messages', notification_messages_token: 't', title: 'Offers', ...rest } })

  test.each([
    [{}, 'OPTED_IN', 'Agreed to marketing messages in Messenger: Offers'],
    [{ notification_messages_status: 'STOP_NOTIFICATIONS' }, 'OPTED_OUT', 'Stopped marketing messages in Messenger: Offers'],
    [{ notification_messages_status: 'RESUME_NOTIFICATIONS' }, 'OPTED_IN', 'Resumed marketing messages in Messenger: Offers'],
  ])('to marketing messages with %o: %s', (rest, state, evidence) => {
    expect(optin(rest)).toEqual([
      {
        kind: 'consent',
        identity: { kind: 'MESSENGER', scope: PAGE, value: CUSTOMER, verified: true },
        purposes: ['MARKETING'],
        state,
        source: 'PROVIDER',
        evidence,
        at: new Date(TIME),
      },
    ])
  })
})

describe('receipts', () => {
  test('without message ids count up to their time', () => {
    expect(messenger({ delivery: { watermark: TIME } })).toEqual([
      { kind: 'watermark', address: CUSTOMER, status: 'DELIVERED', until: new Date(TIME) },
    ])
  })

  test('with a repeated id count once', () => {
    expect(messenger({ delivery: { mids: ['m.1', 'm.1', 7, null], watermark: TIME } })).toMatchObject([
      { externalMessageId: 'm.1' },
      { externalMessageId: '7' },
    ])
  })
})

describe('everything else', () => {
  test.each([
    [{ pass_thread_control: { new_owner_app_id: '1' } }, 'pass_thread_control'],
    [{ account_linking: { status: 'linked' } }, 'account_linking'],
    [{}, 'no event'],
    [{ message: 'text' }, 'message'],
    [{ sender: {}, message: { mid: 'm.1', text: 'Hi' } }, 'names no customer'],
    [{ sender: {}, optin: { user_ref: 'r' } }, 'names no customer'],
    [{ message: { text: 'Hi' } }, 'without its id'],
    [{ message: { mid: 'm\u0000', text: 'Hi' } }, 'without its id'],
    [{ message_edit: { text: 'Hi' } }, 'an edit without'],
    [{ timestamp: 'soon', read: {} }, 'names neither'],
  ])('%o is kept as unknown', (item, reason) => {
    expect(messenger(item)).toEqual([{ kind: 'unknown', reason: expect.stringContaining(reason) }])
  })

  test('Meta’s restriction of a page is a notice to its owner', () => {
    expect(messenger({ sender: undefined, policy_enforcement: { action: 'block', reason: 'Spam.' } })).toMatchObject([
      { kind: 'account-notice', name: 'policy', ok: false, message: expect.stringContaining('Spam.') },
    ])
    expect(messenger({ 'policy-enforcement': { action: 'unblock' } })).toMatchObject([{ kind: 'account-notice', ok: true }])
  })

  test('a sample of the app dashboard is read as the message it is, comments are not', () => {
    const value = {
      sender: { id: '12334' },
      recipient: { id: PAGE },
      timestamp: '1527459824',
      message: { mid: 'random_mid', text: 'random_text' },
    }
    expect(parseMessagingChange('instagram', PAGE, { field: 'messages', value }, app)).toMatchObject([
      { kind: 'message', address: '12334', body: 'random_text', sentAt: new Date(1_527_459_824_000) },
    ])
    expect(parseMessagingChange('instagram', PAGE, { field: 'comments', value: { text: 'Nice' } }, app)).toEqual([
      { kind: 'unknown', reason: expect.stringContaining('comments') },
    ])
  })
})

describe('hostile input', () => {
  const junk = fc.jsonValue({ maxDepth: 3 })
  const id = fc.oneof(fc.constantFrom(PAGE, CUSTOMER, 'm.1', '', '\u0000', '\ud800', 'x'.repeat(5000)), fc.integer(), junk)
  const maybe = (value: fc.Arbitrary<unknown>) => fc.option(fc.oneof({ weight: 3, arbitrary: value }, junk), { nil: undefined })
  const payload = fc.record({
    url: maybe(fc.constantFrom('https://scontent.xx.fbcdn.net/1', 'javascript:alert(1)', 'https://a:b@fbcdn.net', 'http://[')),
    title: maybe(fc.string()),
    sticker_id: maybe(fc.integer()),
    coordinates: maybe(fc.record({ lat: maybe(fc.double()), long: maybe(fc.double()) })),
    elements: maybe(fc.array(junk)),
  })
  const types = ['image', 'share', 'fallback', 'location', 'template', 'story_mention', '__proto__', 'constructor']
  const attachments = fc.array(fc.record({ type: maybe(fc.constantFrom(...types)), payload: maybe(payload) }), { maxLength: 4 })
  const referral = fc.record({ ref: maybe(fc.string()), source: maybe(fc.constantFrom('ADS', 'SHORTLINK')), ads_context_data: maybe(junk) })
  const item = fc.record({
    sender: maybe(fc.record({ id: maybe(id) })),
    recipient: maybe(fc.record({ id: maybe(id) })),
    timestamp: maybe(fc.oneof(fc.double(), fc.string(), fc.constantFrom(1e300, -1, '2021-09-08T06:34:04+0000'))),
    message: maybe(
      fc.record({
        mid: maybe(id),
        text: maybe(fc.string({ unit: 'binary' })),
        attachments: maybe(attachments),
        quick_reply: maybe(fc.record({ payload: maybe(fc.string()) })),
        reply_to: maybe(fc.record({ mid: maybe(id), story: maybe(payload) })),
        referral: maybe(referral),
        is_echo: maybe(fc.boolean()),
        is_deleted: maybe(fc.boolean()),
        metadata: maybe(fc.string()),
      }),
    ),
    message_edit: maybe(fc.record({ mid: maybe(id), text: maybe(fc.string()), num_edit: maybe(fc.integer()) })),
    postback: maybe(fc.record({ mid: maybe(id), title: maybe(fc.string()), payload: maybe(fc.string()), referral: maybe(referral) })),
    reaction: maybe(fc.record({ mid: maybe(id), action: maybe(fc.constantFrom('react', 'unreact')), emoji: maybe(fc.string()) })),
    referral: maybe(referral),
    optin: maybe(fc.record({ type: maybe(fc.constant('notification_messages')), title: maybe(fc.string()) })),
    delivery: maybe(fc.record({ mids: maybe(fc.array(id)), watermark: maybe(fc.double()) })),
    read: maybe(fc.record({ mid: maybe(id), watermark: maybe(fc.double()) })),
    policy_enforcement: maybe(fc.record({ action: maybe(fc.string()), reason: maybe(fc.string()) })),
  })
  /** One event an item, as Meta sends them; so that each kind comes often. */
  const single = fc.tuple(item, fc.nat()).map(([all, pick]) => {
    const { sender, recipient, timestamp, ...events } = all
    const [name, event] = Object.entries(events)[pick % Object.keys(events).length] ?? []
    return { sender, recipient, timestamp, ...(name !== undefined && { [name]: event }) }
  })

  const isStorable = (fact: Fact) => {
    if (fact.kind === 'message') {
      for (const id of [fact.externalMessageId, fact.address]) {
        expect(id.length).toBeLessThanOrEqual(1000)
        expect(id.trim()).not.toBe('')
        expect(id.isWellFormed() && !id.includes('\0')).toBe(true)
      }
      expect(fact.sentAt?.getTime() ?? 0).not.toBeNaN()
      for (const { url } of fact.attachments) expect(url).toMatch(/^https?:/)
    }
    expect(JSON.parse(JSON.stringify(fact))).toBeTypeOf('object')
  }

  test.each(['page', 'instagram'] as const)('from %s never throws and always says something that can be stored', (object) => {
    fc.assert(
      fc.property(fc.oneof(single, item, fc.dictionary(fc.string(), junk)), (hostile) => {
        for (const facts of [
          parseMessaging(object, PAGE, hostile, app),
          parseMessagingChange(object, PAGE, { field: 'messages', value: hostile }, app),
          parseMessagingChange(object, PAGE, hostile, app),
        ]) {
          expect(facts.length).toBeGreaterThan(0)
          facts.forEach(isStorable)
        }
      }),
      { numRuns: 500 },
    )
  })
})
