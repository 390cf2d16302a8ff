import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { globalId } from '../../schema/global-id.ts'
import { type ChannelType, ConversationThreadDocument, CreateTemplateDocument, SendabilityDocument } from '../generated/graphql.ts'
import { eventually } from '../support/eventually.ts'
import { newSid } from '../support/fake-twilio.ts'
import { rowCounts, settledRowCounts } from '../support/row-counts.ts'
import { jobsOf, runNow } from '../support/send-jobs.ts'
import { newPhone, startTwilioInbox, type TwilioInbox } from '../support/twilio-inbox.ts'

const HOUR = 3_600_000
const LIMIT = 1600

let inbox: TwilioInbox
let approved: string
let ours: string

beforeAll(async () => {
  inbox = await startTwilioInbox()
  approved = await template('Approved', newSid('HX'))
  ours = await template('Ours', null)
})
afterAll(() => inbox.close())

async function template(name: string, providerTemplateId: string | null): Promise<string> {
  const input = { name, body: 'Your permit is ready.', providerTemplateId }
  const { data } = await inbox.app.request(CreateTemplateDocument, { input })
  const answer = data?.createTemplate
  if (answer?.__typename !== 'CreateTemplateSuccess') throw new Error(`no template: ${JSON.stringify(answer)}`)
  return answer.template.id
}

const byTemplate = (templateId: string) => ({ template: { templateId } })
const text = { text: 'Hello' }

/** A conversation that the customer has just opened by WhatsApp. */
async function opened() {
  const phone = newPhone()
  const { messageSid } = await inbox.inbound(inbox.whatsapp, `whatsapp:${phone}`)
  const { conversationId, customerId } = await inbox.app.deps.db.communication.findFirstOrThrow({
    where: { externalMessageId: messageSid },
  })
  const rowId = conversationId ?? ''
  const id = globalId('Conversation', rowId)
  return {
    to: { conversationId: id },
    phone,
    /** Moves the end of the window to this many hours from now; gives the time. */
    async endsIn(hours: number) {
      const windowExpiresAt = new Date(Date.now() + hours * HOUR)
      await inbox.app.deps.db.conversation.update({ where: { id: rowId }, data: { windowExpiresAt } })
      return windowExpiresAt.toISOString()
    },
    window: async () => (await inbox.app.request(ConversationThreadDocument, { id })).data?.conversation?.messagingWindow,
    async sendability() {
      const { data } = await inbox.app.request(SendabilityDocument, { customerId: globalId('Customer', customerId) })
      return data?.customer?.sendability.find(({ channelAccount }) => channelAccount?.id === inbox.whatsapp.id)
    },
  }
}

const reaches = (id: string, expected: object) => eventually(async () => expect(await inbox.row(id)).toMatchObject(expected))

