import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  ChannelAccountsDocument,
  CheckChannelAccountDocument,
  ConnectChannelAccountDocument,
  type ConnectChannelAccountInput,
  ConversationThreadDocument,
  CreateCustomerDocument,
  DisconnectChannelAccountDocument,
  InboxDocument,
  SendabilityDocument,
  SendMessageDocument,
  UpdateChannelAccountDocument,
} from '../generated/graphql.ts'
import { startTestApp, type TestApp } from '../support/app.ts'
import { type FakeTwilio, startFakeTwilio } from '../support/fake-twilio.ts'
import { openOrganization, type TestOrganization } from '../support/organization.ts'
import { member, present } from '../support/result.ts'

let app: TestApp
let fake: FakeTwilio

beforeAll(async () => {
  fake = await startFakeTwilio()
  app = await startTestApp({ TWILIO_API_URL: fake.url })
})
afterAll(async () => {
  await app?.close()
  await fake?.close()
})

describe.each(['SANDBOX', 'TWILIO'] as const)('channel accounts of %s', (provider) => {
  let org: TestOrganization
  let customers = 0
  const number = () => `+90555${String(2220000 + customers++)}`
  const secret = () => (provider === 'TWILIO' ? fake.credentials.authToken : 'the sandbox secret')
  const credentials = () => (provider === 'TWILIO' ? { twilio: fake.credentials } : { sandbox: { authToken: secret() } })

  beforeAll(async () => {
    org = await openOrganization(app, { slug: provider.toLowerCase(), credentials: credentials(), authToken: secret() })
  })

  const accounts = async () => (await org.ask(ChannelAccountsDocument)).channelAccounts
  const connect = async (input: Partial<ConnectChannelAccountInput>) =>
    (
      await org.ask(ConnectChannelAccountDocument, {
        input: { channel: 'SMS', name: 'Line', address: '+14155550100', credentials: credentials(), ...input },
      })
    ).connectChannelAccount
  const disconnect = async (channelAccountId: string) =>
    (await org.ask(DisconnectChannelAccountDocument, { input: { channelAccountId } })).disconnectChannelAccount
  const check = async (channelAccountId: string) =>
    member((await org.ask(CheckChannelAccountDocument, { input: { channelAccountId } })).checkChannelAccount, 'CheckChannelAccountSuccess')
      .channelAccount.health

  test('the list says what each can do, and where the provider is to post, but no secret', async () => {
    const listed = await accounts()
    expect(listed.map(({ channel, provider: by, status }) => [channel, by, status])).toEqual([
      ['SMS', provider, 'ACTIVE'],
      ['WHATSAPP', provider, 'ACTIVE'],
    ])
    expect(listed[0]).toMatchObject({
      webhookUrl: `${app.url}/webhooks/twilio/${org.slug}/sms`,
      capabilities: { textLimit: 1600, textLimitUnit: 'CHARACTERS', messagingWindowHours: null, inbound: true },
      // Twilio knows the account, but not (yet) the number.
      health: { status: provider === 'TWILIO' ? 'UNHEALTHY' : 'HEALTHY', checkedAt: expect.any(String) },
    })
    expect(listed[1]?.capabilities).toMatchObject({ messagingWindowHours: 24, readReceipts: true, content: ['TEXT', 'TEMPLATE', 'MEDIA'] })
    expect(JSON.stringify(listed)).not.toContain(secret())
  })

  test('credentials are encrypted in the database', async () => {
    const rows = await app.deps.db.channelAccount.findMany({ where: { organizationId: org.id } })
    for (const row of rows) {
      expect(present(row.credentialsKey)).toMatch(/^[0-9a-f]{8}$/)
      expect(Buffer.from(present(row.credentials)).includes(secret())).toBe(false)
    }
  })

  test('an account is connected, renamed, checked, disconnected and taken up again with its conversations', async () => {
    const { channelAccount } = member(await connect({ name: 'Second line', address: '+1 (415) 555-0101' }), 'ConnectChannelAccountSuccess')
    const { id } = channelAccount
    expect(channelAccount).toMatchObject({ address: '+14155550101', provider, status: 'ACTIVE' })
    expect(member(await connect({ address: '+14155550101' }), 'AlreadyExistsError').path).toEqual(['input', 'address'])

    const renamed = await org.ask(UpdateChannelAccountDocument, { input: { channelAccountId: id, name: 'Renamed' } })
    expect(member(renamed.updateChannelAccount, 'UpdateChannelAccountSuccess').channelAccount.name).toBe('Renamed')
    const answer = { to: { address: number() }, channelAccountId: id, content: { text: 'from the second line' } }
    const sent = member((await org.ask(SendMessageDocument, { input: answer })).sendMessage, 'SendMessageSuccess').communication
    const conversationId = present(sent.conversation).id

    expect(member(await disconnect(id), 'DisconnectChannelAccountSuccess').channelAccount.status).toBe('DISCONNECTED')
    expect((await accounts()).find((account) => account.id === id)?.status).toBe('DISCONNECTED')
    const row = await app.deps.db.channelAccount.findFirstOrThrow({ where: { organizationId: org.id, address: '+14155550101' } })
    expect([row.credentials, row.credentialsKey]).toEqual([null, null])
    const refusals = {
      send: (await org.ask(SendMessageDocument, { input: { to: { conversationId }, content: { text: 'no' } } })).sendMessage,
      update: (await org.ask(UpdateChannelAccountDocument, { input: { channelAccountId: id, name: 'no' } })).updateChannelAccount,
      check: (await org.ask(CheckChannelAccountDocument, { input: { channelAccountId: id } })).checkChannelAccount,
    }
    expect(Object.values(refusals).map((refusal) => refusal?.__typename)).toEqual(Array(3).fill('ChannelNotConnectedError'))
    expect((await org.ask(ConversationThreadDocument, { id: conversationId })).conversation?.channelAccount.id).toBe(id)

    const again = member(await connect({ name: 'Again', address: '+14155550101' }), 'ConnectChannelAccountSuccess').channelAccount
    expect(again).toMatchObject({ id, name: 'Again', status: 'ACTIVE' })
    const revived = await org.ask(SendMessageDocument, { input: { to: { conversationId }, content: { text: 'back' } } })
    expect(member(revived.sendMessage, 'SendMessageSuccess').communication.conversation).toEqual({ id: conversationId })
    await disconnect(id)
  })

  test('a check tells what is wrong and what to do', async () => {
    if (provider === 'SANDBOX') {
      expect(await check(org.sms.id)).toEqual({
        status: 'HEALTHY',
        checks: [{ name: 'sandbox', ok: true, message: expect.stringContaining('sandbox') }],
      })
      return
    }
    expect((await check(org.sms.id)).status).toBe('UNHEALTHY')
    fake.account.numbers = [{ phoneNumber: org.sms.address, smsUrl: 'https://elsewhere.example/', smsMethod: 'POST' }]
    const wrong = await check(org.sms.id)
    expect(wrong.checks.find(({ ok }) => !ok)?.message).toContain(org.sms.webhookUrl)
    fake.account.numbers = [{ phoneNumber: org.sms.address, smsUrl: org.sms.webhookUrl, smsMethod: 'POST' }]
    expect(await check(org.sms.id)).toMatchObject({ status: 'HEALTHY', checks: [{ ok: true }, { ok: true }, { ok: true }] })
    expect((await accounts())[0]?.health).toMatchObject({ status: 'HEALTHY', checkedAt: expect.any(String) })
  })

  test('an account says how many messages a second its provider takes', async () => {
    const { channelAccount } = member(await connect({ address: '+14155550107' }), 'ConnectChannelAccountSuccess')
    const limit = async (messagesPerSecond: number | null) =>
      (await org.ask(UpdateChannelAccountDocument, { input: { channelAccountId: channelAccount.id, messagesPerSecond } }))
        .updateChannelAccount
    const kept = async () => {
      const query = 'query ($id: ID!) { node(id: $id) { ... on ChannelAccount { messagesPerSecond capabilities { messagesPerSecond } } } }'
      type Kept = { node: { messagesPerSecond: number | null; capabilities: { messagesPerSecond: number | null } } }
      return (await org.ask<Kept, object>(query, { id: channelAccount.id })).node
    }
    const usual = { messagesPerSecond: null, capabilities: { messagesPerSecond: 100 } }
    expect(await kept()).toEqual(usual)
    member(await limit(250), 'UpdateChannelAccountSuccess')
    expect(await kept()).toEqual({ ...usual, messagesPerSecond: 250 })
    for (const wrong of [0, -1, 10_001]) {
      expect(member(await limit(wrong), 'ValidationError')).toMatchObject({
        message: `messagesPerSecond must be from 1 to 10000, not ${wrong}.`,
        path: ['input', 'messagesPerSecond'],
      })
    }
    member(await limit(null), 'UpdateChannelAccountSuccess')
    expect(await kept()).toEqual(usual)
    await disconnect(channelAccount.id)
  })

  test('new credentials sign the webhooks from then on', async () => {
    const { channelAccount } = member(await connect({ address: '+14155550102' }), 'ConnectChannelAccountSuccess')
    const other = provider === 'TWILIO' ? { twilio: { ...fake.credentials, authToken: 'another' } } : { sandbox: { authToken: 'another' } }
    const updated = await org.ask(UpdateChannelAccountDocument, { input: { channelAccountId: channelAccount.id, credentials: other } })
    // Twilio does not know the other token: nothing is received any more, by whatever it is signed.
    const status = provider === 'TWILIO' ? 'PENDING' : 'ACTIVE'
    expect(member(updated.updateChannelAccount, 'UpdateChannelAccountSuccess').channelAccount.status).toBe(status)
    const message = { To: '+14155550102' }
    const refusal = provider === 'TWILIO' ? '404' : '403'
    await expect(org.sms.inbound(number(), 'signed by the old token', message)).rejects.toThrow(refusal)
    const wrongProvider = provider === 'TWILIO' ? { sandbox: {} } : { twilio: fake.credentials }
    const refused = await org.ask(UpdateChannelAccountDocument, {
      input: { channelAccountId: channelAccount.id, credentials: wrongProvider },
    })
    expect(member(refused.updateChannelAccount, 'ValidationError').path).toEqual(['input', 'credentials'])
    await disconnect(channelAccount.id)
  })

  describe('sendability', () => {
    const states = async (customerId: string) => {
      const { sendability } = present((await org.ask(SendabilityDocument, { customerId })).customer)
      return Object.fromEntries(
        sendability.map(({ channel, canSend, templatesOnly, reason }) => [channel, { canSend, templatesOnly, reason }]),
      )
    }
    const open = { canSend: true, templatesOnly: false, reason: null }
    const closed = { canSend: true, templatesOnly: true, reason: 'MESSAGING_WINDOW_CLOSED' }

    test('without an address nothing can be sent', async () => {
      const input = { name: 'By mail only', identities: [{ kind: 'EMAIL' as const, value: 'mail@example.com' }] }
      const { customer } = member((await org.ask(CreateCustomerDocument, { input })).createCustomer, 'CreateCustomerSuccess')
      const none = { canSend: false, templatesOnly: false, reason: 'NO_ADDRESS' }
      expect(await states(customer.id)).toEqual({ SMS: none, WHATSAPP: none })
      const refused = await org.ask(SendMessageDocument, { input: { to: { customerId: customer.id }, content: { text: 'x' } } })
      expect(member(refused.sendMessage, 'ValidationError').path).toEqual(['input', 'to', 'customerId'])
    })

    test('the window opens with the customer’s message, closes after 24 hours, and STOP and START decide', async () => {
      const from = number()
      await org.sms.inbound(from, 'hello')
      const { conversations } = await org.ask(InboxDocument, { filter: { search: from } })
      const customerId = present(conversations.nodes[0]).customer.id
      const send = async (channel: 'SMS' | 'WHATSAPP') =>
        (await org.ask(SendMessageDocument, { input: { to: { customerId }, channel, content: { text: 'x' } } })).sendMessage
      expect(await states(customerId)).toEqual({ SMS: open, WHATSAPP: closed })
      expect(member(await send('WHATSAPP'), 'MessagingWindowClosedError')).toMatchObject({ expiredAt: null, path: ['input', 'content'] })

      await org.whatsapp.inbound(from, 'on WhatsApp too')
      expect(await states(customerId)).toEqual({ SMS: open, WHATSAPP: open })
      const { sendability } = present((await org.ask(SendabilityDocument, { customerId })).customer)
      const expiresAt = present(sendability.find(({ channel }) => channel === 'WHATSAPP')?.windowExpiresAt)
      const { clock } = app.deps
      try {
        app.deps.clock = () => new Date(Date.parse(expiresAt))
        expect(await states(customerId)).toEqual({ SMS: open, WHATSAPP: closed })
        expect(member(await send('WHATSAPP'), 'MessagingWindowClosedError').expiredAt).toBe(expiresAt)
      } finally {
        app.deps.clock = clock
      }

      await org.whatsapp.inbound(from, ' stop ')
      expect((await states(customerId)).WHATSAPP).toEqual({ canSend: false, templatesOnly: false, reason: 'OPTED_OUT' })
      expect((await states(customerId)).SMS).toEqual(open)
      expect(member(await send('WHATSAPP'), 'RecipientOptedOutError').path).toEqual(['input', 'to'])
      await org.whatsapp.inbound(from, 'Start')
      expect((await states(customerId)).WHATSAPP).toEqual(open)
      member(await send('WHATSAPP'), 'SendMessageSuccess')
    })

    test('a disconnected account is not listed', async () => {
      const { customer } = member(
        (await org.ask(CreateCustomerDocument, { input: { identities: [{ kind: 'PHONE', value: number() }] } })).createCustomer,
        'CreateCustomerSuccess',
      )
      const { channelAccount } = member(await connect({ address: '+14155550103' }), 'ConnectChannelAccountSuccess')
      const listed = async () => {
        const { sendability } = present((await org.ask(SendabilityDocument, { customerId: customer.id })).customer)
        return sendability.some((row) => row.channelAccount.id === channelAccount.id)
      }
      expect(await listed()).toBe(true)
      await disconnect(channelAccount.id)
      expect(await listed()).toBe(false)
    })
  })
})
