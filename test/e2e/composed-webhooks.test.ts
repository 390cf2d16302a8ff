import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { globalId } from '../../schema/global-id.ts'
import { newId } from '../../src/domain/ids.ts'
import { CommunicationContentDocument } from '../generated/graphql.ts'
import { type ContractServer, startContractServer } from '../support/contract-files.ts'
import { type Known, remember } from '../support/known-messages.ts'
import { dataOf, present } from '../support/result.ts'
import { outcomeSince, snapshotOf } from '../support/webhook-outcome.ts'

const BUSINESS = '102290129340398'
const [FIRST, SECOND] = ['+15550783881', '+15550783882']
const PAGE = '900'
const TIME = '1750000000'

let server: ContractServer
let whatsapp: string
let second: string
let messenger: string
beforeAll(async () => {
  server = await startContractServer()
  const number = (address: string, phoneNumberId: string) =>
    server.account('META', 'WHATSAPP', address, { accessToken: 'token', phoneNumberId, businessAccountId: BUSINESS }, [
      phoneNumberId,
      BUSINESS,
    ])
  whatsapp = await number(FIRST, '1065')
  second = await number(SECOND, '1066')
  messenger = await server.account('META', 'MESSENGER', PAGE, { pageAccessToken: 'token', pageId: PAGE }, [PAGE])
  await server.account('META', 'INSTAGRAM', PAGE, { accessToken: 'token', instagramAccountId: PAGE }, [PAGE])
})
afterAll(() => server?.app.close())
beforeEach(() => server.clear())

const change = (field: string, value: object) => ({
  object: 'whatsapp_business_account',
  entry: [{ id: BUSINESS, time: Number(TIME), changes: [{ field, value }] }],
})
const ofNumber = (value: object, field = 'messages') =>
  change(field, { messaging_product: 'whatsapp', metadata: { display_phone_number: FIRST.slice(1), phone_number_id: '1065' }, ...value })
const contacts = [{ profile: { name: 'Ada' }, wa_id: '16505551234' }]
const says = (message: object) => ofNumber({ contacts, messages: [{ from: '16505551234', id: 'wamid.new', timestamp: TIME, ...message }] })
const item = (object: 'page' | 'instagram', event: object) => ({
  object,
  entry: [{ id: PAGE, time: 1, messaging: [{ sender: { id: '800' }, recipient: { id: PAGE }, timestamp: Number(TIME) * 1000, ...event }] }],
})
const files = (object: 'page' | 'instagram', ...attachments: object[]) => item(object, { message: { mid: 'm.new', attachments } })

async function becomes(body: object): Promise<string[]> {
  const before = await snapshotOf(server.app, server.organizationId)
  expect((await server.meta(JSON.stringify(body))).status).toBe(200)
  return outcomeSince(before, await snapshotOf(server.app, server.organizationId))
}

const ours: Known = { id: 'wamid.ours', direction: 'OUTBOUND', address: '+16505551234' }
const ADA = 'PHONE:+16505551234'