describe('WhatsApp’s messaging window', () => {
  test('is closed before the customer’s first message, and nothing is stored', async () => {
    const before = await settledRowCounts(inbox.app.deps.pool)
    const to = { address: newPhone() }
    expect(await inbox.trySend({ to, channelAccountId: inbox.whatsapp.id, content: text })).toMatchObject({
      __typename: 'MessagingWindowClosedError',
      code: 'MESSAGING_WINDOW_CLOSED',
      expiredAt: null,
      path: ['input', 'content'],
    })
    expect(await rowCounts(inbox.app.deps.pool)).toEqual(before)
  })

  test('is opened for 24 hours by each message of the customer', async () => {
    const conversation = await opened()
    const asked = Date.now()
    const window = await conversation.window()
    expect(window).toMatchObject({ isOpen: true })
    const left = Date.parse(window?.expiresAt ?? '') - asked
    expect(left).toBeLessThanOrEqual(24 * HOUR)
    expect(left).toBeGreaterThan(24 * HOUR - 60_000)
    await conversation.endsIn(-1)
    expect(await conversation.window()).toMatchObject({ isOpen: false })
    await inbox.inbound(inbox.whatsapp, `whatsapp:${conversation.phone}`)
    expect(await conversation.window()).toMatchObject({ isOpen: true })
    await reaches(await inbox.send({ to: conversation.to, content: text }), { deliveryStatus: 'SENT' })
  })

  test('is not opened by our own messages', async () => {
    const conversation = await opened()
    const expiresAt = await conversation.endsIn(-1)
    await inbox.send({ to: conversation.to, content: byTemplate(approved) })
    expect(await conversation.window()).toEqual({ isOpen: false, expiresAt })
  })

  test('is closed after it ended: the error says when', async () => {
    const conversation = await opened()
    const expiredAt = await conversation.endsIn(-1)
    expect(await inbox.trySend({ to: conversation.to, content: text })).toMatchObject({
      __typename: 'MessagingWindowClosedError',
      expiredAt,
    })
    expect(await conversation.sendability()).toMatchObject({
      canSend: true,
      templatesOnly: true,
      reason: 'MESSAGING_WINDOW_CLOSED',
      windowExpiresAt: expiredAt,
    })
  })

  test('lets a template through that the provider has approved, and no other', async () => {
    const conversation = await opened()
    await conversation.endsIn(-1)
    expect(await inbox.trySend({ to: conversation.to, content: byTemplate(ours) })).toMatchObject({
      __typename: 'MessagingWindowClosedError',
    })
    await reaches(await inbox.send({ to: conversation.to, content: byTemplate(approved) }), { deliveryStatus: 'SENT' })
    const first = { to: { address: newPhone() }, channelAccountId: inbox.whatsapp.id }
    await reaches(await inbox.send({ ...first, content: byTemplate(approved) }), { deliveryStatus: 'SENT' })
  })

  test('lets any template through in the sandbox, and free text nowhere', async () => {
    const { data } = await inbox.app.request('{ channelAccounts { id provider channel } }')
    const accounts = (data as { channelAccounts: { id: string; provider: string; channel: ChannelType }[] }).channelAccounts
    const sandbox = accounts.find(({ provider, channel }) => provider === 'SANDBOX' && channel === 'WHATSAPP')
    const message = { to: { address: newPhone() }, channelAccountId: sandbox?.id ?? '' }
    expect((await inbox.trySend({ ...message, content: text })).__typename).toBe('MessagingWindowClosedError')
    const row = await inbox.row(await inbox.send({ ...message, content: byTemplate(ours) }))
    expect(row).toMatchObject({ deliveryStatus: 'PENDING', body: 'Your permit is ready.' })
  })

  test('is checked again at sending time', async () => {
    const conversation = await opened()
    const sendAt = new Date(Date.now() + HOUR).toISOString()
    const free = await inbox.send({ to: conversation.to, content: text, sendAt })
    const templated = await inbox.send({ to: conversation.to, content: byTemplate(approved), sendAt })
    await conversation.endsIn(-1)
    const requests = inbox.fake.requests.length
    await runNow(inbox.app.deps.pool, free)
    await reaches(free, {
      deliveryStatus: 'FAILED',
      failureCode: 'MESSAGING_WINDOW_CLOSED',
      failureMessage: expect.stringMatching(/24 hours/),
    })
    expect(inbox.fake.requests).toHaveLength(requests)
    await runNow(inbox.app.deps.pool, templated)
    await reaches(templated, { deliveryStatus: 'SENT' })
  })

  test('is looked at as it will be when the message is to be sent', async () => {
    const conversation = await opened()
    const expiredAt = await conversation.endsIn(2)
    const at = (hours: number) => new Date(Date.now() + hours * HOUR).toISOString()
    expect((await inbox.trySend({ to: conversation.to, content: text, sendAt: at(1) })).__typename).toBe('SendMessageSuccess')
    expect(await inbox.trySend({ to: conversation.to, content: text, sendAt: at(3) })).toMatchObject({
      __typename: 'MessagingWindowClosedError',
      expiredAt,
    })
  })

  test('does not exist for SMS', async () => {
    await reaches(await inbox.sendText(), { deliveryStatus: 'SENT' })
  })
})

