import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { newId } from '../../src/domain/ids.ts'
import {
  ChannelAccountsDocument,
  type ChannelAccountsQuery,
  CheckChannelAccountDocument,
  ConnectChannelAccountDocument,
  type ConnectChannelAccountInput,
  DisconnectChannelAccountDocument,
  SendMessageDocument,
  UpdateChannelAccountDocument,
} from '../generated/graphql.ts'
import { startTestApp, type TestApp } from '../support/app.ts'
import { type FakeTwilio, startFakeTwilio } from '../support/fake-twilio.ts'
import { dataOf, member, present } from '../support/result.ts'

const VERIFY_TOKEN = 'a verify token of ours'

let app: TestApp
let fake: FakeTwilio
beforeAll(async () => {
  fake = await startFakeTwilio()
  app = await startTestApp({
    TWILIO_API_URL: fake.url,
    META_VERIFY_TOKEN: VERIFY_TOKEN,
    META_APP_ID: '1',
    META_APP_SECRET: 'secret',
    SENDGRID_API_URL: 'http://127.0.0.1:1',
  })
})
afterAll(async () => {
  await app?.close()
  await fake?.close()
})
afterEach(() => {
  Object.assign(fake.account, { status: 'active', silent: false })
})

type Account = ChannelAccountsQuery['channelAccounts'][number]
let addresses = 0
const newAddress = () => `+1415555${String(7000 + addresses++)}`
const accountAt = async (address: string): Promise<Account> =>
  present(dataOf(await app.request(ChannelAccountsDocument)).channelAccounts.find((account) => account.address === address))
const wrong = () => ({ twilio: { ...fake.credentials, authToken: 'wrong' } })
const right = () => ({ twilio: fake.credentials })

async function connect(input: Partial<ConnectChannelAccountInput> = {}): Promise<Account> {
  const address = input.address ?? newAddress()
  const all: ConnectChannelAccountInput = { channel: 'SMS', name: 'Line', credentials: right(), ...input, address }
  member(dataOf(await app.request(ConnectChannelAccountDocument, { input: all })).connectChannelAccount, 'ConnectChannelAccountSuccess')
  return accountAt(address)
}
async function check(account: Account): Promise<Account> {
  const input = { channelAccountId: account.id }
  member(dataOf(await app.request(CheckChannelAccountDocument, { input })).checkChannelAccount, 'CheckChannelAccountSuccess')
  return accountAt(account.address)
}
async function update(account: Account, credentials: ConnectChannelAccountInput['credentials']): Promise<Account> {
  const input = { channelAccountId: account.id, credentials }
  member(dataOf(await app.request(UpdateChannelAccountDocument, { input })).updateChannelAccount, 'UpdateChannelAccountSuccess')
  return accountAt(account.address)
}
const received = async (account: Account): Promise<number> =>
  (await fake.inbound({ url: account.webhookUrl, to: account.address, from: '+905551112233', body: 'Hello' })).status
const sent = async (account: Account) => {
  const input = { to: { address: '+905551112233' }, channelAccountId: account.id, content: { text: 'Hello' } }
  const answer = dataOf(await app.request(SendMessageDocument, { input })).sendMessage
  return answer?.__typename === 'ChannelNotConnectedError' ? answer.message : answer?.__typename
}

describe('an account becomes active when the provider confirms it', () => {
  test('wrong credentials leave it pending, with a sentence, and nothing goes in or out', async () => {
    const account = await connect({ credentials: wrong() })
    expect(account).toMatchObject({
      status: 'PENDING',
      health: {
        status: 'UNHEALTHY',
        checks: [{ name: 'credentials', ok: false, message: expect.stringContaining('check the credentials') }],
      },
    })
    expect(await received(account)).toBe(404)
    expect(await sent(account)).toMatch(/has not confirmed “Line” yet: see its health/)
    const again = { channel: 'SMS' as const, name: 'Twice', address: account.address, credentials: right() }
    const twice = await app.request(ConnectChannelAccountDocument, { input: again })
    member(dataOf(twice).connectChannelAccount, 'AlreadyExistsError')

    const active = await update(account, right())
    expect(active).toMatchObject({ id: account.id, status: 'ACTIVE' })
    expect(await received(active)).toBe(200)
    expect(await sent(active)).toBe('SendMessageSuccess')
    expect(await update(active, wrong())).toMatchObject({ status: 'PENDING' })
    expect(await received(active)).toBe(404)
  })

  test('a provider that does not answer leaves it pending until it is checked', async () => {
    fake.account.silent = true
    const account = await connect()
    expect(account).toMatchObject({
      status: 'PENDING',
      health: { checks: [{ name: 'credentials', ok: false, message: expect.stringContaining('Try again later') }] },
    })
    expect(await check(account)).toMatchObject({ status: 'PENDING' })
    fake.account.silent = false
    expect(await check(account)).toMatchObject({
      status: 'ACTIVE',
      health: { checks: [{ name: 'credentials', ok: true }, { name: 'number' }] },
    })
  })

  test('a check takes an account out of use when the provider refuses it, not when the provider is silent', async () => {
    const account = await connect()
    expect(account.status).toBe('ACTIVE')
    fake.account.silent = true
    expect(await check(account)).toMatchObject({ status: 'ACTIVE', health: { status: 'UNHEALTHY' } })
    expect(await received(account)).toBe(200)
    fake.account.silent = false
    fake.account.status = 'suspended'
    expect(await check(account)).toMatchObject({
      status: 'PENDING',
      health: { checks: [{ message: expect.stringContaining('suspended') }] },
    })
    expect(await received(account)).toBe(404)
    fake.account.status = 'active'
    expect(await check(account)).toMatchObject({ status: 'ACTIVE' })
  })

  test('a number that is not set up yet does not keep it from being active', async () => {
    expect(await connect()).toMatchObject({ status: 'ACTIVE', health: { status: 'UNHEALTHY' } })
  })

  test('one that was disconnected is taken up again only as far as the provider confirms it', async () => {
    const account = await connect()
    const input = { channelAccountId: account.id }
    dataOf(await app.request(DisconnectChannelAccountDocument, { input }))
    expect(await sent(account)).toMatch(/“Line” is disconnected: connect it again/)
    expect(await accountAt(account.address)).toMatchObject({ status: 'DISCONNECTED', health: { status: 'UNKNOWN', checks: [] } })
    expect(await connect({ address: account.address, credentials: wrong() })).toMatchObject({ id: account.id, status: 'PENDING' })
    expect(await check(account)).toMatchObject({ status: 'PENDING' })
    expect(await update(account, right())).toMatchObject({ id: account.id, status: 'ACTIVE' })
  })
})

