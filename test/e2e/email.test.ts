import { once } from 'node:events'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { globalId, localId } from '../../schema/global-id.ts'
import { ConnectChannelAccountDocument, SendMessageDocument, type SendMessageInput } from '../generated/graphql.ts'
import { startTestApp, type TestApp } from '../support/app.ts'
import { inboundPost, type PostedFile } from '../support/email-posts.ts'
import { eventually } from '../support/eventually.ts'
import { type FakeSendgrid, startFakeSendgrid } from '../support/fake-sendgrid.ts'
import { dataOf, member, present } from '../support/result.ts'
import { uploaded } from '../support/scripted-channel.ts'

const ADDRESS = 'desk@example.org'

let sendgrid: FakeSendgrid
let app: TestApp
let channelAccountId: string
let webhookUrl: string

beforeAll(async () => {
  sendgrid = await startFakeSendgrid()
  app = await startTestApp({ SENDGRID_API_URL: sendgrid.url })
  const credentials = { sendgrid: { apiKey: sendgrid.apiKey, webhookPublicKey: sendgrid.publicKey, unsubscribeGroupId: 17 } }
  const input = { channel: 'EMAIL' as const, name: 'Permit desk', address: 'Desk@Example.org', credentials }
  const { channelAccount } = member(
    dataOf(await app.request(ConnectChannelAccountDocument, { input })).connectChannelAccount,
    'ConnectChannelAccountSuccess',
  )
  expect(channelAccount).toMatchObject({ status: 'ACTIVE', address: ADDRESS, provider: 'SENDGRID' })
  channelAccountId = channelAccount.id
  webhookUrl = channelAccount.webhookUrl
})
afterAll(async () => {
  await app?.close()
  await sendgrid?.close()
})
beforeEach(() => {
  sendgrid.mails.length = 0
})

let count = 0

/** What a customer writes arrives; the stored message. */
async function receive(headers: Record<string, string>, text: string, more: Record<string, string> = {}, files: PostedFile[] = []) {
  const id = `${++count}.${process.pid}@mail.example.com`
  const lines = Object.entries({ To: ADDRESS, Subject: 'A permit', 'Message-ID': `<${id}>`, ...headers }).map(
    ([name, value]) => `${name}: ${value}\n`,
  )
  const envelope = JSON.stringify({ from: 'x@example.com', to: [ADDRESS] })
  const { body, headers: type } = inboundPost({ headers: lines.join(''), text, envelope, ...more }, files)
  const answer = await fetch(webhookUrl, { method: 'POST', headers: type, body: new Uint8Array(body) })
  expect(answer.status).toBe(200)
  return app.deps.db.communication.findFirstOrThrow({ where: { externalMessageId: id }, include: { attachments: true, email: true } })
}

async function send(customerId: string, input: Pick<SendMessageInput, 'content' | 'purpose'>) {
  const answer = dataOf(
    await app.request(SendMessageDocument, { input: { to: { customerId: globalId('Customer', customerId) }, channelAccountId, ...input } }),
  ).sendMessage
  const id = present(localId('Communication', member(answer, 'SendMessageSuccess').communication.id))
  const row = () => app.deps.db.communication.findUniqueOrThrow({ where: { id }, include: { email: true } })
  await eventually(async () => expect((await row()).deliveryStatus).toBe('SENT'))
  const sent = sendgrid.mails.find(({ mail }) => mail.personalizations[0]?.custom_args?.communicationId === id)
  if (sent === undefined) throw new Error('SendGrid did not get it')
  return { id, row, sent, mail: sent.mail }
}

const email = (text: string, subject = 'A permit'): SendMessageInput['content'] => ({ email: { subject, text } })
const eventsUrl = () => webhookUrl.replace(/\/inbound.*$/, '/events')
const consents = (customerId: string) =>
  app.deps.db.consentEntry.findMany({ where: { customerId }, orderBy: [{ purpose: 'asc' }, { occurredAt: 'asc' }] })

test('the address to enter at SendGrid has the secret without which nothing is taken', async () => {
  expect(webhookUrl).toMatch(/\/webhooks\/sendgrid\/demo\/inbound\?key=[\w-]{32}$/)
  const { body, headers } = inboundPost({ headers: 'From: a@example.com\n', text: 'x' })
  for (const url of [webhookUrl.replace(/\?.*/, ''), webhookUrl.slice(0, -1), webhookUrl.replace('inbound', 'events')])
    expect((await fetch(url, { method: 'POST', headers, body: new Uint8Array(body) })).status).toBe(403)
})

