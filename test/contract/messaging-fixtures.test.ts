import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { Content } from '../../src/channels/content.ts'
import type { Fact, MessageFact } from '../../src/channels/fact.ts'
import { parseMessaging } from '../../src/channels/meta/messaging/parse.ts'

const CONTRACTS = '../shared/contracts'
const present = existsSync(CONTRACTS)
if (!present) console.warn(`${CONTRACTS} is not here: the recorded webhooks of Messenger and Instagram are not tested`)

const app: Parameters<typeof parseMessaging>[3] = {
  appId: '1821152484774199',
  appSecret: 'secret',
  verifyToken: 'verify-token',
  graphUrl: 'https://graph.facebook.com',
  version: 'v26.0',
  timeoutMs: 1000,
}

type Item = { sender?: { id?: string }; recipient: { id: string } }
type Entry = { id: string; messaging: Item[] }

/** The page of bottender's items, which come from and go to it. */
const BOTTENDER_PAGE = '404217156637689'

/** The facts of a file. Bare items are the page's: the one known, or the recipient. */
function factsOf(folder: 'messenger' | 'instagram', name: string): Fact[] {
  const json = JSON.parse(readFileSync(`${CONTRACTS}/${folder}/${name}`, 'utf8'))
  const object = folder === 'messenger' ? 'page' : 'instagram'
  if (json.object !== undefined) {
    expect(json.object).toBe(object)
    return (json.entry as Entry[]).flatMap(({ id, messaging }) => messaging.flatMap((item) => parseMessaging(object, id, { ...item }, app)))
  }
  const items: Item[] = json.sender === undefined ? Object.values(json) : [json]
  return items.flatMap((item) => {
    const page = item.sender?.id === BOTTENDER_PAGE ? BOTTENDER_PAGE : item.recipient.id
    return parseMessaging(object, page, { ...item }, app)
  })
}

const MADE = (what: string) => expect.stringMatching(new RegExp(`^${what}:[\\w-]{43}$`))
const TEXT: Content = { kind: 'TEXT' }
const media = (kind: 'IMAGE' | 'AUDIO' | 'VIDEO' | 'DOCUMENT', caption: string | null = null): Content => ({
  kind: 'MEDIA',
  media: kind,
  caption,
})
const file = (url: string) => [{ url, contentType: null }]
const chose = (reply: 'POSTBACK' | 'QUICK_REPLY', id: string, title: string, data: Record<string, unknown> | null = null): Content => ({
  kind: 'INTERACTIVE_REPLY',
  reply,
  id,
  title,
  description: null,
  data,
})

type Written = Pick<MessageFact, 'externalMessageId' | 'body'> & Partial<MessageFact>

const written =
  (kind: 'MESSENGER' | 'INSTAGRAM') =>
  (scope: string, customer: string, milliseconds: number, message: Written): MessageFact => ({
    kind: 'message',
    direction: 'INBOUND',
    address: customer,
    identities: [{ kind, scope, value: customer, verified: true }],
    profileName: null,
    content: TEXT,
    attachments: [],
    payload: null,
    consent: null,
    sentAt: new Date(milliseconds),
    ...message,
  })
const messenger = written('MESSENGER')
const instagram = written('INSTAGRAM')

const receipt = (externalMessageId: string, status: 'SENT' | 'DELIVERED' | 'READ'): Fact => ({
  kind: 'receipt',
  externalMessageId,
  communicationId: null,
  status,
  error: null,
})

const bottender = (milliseconds: number, message: Written) =>
  messenger(BOTTENDER_PAGE, '1423587017700273', milliseconds, { inReplyTo: null, ...message })
const bottenderFile = (content: Content, url: string) =>
  bottender(1491797604411, { externalMessageId: 'mid.$cAAE1UUyiiwthh1ZAO1bVhDxGk2N0', body: '', content, attachments: file(url) })
const pagePlus = (milliseconds: number, message: Written) => messenger('100000000000001', '200000000000001', milliseconds, message)
const account = (milliseconds: number, message: Written) => instagram('17841400000000000', '200000000000001', milliseconds, message)

/** Text messages bear the field; it is null where nothing is quoted. */
const NO_QUOTE = { inReplyTo: null }