describe('credentials', () => {
  const refusal = async (input: Pick<ConnectChannelAccountInput, 'channel' | 'address' | 'credentials'>) => {
    const answer = dataOf(await app.request(ConnectChannelAccountDocument, { input: { name: 'Line', ...input } })).connectChannelAccount
    const { message, path } = member(answer, 'ValidationError')
    return { message, path }
  }

  test('the field that is wrong is named', async () => {
    const twilio = { accountSid: 'SK1', authToken: 'x' }
    expect(await refusal({ channel: 'SMS', address: newAddress(), credentials: { twilio } })).toEqual({
      message: expect.stringMatching(/^accountSid: must be a Twilio account SID/),
      path: ['input', 'credentials', 'twilio', 'accountSid'],
    })
  })
  test('the field that the channel needs is named', async () => {
    const meta = { accessToken: 'EAAtoken', phoneNumberId: '106540352242922' }
    expect(await refusal({ channel: 'WHATSAPP', address: newAddress(), credentials: { meta } })).toEqual({
      message: 'businessAccountId: is needed for WHATSAPP by META.',
      path: ['input', 'credentials', 'meta', 'businessAccountId'],
    })
    expect(await refusal({ channel: 'MESSENGER', address: '1906385232743451', credentials: { meta: { pageId: '1' } } })).toMatchObject({
      path: ['input', 'credentials', 'meta', 'pageAccessToken'],
    })
  })
  test('an address that is none is told what one is', async () => {
    const meta = { pageAccessToken: 'EAAtoken', pageId: '1' }
    expect(await refusal({ channel: 'MESSENGER', address: 'Our Page', credentials: { meta } })).toEqual({
      message:
        '"Our Page" is not an address for MESSENGER: it must be an id of Facebook’s, digits only: for a channel that of its page, not the page’s name.',
      path: ['input', 'address'],
    })
    expect(await refusal({ channel: 'WEBCHAT', address: '9 lives', credentials: { parley: {} } })).toMatchObject({
      message: expect.stringMatching(/begins with a letter/),
    })
  })
  test('a provider without the channel is named', async () => {
    expect(await refusal({ channel: 'EMAIL', address: 'a@example.com', credentials: right() })).toEqual({
      message: 'TWILIO does not offer the channel EMAIL.',
      path: ['input', 'channel'],
    })
  })
})

