import { randomBytes } from 'node:crypto'
import { print } from 'graphql'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { MESSAGES_BY_VISITOR, STARTS_BY_ADDRESS } from '../../src/domain/webchat-limits.ts'
import {
  CreateWebchatUploadDocument,
  DisconnectChannelAccountDocument,
  MarkWebchatReadDocument,
  SendWebchatMessageDocument,
  StartWebchatDocument,
  type StartWebchatInput,
  type StartWebchatMutation,
} from '../generated/graphql.ts'
import { startTestApp, type TestApp } from '../support/app.ts'
import { printedSchema, resultTypes } from '../support/graph.ts'
import { openOrganization, type TestOrganization } from '../support/organization.ts'
import { redisIsThere, startRedis } from '../support/redis.ts'
import { openChat, type TestChat } from '../support/webchat.ts'

const ENCRYPTION_KEY = randomBytes(32).toString('base64')

let app: TestApp
let org: TestOrganization
let chat: TestChat
let guarded: TestChat
let addresses = 0

beforeAll(async () => {
  app = await startTestApp({ TRUSTED_PROXIES: '1', ENCRYPTION_KEY })
  org = await openOrganization(app, { slug: 'shop' })
  chat = await openChat(app, org, { key: 'wc_help' })
  guarded = await openChat(app, org, { key: 'wc_guarded', allowedOrigins: ['https://www.shop.example', 'https://shop.example/'] })
})
afterAll(() => app?.close())

