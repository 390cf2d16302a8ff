import { once } from 'node:events'
import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  AddNoteDocument,
  CustomersDocument,
  InboxEventsDocument,
  UnreadCountChangedDocument,
  ViewerDocument,
} from '../generated/graphql.ts'
import { startTestApp, type TestApp } from '../support/app.ts'
import { eventually } from '../support/eventually.ts'
import { followers, openSocket, overSocket, overSse } from '../support/live.ts'
import { openOrganization, type TestOrganization } from '../support/organization.ts'
import { present } from '../support/result.ts'
import { unreadableEvent } from '../support/unreadable-event.ts'

let app: TestApp
let org: TestOrganization

beforeAll(async () => {
  app = await startTestApp({ MAX_QUERY_DEPTH: '8', MAX_QUERY_ALIASES: '3', MAX_QUERY_TOKENS: '300' })
  org = await openOrganization(app, { slug: 'live' })
})
afterAll(() => app?.close())

const asked = (connectionParams: Record<string, unknown>) =>
  overSocket(app, { document: ViewerDocument, token: '', client: openSocket(app, connectionParams) })

const forbidden = { by: 'close', code: 4403, reason: 'Forbidden' }

describe('a socket', () => {
  test.each([
    ['no token', {}],
    ['an empty one', { authorization: '' }],
    ['one that is not ours', { authorization: 'Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmVk' }],
    ['an unknown API key', { authorization: `Bearer parley_${'x'.repeat(43)}` }],
    ['another scheme', { authorization: 'Basic dGVzdDp0ZXN0' }],
    ['no text', { authorization: { toString: 'Bearer' } }],
  ])('with %s is closed with 4403', async (_, connectionParams) => {
    expect(await asked(connectionParams).ended).toEqual(forbidden)
  })

  test('whose token has expired, or names an organization that does not exist, is closed with 4403', async () => {
    for (const claims of [{ expiresIn: '-1s' }, { organization: 'nowhere' }]) {
      expect(await asked({ authorization: `Bearer ${await app.token(claims)}` }).ended).toEqual(forbidden)
    }
  })

  test.each(['authorization', 'Authorization'])('with a token as %s may ask', async (name) => {
    const subscriber = asked({ [name]: `Bearer ${org.token}` })
    expect(await subscriber.ended).toEqual({ by: 'complete' })
    expect(subscriber.data()).toEqual([{ viewer: expect.objectContaining({ role: 'ADMIN' }) }])
  })
})

