import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { globalId, localId } from '../../schema/global-id.ts'
import {
  ChannelAccountsDocument,
  CheckChannelAccountDocument,
  ConnectChannelAccountDocument,
  DisconnectChannelAccountDocument,
  type MessageContentInput,
  SendMessageDocument,
  type SendMessageInput,
} from '../generated/graphql.ts'
import { startTestApp, type TestApp } from '../support/app.ts'
import { eventually } from '../support/eventually.ts'
import { type FakeMeta, signedPost, startFakeMeta } from '../support/fake-meta.ts'
import { dataOf, member, present } from '../support/result.ts'
import { uploaded } from '../support/scripted-channel.ts'

const SECRET = 'app-secret-of-the-test'
const HOUR = 3_600_000
const PAGE = '1906385232743451'
const INSTAGRAM = '17841400008460056'
const PNG = Buffer.from('89504e470d0a1a0a', 'hex')

let meta: FakeMeta
let app: TestApp

beforeAll(async () => {
  meta = await startFakeMeta({ app: { appSecret: SECRET } })
  app = await startTestApp({
    META_GRAPH_URL: meta.url,
    META_APP_ID: present(meta.app.appId),
    META_APP_SECRET: SECRET,
    META_VERIFY_TOKEN: 'verify-token',
  })
  const scopes = ['pages_messaging', 'pages_manage_metadata', 'instagram_manage_messages']
  const fields =
    'messages messaging_postbacks message_deliveries message_reads message_reactions message_echoes messaging_referrals messaging_optins messaging_seen messaging_referral'
  const named = fields.split(' ').map((name) => ({ name }))
  const subscription = { callback_url: `${app.url}/webhooks/meta`, active: true, fields: named }
  meta.objects.set(PAGE, { id: PAGE })
  meta.objects.set(INSTAGRAM, { id: INSTAGRAM })
  meta.objects.set('me', { id: PAGE, instagram_business_account: { id: INSTAGRAM } })
  for (const page of [PAGE, 'me'])
    meta.objects.set(`${page}/subscribed_apps`, { data: [{ id: meta.app.appId, subscribed_fields: ['messages'] }] })
  meta.objects.set('debug_token', { data: { scopes } })
  meta.objects.set(`${meta.app.appId}/subscriptions`, {
    data: ['page', 'instagram'].map((object) => ({ object, ...subscription })),
  })
})
afterAll(async () => {
  await app?.close()
  await meta?.close()
})
beforeEach(() => {
  meta.messages.length = 0
})

type Channel = 'MESSENGER' | 'INSTAGRAM'
const addresses = { MESSENGER: PAGE, INSTAGRAM }
const credentialsOf = (channel: Channel, token = meta.accessToken) => ({
  meta: channel === 'MESSENGER' ? { pageAccessToken: token, pageId: PAGE } : { accessToken: token, instagramAccountId: INSTAGRAM },
})
const connect = async (channel: Channel, token?: string) => {
  const input = { channel, name: channel, address: addresses[channel], credentials: credentialsOf(channel, token) }
  return member(dataOf(await app.request(ConnectChannelAccountDocument, { input })).connectChannelAccount, 'ConnectChannelAccountSuccess')
    .channelAccount
}
const accountOf = async (channel: Channel) =>
  present(dataOf(await app.request(ChannelAccountsDocument)).channelAccounts.find((account) => account.channel === channel))

let mids = 0
async function says(channel: Channel, from: string, message: object): Promise<{ conversationId: string; customerId: string; id: string }> {
  const mid = `m_${channel}_${++mids}`
  const item = { sender: { id: from }, recipient: { id: addresses[channel] }, timestamp: Date.now(), message: { mid, ...message } }
  const object = channel === 'MESSENGER' ? 'page' : 'instagram'
  const body = { object, entry: [{ id: addresses[channel], time: Date.now(), messaging: [item] }] }
  expect((await signedPost(`${app.url}/webhooks/meta`, body, SECRET)).status).toBe(200)
  const row = await app.deps.db.communication.findFirstOrThrow({ where: { externalMessageId: mid } })
  return { conversationId: present(row.conversationId), customerId: row.customerId, id: row.id }
}