const MESSENGER: Record<string, Fact[]> = {
  'botbuilder.payload.json': [messenger('0', '0', 2_222_222_000, { externalMessageId: 'AAAA-BBBB-CCCC', body: 'text', ...NO_QUOTE })],
  'botbuilder.payloadwithreferral.json': [
    messenger('0', '0', 2_222_222_000, {
      externalMessageId: MADE('referral'),
      body: 'USER_DEFINED_REFERRAL_PARAM',
      content: chose('POSTBACK', 'USER_DEFINED_REFERRAL_PARAM', 'USER_DEFINED_REFERRAL_PARAM', {
        ref: 'USER_DEFINED_REFERRAL_PARAM',
        source: 'SHORTLINK',
        type: 'OPEN_THREAD',
      }),
      payload: { referral: { ref: 'USER_DEFINED_REFERRAL_PARAM', source: 'SHORTLINK', type: 'OPEN_THREAD' } },
    }),
  ],
  'botbuilder.requestresponse.json': [
    messenger('123123123', '123123123', 1570649960249, {
      externalMessageId: 'Q3znCzp31iKkarGcToiQWSJGtmSVjUPs7GtwB7WEjVRcg9MxG8TT09Z0wimdrcCHxQCRpMSKZcHBthhqXsonoA',
      body: 'asd',
      ...NO_QUOTE,
    }),
  ],
  'bottender.messaging_events.json': [
    bottender(1491796363181, { externalMessageId: 'mid.$cAAE1UUyiiwthh0NPrVbVf4HFNDGl', body: 'Sharp tools make good work.' }),
    bottenderFile(
      media('IMAGE'),
      'https://scontent.xx.fbcdn.net/v/t35.0-12/17887258_1429713783754592_1626047672_o.jpg?_nc_ad=z-m&oh=e44af5a4c973541ef56333202f160720&oe=58ECF78B',
    ),
    bottenderFile(media('AUDIO'), 'https://example.com/bot/audios/audio.mp3'),
    bottenderFile(media('VIDEO'), 'https://example.com/bot/videos/video.mp4'),
    bottenderFile(media('DOCUMENT'), 'https://example.com/bot/files/file.doc'),
    bottender(1491797604411, {
      externalMessageId: 'mid.$cAAE1UUyiiwthh1ZAO1bVhDxGk2N0',
      body: '0, 0',
      content: { kind: 'LOCATION', latitude: 0, longitude: 0, name: null, address: null, url: null },
    }),
    bottender(1491798262319, {
      externalMessageId: 'mid.$cAAE1UUyiiwthh2BKL1bVhsBhVxvm',
      body: 'Red',
      content: chose('QUICK_REPLY', 'DEVELOPER_DEFINED_PAYLOAD_FOR_PICKING_RED', 'Red'),
    }),
    receipt('mid.1458668856218:ed81099e15d3f4f233', 'DELIVERED'),
    { kind: 'watermark', address: '1423587017700273', status: 'READ', until: new Date(1458668856253) },
    bottender(1491798024994, {
      externalMessageId: 'mid.$cAAE1UUyiiwthh1yrIlbVhdisQW8M',
      direction: 'OUTBOUND',
      body: 'Difficult the first time, easy the second.',
    }),
    messenger(BOTTENDER_PAGE, '1423587017700273', 1491798782090, {
      externalMessageId: MADE('postback'),
      body: 'USER_DEFINED_PAYLOAD',
      content: chose('POSTBACK', 'USER_DEFINED_PAYLOAD', 'USER_DEFINED_PAYLOAD'),
    }),
    messenger('701111199441168', '1476077111119289', 1511111143921, {
      externalMessageId: MADE('referral'),
      body: 'aaaa',
      content: chose('POSTBACK', 'aaaa', 'aaaa', { ref: 'aaaa', source: 'SHORTLINK', type: 'OPEN_THREAD' }),
      payload: { referral: { ref: 'aaaa', source: 'SHORTLINK', type: 'OPEN_THREAD' } },
    }),
    messenger('707356222221168', '1476077422222289', 1522222894827, {
      externalMessageId: MADE('postback'),
      body: 'Get Started',
      content: chose('POSTBACK', '__GET_STARTED__', 'Get Started'),
      payload: { referral: { source: 'SHORTLINK', type: 'OPEN_THREAD', ref: 'aaaa' } },
    }),
    messenger('PAGE_ID', 'USER_ID', 1234567890_000, {
      externalMessageId: MADE('optin'),
      body: 'PASS_THROUGH_PARAM',
      content: chose('POSTBACK', 'PASS_THROUGH_PARAM', 'PASS_THROUGH_PARAM', { ref: 'PASS_THROUGH_PARAM' }),
      payload: { optin: { ref: 'PASS_THROUGH_PARAM' } },
      consent: { state: 'OPTED_IN', source: 'PROVIDER' },
    }),
  ],
  'bottender.request_echo.json': [receipt('mid.$cAARS90328R5hrBz-Vlbete17ftIb', 'SENT')],
  'bottender.request_text.json': [
    messenger('1895382890692545', '1412611362105802', 1486464322190, {
      externalMessageId: 'mid.1486464322190:cb04e5a654',
      body: 'text',
      ...NO_QUOTE,
    }),
  ],
  'jgorset.delivery.json': [
    receipt('mid.1457764197618:41d102a3e1ae206a38', 'DELIVERED'),
    receipt('mid.1458668856218:ed81099e15d3f4f233', 'DELIVERED'),
  ],
  'jgorset.message.json': [
    messenger('3', '3', 1457764197627, {
      externalMessageId: 'mid.1457764197618:41d102a3e1ae206a38',
      body: 'Hello, bot!',
      content: chose('QUICK_REPLY', 'Hi, I am a quick reply!', 'Hello, bot!'),
      attachments: file('https://www.example.com/1.jpg'),
      ...NO_QUOTE,
    }),
  ],
  'jgorset.message_reaction.json': [
    messenger('3', '3', 1457764197627, {
      externalMessageId: MADE('reaction'),
      body: '👍',
      content: { kind: 'UNSUPPORTED', type: 'reaction', raw: { action: 'react', emoji: '👍', reaction: 'like' } },
    }),
  ],
  'jgorset.optin.json': [
    messenger('3', '3', 1457764197627, {
      externalMessageId: MADE('optin'),
      body: 'PASS_THROUGH_PARAM',
      content: chose('POSTBACK', 'PASS_THROUGH_PARAM', 'PASS_THROUGH_PARAM', { ref: 'PASS_THROUGH_PARAM', user_ref: 'UNIQUE_REF_PARAM' }),
      payload: { optin: { ref: 'PASS_THROUGH_PARAM', user_ref: 'UNIQUE_REF_PARAM' } },
      consent: { state: 'OPTED_IN', source: 'PROVIDER' },
    }),
  ],
  'jgorset.referral.json': [
    messenger('3', '3', 1458692752478, {
      externalMessageId: MADE('referral'),
      body: 'my-ref-value',
      content: chose('POSTBACK', 'my-ref-value', 'my-ref-value', {
        ref: 'my-ref-value',
        source: 'SHORTLINK',
        type: 'OPEN_THREAD',
        ad_id: 'ad-id',
      }),
      payload: { referral: { ref: 'my-ref-value', source: 'SHORTLINK', type: 'OPEN_THREAD', ad_id: 'ad-id' } },
    }),
  ],
  'vercelchat.delivery_confirmation.json': [receipt('m_SENT_MSG_001', 'DELIVERED')],
  'vercelchat.echo_message.json': [
    pagePlus(1772998114000, { externalMessageId: 'm_ECHO_MSG_001', direction: 'OUTBOUND', body: 'Bot response', ...NO_QUOTE }),
  ],
  'vercelchat.first_message.json': [
    pagePlus(1772998024000, { externalMessageId: 'm_FAKE_MSG_ID_001', body: 'What is Vercel?', ...NO_QUOTE }),
  ],
  'vercelchat.image_attachment.json': [
    pagePlus(1772998104000, {
      externalMessageId: 'm_FAKE_IMG_001',
      body: '',
      content: media('IMAGE'),
      attachments: file('https://example.com/image.jpg'),
      ...NO_QUOTE,
    }),
  ],
  'vercelchat.multiple_entries.json': [
    messenger('PAGE_456', 'USER_123', 1735689600000, { externalMessageId: 'mid.a', body: 'from entry 1', ...NO_QUOTE }),
    messenger('PAGE_456', 'USER_123', 1735689600000, { externalMessageId: 'mid.b', body: 'from entry 2', ...NO_QUOTE }),
  ],
  'vercelchat.postback_click.json': [
    pagePlus(1772998084000, {
      externalMessageId: MADE('postback'),
      body: 'Say Hello',
      content: chose('POSTBACK', 'chat:{"a":"hello"}', 'Say Hello'),
    }),
  ],
  'vercelchat.reaction_added.json': [
    pagePlus(1772998064000, {
      externalMessageId: MADE('reaction'),
      body: '❤',
      content: { kind: 'REACTION', emoji: '❤', target: 'm_FAKE_MSG_ID_001' },
      inReplyTo: 'm_FAKE_MSG_ID_001',
    }),
  ],
  'vercelchat.read_confirmation.json': [{ kind: 'watermark', address: '200000000000001', status: 'READ', until: new Date(1772998044000) }],
}