describe('an upgrade to WebSocket', () => {
  const upgrade = (path: string) => {
    const socket = connect(Number(new URL(app.url).port), '127.0.0.1').on('error', () => undefined)
    socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`)
    return socket
  }

  test.each(['/elsewhere', '//', '/graphql/x'])('at %s is a 404', async (path) => {
    const [answer] = await once(upgrade(path), 'data')
    expect(String(answer)).toMatch(/^HTTP\/1\.1 404 /)
  })

  test('by a client that is gone before the answer ends nothing but itself', async () => {
    const uncaught: unknown[] = []
    const note = (error: unknown) => void uncaught.push(error)
    process.on('uncaughtException', note)
    for (let n = 0; n < 50; n++) {
      const socket = upgrade('/elsewhere')
      await once(socket, 'connect')
      socket.resetAndDestroy()
    }
    expect((await fetch(`${app.url}/health/live`)).status).toBe(200)
    process.off('uncaughtException', note)
    expect(uncaught).toEqual([])
  })
})

describe('a role holds on a socket too', () => {
  test('VIEWER subscribes and reads, but does not write; AGENT does not manage', async () => {
    const viewer = await app.token({ organization: 'live', role: 'VIEWER', subject: 'viewer' })
    const agent = await app.token({ organization: 'live', role: 'AGENT', subject: 'agent' })
    const subscriber = overSocket(app, { document: InboxEventsDocument, token: viewer })
    await eventually(async () => expect(await followers(app)).toBe(1))
    await org.sms.inbound('+905551120001', 'hello')
    await eventually(() => expect(subscriber.data().length).toBeGreaterThan(0))
    subscriber.stop()

    const { customers } = await org.ask(CustomersDocument)
    const note = { document: AddNoteDocument, variables: { input: { customerId: present(customers.nodes[0]).id, body: 'a note' } } }
    const code = (name: string) => [expect.objectContaining({ extensions: expect.objectContaining({ code: name }) })]
    const refused = overSocket(app, { ...note, token: viewer })
    await refused.ended
    expect(refused.results).toEqual([expect.objectContaining({ errors: code('FORBIDDEN') })])
    const managing = overSocket(app, { document: '{ apiKeys { id } }', token: agent })
    await managing.ended
    expect(managing.results).toEqual([expect.objectContaining({ errors: code('FORBIDDEN') })])
    const noted = overSocket(app, { ...note, token: agent })
    await noted.ended
    expect(noted.data()).toEqual([{ addNote: expect.objectContaining({ __typename: 'AddNoteSuccess' }) }])
  })
})

describe('what stops working ends what it opened', () => {
  test('a token that expires: the socket with 4403, the event stream', async () => {
    const token = await app.token({ organization: 'live', expiresIn: '3s' })
    const socket = overSocket(app, { document: InboxEventsDocument, token })
    const sse = await overSse(app, { document: InboxEventsDocument, token })
    await eventually(async () => expect(await followers(app)).toBe(2))
    expect(await socket.ended).toEqual({ by: 'close', code: 4403, reason: 'Token expired' })
    await sse.ended
    await eventually(async () => expect(await followers(app)).toBe(0))
  })

  test('an API key that is revoked', async () => {
    const { createApiKey } = await org.ask<{ createApiKey: { key: string; apiKey: { id: string } } }, unknown>(
      `mutation { createApiKey(input: { name: "board", role: VIEWER }) { ... on CreateApiKeySuccess { key apiKey { id } } } }`,
    )
    const { key: token, apiKey } = createApiKey
    const socket = overSocket(app, { document: InboxEventsDocument, token })
    const sse = await overSse(app, { document: InboxEventsDocument, token })
    await eventually(async () => expect(await followers(app)).toBe(2))
    await org.sms.inbound('+905551120002', 'hello')
    await eventually(() => expect([socket.data().length > 0, sse.data().length > 0]).toEqual([true, true]))

    await org.ask(`mutation { revokeApiKey(input: { apiKeyId: "${apiKey.id}" }) { __typename } }`)
    expect(await socket.ended).toEqual({ by: 'close', code: 4403, reason: 'API key revoked' })
    await sse.ended
    expect(await overSocket(app, { document: ViewerDocument, token }).ended).toEqual(forbidden)
  })
})

describe('a member whose latest token gives a lesser role', () => {
  test('is not told any more by what an earlier token opened; a greater role, and other members, end nothing', async () => {
    const token = (role: 'ADMIN' | 'AGENT' | 'VIEWER', subject: string) => app.token({ organization: 'live', role, subject, name: role })
    const document = InboxEventsDocument
    const agent = await token('AGENT', 'moved')
    const socket = overSocket(app, { document, token: agent })
    const sse = await overSse(app, { document, token: agent })
    const colleague = overSocket(app, { document, token: await token('AGENT', 'colleague') })
    await eventually(async () => expect(await followers(app)).toBe(3))

    await app.request(ViewerDocument, {}, await token('ADMIN', 'moved'))
    await org.sms.inbound('+905551120003', 'to all')
    await eventually(() => expect([socket, sse, colleague].map((one) => one.data().length > 0)).toEqual([true, true, true]))

    await app.request(ViewerDocument, {}, await token('VIEWER', 'moved'))
    expect(await socket.ended).toEqual({ by: 'close', code: 4403, reason: 'Role changed' })
    await sse.ended
    const given = [socket.results.length, sse.results.length]
    await org.sms.inbound('+905551120003', 'to those who may')
    await eventually(() => expect(JSON.stringify(colleague.data())).toContain('to those who may'))
    expect([socket.results.length, sse.results.length]).toEqual(given)
    colleague.stop()
    await eventually(async () => expect(await followers(app)).toBe(0))
  })
})

describe('limits hold on a socket too, and a refused operation leaves it open', () => {
  const nested = 'customer { conversations { nodes { communications { nodes { customer { conversations { nodes { id } } } } } } } }'
  const deep = `{ customers { nodes { conversations { nodes { lastCommunication { ${nested} } } } } } }`
  test.each([
    ['too deep', deep, /depth is \d+; at most 8/],
    ['too many aliases', '{ a: viewer { id } b: viewer { id } c: viewer { id } d: viewer { id } }', /alias/i],
    ['too many tokens', `{ ${'__typename '.repeat(300)} }`, /token/i],
    ['not GraphQL', '{ viewer { ', /Syntax Error/],
    ['not of the schema', '{ everything }', /Cannot query field/],
    ['a subscription too deep', `subscription { communicationReceived { ${nested} } }`, /depth is \d+; at most 8/],
  ])('%s', async (_, document, message) => {
    const client = openSocket(app, { authorization: `Bearer ${org.token}` })
    const open = overSocket(app, { document: InboxEventsDocument, token: '', client })
    const refused = overSocket(app, { document, token: '', client })
    const ending = await refused.ended
    const errors = ending.by === 'errors' ? ending.errors : refused.results.flatMap((result) => result.errors ?? [])
    expect(errors).toEqual([expect.objectContaining({ message: expect.stringMatching(message) })])
    const allowed = overSocket(app, { document: ViewerDocument, token: '', client })
    expect(await allowed.ended).toEqual({ by: 'complete' })
    expect(allowed.data()).toHaveLength(1)
    open.stop()
  })
})

test('an unexpected error within a subscription is told by a reference only, and the subscription goes on', async () => {
  const { customers } = await org.ask(CustomersDocument)
  const customerId = present(customers.nodes[0]).id
  const subscribing = { document: UnreadCountChangedDocument, token: org.token }
  const sse = await overSse(app, subscribing)
  const socket = overSocket(app, subscribing)
  await eventually(async () => expect(await followers(app)).toBe(2))

  await unreadableEvent(app, org.id, () => eventually(() => expect([sse.results.length, socket.results.length]).toEqual([1, 1])))
  for (const { results } of [sse, socket]) {
    expect(results[0]?.errors).toEqual([
      expect.objectContaining({
        message: expect.stringMatching(/^Something went wrong on our side\. Reference: [0-9a-f-]{36}$/),
        extensions: { code: 'INTERNAL_SERVER_ERROR', reference: expect.any(String) },
      }),
    ])
    expect(JSON.stringify(results)).not.toContain('relation')
  }

  await org.ask('mutation ($id: ID!) { markRead(input: { target: { customerId: $id } }) { __typename } }', { id: customerId })
  for (const subscriber of [sse, socket]) {
    await eventually(() => expect(subscriber.results[1]?.data?.unreadCountChanged.customer).toEqual({ id: customerId, unreadCount: 0 }))
    subscriber.stop()
  }
})
