import { randomBytes } from 'node:crypto'
import { base64url, SignJWT } from 'jose'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { globalId, type NodeType } from '../../schema/global-id.ts'
import { newId } from '../../src/domain/ids.ts'
import { signVisitorToken } from '../../src/visitor-tokens.ts'
import {
  DisconnectChannelAccountDocument,
  MarkWebchatReadDocument,
  SendWebchatMessageDocument,
  ViewerDocument,
  WebchatDocument,
  WebchatEventsDocument,
} from '../generated/graphql.ts'
import { SECRET, startTestApp, type TestApp } from '../support/app.ts'
import { eventually } from '../support/eventually.ts'
import { printedSchema } from '../support/graph.ts'
import { argumentsFor, type Field, type OwnIds, operationFor, rootFields, visitorFields } from '../support/graph-walk.ts'
import { overSocket, overSse } from '../support/live.ts'
import { openOrganization, type TestOrganization } from '../support/organization.ts'
import { openChat, type TestChat, type TestVisitor, toldTexts } from '../support/webchat.ts'

type Kind = 'Query' | 'Mutation' | 'Subscription'

const schema = printedSchema()
let app: TestApp
let org: TestOrganization
let chat: TestChat
let otherChat: TestChat
let visitor: TestVisitor

beforeAll(async () => {
  app = await startTestApp({ MAX_QUERY_ALIASES: '1000' })
  org = await openOrganization(app, { slug: 'shop' })
  chat = await openChat(app, org, { key: 'wc_help' })
  otherChat = await openChat(app, await openOrganization(app, { slug: 'rival' }), { key: 'wc_help' })
  visitor = await chat.visitor()
  await visitor.say('Mine alone')
})
afterAll(() => app?.close())

const nothing = new Proxy({} as OwnIds, { get: (_target, type: string) => globalId(type as NodeType, newId()) })

