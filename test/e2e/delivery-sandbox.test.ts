import { afterAll, beforeAll, expect, test } from 'vitest'
import { globalId, localId } from '../../schema/global-id.ts'
import { ChannelAccountsDocument, type ChannelType, SendMessageDocument } from '../generated/graphql.ts'
import { startTestApp, type TestApp } from '../support/app.ts'
import { eventually } from '../support/eventually.ts'
import { jobsOf, runNow } from '../support/send-jobs.ts'

let app: TestApp

beforeAll(async () => {
  app = await startTestApp()
})
afterAll(() => app.close())

async function send(address: string, channel: ChannelType = 'SMS'): Promise<string> {
  const { data } = await app.request(SendMessageDocument, { input: { to: { address }, channel, content: { text: 'Hello' } } })
  const answer = data?.sendMessage
  const communication = answer?.__typename === 'SendMessageSuccess' ? answer.communication : null
  expect(communication).toMatchObject({ deliveryStatus: 'PENDING', externalMessageId: null, sentAt: null })
  return localId('Communication', communication?.id ?? '') ?? ''
}

/** Waits until the communication is as `expected`; the receipts that are still to come are made due at once. */
async function settled(id: string, expected: object) {
  return eventually(async () => {
    const row = await app.deps.db.communication.findUniqueOrThrow({ where: { id } })
    if (row.deliveryStatus !== 'PENDING') await runNow(app.deps.pool, id)
    expect(row).toMatchObject(expected)
    return row
  })
}

const statusEvents = async (communicationId: string) => {
  const events = await app.deps.db.event.findMany({
    where: { communicationId, type: 'DELIVERY_STATUS_CHANGED' },
    orderBy: { seq: 'asc' },
  })
  return events.map(({ data }) => {
    const { previousStatus, deliveryStatus } = data as { previousStatus: string; deliveryStatus: string }
    return `${previousStatus} → ${deliveryStatus}`
  })
}

test('a message walks PENDING → SENT → DELIVERED → READ by itself, with an event for each step in order', async () => {
  const id = await send('+14155550101')
  const row = await eventually(async () => {
    const found = await app.deps.db.communication.findUniqueOrThrow({ where: { id } })
    expect(found.deliveryStatus).toBe('READ')
    return found
  })
  expect(await statusEvents(id)).toEqual(['PENDING → SENT', 'SENT → DELIVERED', 'DELIVERED → READ'])
  expect(row.externalMessageId).toMatch(/^SM[0-9a-f]{32}$/)
  const times = [row.createdAt, row.sentAt, row.deliveredAt, row.readAt].map((time) => time?.getTime() ?? Number.NaN)
  expect(times).toEqual([...times].sort((a, b) => a - b))
  await eventually(async () => expect(await jobsOf(app.deps.pool, id)).toEqual([]))
})

test.each([
  ['+15005550001', '21211', /valid phone number/],
  ['+15005550002', '21612', /cannot reach the recipient/],
  ['+15005550003', '21408', /country/],
  ['+15005550009', '21614', /not a mobile phone/],
])('%s is refused as Twilio’s test number is: %s', async (address, failureCode, sentence) => {
  const id = await send(address)
  await settled(id, { deliveryStatus: 'FAILED', failureCode, failureMessage: expect.stringMatching(sentence), sentAt: null, attempts: 1 })
  expect(await statusEvents(id)).toEqual(['PENDING → FAILED'])
})

test('+15005550004 has opted out: the refusal is recorded as an opt-out', async () => {
  const { customerId } = await settled(await send('+15005550004'), { deliveryStatus: 'FAILED', failureCode: '21610' })
  expect(await app.deps.db.consentEntry.findMany({ where: { customerId }, orderBy: { purpose: 'asc' } })).toMatchObject([
    { channel: 'SMS', purpose: 'TRANSACTIONAL', state: 'OPTED_OUT', source: 'PROVIDER' },
    { channel: 'SMS', purpose: 'MARKETING', state: 'OPTED_OUT', source: 'PROVIDER' },
  ])
  const input = { to: { customerId: globalId('Customer', customerId) }, channel: 'SMS' as const, content: { text: 'Hello?' } }
  expect((await app.request(SendMessageDocument, { input })).data?.sendMessage).toMatchObject({ __typename: 'RecipientOptedOutError' })
})

test('+15005550008 is sent and FAILS later', async () => {
  const id = await send('+15005550008')
  await settled(id, { deliveryStatus: 'FAILED', failureCode: '30008', failureMessage: expect.stringMatching(/carrier/), deliveredAt: null })
  expect(await statusEvents(id)).toEqual(['PENDING → SENT', 'SENT → FAILED'])
})

test('the graph says which accounts are a sandbox', async () => {
  const { data } = await app.request(ChannelAccountsDocument)
  expect(data?.channelAccounts.map(({ provider, channel }) => `${provider} ${channel}`)).toEqual(['SANDBOX SMS', 'SANDBOX WHATSAPP'])
})