test('who has neither secret nor signature is refused before a byte of the body is read', async () => {
  const statusOf = async (url: string, headers = {}) => {
    const request = httpRequest(url, { method: 'POST', headers: { 'content-length': 30_000_000, ...headers } }).on('error', () => undefined)
    request.flushHeaders()
    const [answer] = (await once(request, 'response')) as [IncomingMessage]
    request.destroy()
    return answer.statusCode
  }
  const events = `${app.url}/webhooks/sendgrid/demo/events`
  expect(await statusOf(webhookUrl.replace(/key=.*/, 'key=guessed'))).toBe(403)
  expect(await statusOf(events)).toBe(403)
  expect(await statusOf(events, { 'x-twilio-email-event-webhook-signature': 'MEUCIQ==' })).toBe(403)
  expect(await statusOf(webhookUrl.replace('/demo/', '/nobody/'))).toBe(404)
})

test('an e-mail that is larger than SendGrid takes is refused before it is stored', async () => {
  const { customerId } = await receive({ From: 'Big <big@example.com>' }, 'Send me all of it')
  const size = 12_000_000
  const ids = await Promise.all(
    ['a.pdf', 'b.pdf'].map((filename) => uploaded(app, { contentType: 'application/pdf', bytes: Buffer.from('%PDF-'), filename })),
  )
  await app.deps.db.attachment.updateMany({ where: { id: { in: ids } }, data: { size } })
  const before = await app.deps.db.communication.count()
  const mail = { subject: 'All of it', text: 'Here.', html: '<p>Here.</p>', attachmentIds: ids.map((id) => globalId('Attachment', id)) }
  const input = { to: { customerId: globalId('Customer', customerId) }, channelAccountId, content: { email: mail } }
  expect(member(dataOf(await app.request(SendMessageDocument, { input })).sendMessage, 'AttachmentTooLargeError')).toMatchObject({
    // In base64, with the text and the HTML.
    message: 'The message with all its files has 32000017 bytes; this channel allows 30000000.',
    path: ['input', 'content', 'email', 'attachmentIds'],
  })
  expect(await app.deps.db.communication.count()).toBe(before)
})