type More = Partial<SendMessageInput>
async function trySend(conversationId: string, content: MessageContentInput, more: More = {}, token?: string) {
  const input = { to: { conversationId: globalId('Conversation', conversationId) }, content, ...more }
  return dataOf(await app.request(SendMessageDocument, { input }, token)).sendMessage
}
/** Sends, and waits for the provider’s answer; what Meta was posted. */
async function send(conversationId: string, content: MessageContentInput, more: More = {}) {
  const sent = member(await trySend(conversationId, content, more), 'SendMessageSuccess')
  const id = present(localId('Communication', sent.communication.id))
  await eventually(async () =>
    expect(await app.deps.db.communication.findUniqueOrThrow({ where: { id } })).toMatchObject({ deliveryStatus: 'SENT' }),
  )
  return { id, posted: present(meta.messages.at(-1)) }
}
/** As if the customer had written so many hours ago. */
async function wroteHoursAgo(conversationId: string, hours: number): Promise<void> {
  const lastInboundAt = new Date(Date.now() - hours * HOUR)
  const windowExpiresAt = new Date(lastInboundAt.getTime() + 24 * HOUR)
  await app.deps.db.conversation.update({ where: { id: conversationId }, data: { lastInboundAt, windowExpiresAt } })
}
const sendability = async (customerId: string, channel: Channel) => {
  type Row = { channel: string; canSend: boolean; reason: string | null; humanAgentOnly: boolean; templates: { name: string }[] }
  const answer = await app.request<{ customer: { sendability: Row[] } }, { id: string }>(
    'query ($id: ID!) { customer(id: $id) { sendability { channel canSend reason humanAgentOnly templates { name } } } }',
    { id: globalId('Customer', customerId) },
  )
  return present(dataOf(answer).customer.sendability.find((row) => row.channel === channel))
}