/** A start as the proxy in front passes it on. */
async function startFrom(
  server: TestApp,
  headers: Record<string, string>,
  input: Partial<StartWebchatInput> = {},
): Promise<StartWebchatMutation['startWebchat']> {
  const response = await fetch(`${server.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({
      query: print(StartWebchatDocument),
      variables: { input: { organization: org.slug, account: chat.key, ...input } },
    }),
  })
  const { data } = (await response.json()) as { data: StartWebchatMutation }
  return data.startWebchat
}

const freshAddress = () => {
  addresses += 1
  return `192.0.2.${addresses}`
}

test('starts are limited by the address that the proxy saw, not by what the client says of itself', async () => {
  const address = freshAddress()
  const outcomes = await Promise.all(
    Array.from({ length: STARTS_BY_ADDRESS.points + 3 }, (_, n) =>
      startFrom(app, { 'x-forwarded-for': `10.0.0.${n}, ${address}` }, { account: n % 2 === 0 ? 'wc_help' : 'nothing-here' }),
    ),
  )
  const limited = outcomes.filter((outcome) => outcome.__typename === 'RateLimitedError')
  expect(limited).toHaveLength(3)
  for (const { retryAfterSeconds } of limited) expect(retryAfterSeconds).toBeGreaterThanOrEqual(1)
  expect((await startFrom(app, { 'x-forwarded-for': freshAddress() })).__typename).toBe('StartWebchatSuccess')
})

test('an IPv6 network counts as one address', async () => {
  const from = (host: number) => startFrom(app, { 'x-forwarded-for': `2001:db8:1:2::${host.toString(16)}` })
  const outcomes = await Promise.all(Array.from({ length: STARTS_BY_ADDRESS.points + 1 }, (_, n) => from(n + 1)))
  expect(outcomes.filter(({ __typename }) => __typename === 'RateLimitedError')).toHaveLength(1)
})

test('without a trusted proxy the header is not believed', async () => {
  const plain = await startTestApp({ DATABASE_URL: app.databaseUrl, WORKER: 'off', ENCRYPTION_KEY })
  try {
    const outcomes = await Promise.all(
      Array.from({ length: STARTS_BY_ADDRESS.points + 1 }, () => startFrom(plain, { 'x-forwarded-for': freshAddress() })),
    )
    expect(outcomes.filter(({ __typename }) => __typename === 'RateLimitedError')).toHaveLength(1)
  } finally {
    await plain.close()
  }
})

test.skipIf(!redisIsThere)('two processes count together by Redis, and each for itself while it is away', async () => {
  const redis = await startRedis()
  const settings = { DATABASE_URL: app.databaseUrl, REDIS_URL: redis.url, WORKER: 'off', TRUSTED_PROXIES: '1', ENCRYPTION_KEY }
  const both = [await startTestApp(settings), await startTestApp(settings)] as const
  try {
    const limitedOf = async (address: string) => {
      const starts = Array.from({ length: STARTS_BY_ADDRESS.points + 2 }, (_, n) =>
        startFrom(both[n % 2 === 0 ? 0 : 1], { 'x-forwarded-for': address }),
      )
      return (await Promise.all(starts)).filter(({ __typename }) => __typename === 'RateLimitedError').length
    }
    expect(await limitedOf(freshAddress())).toBe(2)
    await redis.stop()
    expect(await limitedOf(freshAddress())).toBe(0)
  } finally {
    await Promise.all(both.map((one) => one.close()))
    await redis.stop()
  }
})

test('pages of other origins may not start, where origins are named', async () => {
  const from = (origin: Record<string, string>) =>
    startFrom(app, { 'x-forwarded-for': freshAddress(), ...origin }, { account: guarded.key })
  expect(await from({ origin: 'https://evil.example' })).toMatchObject({ __typename: 'ValidationError', path: ['input', 'account'] })
  expect(await from({ origin: 'null' })).toMatchObject({ __typename: 'ValidationError' })
  for (const allowed of [{ origin: 'https://www.shop.example' }, { origin: 'https://shop.example' }, {}]) {
    expect((await from(allowed as Record<string, string>)).__typename).toBe('StartWebchatSuccess')
  }
})

test('every error that the visitors’ mutations may answer with can be had', async () => {
  const reached = new Set<string>()
  const note = (mutation: string, { __typename }: { __typename: string }) => reached.add(`${mutation} ${__typename}`)
  const visitor = await chat.visitor()
  const say = async (given: object) => {
    const { sendWebchatMessage } = await visitor.ask(SendWebchatMessageDocument, { input: { clientMessageId: 'limits', ...given } })
    note('sendWebchatMessage', sendWebchatMessage)
    return sendWebchatMessage
  }
  const upload = async (given: object) => {
    const input = { filename: 'a.txt', contentType: 'text/plain', size: 1, ...given }
    note('createWebchatUpload', (await visitor.ask(CreateWebchatUploadDocument, { input })).createWebchatUpload)
  }
  note('startWebchat', await chat.begin({ organization: 'nowhere' }))
  note('startWebchat', await chat.begin({ visitorToken: 'nonsense' }))
  await say({ text: '' })
  await say({ text: 'x'.repeat(5000) })
  await say({ uploadIds: ['nonsense'] })
  await upload({ size: 0 })
  note('markWebchatRead', (await visitor.ask(MarkWebchatReadDocument, { input: { messageId: 'nonsense' } })).markWebchatRead)
  const tries = await Promise.all(Array.from({ length: MESSAGES_BY_VISITOR.points + 1 }, () => say({ text: 'the same' })))
  expect(tries.filter(({ __typename }) => __typename === 'RateLimitedError').length).toBeGreaterThan(0)
  expect(await visitor.texts()).toEqual(['the same'])
  await upload({})
  const other = await chat.visitor()
  await other.say('The others are not limited')
  await org.ask(DisconnectChannelAccountDocument, { input: { channelAccountId: chat.id } })
  note('startWebchat', await chat.begin())
  const late = { clientMessageId: 'late', text: 'x' }
  note('sendWebchatMessage', (await other.ask(SendWebchatMessageDocument, { input: late })).sendWebchatMessage)
  const file = { filename: 'a.txt', contentType: 'text/plain', size: 1 }
  note('createWebchatUpload', (await other.ask(CreateWebchatUploadDocument, { input: file })).createWebchatUpload)
  for (let n = 0; n <= STARTS_BY_ADDRESS.points; n += 1) note('startWebchat', await chat.begin())
  const declared = resultTypes(printedSchema(), true).flatMap(({ mutation, errors }) => errors.map((error) => `${mutation} ${error}`))
  expect(declared.filter((pair) => !reached.has(pair))).toEqual([])
})
