import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { CommunicationReceivedDocument, InboxEventsDocument, type InboxEventsSubscription } from '../generated/graphql.ts'
import { startTestApp, type TestApp } from '../support/app.ts'
import { eventually } from '../support/eventually.ts'
import { followers, overSocket, overSse, type Subscriber } from '../support/live.ts'
import { openOrganization, type TestOrganization } from '../support/organization.ts'
import { redisIsThere, startRedis, type TestRedis } from '../support/redis.ts'
import { SHARED_SETTINGS } from '../support/server-process.ts'

describe.skipIf(!redisIsThere)('two servers on one database and one Redis', () => {
  let redis: TestRedis
  let here: TestApp
  let there: TestApp
  let org: TestOrganization

  beforeAll(async () => {
    redis = await startRedis()
    here = await startTestApp({ ...SHARED_SETTINGS, REDIS_URL: redis.url })
    // Its own polls come too late for the tests: what it sees, it was told by Redis.
    there = await startTestApp({
      ...SHARED_SETTINGS,
      REDIS_URL: redis.url,
      DATABASE_URL: here.databaseUrl,
      WORKER: 'off',
      POLL_SECONDS: '300',
    })
    org = await openOrganization(here, { slug: 'shared' })
    await eventually(() => expect([here.deps.bus.healthy(), there.deps.bus.healthy()]).toEqual([true, true]))
  })
  afterAll(async () => {
    await there?.close()
    await here?.close()
    await redis?.stop()
  })

  const received = (subscriber: Subscriber<InboxEventsSubscription>) =>
    subscriber
      .data()
      .flatMap(({ inboxEvents }) => (inboxEvents.__typename === 'CommunicationReceivedEvent' ? [inboxEvents.communication?.body] : []))

  const readiness = async (app: TestApp) => {
    const response = await fetch(`${app.url}/health/ready`)
    return { status: response.status, body: (await response.json()) as { parts: { bus: string } } }
  }

  test('what is made in one is seen in the other', async () => {
    const socket = overSocket(there, { document: CommunicationReceivedDocument, token: org.token })
    const sse = await overSse(there, { document: CommunicationReceivedDocument, token: org.token })
    await eventually(async () => expect(await followers(there)).toBe(2))
    await org.sms.inbound('+905551160001', 'from here')
    for (const subscriber of [socket, sse]) {
      await eventually(() =>
        expect(subscriber.data().map(({ communicationReceived }) => communicationReceived.body)).toEqual(['from here']),
      )
      subscriber.stop()
    }
  })

  test('an API key revoked in one closes what it opened in the other', async () => {
    const { createApiKey } = await org.ask<{ createApiKey: { key: string; apiKey: { id: string } } }, unknown>(
      'mutation { createApiKey(input: { name: "board", role: VIEWER }) { ... on CreateApiKeySuccess { key apiKey { id } } } }',
    )
    const subscribing = { document: InboxEventsDocument, token: createApiKey.key }
    const socket = overSocket(there, subscribing)
    const sse = await overSse(there, subscribing)
    await eventually(async () => expect(await followers(there)).toBe(2))
    await org.ask(`mutation { revokeApiKey(input: { apiKeyId: "${createApiKey.apiKey.id}" }) { __typename } }`)
    expect(await socket.ended).toEqual({ by: 'close', code: 4403, reason: 'API key revoked' })
    await sse.ended
  })

  test('Redis is killed: ready but degraded, live by polling; it comes back: nothing is lost and rings are heard again', async () => {
    const nearby = overSocket(here, { document: InboxEventsDocument, token: org.token })
    const polling = await startTestApp({ ...SHARED_SETTINGS, REDIS_URL: redis.url, DATABASE_URL: here.databaseUrl, WORKER: 'off' })
    const far = await overSse(polling, { document: InboxEventsDocument, token: org.token })
    const farthest = await overSse(there, { document: InboxEventsDocument, token: org.token })
    await eventually(async () => expect(await followers(here)).toBe(1))
    await org.sms.inbound('+905551160002', 'one')
    for (const subscriber of [nearby, far, farthest]) await eventually(() => expect(received(subscriber)).toEqual(['one']))

    await redis.stop()
    await eventually(async () =>
      expect(await readiness(here)).toMatchObject({ status: 200, body: { parts: { bus: expect.stringMatching(/^degraded/) } } }),
    )
    await org.sms.inbound('+905551160002', 'two')
    await eventually(() => expect(received(nearby)).toEqual(['one', 'two']))
    await eventually(() => expect(received(far)).toEqual(['one', 'two']))
    expect(received(farthest)).toEqual(['one'])

    await redis.start()
    await eventually(() => expect(received(farthest)).toEqual(['one', 'two']))
    await eventually(async () =>
      expect([await readiness(here), await readiness(there)]).toMatchObject([
        { body: { parts: { bus: 'ok' } } },
        { body: { parts: { bus: 'ok' } } },
      ]),
    )
    await org.sms.inbound('+905551160002', 'three')
    for (const subscriber of [nearby, far, farthest]) {
      await eventually(() => expect(received(subscriber)).toEqual(['one', 'two', 'three']))
      subscriber.stop()
    }
    await polling.close()
  })
})