describe('what is to be entered at the provider', () => {
  const setUp = /* GraphQL */ `{
    channelAccounts { address status webhookUrl webhookEventsUrl webhookCallsUrl webhookVerifyToken
      capabilities { captionLimit businessInitiated humanAgentHours templatesNeedApproval quotedReplies maxAttachments
        maxMessageBytes media { kind maxBytes types captions } interactive { maxButtons maxRows maxTitle maxRowTitle maxBody } } }
  }`
  type SetUp = {
    channelAccounts: {
      address: string
      webhookUrl: string
      webhookEventsUrl: string | null
      webhookCallsUrl: string | null
      webhookVerifyToken: string | null
    }[]
  }
  const seenBy = async (role: 'ADMIN' | 'AGENT' | 'VIEWER', address: string) => {
    const answer = await app.request<SetUp, never>(setUp, undefined, await app.token({ role }))
    return present(dataOf(answer).channelAccounts.find((account) => account.address === address))
  }

  test('Meta: one address for all organizations, and the verify token for ADMINs', async () => {
    const organization = await app.deps.db.organization.findUniqueOrThrow({ where: { slug: 'demo' } })
    const row = {
      organizationId: organization.id,
      channel: 'MESSENGER',
      provider: 'META',
      name: 'Page',
      address: '555',
      status: 'PENDING',
    } as const
    await app.deps.db.channelAccount.create({ data: { id: newId(), ...row } })
    const webhookUrl = `${app.url}/webhooks/meta`
    expect(await seenBy('ADMIN', '555')).toMatchObject({
      webhookUrl,
      webhookEventsUrl: null,
      webhookCallsUrl: null,
      webhookVerifyToken: VERIFY_TOKEN,
    })
    for (const role of ['AGENT', 'VIEWER'] as const) {
      expect(await seenBy(role, '555')).toMatchObject({ webhookUrl, webhookVerifyToken: null })
    }
  })

  test('Twilio: a number for SMS has an address for its calls, others have none', async () => {
    const [sms, whatsapp] = ['+15005550016', '+15005550017']
    await connect({ channel: 'SMS', address: sms, credentials: { sandbox: {} } })
    await connect({ channel: 'WHATSAPP', address: whatsapp, credentials: { sandbox: {} } })
    const at = (segment: string) => `${app.url}/webhooks/twilio/demo/${segment}`
    expect(await seenBy('VIEWER', sms)).toMatchObject({ webhookUrl: at('sms'), webhookEventsUrl: null, webhookCallsUrl: at('voice') })
    expect(await seenBy('ADMIN', whatsapp)).toMatchObject({ webhookUrl: at('whatsapp'), webhookCallsUrl: null })
  })

  test('SendGrid: two addresses, whose secret is for ADMINs', async () => {
    const inboundSecret = 'a-secret-of-many-letters'
    const { address } = await connect({
      channel: 'EMAIL',
      address: 'mail@example.com',
      credentials: { sendgrid: { apiKey: 'SG.x.y', inboundSecret } },
    })
    const forAdmins = await seenBy('ADMIN', address)
    expect(forAdmins.webhookUrl).toContain(`${app.url}/webhooks/sendgrid/demo/inbound?`)
    expect(forAdmins.webhookUrl).toContain(inboundSecret)
    expect(forAdmins.webhookEventsUrl).toContain(`${app.url}/webhooks/sendgrid/demo/events`)
    const others = await seenBy('AGENT', address)
    expect(others).toMatchObject({ webhookUrl: `${app.url}/webhooks/sendgrid/demo/inbound` })
    expect(JSON.stringify(others)).not.toContain(inboundSecret)
  })

  test('the web chat needs no provider and is active at once', async () => {
    const account = await connect({ channel: 'WEBCHAT', address: 'website', credentials: { parley: {} } })
    expect(account).toMatchObject({ status: 'ACTIVE', webhookUrl: `${app.url}/graphql`, health: { status: 'HEALTHY' } })
  })

  test('what a channel takes is told as it is, and no more than this server takes', async () => {
    const query = '{ channelAccounts { channel capabilities { maxMessageBytes media { kind maxBytes captions } } } }'
    type Told = { maxMessageBytes: number | null; media: { kind: string; maxBytes: number; captions: boolean }[] }
    const { channelAccounts } = dataOf(await app.request<{ channelAccounts: { channel: string; capabilities: Told }[] }, never>(query))
    const told = (channel: string) => present(channelAccounts.find((account) => account.channel === channel)).capabilities
    expect(told('SMS').maxMessageBytes).toBe(5_000_000)
    expect(told('EMAIL').maxMessageBytes).toBe(30_000_000)
    expect(told('MESSENGER').maxMessageBytes).toBeNull()
    expect(told('WHATSAPP').media).toContainEqual({ kind: 'VOICE', maxBytes: 16_000_000, captions: false })
    // Messenger takes 25 MB, this server 20.
    expect(told('MESSENGER').media).toContainEqual({ kind: 'IMAGE', maxBytes: 20_000_000, captions: false })
  })

  test('Twilio: no second address and no token; the limits are told', async () => {
    const { address } = await connect({ channel: 'RCS', address: 'acme_agent', credentials: right() })
    expect(await seenBy('ADMIN', address)).toMatchObject({
      status: 'ACTIVE',
      webhookUrl: `${app.url}/webhooks/twilio/demo/rcs`,
      webhookEventsUrl: null,
      webhookVerifyToken: null,
      capabilities: {
        captionLimit: 3072,
        businessInitiated: true,
        humanAgentHours: null,
        templatesNeedApproval: false,
        quotedReplies: false,
        maxAttachments: 1,
        maxMessageBytes: 16_000_000,
        media: expect.arrayContaining([
          { kind: 'IMAGE', maxBytes: 16_000_000, types: ['image/jpeg', 'image/png', 'image/gif'], captions: true },
        ]),
        interactive: null,
      },
    })
  })
})
