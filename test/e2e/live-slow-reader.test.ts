import { print } from 'graphql'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { type InboxEventFilter, InboxEventsDocument, type InboxEventsSubscription } from '../generated/graphql.ts'
import { startTestApp, type TestApp } from '../support/app.ts'
import { eventually } from '../support/eventually.ts'
import { followers, metric, overSocket, type Subscriber } from '../support/live.ts'
import { openOrganization, type TestOrganization } from '../support/organization.ts'

// Each event is written once for each of them: what the system's own buffers hold is soon full.
const SUBSCRIPTIONS = 400
const BODY = 'x'.repeat(1_500)
const filter: InboxEventFilter = { types: ['COMMUNICATION_RECEIVED'] }

let app: TestApp
let org: TestOrganization

beforeAll(async () => {
  app = await startTestApp({ WORKER: 'off' })
  org = await openOrganization(app, { slug: 'live' })
})
afterAll(() => app?.close())

type Message = { type: string; id?: string; payload?: { data: InboxEventsSubscription } }

/** A graphql-ws connection of which the test decides when it reads; collects the cursors that its first subscription is given. */
async function openClient(subscriptions: number, after: string | null) {
  const webSocket = new WebSocket(`${app.url.replace(/^http/, 'ws')}/graphql`, 'graphql-transport-ws')
  const cursors: string[] = []
  const send = (message: object) => webSocket.send(JSON.stringify(message))
  const acknowledged = Promise.withResolvers<void>()
  webSocket.on('open', () => send({ type: 'connection_init', payload: { authorization: `Bearer ${org.token}` } }))
  webSocket.on('message', (data) => {
    const { type, id, payload } = JSON.parse(String(data)) as Message
    if (type === 'connection_ack') acknowledged.resolve()
    if (type === 'next' && id === '0') cursors.push(payload?.data.inboxEvents.cursor ?? '')
  })
  const closed = new Promise<{ code: number; reason: string }>((resolve) =>
    webSocket.on('close', (code, reason) => resolve({ code, reason: String(reason) })),
  )
  await acknowledged.promise
  const payload = { query: print(InboxEventsDocument), variables: { after, filter } }
  for (let id = 0; id < subscriptions; id += 1) send({ type: 'subscribe', id: String(id), payload })
  return { webSocket, cursors, closed }
}

const cursors = (subscriber: Subscriber<InboxEventsSubscription>) => subscriber.data().map(({ inboxEvents }) => inboxEvents.cursor)

const slowReaders = () => metric(app, 'parley_slow_readers_total')

test('a client that does not read is cut off, while others go on; from its last cursor it misses nothing and gets nothing twice', async () => {
  const others = Array.from({ length: 10 }, () =>
    overSocket(app, { document: InboxEventsDocument, token: org.token, variables: { filter } }),
  )
  const slow = await openClient(SUBSCRIPTIONS, null)
  await eventually(async () => expect(await followers(app)).toBe(SUBSCRIPTIONS + others.length))
  await org.sms.inbound('+905551170001', 'everybody reads')
  await eventually(() => expect(slow.cursors.length).toBeGreaterThan(0))

  slow.webSocket.pause()
  let sent = 0
  const sendOne = async () => {
    await org.sms.inbound('+905551170001', `${sent++} ${BODY}`)
    const received = () => others.map((one) => JSON.stringify(one.results.at(-1) ?? null).includes(`"${sent - 1} `))
    // Nobody waits for the slow one.
    await eventually(() => expect(received()).toEqual(others.map(() => true)))
  }
  while ((await slowReaders()) === 0) await sendOne()
  await sendOne()
  slow.webSocket.resume()
  expect(await slow.closed).toEqual({ code: 4430, reason: 'Slow reader: resume from your last cursor' })
  await eventually(async () => expect(await followers(app)).toBe(others.length))

  const back = await openClient(1, slow.cursors.at(-1) ?? null)
  const [one] = others
  const all = one === undefined ? [] : cursors(one)
  expect(slow.cursors.length).toBeLessThan(all.length)
  await eventually(() => expect([...slow.cursors, ...back.cursors]).toEqual(all))
  await org.sms.inbound('+905551170001', 'live again')
  await eventually(() => expect([...slow.cursors, ...back.cursors].length).toBeGreaterThan(all.length))
  await eventually(() => expect([...slow.cursors, ...back.cursors]).toEqual(one === undefined ? [] : cursors(one)))
  for (const other of others) {
    expect(cursors(other)).toEqual(cursors(one as typeof other))
    other.stop()
  }
  back.webSocket.close()
  expect(await slowReaders()).toBe(1)
  await eventually(async () => expect(await metric(app, 'parley_open_sockets')).toBe(0))
})
