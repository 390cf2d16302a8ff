import { existsSync, readFileSync } from 'node:fs'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import type { Outgoing, OutgoingFile } from '../../src/channels/channel.ts'
import type { InteractiveContent } from '../../src/channels/content.ts'
import { Rejected, Unavailable, Uncertain } from '../../src/channels/failures.ts'
import { createInstagram } from '../../src/channels/meta/messaging/instagram.ts'
import { createMessenger } from '../../src/channels/meta/messaging/messenger.ts'
import { startFakeMeta } from '../support/fake-meta.ts'
import { outgoingMessage } from '../support/outgoing.ts'

const CONTRACTS = '../shared/contracts'
const present = existsSync(CONTRACTS)
if (!present) console.warn(`${CONTRACTS} is not here: requests are not held against Meta's own collections`)

const PAGE = '100000000000001'
const ACCOUNT = '17841400000000000'
const CUSTOMER = '200000000000001'
const COMMUNICATION = '0198c2a0-0000-7000-8000-000000000001'

const fake = await startFakeMeta()
afterAll(() => fake.close())
beforeEach(() => {
  fake.requests.length = 0
  fake.messages.length = 0
})

const messenger = createMessenger(fake.app)
const instagram = createInstagram(fake.app)

const outgoing = (changes: Partial<Outgoing> = {}) =>
  outgoingMessage({
    communicationId: COMMUNICATION,
    channel: 'MESSENGER',
    from: PAGE,
    to: CUSTOMER,
    body: 'Your order has left.',
    statusCallbackUrl: 'https://inbox.test/webhooks/meta',
    ...changes,
  })

const file = (media: OutgoingFile['media'], contentType: string): OutgoingFile => ({
  filename: 'file',
  contentType,
  size: 3,
  media,
  url: 'https://inbox.test/files/1',
  read: async () => Buffer.from('abc'),
})

const question: InteractiveContent = {
  kind: 'INTERACTIVE',
  header: null,
  footer: null,
  buttons: [
    { id: 'red', title: 'Red' },
    { id: 'blue', title: 'Blue' },
  ],
  list: null,
}

const channels = {
  MESSENGER: (message: Outgoing) => messenger.send(message, { pageAccessToken: fake.accessToken, pageId: PAGE }),
  INSTAGRAM: (message: Outgoing) =>
    instagram.send(
      { ...message, channel: 'INSTAGRAM', from: ACCOUNT },
      { accessToken: fake.accessToken, instagramAccountId: ACCOUNT, pageId: PAGE },
    ),
}
type Channel = keyof typeof channels
const both: Channel[] = ['MESSENGER', 'INSTAGRAM']

/** The body that one send posts. */
async function posted(channel: Channel, changes: Partial<Outgoing> = {}): Promise<unknown> {
  await channels[channel](outgoing(changes))
  expect(fake.requests).toHaveLength(1)
  const [request] = fake.requests
  expect(request).toMatchObject({
    method: 'POST',
    version: 'v26.0',
    path: `${PAGE}/messages`,
    query: {},
    authorization: `Bearer ${fake.accessToken}`,
  })
  return request?.body
}

const failure = (channel: Channel, changes: Partial<Outgoing> = {}): Promise<unknown> =>
  channels[channel](outgoing(changes)).then(
    () => null,
    (error: unknown) => error,
  )

