import { afterAll, beforeAll, expect, test } from 'vitest'
import { localId } from '../../schema/global-id.ts'
import { SendMessageDocument } from '../generated/graphql.ts'
import { type ContractServer, startContractServer } from '../support/contract-files.ts'
import { eventually } from '../support/eventually.ts'
import { type FakeMeta, startFakeMeta } from '../support/fake-meta.ts'
import { dataOf, member, present } from '../support/result.ts'

let server: ContractServer
let fake: FakeMeta
let token: string

beforeAll(async () => {
  fake = await startFakeMeta()
  server = await startContractServer({ WORKER: 'inline', META_GRAPH_URL: fake.url, META_APP_ID: fake.app.appId ?? '' })
  token = await server.app.token({ organization: 'contracts' })
  await server.account('META', 'INSTAGRAM', '444', { accessToken: fake.accessToken, instagramAccountId: '444' })
})
afterAll(async () => {
  await server?.app.close()
  await fake?.close()
})

const webhook = (item: object) => server.meta(JSON.stringify({ object: 'instagram', entry: [{ id: '444', time: 1, messaging: [item] }] }))
const writes = (from: string, mid: string) =>
  webhook({ sender: { id: from }, recipient: { id: '444' }, timestamp: Date.now(), message: { mid, text: 'Hello?' } })
/** As Instagram echoes: neither our id nor the app's. */
const echo = (to: string, mid: string, text: string) =>
  webhook({ sender: { id: '444' }, recipient: { id: to }, timestamp: Date.now(), message: { mid, is_echo: true, text } })

async function answer(customer: string, text: string): Promise<string> {
  const { conversationId } = await server.app.deps.db.communication.findFirstOrThrow({
    where: { address: null, conversationId: { not: null }, customer: { identities: { some: { value: customer } } } },
  })
  const conversation = Buffer.from(`Conversation:${conversationId}`).toString('base64')
  const input = { to: { conversationId: conversation }, content: { text } }
  const sent = member(dataOf(await server.app.request(SendMessageDocument, { input }, token)).sendMessage, 'SendMessageSuccess')
  return present(localId('Communication', sent.communication.id))
}

const outbound = (customer: string) =>
  server.app.deps.db.communication.findMany({
    where: { direction: 'OUTBOUND', customer: { identities: { some: { value: customer } } } },
    orderBy: { id: 'asc' },
  })

test('an echo that overtakes the answer to the send is not a second message', async () => {
  await writes('7001', 'm.7001')
  const held = Promise.withResolvers<void>()
  fake.next({ beforeAnswering: held.promise })
  const id = await answer('7001', 'Yes!')
  const { id: mid } = await eventually(async () => present(fake.messages.at(-1)))
  expect((await echo('7001', mid, 'Yes!')).status).toBe(200)
  expect(await outbound('7001')).toMatchObject([{ id, deliveryStatus: 'SENT', externalMessageId: mid }])
  held.resolve()
  await eventually(async () =>
    expect(await server.app.deps.pool.query(`SELECT FROM graphile_worker.jobs WHERE task_identifier = 'deliver'`)).toMatchObject({
      rowCount: 0,
    }),
  )
  expect(await outbound('7001')).toMatchObject([{ id, deliveryStatus: 'SENT', externalMessageId: mid }])
})

test('an echo settles a send whose answer got lost', async () => {
  await writes('7002', 'm.7002')
  fake.next({ drop: 'after' })
  const id = await answer('7002', 'Lost?')
  await eventually(async () => expect(await outbound('7002')).toMatchObject([{ id, deliveryStatus: 'UNKNOWN' }]))
  const { id: mid } = present(fake.messages.at(-1))
  expect((await echo('7002', mid, 'Lost?')).status).toBe(200)
  expect(await outbound('7002')).toMatchObject([{ id, deliveryStatus: 'SENT', externalMessageId: mid }])
})

test('what was written with the provider’s own app is a message of its own', async () => {
  await writes('7003', 'm.7003')
  const id = await answer('7003', 'From here')
  await eventually(async () => expect(await outbound('7003')).toMatchObject([{ id, deliveryStatus: 'SENT' }]))
  expect((await echo('7003', 'mid.from.the.phone', 'From here')).status).toBe(200)
  expect((await echo('7003', fake.messages.at(-1)?.id ?? '', 'From here')).status).toBe(200)
  expect((await outbound('7003')).map(({ externalMessageId, authorId }) => [externalMessageId, authorId === null])).toEqual([
    [fake.messages.at(-1)?.id, false],
    ['mid.from.the.phone', true],
  ])
})
