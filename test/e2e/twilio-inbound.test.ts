import { stringify } from 'node:querystring'
import twilio from 'twilio'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { DisconnectChannelAccountDocument } from '../generated/graphql.ts'
import { newSid } from '../support/fake-twilio.ts'
import { rowCounts } from '../support/row-counts.ts'
import { connect, newPhone, startTwilioInbox, type TwilioInbox } from '../support/twilio-inbox.ts'

const PUBLIC_URL = 'https://inbox.example.com'

let inbox: TwilioInbox

// Without a worker nothing moves but by our requests, so rows can be counted exactly.
beforeAll(async () => {
  inbox = await startTwilioInbox({ PUBLIC_URL, WORKER: 'off' })
})
afterAll(() => inbox.close())

const counts = () => rowCounts(inbox.app.deps.pool)

const message = (to: string, from: string, params: Record<string, string> = {}) => ({
  AccountSid: inbox.fake.credentials.accountSid,
  MessageSid: newSid('SM'),
  To: to,
  From: from,
  Body: 'Is my permit ready?',
  NumMedia: '0',
  ...params,
})

/** Posts to the local address; `signature` as given, or none. */
async function post(path: string, params: Record<string, string>, signature: string | null): Promise<Response> {
  return fetch(`${inbox.app.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded', ...(signature === null ? {} : { 'x-twilio-signature': signature }) },
    body: stringify(params),
  })
}

const sign = (url: string, params: Record<string, string>, token = inbox.fake.credentials.authToken) =>
  twilio.getExpectedTwilioSignature(token, url, params)

const everythingOf = async (messageSid: string) => {
  const { db } = inbox.app.deps
  const communication = await db.communication.findFirstOrThrow({
    where: { externalMessageId: messageSid },
    include: { customer: { include: { identities: true, conversations: true } }, attachments: true },
  })
  const events = await db.event.findMany({ where: { customerId: communication.customerId }, orderBy: { seq: 'asc' } })
  return { communication, ...communication.customer, events: events.map(({ type }) => type) }
}

describe('a webhook that is not believed', () => {
  const path = '/webhooks/twilio/demo/sms'

  test.each([
    ['no signature', () => null],
    ['an empty signature', () => ''],
    ['a signature by another token', (params: Record<string, string>) => sign(`${PUBLIC_URL}${path}`, params, 'other')],
    ['the signature of another message', () => sign(`${PUBLIC_URL}${path}`, message(inbox.sms.address, newPhone()))],
    ['a signature over the local address', (params: Record<string, string>) => sign(`${inbox.app.url}${path}`, params)],
    ['a signature over another path', (params: Record<string, string>) => sign(`${PUBLIC_URL}/webhooks/twilio/demo/status`, params)],
  ])('%s: 403, and nothing is stored', async (_what, signature) => {
    const params = message(inbox.sms.address, newPhone())
    const before = await counts()
    const answer = await post(path, params, signature(params))
    expect(answer.status).toBe(403)
    expect(await counts()).toEqual(before)
  })

  test.each([
    ['an unknown organization', '/webhooks/twilio/nobody/sms', () => inbox.sms.address],
    ['an unknown number', path, () => '+15017129999'],
    ['no number at all', path, () => ''],
    ['a WhatsApp number that is connected for SMS only', '/webhooks/twilio/demo/whatsapp', () => `whatsapp:${inbox.sms.address}`],
    ['an unknown segment', '/webhooks/twilio/demo/fax', () => inbox.sms.address],
    ['an unknown provider', '/webhooks/nobody/demo/sms', () => inbox.sms.address],
    ['a longer path', `${path}/more`, () => inbox.sms.address],
    ['a shorter path', '/webhooks/twilio/demo', () => inbox.sms.address],
  ])('%s: 404 without detail, however well it is signed', async (_what, target, to) => {
    const params = message(to(), newPhone())
    const before = await counts()
    const answer = await post(target, params, sign(`${PUBLIC_URL}${target}`, params))
    expect(answer.status).toBe(404)
    const text = await answer.text()
    expect(text).not.toMatch(/demo|nobody|organi[sz]ation|number|account|segment/i)
    expect(await counts()).toEqual(before)
  })

  test('every 404 is the same, so that nobody learns which organizations exist', async () => {
    const answers = await Promise.all(
      [path, '/webhooks/twilio/nobody/sms'].map(async (target) => (await post(target, message('+15017129999', newPhone()), null)).text()),
    )
    expect(answers[0]).toBe(answers[1])
  })

  test('a disconnected number is unknown', async () => {
    const input = { channel: 'SMS', name: 'Short', address: '+15017122663', credentials: { twilio: inbox.fake.credentials } } as const
    const account = await connect(inbox.app, input)
    expect((await inbox.inbound(account, newPhone())).status).toBe(200)
    const disconnected = await inbox.app.request(DisconnectChannelAccountDocument, { input: { channelAccountId: account.id } })
    expect(disconnected.data?.disconnectChannelAccount.__typename).toBe('DisconnectChannelAccountSuccess')
    const before = await counts()
    expect((await inbox.inbound(account, newPhone())).status).toBe(404)
    expect(await counts()).toEqual(before)
  })
})

describe('a message', () => {
  test('is stored raw and applied, and answered with empty TwiML', async () => {
    const from = newPhone()
    const before = await inbox.app.deps.db.organization.findUniqueOrThrow({ where: { slug: 'demo' } })
    const answer = await inbox.inbound(inbox.sms, from, 'Is my permit ready?')
    expect(answer).toMatchObject({
      status: 200,
      contentType: 'text/xml',
      body: expect.stringMatching(/^(<\?xml[^>]*\?>)?<Response\s*(\/>|><\/Response>)$/),
    })

    const { communication, conversations, identities, unreadCount, name, events } = await everythingOf(answer.messageSid)
    expect(communication).toMatchObject({
      type: 'SMS',
      direction: 'INBOUND',
      body: 'Is my permit ready?',
      isRead: false,
      channelAccountId: inbox.sms.rowId,
    })
    expect(conversations).toMatchObject([{ id: communication.conversationId, status: 'OPEN', unreadCount: 1, address: from }])
    expect(identities).toMatchObject([{ kind: 'PHONE', value: from, verified: true }])
    expect({ name, unreadCount }).toEqual({ name: null, unreadCount: 1 })
    expect(events).toEqual(['CUSTOMER_CREATED', 'CONVERSATION_CHANGED', 'COMMUNICATION_RECEIVED', 'UNREAD_COUNT_CHANGED'])
    const after = await inbox.app.deps.db.organization.findUniqueOrThrow({ where: { slug: 'demo' } })
    expect(after.unreadCount).toBe(before.unreadCount + 1)
    expect(after.eventSeq).toBe(before.eventSeq + BigInt(events.length))

    const raw = await inbox.app.deps.db.webhookReceipt.findFirstOrThrow({ orderBy: { id: 'desc' } })
    expect(raw).toMatchObject({ status: 'APPLIED', url: `${PUBLIC_URL}/webhooks/twilio/demo/sms`, channelAccountId: inbox.sms.rowId })
    const params = new URLSearchParams(Buffer.from(raw.body ?? []).toString('utf8'))
    expect(Object.fromEntries(params)).toMatchObject({ From: from, Body: 'Is my permit ready?', MessageSid: answer.messageSid })
    expect(raw.headers).toHaveProperty('x-twilio-signature')
  })

  test('that is repeated changes nothing, also when it comes many times at once', async () => {
    const params = { MessageSid: newSid('SM'), MediaUrl0: inbox.fake.media({ status: 404 }), NumMedia: '1' }
    const from = newPhone()
    await inbox.inbound(inbox.sms, from, 'Once', params)
    const before = await counts()
    const person = await everythingOf(params.MessageSid)
    const again = await Promise.all(Array.from({ length: 8 }, () => inbox.inbound(inbox.sms, from, 'Once', params)))
    expect(again.map(({ status }) => status)).toEqual(Array(8).fill(200))
    expect(again[0]?.contentType).toBe('text/xml')
    expect(await counts(), 'but for the ledger of what came in').toEqual({ ...before, webhook_receipt: (before.webhook_receipt ?? 0) + 8 })
    const kept = await inbox.app.deps.db.webhookReceipt.findMany({ orderBy: { id: 'desc' }, take: 8 })
    expect(kept.map(({ status }) => status)).toEqual(Array(8).fill('DUPLICATE'))
    expect(await everythingOf(params.MessageSid)).toEqual(person)
  })

  test('that comes many times at once for the first time is stored once', async () => {
    const params = { MessageSid: newSid('SM') }
    const from = newPhone()
    const before = await counts()
    const all = await Promise.all(Array.from({ length: 8 }, () => inbox.inbound(inbox.sms, from, 'Once', params)))
    expect(all.map(({ status }) => status)).toEqual(Array(8).fill(200))
    expect(await everythingOf(params.MessageSid)).toMatchObject({ unreadCount: 1, conversations: [{ unreadCount: 1 }] })
    const after = await counts()
    for (const table of ['communication', 'received_message', 'customer', 'customer_identity', 'conversation'])
      expect(after[table], table).toBe((before[table] ?? 0) + 1)
  })

  test('that names a Messaging Service finds the account by it', async () => {
    const messagingServiceSid = newSid('MG')
    const account = await connect(inbox.app, {
      channel: 'SMS',
      name: 'Service',
      address: '+15017122664',
      credentials: { twilio: { ...inbox.fake.credentials, messagingServiceSid } },
    })
    const byService = await inbox.inbound({ ...account, address: '+15017129998' }, newPhone(), 'By service', {
      MessagingServiceSid: messagingServiceSid,
    })
    expect(byService.status).toBe(200)
    expect((await everythingOf(byService.messageSid)).communication.channelAccountId).toBe(account.rowId)
    const byNumber = await inbox.inbound(account, newPhone(), 'By number', { MessagingServiceSid: newSid('MG') })
    expect((await everythingOf(byNumber.messageSid)).communication.channelAccountId).toBe(account.rowId)
  })

  test('with a profile name names the customer, and never renames one', async () => {
    const from = newPhone()
    const first = await inbox.inbound(inbox.whatsapp, `whatsapp:${from}`, 'Hello', { ProfileName: 'Zoë 🌺' })
    expect(await everythingOf(first.messageSid)).toMatchObject({
      name: 'Zoë 🌺',
      identities: [{ kind: 'PHONE', value: from, verified: true }],
      communication: { type: 'WHATSAPP' },
    })
    await inbox.inbound(inbox.whatsapp, `whatsapp:${from}`, 'Again', { ProfileName: 'Somebody else' })
    expect(await everythingOf(first.messageSid)).toMatchObject({ name: 'Zoë 🌺', unreadCount: 2 })
  })

  test('by SMS and by WhatsApp from one number is one customer with two conversations', async () => {
    const from = newPhone()
    await inbox.inbound(inbox.sms, from)
    const second = await inbox.inbound(inbox.whatsapp, `whatsapp:${from}`)
    const { conversations, identities, unreadCount } = await everythingOf(second.messageSid)
    expect(conversations.map(({ channel }) => channel).sort()).toEqual(['SMS', 'WHATSAPP'])
    expect({ identities: identities.length, unreadCount }).toEqual({ identities: 1, unreadCount: 2 })
  })

  test.each([
    'Ünïcödé 日本語 🏳️‍🌈',
    'a=b&c=d+e%20',
    '  spaces  ',
    '<Response><Say>x</Say></Response>',
    "'; DROP TABLE webhook;--",
    'line\r\nbreak',
  ])('comes out as it was written: %j', async (body) => {
    const { messageSid, status } = await inbox.inbound(inbox.sms, newPhone(), body)
    expect(status).toBe(200)
    expect((await everythingOf(messageSid)).communication.body).toBe(body)
  })

  test('with parameters that nobody knows is taken all the same', async () => {
    const { messageSid, status } = await inbox.inbound(inbox.sms, newPhone(), 'New', { BrandNewParameter: 'x', Empty: '' })
    expect(status).toBe(200)
    expect((await everythingOf(messageSid)).communication.body).toBe('New')
  })
})

describe('what cannot be understood', () => {
  test.each([
    ['no sid', 'sms', () => message(inbox.sms.address, newPhone(), { MessageSid: '' })],
    ['no sender', 'sms', () => message(inbox.sms.address, '')],
    ['a sender that is no address', 'whatsapp', () => message(inbox.whatsapp.address, 'whatsapp:nobody')],
    ['a status that nobody knows', 'status', () => message(newPhone(), inbox.sms.address, { MessageStatus: 'pondering' })],
    ['a call', 'sms', () => ({ To: inbox.sms.address, From: newPhone(), CallSid: newSid('CA'), CallStatus: 'no-answer' })],
  ])('%s: is kept as UNPARSED with the reason, and answered 2xx', async (_what, segment, params) => {
    const path = `/webhooks/twilio/demo/${segment}`
    const sent: Record<string, string> = params()
    const before = await counts()
    const answer = await post(path, sent, sign(`${PUBLIC_URL}${path}`, sent))
    expect(answer.status).toBe(200)
    expect(await counts()).toEqual({ ...before, webhook_receipt: (before.webhook_receipt ?? 0) + 1 })
    const kept = await inbox.app.deps.db.webhookReceipt.findFirstOrThrow({ orderBy: { id: 'desc' } })
    expect(kept).toMatchObject({ status: 'UNPARSED', problem: expect.stringMatching(/\w/), url: `${PUBLIC_URL}${path}` })
    expect(Buffer.from(kept.body ?? []).toString('utf8')).toBe(stringify(sent))
  })
})