describe('a conversation', () => {
  test('goes to and fro by Message-ID, References and the reply token', async () => {
    const first = await receive({ From: 'Ada <ada@example.com>', Subject: 'My permit' }, 'Is it ready?')
    const kept = await app.deps.db.webhookReceipt.findFirstOrThrow({ orderBy: { id: 'desc' } })
    expect(kept.url, 'without the secret').toBe(webhookUrl.replace(/\?.*/, ''))
    expect(first).toMatchObject({ direction: 'INBOUND', type: 'EMAIL', subject: 'My permit', body: 'Is it ready?', inReplyTo: null })

    const answer = await send(first.customerId, { content: email('Tomorrow.', 'Re: My permit') })
    expect(answer.mail).toMatchObject({
      from: { email: ADDRESS, name: 'Permit desk' },
      personalizations: [{ to: [{ email: 'ada@example.com' }] }],
      headers: {
        'Message-ID': `<${answer.id}@example.org>`,
        'In-Reply-To': `<${first.email?.messageId}>`,
        References: `<${first.email?.messageId}>`,
      },
    })
    expect(answer.mail.reply_to?.email).toMatch(/^desk\+[0-9a-z]{38}@example\.org$/)

    // By its ids.
    const references = { 'In-Reply-To': `<${answer.id}@example.org>`, References: `<${first.email?.messageId}> <${answer.id}@example.org>` }
    const second = await receive(
      { From: 'ada@example.com', Subject: 'Something else', ...references },
      'Thank you.\n\nOn Mon, Nov 9, 2026 at 10:15 AM Desk <desk@example.org> wrote:\n> Tomorrow.\n',
    )
    expect(second).toMatchObject({
      customerId: first.customerId,
      conversationId: first.conversationId,
      inReplyTo: answer.sent.id,
      body: 'Thank you.',
    })
    expect(second.email?.quotedText).toContain('> Tomorrow.')

    // By SendGrid's own Message-ID, if it had replaced ours.
    const third = await receive({ From: 'ada@example.com', 'In-Reply-To': `<${answer.sent.id}@geopod-ismtpd-1>` }, 'One more thing.')
    expect(third.inReplyTo).toBe(answer.sent.id)

    // By the token alone, in any case of letters.
    const fourth = await receive({ From: 'ada@example.com', To: (answer.mail.reply_to?.email ?? '').toUpperCase() }, 'And another.', {
      envelope: '{}',
    })
    expect(fourth).toMatchObject({ conversationId: first.conversationId, inReplyTo: answer.sent.id })

    // By its subject never.
    const fifth = await receive({ From: 'ada@example.com', Subject: 'Re: My permit' }, 'New.')
    expect(fifth).toMatchObject({ conversationId: first.conversationId, inReplyTo: null })

    const next = await send(first.customerId, { content: email('All of it.') })
    expect(next.mail.headers?.['In-Reply-To']).toBe(`<${fifth.email?.messageId}>`)
  })

  test('is joined by nobody else, whatever they quote', async () => {
    const ada = await receive({ From: 'ada2@example.com' }, 'Is it ready?')
    const answer = await send(ada.customerId, { content: email('Tomorrow.') })
    const stranger = await receive(
      {
        From: 'eve@example.com',
        To: answer.mail.reply_to?.email ?? '',
        'In-Reply-To': `<${answer.id}@example.org>`,
        Subject: 'Re: A permit',
      },
      'I am Ada.',
    )
    expect(stranger.customerId).not.toBe(ada.customerId)
    expect(stranger.conversationId).not.toBe(ada.conversationId)
    expect(stranger.inReplyTo).toBeNull()
    expect(
      await app.deps.db.mergeSuggestion.findMany({ where: { OR: [{ customerId: ada.customerId }, { otherCustomerId: ada.customerId }] } }),
    ).toHaveLength(1)

    // Ids alone, which anybody may have seen, do not even suggest it.
    const other = await receive({ From: 'mallory@example.com', 'In-Reply-To': `<${answer.id}@example.org>` }, 'Hello')
    expect(other.inReplyTo).toBeNull()
    expect(
      await app.deps.db.mergeSuggestion.count({ where: { OR: [{ customerId: other.customerId }, { otherCustomerId: other.customerId }] } }),
    ).toBe(0)

    // A token that we did not sign is none.
    const forged = (answer.mail.reply_to?.email ?? '').replace(/\+(.)/, (_all, digit: string) => `+${digit === '0' ? '1' : '0'}`)
    const liar = await receive({ From: 'trudy@example.com', To: forged }, 'Hello')
    expect(
      await app.deps.db.mergeSuggestion.count({ where: { OR: [{ customerId: liar.customerId }, { otherCustomerId: liar.customerId }] } }),
    ).toBe(0)
  })

  test('of two customers who were merged goes on in the one that is left', async () => {
    const one = await receive({ From: 'ivy@example.com' }, 'Hello')
    const other = await receive({ From: 'ivy@work.example.com' }, 'Hello')
    const answer = await send(other.customerId, { content: email('Hi') })
    const input = { survivorId: globalId('Customer', one.customerId), mergedId: globalId('Customer', other.customerId) }
    const merge = 'mutation ($input: MergeCustomersInput!) { mergeCustomers(input: $input) { __typename } }'
    expect(dataOf(await app.request(merge, { input }))).toEqual({ mergeCustomers: { __typename: 'MergeCustomersSuccess' } })
    const reply = await receive({ From: 'ivy@example.com', To: answer.mail.reply_to?.email ?? '' }, 'From my other address.')
    expect(reply).toMatchObject({ customerId: one.customerId, conversationId: one.conversationId, inReplyTo: answer.sent.id })
    expect(await app.deps.db.mergeSuggestion.count({ where: { customerId: one.customerId } })).toBe(0)
  })

  test('is received once, however often it is delivered', async () => {
    const once = await receive({ From: 'bob@example.com', 'Message-ID': '<twice@example.com>' }, 'Hello').catch(() => null)
    expect(once).toBeNull()
    await receive({ From: 'bob@example.com', 'Message-ID': '<twice@example.com>' }, 'Hello').catch(() => null)
    expect(await app.deps.db.communication.count({ where: { externalMessageId: 'twice@example.com' } })).toBe(1)
  })

  test('shows its pictures and files, and nothing that runs', async () => {
    const picture = Buffer.from(
      'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
      'base64',
    )
    const stored = await receive(
      { From: 'carl@example.com' },
      '',
      { html: '<p onclick="x()">See <img src="cid:p@1"></p><script>x()</script>', 'content-ids': '{"p@1":"attachment1"}' },
      [{ name: 'attachment1', filename: 'p.png', type: 'image/png', bytes: picture }],
    )
    expect(stored).toMatchObject({
      body: 'See',
      attachments: [{ filename: 'p.png', contentId: 'p@1', size: picture.length, status: 'STORED' }],
    })
    const query =
      '{ node(id: "ID") { ... on Communication { content { __typename ... on EmailContent { html text subject from { address } } } } } }'
    const { node } = dataOf(
      await app.request<{ node: { content: { html: string } } }, unknown>(query.replace('ID', globalId('Communication', stored.id))),
    )
    expect(node.content).toMatchObject({
      __typename: 'EmailContent',
      text: 'See',
      subject: 'A permit',
      from: { address: 'carl@example.com' },
    })
    expect(node.content.html).not.toMatch(/script|onclick|cid:/)
    const url = /src="([^"]*)"/.exec(node.content.html)?.[1]?.replaceAll('&amp;', '&') ?? ''
    const shown = await fetch(new URL(url, app.url))
    expect([shown.status, shown.headers.get('content-type'), Buffer.from(await shown.arrayBuffer()).equals(picture)]).toEqual([
      200,
      'image/png',
      true,
    ])
  })
})