const INSTAGRAM: Record<string, Fact[]> = {
  'chatwoot.seen.json': [receipt('message-id-1', 'READ')],
  'chatwoot.unsend.json': [{ kind: 'revoke', externalMessageId: 'message-id-to-delete', at: new Date('2021-09-08T06:34:04Z') }],
  'vercelchat.echo.json': [
    account(1772998094000, { externalMessageId: 'mid.echo.1', direction: 'OUTBOUND', body: 'Your order is on the way.', ...NO_QUOTE }),
  ],
  'vercelchat.image_attachment.json': [
    account(1772998034000, {
      externalMessageId: 'mid.image.1',
      body: '',
      content: media('IMAGE'),
      attachments: file('https://cdn.example.com/product.jpg'),
      ...NO_QUOTE,
    }),
  ],
  'vercelchat.postback.json': [
    account(1772998074000, {
      externalMessageId: 'mid.postback.1',
      body: 'Track order',
      content: chose('POSTBACK', 'chat:{"a":"track"}', 'Track order'),
    }),
  ],
  'vercelchat.quick_reply.json': [
    account(1772998064000, {
      externalMessageId: 'mid.quick.1',
      body: 'Yes',
      content: chose('QUICK_REPLY', 'chat:{"a":"confirm","v":"yes"}', 'Yes'),
      ...NO_QUOTE,
    }),
  ],
  'vercelchat.reaction.json': [
    account(1772998084000, {
      externalMessageId: MADE('reaction'),
      body: '❤️',
      content: { kind: 'REACTION', emoji: '❤️', target: 'mid.sent.1' },
      inReplyTo: 'mid.sent.1',
    }),
  ],
  'vercelchat.story_mention.json': [
    account(1772998054000, {
      externalMessageId: 'mid.story.mention.1',
      body: '',
      content: media('IMAGE'),
      attachments: file('https://cdn.example.com/mention.jpg'),
      payload: { story: { id: null, url: 'https://cdn.example.com/mention.jpg', mention: true } },
      ...NO_QUOTE,
    }),
  ],
  'vercelchat.story_reply.json': [
    account(1772998044000, {
      externalMessageId: 'mid.story.reply.1',
      body: 'Is this still available?',
      payload: { story: { id: '17900000000000001', url: 'https://cdn.example.com/story.jpg' } },
      ...NO_QUOTE,
    }),
  ],
  'vercelchat.text_dm.json': [account(1772998024000, { externalMessageId: 'mid.text.1', body: 'Do you ship to Córdoba?', ...NO_QUOTE })],
}

/** Error bodies of the Send API: held against failures elsewhere. */
const NO_WEBHOOKS = new Set(['errors.outside_window.json'])

const webhooksIn = (folder: string) => (present ? readdirSync(`${CONTRACTS}/${folder}`).filter((name) => !NO_WEBHOOKS.has(name)) : [])

describe.runIf(present).each([
  ['messenger', MESSENGER],
  ['instagram', INSTAGRAM],
] as const)('recorded webhooks of %s', (folder, expected) => {
  test('every file has an expectation, and every expectation a file', () => {
    expect(Object.keys(expected).sort()).toEqual(webhooksIn(folder).sort())
  })

  test.each(Object.keys(expected))('%s becomes exactly the facts expected, the same each time', (name) => {
    const facts = factsOf(folder, name)
    expect(facts).toEqual(expected[name])
    expect(factsOf(folder, name)).toEqual(facts)
  })
})