describe.each(['MESSENGER', 'INSTAGRAM'] as const)('%s', (channel) => {
  const sender = channel === 'MESSENGER' ? PAGE : 'me'

  test('is connected when Meta confirms the token, disconnected, and taken up again', async () => {
    expect(await connect(channel, 'EAAwrong')).toMatchObject({ status: 'PENDING', webhookUrl: `${app.url}/webhooks/meta` })
    const pending = await accountOf(channel)
    expect(pending.health.checks).toMatchObject([{ name: 'credentials', ok: false, message: expect.stringContaining('new one') }])
    const input = { channelAccountId: pending.id }
    dataOf(await app.request(DisconnectChannelAccountDocument, { input }))
    expect(await connect(channel)).toMatchObject({ id: pending.id, status: 'ACTIVE' })
    member(dataOf(await app.request(CheckChannelAccountDocument, { input })).checkChannelAccount, 'CheckChannelAccountSuccess')
    expect(await accountOf(channel)).toMatchObject({ status: 'ACTIVE', health: { status: 'HEALTHY' } })
  })

  test('an answer goes to the customer as text, as a file, and with quick replies', async () => {
    const { conversationId, customerId } = await says(channel, '7001', { text: 'Hello?' })
    expect(await sendability(customerId, channel)).toMatchObject({ canSend: true, reason: null, humanAgentOnly: false })
    const text = await send(conversationId, { text: 'It is ready.' })
    expect(text.posted).toMatchObject({
      sender,
      body: { recipient: { id: '7001' }, messaging_type: 'RESPONSE', message: { text: 'It is ready.' } },
    })
    expect(text.posted.body).not.toHaveProperty('tag')
    const file = await uploaded(app, { contentType: 'image/png', bytes: PNG })
    const picture = await send(conversationId, { media: { attachmentIds: [globalId('Attachment', file)] } })
    const url = expect.stringMatching(/^http.*\/attachments\//)
    expect(picture.posted.body).toMatchObject({ message: { attachment: { type: 'image', payload: { url } } } })
    const buttons = [
      { id: 'yes', title: 'Yes' },
      { id: 'no', title: 'No' },
    ]
    const question = await send(conversationId, { interactive: { body: 'Shall we?', buttons } })
    expect(question.posted.body).toMatchObject({
      message: { text: 'Shall we?', quick_replies: buttons.map(({ id, title }) => ({ content_type: 'text', title, payload: id })) },
    })
  })

  test('what the channel cannot carry is refused, with the field', async () => {
    const { conversationId, id } = await says(channel, '7002', { text: 'Hello?' })
    const [file, table] = [
      await uploaded(app, { contentType: 'image/png', bytes: PNG }),
      await uploaded(app, { contentType: 'image/tiff', bytes: Buffer.from('II*') }),
    ]
    const attachmentIds = [globalId('Attachment', file)]
    const caption = member(await trySend(conversationId, { media: { attachmentIds, caption: 'Look' } }), 'ContentNotSupportedError')
    expect(caption.path).toEqual(['input', 'content', 'media', 'caption'])
    const list = { button: 'Open', sections: [{ rows: [{ id: 'a', title: 'A' }] }] }
    const listed = member(await trySend(conversationId, { interactive: { body: 'Which?', list } }), 'ContentNotSupportedError')
    expect(listed.path).toEqual(['input', 'content', 'interactive', 'list'])
    const replyToCommunicationId = globalId('Communication', id)
    const quote = member(await trySend(conversationId, { text: 'This one' }, { replyToCommunicationId }), 'ContentNotSupportedError')
    expect(quote.path).toEqual(['input', 'replyToCommunicationId'])
    // Instagram counts bytes, Messenger characters.
    const long = channel === 'INSTAGRAM' ? 'é'.repeat(501) : '🙂'.repeat(2001)
    const [limit, length] = channel === 'INSTAGRAM' ? [1000, 1002] : [2000, 2001]
    expect(member(await trySend(conversationId, { text: long }), 'BodyTooLongError')).toMatchObject({ limit, length })
    if (channel === 'INSTAGRAM') {
      const refused = member(
        await trySend(conversationId, { media: { attachmentIds: [globalId('Attachment', table)] } }),
        'ContentNotSupportedError',
      )
      expect(refused).toMatchObject({
        message: expect.stringContaining('as IMAGE; it takes image/png'),
        path: ['input', 'content', 'media', 'attachmentIds', '0'],
      })
    }
    expect(meta.messages).toEqual([])
  })

  test('after a day only a person answers, with the tag; after a week nobody', async () => {
    const { conversationId, customerId } = await says(channel, '7003', { text: 'Hello?' })
    for (const [name, purpose] of [
      ['thanks', 'GENERAL'],
      ['sale', 'MARKETING'],
    ] as const) {
      const data = {
        id: crypto.randomUUID(),
        organizationId: (await accountRow(channel)).organizationId,
        name: `${name} ${channel}`,
        channel,
        body: 'Thank you!',
        language: 'en',
        purpose,
      }
      await app.deps.db.template.create({ data })
    }
    await wroteHoursAgo(conversationId, 30)
    const listed = await sendability(customerId, channel)
    expect(listed).toMatchObject({ canSend: true, reason: 'MESSAGING_WINDOW_CLOSED', humanAgentOnly: true })
    // What would be refused is not offered.
    expect(listed.templates.map(({ name }) => name)).toContain(`thanks ${channel}`)
    expect(listed.templates.map(({ name }) => name)).not.toContain(`sale ${channel}`)
    const { posted } = await send(conversationId, { text: 'A person here.' })
    expect(posted.body).toMatchObject({ messaging_type: 'MESSAGE_TAG', tag: 'HUMAN_AGENT', message: { text: 'A person here.' } })
    const later = { sendAt: new Date(Date.now() + HOUR).toISOString() }
    expect((await trySend(conversationId, { text: 'Later.' }, later)).__typename).toBe('MessagingWindowClosedError')
    expect((await trySend(conversationId, { text: 'Buy!' }, { purpose: 'MARKETING' })).__typename).toBe('MessagingWindowClosedError')
    await wroteHoursAgo(conversationId, 169)
    expect(await sendability(customerId, channel)).toMatchObject({ canSend: false, reason: 'MESSAGING_WINDOW_CLOSED', templates: [] })
    expect(member(await trySend(conversationId, { text: 'Too late.' }), 'MessagingWindowClosedError').message).toContain('until they write')
  })

  test('what Meta refuses is a failure with a sentence, and what it puts off is sent later', async () => {
    const { conversationId } = await says(channel, '7004', { text: 'Hello?' })
    meta.next({ status: 400, error: { message: 'outside', code: 10, error_subcode: channel === 'MESSENGER' ? 2018278 : 2534022 } })
    const refused = member(await trySend(conversationId, { text: 'One' }), 'SendMessageSuccess')
    const id = present(localId('Communication', refused.communication.id))
    await eventually(async () =>
      expect(await app.deps.db.communication.findUniqueOrThrow({ where: { id } })).toMatchObject({
        deliveryStatus: 'FAILED',
        failureMessage: expect.stringContaining('window has closed'),
      }),
    )
    meta.next({ status: 400, error: { message: 'calls', code: 613 }, retryAfter: 0 })
    expect((await send(conversationId, { text: 'Two' })).posted.body).toMatchObject({ message: { text: 'Two' } })
    expect(meta.messages).toHaveLength(1)
  })

  test('history stays when the account is disconnected', async () => {
    const { conversationId } = await says(channel, '7005', { text: 'Hello?' })
    const input = { channelAccountId: (await accountOf(channel)).id }
    dataOf(await app.request(DisconnectChannelAccountDocument, { input }))
    expect(await app.deps.db.communication.count({ where: { conversationId } })).toBe(1)
    expect((await trySend(conversationId, { text: 'Hello' })).__typename).toBe('ChannelNotConnectedError')
    expect(await connect(channel)).toMatchObject({ status: 'ACTIVE' })
    expect((await send(conversationId, { text: 'Back again.' })).posted.body).toMatchObject({ recipient: { id: '7005' } })
  })
})

const accountRow = (channel: Channel) => app.deps.db.channelAccount.findFirstOrThrow({ where: { channel } })