/** The code of the refusal, over HTTP or, for a subscription, over SSE; the whole answer where there is none. */
async function codeOf(kind: Kind, field: Field, token: string | null): Promise<unknown> {
  const variables = argumentsFor(field, nothing, null, null)
  const response = await fetch(`${app.url}/graphql`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: kind === 'Subscription' ? 'text/event-stream' : 'application/json',
      ...(token === null ? {} : { authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify({ query: operationFor(schema, kind.toLowerCase(), field, variables, 0), variables }),
  })
  const text = await response.text()
  return /"code":"(UNAUTHENTICATED|FORBIDDEN)"/.exec(text)?.[1] ?? text
}

const named = (fields: Field[]) => fields.map((field) => ({ name: field.name, field }))

describe.each(['Query', 'Mutation', 'Subscription'] as const)('%s', (kind) => {
  test.each(named(rootFields(schema, kind)))('$name is closed to visitors', async ({ field }) => {
    expect(await codeOf(kind, field, visitor.token)).toBe('FORBIDDEN')
  })
  const own = visitorFields(schema, kind).filter(({ name }) => name !== 'startWebchat')
  test.each(named(own))('$name is closed to staff, and to those without a token', async ({ field }) => {
    expect(await codeOf(kind, field, org.token)).toBe('FORBIDDEN')
    expect(await codeOf(kind, field, null)).toBe('UNAUTHENTICATED')
  })
})

test('only a start needs no token', async () => {
  expect(visitorFields(schema, 'Mutation').map(({ name }) => name)).toEqual([
    'createWebchatUpload',
    'markWebchatRead',
    'sendWebchatMessage',
    'startWebchat',
  ])
  expect((await chat.begin()).__typename).toBe('StartWebchatSuccess')
})

test('a visitor over a socket is as much of a stranger to the staff’s graph', async () => {
  const subscriber = overSocket(app, { document: ViewerDocument, token: visitor.token })
  await subscriber.ended
  expect(subscriber.results).toMatchObject([{ errors: [{ extensions: { code: 'FORBIDDEN' } }] }])
})

test('a visitor may upload only what the graph made a place for', async () => {
  const form = new FormData()
  form.set('file', new Blob(['x']), 'x.txt')
  const response = await fetch(`${app.url}/uploads`, { method: 'POST', headers: { authorization: `Bearer ${visitor.token}` }, body: form })
  expect(response.status).toBe(401)
})

describe('a token', () => {
  const parts = () => visitor.token.split('.')
  const claims = () => JSON.parse(Buffer.from(parts()[1] ?? '', 'base64url').toString()) as Record<string, unknown>
  const typ = 'parley-visitor+jwt'

  const forgeries: [name: string, make: () => Promise<string> | string][] = [
    [
      'about another visitor, with the old signature',
      () => [parts()[0], base64url.encode(JSON.stringify({ ...claims(), sub: newId() })), parts()[2]].join('.'),
    ],
    ['without a signature', () => [base64url.encode(JSON.stringify({ alg: 'none', typ })), parts()[1], ''].join('.')],
    [
      'signed with the secret of the staff’s tokens',
      () => new SignJWT(claims()).setProtectedHeader({ alg: 'HS256', typ }).sign(Buffer.from(SECRET)),
    ],
    ['signed with another server’s key', () => new SignJWT(claims()).setProtectedHeader({ alg: 'HS256', typ }).sign(randomBytes(32))],
    ['that has expired', () => made(-1)],
  ]

  test.each(forgeries)('%s opens nothing', async (_name, make) => {
    const token = await make()
    expect(await app.request(WebchatDocument, {}, token)).toMatchObject({
      status: 401,
      errors: [{ extensions: { code: 'UNAUTHENTICATED' } }],
    })
    const socket = overSocket(app, { document: WebchatEventsDocument, token })
    expect(await socket.ended).toEqual({ by: 'close', code: 4403, reason: 'Forbidden' })
    const stream = await overSse(app, { document: WebchatEventsDocument, token })
    await stream.ended
    expect(stream.results).toMatchObject([{ errors: [{ extensions: { code: 'UNAUTHENTICATED' } }] }])
    expect(await chat.begin({ visitorToken: token })).toMatchObject({ __typename: 'ValidationError', path: ['input', 'visitorToken'] })
  })

  test('that expires ends what it has opened', async () => {
    const token = await made(2)
    const ways = [
      overSocket(app, { document: WebchatEventsDocument, token }),
      await overSse(app, { document: WebchatEventsDocument, token }),
    ]
    const [socket, stream] = await Promise.all(ways.map(({ ended }) => ended))
    expect(socket).toEqual({ by: 'close', code: 4403, reason: 'Token expired' })
    expect(stream).toEqual({ by: 'complete' })
  })

  test('is renewed for the same visitor, and of no use for another chat', async () => {
    const again = await chat.visitor({ visitorToken: visitor.token })
    expect(await again.texts()).toEqual(await visitor.texts())
    expect(await otherChat.begin({ visitorToken: visitor.token })).toMatchObject({
      __typename: 'ValidationError',
      path: ['input', 'visitorToken'],
    })
    expect(await chat.begin({ visitorToken: org.token })).toMatchObject({ __typename: 'ValidationError' })
  })

  /** Of a visitor of this chat, that is valid for so many seconds. */
  async function made(seconds: number): Promise<string> {
    const account = await app.deps.db.channelAccount.findFirstOrThrow({ where: { organizationId: org.id, channel: 'WEBCHAT' } })
    const clock = () => new Date(Date.now() - 30 * 86_400_000 + seconds * 1000)
    const whom = { id: newId(), organizationId: org.id, channelAccountId: account.id, externalId: null, name: null, email: null }
    return (await signVisitorToken({ config: app.deps.config, clock }, whom)).token
  }
})

test('visitors of two organizations, and of one, do not meet', async () => {
  const [neighbour, foreign] = [await chat.visitor(), await otherChat.visitor()]
  const { id } = await visitor.say('A secret of the first')
  for (const other of [neighbour, foreign]) {
    const live = await other.follow('sse')
    await other.say('Something of my own')
    expect(await other.texts()).toEqual(['Something of my own'])
    const read = (await other.ask(MarkWebchatReadDocument, { input: { messageId: id } })).markWebchatRead
    expect(read).toMatchObject({ __typename: 'NotFoundError' })
    await visitor.say('Another secret')
    await other.say('The end')
    await eventually(() => expect(toldTexts(live)).toEqual(['Something of my own', 'The end']))
    live.stop()
  }
  expect(await app.deps.db.conversation.count({ where: { channel: 'WEBCHAT' } })).toBe(3)
})

test('an id that was made up is no message', async () => {
  for (const messageId of [
    '',
    'nonsense',
    globalId('Communication', newId()),
    Buffer.from(`WebchatMessage:${newId()}`).toString('base64'),
  ]) {
    const { markWebchatRead } = await visitor.ask(MarkWebchatReadDocument, { input: { messageId } })
    expect(markWebchatRead).toMatchObject({ __typename: 'NotFoundError', path: ['input', 'messageId'] })
  }
})

test('a chat that is disconnected takes nothing, and shows what was said', async () => {
  const closing = await openChat(app, org, { key: 'wc_closing' })
  const late = await closing.visitor()
  await late.say('Are you there?')
  await org.ask(DisconnectChannelAccountDocument, { input: { channelAccountId: closing.id } })
  const { sendWebchatMessage } = await late.ask(SendWebchatMessageDocument, { input: { clientMessageId: 'late', text: 'Hello?' } })
  expect(sendWebchatMessage.__typename).toBe('ChannelNotConnectedError')
  expect((await closing.begin()).__typename).toBe('ChannelNotConnectedError')
  expect(await late.texts()).toEqual(['Are you there?'])
})