describe.each(both)('%s', (channel) => {
  const metadata = channel === 'MESSENGER' ? { metadata: COMMUNICATION } : {}

  test('a text is one request, and its id is Meta’s', async () => {
    expect(await posted(channel)).toEqual({
      recipient: { id: CUSTOMER },
      messaging_type: 'RESPONSE',
      message: { text: 'Your order has left.', ...metadata },
    })
    const { externalMessageId } = await channels[channel](outgoing())
    expect(externalMessageId).toBe(fake.messages.at(-1)?.id)
  })

  test('a person after the window is tagged, and nothing else is', async () => {
    expect(await posted(channel, { humanAgent: true })).toMatchObject({ messaging_type: 'MESSAGE_TAG', tag: 'HUMAN_AGENT' })
    fake.requests.length = 0
    expect(await posted(channel)).not.toHaveProperty('tag')
  })

  test.each([
    ['IMAGE', 'image/png', 'image'],
    ['AUDIO', 'audio/mp4', 'audio'],
    ['VOICE', 'audio/mp4', 'audio'],
    ['VIDEO', 'video/mp4', 'video'],
    ['DOCUMENT', 'application/pdf', 'file'],
  ] as const)('a file (%s) goes by its address', async (media, contentType, type) => {
    const body = await posted(channel, { body: '', content: { kind: 'MEDIA', media, caption: null }, files: [file(media, contentType)] })
    expect(body).toMatchObject({ message: { attachment: { type, payload: { url: 'https://inbox.test/files/1' } } } })
  })

  test('buttons become quick replies under the whole question', async () => {
    expect(
      await posted(channel, { body: 'Which one?', content: { ...question, header: 'Colours', footer: 'While stocks last' } }),
    ).toMatchObject({
      message: {
        text: 'Colours\n\nWhich one?\n\nWhile stocks last',
        quick_replies: [
          { content_type: 'text', title: 'Red', payload: 'red' },
          { content_type: 'text', title: 'Blue', payload: 'blue' },
        ],
      },
    })
  })

  test.each<[string, Partial<Outgoing>]>([
    ['text and a file', { files: [file('IMAGE', 'image/png')] }],
    ['two files', { body: '', files: [file('IMAGE', 'image/png'), file('IMAGE', 'image/png')] }],
    ['nothing', { body: '' }],
    ['a list', { content: { ...question, buttons: [], list: { button: 'Choose', sections: [] } } }],
  ])('%s is refused before anything is sent', async (_what, changes) => {
    expect(await failure(channel, changes)).toBeInstanceOf(Rejected)
    expect(fake.requests).toEqual([])
  })

  test.each([
    [400, { code: 190, message: 'Error validating access token' }, '190', 'access token'],
    [400, { code: 551, error_subcode: 1545041, message: 'This person isn’t available right now.' }, '551', 'cannot be written to'],
    [400, { code: 10, error_subcode: 2018278, message: 'outside of allowed window' }, '10/2018278', 'window'],
    [400, { code: 10, error_subcode: 2534022, message: 'outside of allowed window' }, '10/2534022', 'window'],
    [400, { code: 100, error_subcode: 2018001, message: 'No matching user found' }, '100/2018001', 'recipient is unknown'],
    [400, { code: 200, error_subcode: 1545041, message: '(#200) This person isn’t available' }, '200/1545041', 'cannot be written to'],
    [400, { code: 987_654, message: 'Something new' }, '987654', 'Something new'],
  ])('an answer of %i with %o is final, in words for its owner', async (status, error, code, words) => {
    fake.next({ status, error })
    const thrown = await failure(channel)
    expect(thrown).toBeInstanceOf(Rejected)
    expect(thrown).toMatchObject({ code, explanation: expect.stringContaining(words) })
  })

  test.each([4, 17, 32, 613, 1200, 80_001, 80_002, 80_006])('the rate limit %i is for later', async (code) => {
    fake.next({ status: 400, error: { code, message: 'Calls to this API have exceeded the rate limit' }, retryAfter: 7 })
    const thrown = await failure(channel)
    expect(thrown).toBeInstanceOf(Unavailable)
    expect(thrown).toMatchObject({ retryAfterMs: 7000 })
  })

  test.each([
    ['a broken connection before the answer', { drop: 'before' as const }],
    ['a broken connection after Meta took it', { drop: 'after' as const }],
    ['a failure of Meta’s', { status: 500 }],
    ['an answer that is no JSON', { unreadable: '<html>' }],
    ['an answer without an id', { unreadable: '{}' }],
  ])('%s leaves it uncertain', async (_what, behaviour) => {
    fake.next(behaviour)
    expect(await failure(channel)).toBeInstanceOf(Uncertain)
  })

  test('a redirect is not followed: the token stays with Meta', async () => {
    const other = await startFakeMeta()
    fake.next({ redirectTo: `${other.url}/v26.0/${PAGE}/messages` })
    expect(await failure(channel)).toBeInstanceOf(Rejected)
    expect(other.requests).toEqual([])
    await other.close()
  })

  test('no error holds the token', async () => {
    fake.next({ status: 400, error: { code: 987_654, message: `bad token ${fake.accessToken}` } })
    const thrown = (await failure(channel)) as Error
    expect(`${thrown.message} ${thrown.stack} ${JSON.stringify(thrown)}`).not.toContain(fake.accessToken)
  })

  test.runIf(present)('the refusals that people have reported are those of a closed window', async () => {
    const reported = JSON.parse(readFileSync(`${CONTRACTS}/messenger/errors.outside_window.json`, 'utf8'))
    expect(reported.length).toBeGreaterThan(1)
    for (const { status, body } of reported) {
      fake.next({ status, error: body.error })
      const thrown = await failure(channel)
      expect(thrown).toBeInstanceOf(Rejected)
      expect(thrown).toMatchObject({ code: `10/${body.error.error_subcode}`, explanation: expect.stringContaining('window has closed') })
    }
  })
})