describe('events', () => {
  test('move a message on, and settle one of which nobody knew whether it was sent', async () => {
    const { customerId } = await receive({ From: 'dora@example.com' }, 'Hello')
    const { sent, row } = await send(customerId, { content: email('Hi') })
    for (const [event, status] of [
      ['processed', 'SENT'],
      ['delivered', 'DELIVERED'],
      ['deferred', 'DELIVERED'],
      ['open', 'READ'],
      ['delivered', 'READ'],
    ] as const) {
      expect((await sendgrid.event(eventsUrl(), sent.id, event)).status).toBe(200)
      expect((await row()).deliveryStatus).toBe(status)
    }
    sendgrid.next({ drop: 'after' })
    const answer = dataOf(
      await app.request(SendMessageDocument, {
        input: { to: { customerId: globalId('Customer', customerId) }, channelAccountId, content: email('Again') },
      }),
    ).sendMessage
    const id = present(localId('Communication', member(answer, 'SendMessageSuccess').communication.id))
    const lost = () => app.deps.db.communication.findUniqueOrThrow({ where: { id } })
    await eventually(async () => expect((await lost()).deliveryStatus).toBe('UNKNOWN'))
    const accepted = sendgrid.mails.at(-1)
    await sendgrid.event(eventsUrl(), accepted?.id ?? '', 'delivered')
    expect(await lost()).toMatchObject({ deliveryStatus: 'DELIVERED', externalMessageId: accepted?.id })
  })

  test('a bounce and a spam report are failures, and end what may be sent', async () => {
    for (const [from, event, source] of [
      ['frank@example.com', 'bounce', 'BOUNCE'],
      ['greta@example.com', 'spamreport', 'SPAM_REPORT'],
    ] as const) {
      const { customerId } = await receive({ From: from }, 'Hello')
      const { sent, row } = await send(customerId, { content: email('Hi') })
      await sendgrid.event(eventsUrl(), sent.id, 'delivered')
      const same = { sg_event_id: `same-${event}`, timestamp: 1_700_000_000, type: 'bounce', status: '5.1.1', reason: 'No such user' }
      await sendgrid.event(eventsUrl(), sent.id, event, same)
      await sendgrid.event(eventsUrl(), sent.id, event, same)
      expect((await row()).deliveryStatus).toBe('FAILED')
      expect(await consents(customerId)).toMatchObject([
        { purpose: 'TRANSACTIONAL', state: 'OPTED_OUT', source },
        { purpose: 'MARKETING', state: 'OPTED_OUT', source },
      ])
      expect(await app.deps.db.receipt.count({ where: { communicationId: (await row()).id, status: 'FAILED' } })).toBe(1)
      const again = dataOf(
        await app.request(SendMessageDocument, {
          input: { to: { customerId: globalId('Customer', customerId) }, channelAccountId, content: email('Once more') },
        }),
      ).sendMessage
      expect(again).toMatchObject({ __typename: 'RecipientOptedOutError' })
    }
  })

  test('marketing can be unsubscribed from with one click', async () => {
    const { customerId } = await receive({ From: 'hugo@example.com' }, 'Hello')
    const { mail } = await send(customerId, { content: email('News'), purpose: 'MARKETING' })
    expect(mail.asm).toEqual({ group_id: 17 })
    expect(mail.headers).not.toHaveProperty('In-Reply-To')
    const link = /<(http[^>]*)>/.exec(mail.headers?.['List-Unsubscribe'] ?? '')?.[1] ?? ''
    const press = (url: string) =>
      fetch(url, { method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: 'List-Unsubscribe=One-Click' })
    expect((await press(link.replace(/signature=(.)/, (_, first) => `signature=${first === 'A' ? 'B' : 'A'}`))).status).toBe(403)
    expect((await press(link)).status).toBe(200)
    expect(await consents(customerId)).toMatchObject([{ purpose: 'MARKETING', state: 'OPTED_OUT', source: 'UNSUBSCRIBE' }])
    await send(customerId, { content: email('Your permit') })
  })

  test('with another signature are not believed', async () => {
    const other = await startFakeSendgrid()
    expect((await other.events(eventsUrl(), [{ event: 'delivered', sg_message_id: 'x' }])).status).toBe(403)
    await other.close()
  })
})