describe('the text limit', () => {
  // Each is one character to its reader, and to the limit as many as it has code points.
  test.each([
    ['letters', 'x', 1],
    ['emoji', '😀', 1],
    ['families', '👨‍👩‍👧', 5],
  ])('counts %s in code points; the limit itself passes', async (_what, sign, codePoints) => {
    const body = sign.repeat(LIMIT / codePoints)
    const id = await inbox.sendText(body)
    await reaches(id, { deliveryStatus: 'SENT', body })
    expect(inbox.fake.messages.find(({ params }) => String(params.StatusCallback).endsWith(id))?.params.Body).toBe(body)

    const before = await settledRowCounts(inbox.app.deps.pool)
    const long = await inbox.trySend({ to: { address: newPhone() }, channelAccountId: inbox.sms.id, content: { text: `${body}!` } })
    expect(long).toMatchObject({
      __typename: 'BodyTooLongError',
      code: 'BODY_TOO_LONG',
      limit: LIMIT,
      length: LIMIT + 1,
      unit: 'CHARACTERS',
      path: ['input', 'content', 'text'],
    })
    expect(await rowCounts(inbox.app.deps.pool)).toEqual(before)
  })

  test('holds for what a template becomes', async () => {
    const input = { name: 'Long', body: 'Hello {{name}}' }
    const { data } = await inbox.app.request(CreateTemplateDocument, { input })
    const made = data?.createTemplate.__typename === 'CreateTemplateSuccess' ? data.createTemplate.template.id : ''
    const answer = await inbox.trySend({
      to: { address: newPhone() },
      channelAccountId: inbox.sms.id,
      content: { template: { templateId: made, variables: { name: 'x'.repeat(LIMIT) } } },
    })
    expect(answer).toMatchObject({ __typename: 'BodyTooLongError', length: LIMIT + 6, path: ['input', 'content', 'template'] })
  })
})

describe('a message for later', () => {
  const later = (sendAt: string) =>
    inbox.trySend({ to: { address: newPhone() }, channelAccountId: inbox.sms.id, content: { text: 'Later' }, sendAt })

  test('is SCHEDULED, and sent when its time has come', async () => {
    const sendAt = new Date(Date.now() + HOUR)
    const to = { address: newPhone() }
    const id = await inbox.send({ to, channelAccountId: inbox.sms.id, content: text, sendAt: sendAt.toISOString() })
    expect(await inbox.row(id)).toMatchObject({ deliveryStatus: 'SCHEDULED', sendAt, attempts: 0 })
    const [job] = await jobsOf(inbox.app.deps.pool, id)
    expect(job).toMatchObject({ task: 'deliver', runAt: sendAt, lockedAt: null })
    // What is written after it does not wait for it.
    await reaches(await inbox.send({ to, channelAccountId: inbox.sms.id, content: text }), { deliveryStatus: 'SENT' })
    expect(await inbox.row(id)).toMatchObject({ deliveryStatus: 'SCHEDULED' })
    await runNow(inbox.app.deps.pool, id)
    await reaches(id, { deliveryStatus: 'SENT' })
    const events = await inbox.app.deps.db.event.findMany({
      where: { communicationId: id, type: 'DELIVERY_STATUS_CHANGED' },
      orderBy: { seq: 'asc' },
    })
    expect(events.map(({ data }) => data)).toMatchObject([
      { previousStatus: 'SCHEDULED', deliveryStatus: 'PENDING' },
      { previousStatus: 'PENDING', deliveryStatus: 'SENT' },
    ])
  })

  test('is sent by itself at its time, not before', async () => {
    const sendAt = new Date(Date.now() + 2_000)
    const id = await inbox.send({
      to: { address: newPhone() },
      channelAccountId: inbox.sms.id,
      content: text,
      sendAt: sendAt.toISOString(),
    })
    await reaches(id, { deliveryStatus: 'SENT' })
    const { attemptStartedAt } = await inbox.row(id)
    expect(attemptStartedAt?.getTime()).toBeGreaterThanOrEqual(sendAt.getTime())
  })

  test.each([
    ['in the past', -1000],
    ['now', 0],
    ['more than 366 days ahead', 366 * 24 * HOUR + 60_000],
  ])('%s is refused', async (_what, ahead) => {
    const before = await settledRowCounts(inbox.app.deps.pool)
    const answer = await later(new Date(Date.now() + ahead).toISOString())
    expect(answer).toMatchObject({ __typename: 'ValidationError', code: 'INVALID_INPUT', path: ['input', 'sendAt'] })
    expect(await rowCounts(inbox.app.deps.pool)).toEqual(before)
  })

  test('366 days ahead is allowed', async () => {
    expect(await later(new Date(Date.now() + 366 * 24 * HOUR - 60_000).toISOString())).toMatchObject({
      __typename: 'SendMessageSuccess',
      communication: { deliveryStatus: 'SCHEDULED' },
    })
  })
})
