import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { globalId, localId } from '../../schema/global-id.ts'
import {
  ConnectChannelAccountDocument,
  CreateTemplateDocument,
  CreateUploadDocument,
  MarkReadDocument,
  type MessageContentInput,
  SendMessageDocument,
  SyncTemplatesDocument,
} from '../generated/graphql.ts'
import { startTestApp, type TestApp } from '../support/app.ts'
import { eventually } from '../support/eventually.ts'
import { type FakeMeta, signedPost, startFakeMeta } from '../support/fake-meta.ts'
import { dataOf, member, present } from '../support/result.ts'
import { uploaded } from '../support/scripted-channel.ts'

const PHONE = '106540352242922'
const BUSINESS = '419561257915477'
const ADDRESS = '+15550783881'
const SECRET = 'the app’s secret'

let meta: FakeMeta
let app: TestApp
let channelAccountId: string

beforeAll(async () => {
  meta = await startFakeMeta()
  app = await startTestApp({ META_GRAPH_URL: meta.url, META_APP_SECRET: SECRET, META_VERIFY_TOKEN: 'verify-token' })
  meta.objects.set(PHONE, { id: PHONE })
  meta.objects.set(`${BUSINESS}/phone_numbers`, { data: [{ id: PHONE, display_phone_number: '+1 555-078-3881', status: 'CONNECTED' }] })
  meta.objects.set(`${BUSINESS}/subscribed_apps`, { data: [{ whatsapp_business_api_data: { id: '4711' } }] })
  const components = [{ type: 'BODY', text: 'Dear {{1}}, it is ready.' }]
  const template = { id: '77', name: 'ready', language: 'en_US', status: 'APPROVED', category: 'UTILITY', components }
  const rich = [
    { type: 'HEADER', format: 'IMAGE' },
    { type: 'BODY', text: 'Dear {{1}}, here it is.' },
    { type: 'BUTTONS', buttons: [{ type: 'URL', text: 'Track', url: 'https://example.com/{{1}}' }] },
  ]
  const others = [
    { ...template, id: '78', name: 'shipped', components: rich },
    { ...template, id: '79', name: 'cards', components: [...components, { type: 'CAROUSEL', cards: [] }] },
  ]
  meta.objects.set(`${BUSINESS}/message_templates`, { data: [template, ...others] })
  const credentials = { meta: { accessToken: meta.accessToken, phoneNumberId: PHONE, businessAccountId: BUSINESS } }
  const input = { channel: 'WHATSAPP' as const, name: 'WhatsApp', address: ADDRESS, credentials }
  const answer = dataOf(await app.request(ConnectChannelAccountDocument, { input })).connectChannelAccount
  const { channelAccount } = member(answer, 'ConnectChannelAccountSuccess')
  expect(channelAccount).toMatchObject({ status: 'ACTIVE', webhookUrl: `${app.url}/webhooks/meta` })
  channelAccountId = channelAccount.id
})
afterAll(async () => {
  await app?.close()
  await meta?.close()
})
beforeEach(() => {
  meta.messages.length = 0
})

type Json = Record<string, unknown>
let ids = 0
const newId = () => `wamid.${String(++ids).padStart(6, '0')}.${process.pid}`

async function post(value: Json, field = 'messages'): Promise<void> {
  const change = { field, value: { messaging_product: 'whatsapp', metadata: { phone_number_id: PHONE }, ...value } }
  const body = { object: 'whatsapp_business_account', entry: [{ id: BUSINESS, changes: [change] }] }
  const answer = await signedPost(`${app.url}/webhooks/meta`, body, SECRET)
  expect([answer.status, await answer.text()]).toEqual([200, 'EVENT_RECEIVED'])
}

/** What a customer writes; the stored message. */
async function receive(item: Json, contacts: Json[] = []) {
  const id = newId()
  await post({ contacts, messages: [{ id, timestamp: String(Math.floor(Date.now() / 1000)), ...item }] })
  return app.deps.db.communication.findFirstOrThrow({ where: { externalMessageId: id }, include: { attachments: true } })
}

const text = (from: string, body: string): Json => ({ from, type: 'text', text: { body } })

async function send(customerId: string, content: MessageContentInput) {
  const input = { to: { customerId: globalId('Customer', customerId) }, channelAccountId, content }
  const answer = dataOf(await app.request(SendMessageDocument, { input })).sendMessage
  const id = present(localId('Communication', member(answer, 'SendMessageSuccess').communication.id))
  const row = () => app.deps.db.communication.findUniqueOrThrow({ where: { id } })
  await eventually(async () => expect((await row()).deliveryStatus).toBe('SENT'))
  return { id, row }
}