describe('webhooks composed after Meta’s descriptions', () => {
  test.each<[string, object, string[]]>([
    ['the customer opens the chat', says({ type: 'request_welcome' }), [`INBOUND WHATSAPP UNSUPPORTED of ${ADA}`, 'webhook APPLIED']],
    [
      'what WhatsApp does not pass on',
      says({ type: 'unsupported', errors: [{ code: 131051, title: 'Unsupported message type' }] }),
      [`INBOUND WHATSAPP UNSUPPORTED of ${ADA}`, 'webhook APPLIED'],
    ],
    [
      'the answer to a request to call',
      says({
        type: 'interactive',
        context: { id: 'wamid.ours' },
        interactive: { type: 'call_permission_reply', call_permission_reply: {} },
      }),
      [`INBOUND WHATSAPP UNSUPPORTED re=wamid.ours of ${ADA}`, 'webhook APPLIED'],
    ],
    [
      'a group’s message is its writer’s',
      says({ type: 'text', text: { body: 'Hi all' }, group_id: 'Y2FwaQ' }),
      [`INBOUND WHATSAPP TEXT "Hi all" of ${ADA}`, 'webhook APPLIED'],
    ],
    [
      'a played voice message',
      ofNumber({ statuses: [{ id: 'wamid.ours', status: 'played', timestamp: TIME, recipient_id: '16505551234' }] }),
      ['wamid.ours: status SENT → READ', 'receipt READ for wamid.ours', 'webhook APPLIED'],
    ],
    [
      'a payment that failed',
      ofNumber({ statuses: [{ id: 'wamid.ours', type: 'payment', status: 'failed', timestamp: TIME, payment: {} }] }),
      ['webhook UNPARSED the state of a payment, which is not that of the message'],
    ],
    [
      'what the business takes back in its app',
      ofNumber(
        {
          message_echoes: [
            { from: FIRST, to: '16505551234', id: 'wamid.e', type: 'revoke', revoke: { original_message_id: 'wamid.ours' } },
          ],
        },
        'smb_message_echoes',
      ),
      ['wamid.ours: body before → , revoked', 'webhook APPLIED'],
    ],
    [
      'a file of a synchronized history',
      ofNumber({ messages: [{ from: FIRST.slice(1), id: 'wamid.old', timestamp: TIME, type: 'image', image: { id: '7' } }] }, 'history'),
      ['webhook UNPARSED the history of a number that was used with the WhatsApp Business app'],
    ],
    [
      'a call that rings',
      ofNumber({ contacts, calls: [{ id: 'wacid.1', from: '16505551234', event: 'connect', direction: 'USER_INITIATED' }] }, 'calls'),
      ['webhook UNPARSED a call that is still going on'],
    ],
    [
      'a call that nobody took',
      ofNumber({ contacts, calls: [{ id: 'wacid.1', from: '16505551234', event: 'terminate', direction: 'USER_INITIATED' }] }, 'calls'),
      [`INBOUND CALL_LOG CALL NO_ANSWER of ${ADA}`, 'webhook APPLIED'],
    ],
    [
      'a sticker of Messenger',
      files('page', { type: 'sticker', payload: { url: 'https://scontent.xx.fbcdn.net/1', sticker_id: 1 } }),
      ['INBOUND MESSENGER MEDIA files=1 of MESSENGER:800', 'webhook APPLIED'],
    ],
    [
      'a post, told twice',
      files(
        'instagram',
        ...['share', 'ig_post'].map((type) => ({ type, payload: { title: 'A desk', url: 'https://lookaside.fbsbx.com/1' } })),
      ),
      ['INBOUND INSTAGRAM MEDIA "A desk" files=1 of INSTAGRAM:800', 'webhook APPLIED'],
    ],
    [
      'a change of the field messages',
      {
        object: 'instagram',
        entry: [
          {
            id: PAGE,
            changes: [
              {
                field: 'messages',
                value: { sender: { id: '800' }, recipient: { id: PAGE }, timestamp: TIME, message: { mid: 'm.1', text: 'Hi' } },
              },
            ],
          },
        ],
      },
      ['INBOUND INSTAGRAM TEXT "Hi" of INSTAGRAM:800', 'webhook APPLIED'],
    ],
    [
      'the hand-over to another app',
      item('page', { pass_thread_control: { new_owner_app_id: '1' } }),
      ['webhook UNPARSED Messenger: pass_thread_control'],
    ],
  ])('%s', async (_name, body, lines) => {
    await remember(server, { id: whatsapp, channel: 'WHATSAPP' }, [ours], { kind: 'PHONE', scope: '' })
    expect(await becomes(body)).toEqual(lines)
  })

  test('the customer stops, and resumes, marketing messages of a page', async () => {
    await remember(server, { id: messenger, channel: 'MESSENGER' }, [{ id: 'm.0', direction: 'INBOUND', address: '800' }], {
      kind: 'MESSENGER',
      scope: PAGE,
    })
    const optin = (status: string) =>
      item('page', { optin: { type: 'notification_messages', notification_messages_status: status, title: 'News' } })
    expect(await becomes(optin('STOP_NOTIFICATIONS'))).toEqual(['consent OPTED_OUT MARKETING PROVIDER', 'webhook APPLIED'])
    expect(await becomes(optin('RESUME_NOTIFICATIONS'))).toEqual(['consent OPTED_IN MARKETING PROVIDER', 'webhook APPLIED'])
  })
})