describe('reactions', () => {
  const reaction = (emoji: string | null) => ({ body: emoji ?? '', content: { kind: 'REACTION' as const, emoji, target: 'mid.1' } })

  test.each([
    ['❤️', 'love'],
    ['❤', 'love'],
    ['😆', 'laugh'],
    ['🙏', '🙏'],
  ])('Instagram takes %s as %s, and the message gets an id of ours', async (emoji, name) => {
    expect(await posted('INSTAGRAM', reaction(emoji))).toEqual({
      recipient: { id: CUSTOMER },
      sender_action: 'react',
      payload: { message_id: 'mid.1', reaction: name },
    })
    expect(await channels.INSTAGRAM(outgoing(reaction(emoji)))).toEqual({ externalMessageId: `reaction:${COMMUNICATION}` })
  })

  test('taken back, it names the message only', async () => {
    expect(await posted('INSTAGRAM', reaction(null))).toEqual({
      recipient: { id: CUSTOMER },
      sender_action: 'unreact',
      payload: { message_id: 'mid.1' },
    })
  })

  test('Messenger offers none', async () => {
    expect(messenger.capabilities.content).not.toContain('REACTION')
    expect(await failure('MESSENGER', reaction('❤️'))).toBeInstanceOf(Rejected)
    expect(fake.requests).toEqual([])
  })
})

test('an Instagram account without a page id speaks for the page of its token', async () => {
  await instagram.send(outgoing(), { accessToken: fake.accessToken, instagramAccountId: ACCOUNT })
  expect(fake.requests[0]?.path).toBe('me/messages')
})

/** In Meta's Send API reference, though not in its collections. */
const DOCUMENTED = new Set(['messaging_type', 'tag', 'message.metadata'])
/** In the collections, though not needed. */
const OPTIONAL = new Set(['message.attachment.payload.is_reusable', 'message.quick_replies[].image_url'])

/** The paths of all leaves; items of a list share theirs. */
function paths(value: unknown, prefix = ''): string[] {
  if (Array.isArray(value)) return [...new Set(value.flatMap((item) => paths(item, `${prefix}[]`)))]
  if (typeof value !== 'object' || value === null) return [prefix]
  return Object.entries(value).flatMap(([key, part]) => paths(part, prefix === '' ? key : `${prefix}.${key}`))
}

type Node = { name: string; item?: Node[]; request?: { body?: { raw?: string } } }

const COLLECTIONS = {
  messenger: 'messenger-platform-api.postman_collection.json',
  instagram: 'instagram-platform-api.postman_collection.json',
} as const

/** The body of the collection's request of this name. */
function example(collection: keyof typeof COLLECTIONS, name: string): unknown {
  const { item } = JSON.parse(readFileSync(`${CONTRACTS}/openapi/${COLLECTIONS[collection]}`, 'utf8')) as Node
  const all = (nodes: Node[]): Node[] => nodes.flatMap((node) => [node, ...all(node.item ?? [])])
  const found = all(item ?? []).find((node) => node.name === name && node.request?.body?.raw !== undefined)
  return JSON.parse(found?.request?.body?.raw ?? 'null')
}

describe.runIf(present)('the shape of our requests is that of Meta’s own examples', () => {
  const image: Partial<Outgoing> = {
    body: '',
    content: { kind: 'MEDIA', media: 'IMAGE', caption: null },
    files: [file('IMAGE', 'image/png')],
  }
  const audio: Partial<Outgoing> = {
    body: '',
    content: { kind: 'MEDIA', media: 'AUDIO', caption: null },
    files: [file('AUDIO', 'audio/mp4')],
  }
  const love: Partial<Outgoing> = { body: '❤', content: { kind: 'REACTION', emoji: '❤', target: 'mid.1' } }

  test.each<[Channel, string, Partial<Outgoing>]>([
    ['MESSENGER', 'Text Message', {}],
    ['MESSENGER', 'Media Message (Photo)', image],
    ['MESSENGER', 'Quick Replies', { content: question }],
    ['INSTAGRAM', 'Text Message', {}],
    ['INSTAGRAM', 'Media Message (Photo)', image],
    ['INSTAGRAM', 'Media Message (Audio or Video)', audio],
    ['INSTAGRAM', 'React or Unreact to a message', love],
  ])('%s: %s', async (channel, name, changes) => {
    const theirs = example(channel.toLowerCase() as keyof typeof COLLECTIONS, name)
    expect(theirs).not.toBeNull()
    const ours = await posted(channel, changes)
    expect(
      paths(ours)
        .filter((path) => !DOCUMENTED.has(path))
        .sort(),
    ).toEqual(
      paths(theirs)
        .filter((path) => !OPTIONAL.has(path))
        .sort(),
    )
    const typeOf = (body: unknown) => (body as { message?: { attachment?: { type: string } } }).message?.attachment?.type
    expect(typeOf(ours)).toBe(typeOf(theirs))
  })
})