test('Meta’s handshake', async () => {
  const handshake = (token: string) =>
    fetch(`${app.url}/webhooks/meta?hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=${token}`)
  expect(await (await handshake('verify-token')).text()).toBe('1158201444')
  expect((await handshake('another')).status).toBe(403)
})

test('a webhook with another signature is not believed', async () => {
  const before = await app.deps.db.communication.count()
  const body = { object: 'whatsapp_business_account', entry: [{ id: BUSINESS, changes: [] }] }
  expect((await signedPost(`${app.url}/webhooks/meta`, body, 'another secret')).status).toBe(403)
  expect(await app.deps.db.communication.count()).toBe(before)
})

describe('a conversation', () => {
  test('a person without a number is answered by user id, and each status moves the message on', async () => {
    const contact = { profile: { name: 'Ada', username: 'ada' }, user_id: 'US.1001' }
    const received = await receive({ from_user_id: 'US.1001', type: 'text', text: { body: 'Is it ready?' } }, [contact])
    expect(received).toMatchObject({ direction: 'INBOUND', body: 'Is it ready?' })
    const { id, row } = await send(received.customerId, { text: 'It is.' })
    expect(meta.messages).toMatchObject([
      { sender: PHONE, body: { recipient: 'US.1001', type: 'text', text: { body: 'It is.' }, biz_opaque_callback_data: id } },
    ])
    const [message] = meta.messages
    for (const [status, expected] of [
      ['read', 'READ'],
      ['delivered', 'READ'],
    ]) {
      await post({
        statuses: [{ id: message?.id, status, timestamp: '1750000000', recipient_user_id: 'US.1001', biz_opaque_callback_data: id }],
      })
      expect((await row()).deliveryStatus).toBe(expected)
    }
  })

  test('a status settles a message of which nobody knew whether it was sent', async () => {
    const { customerId } = await receive(text('16505550101', 'Hello'))
    meta.next({ drop: 'after' })
    const input = { to: { customerId: globalId('Customer', customerId) }, channelAccountId, content: { text: 'Hi' } }
    const answer = dataOf(await app.request(SendMessageDocument, { input })).sendMessage
    const id = present(localId('Communication', member(answer, 'SendMessageSuccess').communication.id))
    const row = () => app.deps.db.communication.findUniqueOrThrow({ where: { id } })
    await eventually(async () => expect((await row()).deliveryStatus).toBe('UNKNOWN'))
    const [message] = meta.messages
    await post({
      statuses: [{ id: message?.id, status: 'sent', timestamp: '1750000000', recipient_id: '16505550101', biz_opaque_callback_data: id }],
    })
    expect(await row()).toMatchObject({ deliveryStatus: 'SENT', externalMessageId: message?.id })
    expect(meta.messages).toHaveLength(1)
  })

  test('a picture is fetched with the token and kept', async () => {
    const bytes = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==', 'base64')
    const image = { id: meta.media({ bytes, contentType: 'image/png' }), mime_type: 'image/png', caption: 'My permit' }
    const { attachments, id } = await receive({ from: '16505550102', type: 'image', image })
    expect(attachments).toHaveLength(1)
    await eventually(async () => {
      const attachment = await app.deps.db.attachment.findFirstOrThrow({ where: { communicationId: id } })
      expect(attachment).toMatchObject({ status: 'STORED', contentType: 'image/png', size: bytes.length })
    })
  })

  test('an approved template opens a conversation', async () => {
    const synced = dataOf(await app.request(SyncTemplatesDocument, { input: { channelAccountId } })).syncTemplates
    const [template] = member(synced, 'SyncTemplatesSuccess').templates
    const input = {
      to: { address: '+16505550103' },
      channelAccountId,
      content: { template: { templateId: present(template).id, variables: { '1': 'Grace' } } },
    }
    const answer = dataOf(await app.request(SendMessageDocument, { input })).sendMessage
    expect(member(answer, 'SendMessageSuccess').communication.body).toBe('Dear Grace, it is ready.')
    await eventually(() => {
      expect(meta.messages).toMatchObject([
        {
          body: {
            to: '+16505550103',
            type: 'template',
            template: {
              name: 'ready',
              language: { code: 'en_US' },
              components: [{ type: 'body', parameters: [{ type: 'text', text: 'Grace' }] }],
            },
          },
        },
      ])
    })
  })

  test('sendability lists the templates that would go, and no other', async () => {
    await app.request(SyncTemplatesDocument, { input: { channelAccountId } })
    const elsewhere = { name: 'At Twilio', body: 'Hello', channel: 'WHATSAPP' as const, providerTemplateId: `HX${'a'.repeat(32)}` }
    member(dataOf(await app.request(CreateTemplateDocument, { input: elsewhere })).createTemplate, 'CreateTemplateSuccess')
    const { customerId } = await receive({ from: '16505550109', type: 'text', text: { body: 'Hi' } })
    const document = 'query ($id: ID!) { customer(id: $id) { sendability { channelAccount { id } templates { name } } } }'
    type Listed = { customer: { sendability: { channelAccount: { id: string }; templates: { name: string }[] }[] } }
    const { customer } = dataOf(await app.request<Listed, object>(document, { id: globalId('Customer', customerId) }))
    const here = present(customer.sendability.find(({ channelAccount }) => channelAccount.id === channelAccountId))
    const names = here.templates.map(({ name }) => name)
    expect(names).toEqual(expect.arrayContaining(['ready', 'shipped']))
    expect(names.filter((name) => name === 'At Twilio' || name === 'cards')).toEqual([])
  })

  test('a template goes with all that it needs, and what WhatsApp would refuse is refused here', async () => {
    const synced = member(
      dataOf(await app.request(SyncTemplatesDocument, { input: { channelAccountId } })).syncTemplates,
      'SyncTemplatesSuccess',
    )
    const fill = async (name: string, variables: Record<string, string>) => {
      const templateId = present(synced.templates.find((each) => each.name === name)).id
      const input = { to: { address: '+16505550107' }, channelAccountId, content: { template: { templateId, variables } } }
      return dataOf(await app.request(SendMessageDocument, { input })).sendMessage
    }
    const all = { header_image: 'https://example.com/a.png', '1': 'Grace', button_1: 'T-1' }
    const place = ['input', 'content', 'template']
    for (const [name, variables, message, path] of [
      ['shipped', {}, /header_image, 1, button_1/, [...place, 'variables']],
      ['shipped', { ...all, button_1: ' ' }, /needs values for: button_1\./, [...place, 'variables']],
      ['shipped', { ...all, header_image: 'picture' }, /web address/, [...place, 'variables', 'header_image']],
      ['shipped', { ...all, '1': 'Grace\nHopper' }, /no line breaks/, [...place, 'variables', '1']],
      ['ready', { '1': 'a     b' }, /four spaces/, [...place, 'variables', '1']],
      ['cards', { '1': 'Grace' }, /CAROUSEL/, [...place, 'templateId']],
    ] as const)
      expect(member(await fill(name, variables), 'ValidationError')).toMatchObject({ message: expect.stringMatching(message), path })
    expect(meta.messages).toEqual([])
    member(await fill('shipped', all), 'SendMessageSuccess')
    await eventually(() => {
      expect(meta.messages).toMatchObject([
        {
          body: {
            template: {
              components: [
                { type: 'header', parameters: [{ type: 'image', image: { link: 'https://example.com/a.png' } }] },
                { type: 'body', parameters: [{ type: 'text', text: 'Grace' }] },
                { type: 'button', sub_type: 'url', index: '0', parameters: [{ type: 'text', text: 'T-1' }] },
              ],
            },
          },
        },
      ])
    })
  })

  test('a counterpart at Twilio means nothing to Meta', async () => {
    const data = { name: 'by hand', body: 'Ready.', channel: 'WHATSAPP' as const, providerTemplateId: `HX${'0'.repeat(32)}` }
    const made = member(dataOf(await app.request(CreateTemplateDocument, { input: data })).createTemplate, 'CreateTemplateSuccess')
    const input = { to: { address: '+16505550109' }, channelAccountId, content: { template: { templateId: made.template.id } } }
    expect(member(dataOf(await app.request(SendMessageDocument, { input })).sendMessage, 'ValidationError')).toMatchObject({
      message: expect.stringContaining('Twilio'),
      path: ['input', 'content', 'template', 'templateId'],
    })
  })

  test('what is marked read here is read there, once for all of it', async () => {
    const { conversationId } = await receive(text('16505550110', 'One'))
    const last = await receive(text('16505550110', 'Two'))
    const target = { conversationId: globalId('Conversation', present(conversationId)) }
    const marked = member(dataOf(await app.request(MarkReadDocument, { input: { target } })).markRead, 'MarkReadSuccess')
    expect(marked.markedCount).toBe(2)
    await eventually(() => expect(meta.read).toEqual([last.externalMessageId]))
  })

  test('an upload goes to WhatsApp as a picture, with its caption and the message that it answers', async () => {
    const received = await receive(text('16505550111', 'Show me'))
    const bytes = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==', 'base64')
    const file = { filename: 'permit.png', contentType: 'image/png', size: bytes.length }
    const upload = member(dataOf(await app.request(CreateUploadDocument, { input: file })).createUpload, 'CreateUploadSuccess')
    const headers = upload.headers as Record<string, string>
    expect((await fetch(upload.url, { method: upload.method, headers, body: new Uint8Array(bytes) })).ok).toBe(true)
    const input = {
      to: { conversationId: globalId('Conversation', present(received.conversationId)) },
      replyToCommunicationId: globalId('Communication', received.id),
      content: { media: { attachmentIds: [upload.attachment.id], caption: 'Here' } },
    }
    member(dataOf(await app.request(SendMessageDocument, { input })).sendMessage, 'SendMessageSuccess')
    const { body } = await eventually(() => present(meta.messages[0]))
    expect(body).toMatchObject({ type: 'image', image: { caption: 'Here' }, context: { message_id: received.externalMessageId } })
    const { id } = body.image as { id: string }
    expect(meta.uploads.get(id)).toMatchObject({ filename: 'permit.png', contentType: 'image/png', bytes })
  })

  test('a reaction is given and taken back', async () => {
    const received = await receive(text('16505550112', 'Thanks!'))
    const react = async (emoji: string | null) => {
      const input = {
        to: { conversationId: globalId('Conversation', present(received.conversationId)) },
        content: { reaction: { communicationId: globalId('Communication', received.id), emoji } },
      }
      member(dataOf(await app.request(SendMessageDocument, { input })).sendMessage, 'SendMessageSuccess')
    }
    await react('👍')
    await react(null)
    const message_id = received.externalMessageId
    await eventually(() =>
      expect(meta.messages).toMatchObject([
        { body: { type: 'reaction', reaction: { message_id, emoji: '👍' } } },
        { body: { type: 'reaction', reaction: { message_id, emoji: '' } } },
      ]),
    )
  })

  test('what WhatsApp would refuse of a message is refused here, with the field and what is allowed', async () => {
    const { conversationId } = await receive(text('16505550108', 'Hello'))
    const tried = async (content: MessageContentInput) => {
      const input = { to: { conversationId: globalId('Conversation', present(conversationId)) }, content }
      return dataOf(await app.request(SendMessageDocument, { input })).sendMessage
    }
    const speech = globalId('Attachment', await uploaded(app, { contentType: 'audio/ogg', bytes: Buffer.from('OggS') }))
    const archive = globalId('Attachment', await uploaded(app, { contentType: 'application/zip', bytes: Buffer.from('PK') }))
    const captioned = member(
      await tried({ media: { attachmentIds: [speech], kind: 'VOICE', caption: 'Listen' } }),
      'ContentNotSupportedError',
    )
    expect(captioned).toMatchObject({ message: expect.stringContaining('VOICE'), path: ['input', 'content', 'media', 'caption'] })
    expect(member(await tried({ media: { attachmentIds: [archive] } }), 'ContentNotSupportedError')).toMatchObject({
      message: expect.stringMatching(/application\/zip as DOCUMENT; it takes application\/pdf/),
      path: ['input', 'content', 'media', 'attachmentIds', '0'],
    })
    const alike = ['a', 'b'].map((id) => ({ id, title: 'Yes' }))
    expect(member(await tried({ interactive: { body: 'Well?', buttons: alike } }), 'ValidationError')).toMatchObject({
      message: expect.stringContaining('title of its own'),
      path: ['input', 'content', 'interactive', 'buttons'],
    })
    expect(meta.messages).toEqual([])
  })

  test('a customer who stops marketing in WhatsApp can still be written to', async () => {
    const { customerId } = await receive(text('16505550104', 'Hello'))
    const preference = { wa_id: '16505550104', category: 'marketing_messages', value: 'stop', detail: 'stopped', timestamp: 1_750_000_000 }
    await post({ user_preferences: [preference] }, 'user_preferences')
    const entries = await app.deps.db.consentEntry.findMany({ where: { customerId } })
    expect(entries).toMatchObject([{ purpose: 'MARKETING', state: 'OPTED_OUT', source: 'PROVIDER' }])
    await send(customerId, { text: 'Your order is ready.' })
  })

  test('a new number is the same customer’s', async () => {
    const { customerId } = await receive(text('16505550105', 'Hello'))
    const system = { type: 'user_changed_number', body: 'User Ada changed from 16505550105 to 16505550106', wa_id: '16505550106' }
    await post({ messages: [{ from: '16505550105', id: newId(), timestamp: '1750000000', type: 'system', system }] })
    expect(await receive(text('16505550106', 'It is me'))).toMatchObject({ customerId })
  })
})