describe('a business account with two numbers', () => {
  test('news about the account is shown at both, a message at the one that it was written to', async () => {
    expect(await becomes(change('account_update', { event: 'ACCOUNT_VIOLATION', violation_info: { violation_type: 'SCAM' } }))).toEqual([
      'health account_update not ok',
      'health account_update not ok',
      'webhook APPLIED',
    ])
    await becomes(says({ type: 'text', text: { body: 'Hello' } }))
    const { rows } = await server.app.deps.pool.query('SELECT channel_account_id AS id FROM communication WHERE organization_id = $1', [
      server.organizationId,
    ])
    expect(rows).toEqual([{ id: whatsapp }])
  })

  test('a paused template is paused at both', async () => {
    const template = (channelAccountId: string) => ({
      id: newId(),
      organizationId: server.organizationId,
      channelAccountId,
      scope: channelAccountId,
      name: 'reminder',
      language: 'en',
      body: 'Hello',
      providerTemplateId: '77',
      status: 'APPROVED' as const,
    })
    await server.app.deps.db.template.createMany({ data: [whatsapp, second].map(template) })
    const news = { event: 'PAUSED', message_template_id: 77, message_template_name: 'reminder', message_template_language: 'en' }
    expect(await becomes(change('message_template_status_update', news))).toEqual([
      'template reminder en PAUSED',
      'template reminder en PAUSED',
      'webhook APPLIED',
    ])
    const jobs = () =>
      server.app.deps.pool
        .query("SELECT key FROM graphile_worker.jobs WHERE key LIKE 'sync-templates:%' ORDER BY key")
        .then(({ rows }) => rows)
    expect(await jobs()).toEqual([])
    await becomes(change('message_template_components_update', { ...news, message_template_element: 'Another text' }))
    expect(await jobs()).toEqual([whatsapp, second].sort().map((id) => ({ key: `sync-templates:${id}` })))
  })
})

test('a message that is edited, reacted to, answered and taken back is so in the graph', async () => {
  await remember(server, { id: whatsapp, channel: 'WHATSAPP' }, [ours], { kind: 'PHONE', scope: '' })
  const token = await server.app.token({ organization: 'contracts' })
  const shown = async (externalMessageId: string) => {
    const { id } = await server.app.deps.db.communication.findFirstOrThrow({ where: { externalMessageId } })
    const variables = { id: globalId('Communication', id) }
    return present(dataOf(await server.app.request(CommunicationContentDocument, variables, token)).communication)
  }
  const edit = (id: string, timestamp: string, body: string) =>
    says({ id, timestamp, type: 'edit', edit: { original_message_id: 'wamid.a', message: { type: 'text', text: { body } } } })
  await becomes(says({ id: 'wamid.a', type: 'text', text: { body: 'first' }, context: { from: FIRST, id: 'wamid.ours' } }))
  await becomes(edit('wamid.b', '1750000100', 'second'))
  await becomes(edit('wamid.c', '1750000200', 'third'))
  expect(await shown('wamid.a')).toMatchObject({
    body: 'third',
    content: { __typename: 'TextContent', text: 'third' },
    replyTo: { id: (await shown('wamid.ours')).id },
    isRevoked: false,
  })
  expect((await shown('wamid.a')).edits.map(({ body }) => body).sort()).toEqual(['first', 'second'])

  await becomes(says({ id: 'wamid.d', type: 'reaction', reaction: { message_id: 'wamid.ours', emoji: '👍' } }))
  expect((await shown('wamid.ours')).reactions).toMatchObject([{ emoji: '👍' }])
  await becomes(says({ id: 'wamid.f', timestamp: '1750000300', type: 'reaction', reaction: { message_id: 'wamid.ours', emoji: '' } }))
  expect((await shown('wamid.ours')).reactions).toEqual([])

  await becomes(says({ id: 'wamid.g', type: 'revoke', revoke: { original_message_id: 'wamid.a' } }))
  expect(await shown('wamid.a')).toMatchObject({ body: '', isRevoked: true, edits: [] })
})
