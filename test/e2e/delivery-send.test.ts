import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { globalId, localId } from '../../schema/global-id.ts'
import { ConversationThreadDocument, CreateTemplateDocument } from '../generated/graphql.ts'
import { eventually } from '../support/eventually.ts'
import { newSid } from '../support/fake-twilio.ts'
import { present } from '../support/result.ts'
import { uploaded } from '../support/scripted-channel.ts'
import { connect, newPhone, startTwilioInbox, type TwilioInbox } from '../support/twilio-inbox.ts'

let inbox: TwilioInbox

beforeAll(async () => {
  inbox = await startTwilioInbox({ PUBLIC_URL: 'https://inbox.example.com' })
})
afterAll(() => inbox.close())

const settled = (id: string, expected: object) =>
  eventually(async () => {
    const row = await inbox.row(id)
    expect(row).toMatchObject(expected)
    return row
  })

const acceptedFor = (communicationId: string) =>
  inbox.fake.messages.filter(({ params }) => String(params.StatusCallback).endsWith(`communicationId=${communicationId}`))

async function template(name: string, body: string, providerTemplateId: string | null): Promise<string> {
  const { data } = await inbox.app.request(CreateTemplateDocument, { input: { name, body, providerTemplateId } })
  const answer = data?.createTemplate
  if (answer?.__typename !== 'CreateTemplateSuccess') throw new Error(`no template: ${JSON.stringify(answer)}`)
  return answer.template.id
}

describe('the request', () => {
  test('of a text: From, To, Body and a StatusCallback that carries our id, with basic auth', async () => {
    const to = newPhone()
    const id = await inbox.send({ to: { address: to }, channelAccountId: inbox.sms.id, content: { text: 'Günaydın & welcome 🌞' } })
    const row = await settled(id, { deliveryStatus: 'SENT' })
    const [accepted, ...more] = acceptedFor(id)
    expect(more).toEqual([])
    expect(accepted?.params).toEqual({
      From: inbox.sms.address,
      To: to,
      Body: 'Günaydın & welcome 🌞',
      StatusCallback: `https://inbox.example.com/webhooks/twilio/demo/status?communicationId=${id}`,
    })
    expect(row).toMatchObject({ externalMessageId: accepted?.sid, attempts: 1, failureCode: null, deliveredAt: null })
    expect(row.sentAt).toBeInstanceOf(Date)
    const { accountSid, authToken } = inbox.fake.credentials
    expect(inbox.fake.requests.at(-1)).toMatchObject({
      method: 'POST',
      path: `/2010-04-01/Accounts/${accountSid}/Messages.json`,
      authorization: `Basic ${Buffer.from(`${accountSid}:${authToken}`).toString('base64')}`,
    })
  })

  test('of a template that Twilio knows: ContentSid and ContentVariables, no Body', async () => {
    const contentSid = newSid('HX')
    const templateId = await template('Ready', 'Hello {{customer_name}}, your {{item}} is ready.', contentSid)
    const from = newPhone()
    await inbox.inbound(inbox.whatsapp, `whatsapp:${from}`, 'Hello', { ProfileName: 'Ayşe "A" Yılmaz' })
    const id = await inbox.send({
      to: { address: from },
      channelAccountId: inbox.whatsapp.id,
      content: { template: { templateId, variables: { item: 'permit' } } },
    })
    const row = await settled(id, { deliveryStatus: 'SENT' })
    expect(row.body).toBe('Hello Ayşe "A" Yılmaz, your permit is ready.')
    const { ContentVariables, ...params } = acceptedFor(id)[0]?.params ?? {}
    expect(params).toEqual({
      From: inbox.whatsapp.address,
      To: `whatsapp:${from}`,
      ContentSid: contentSid,
      StatusCallback: expect.stringContaining(id),
    })
    expect(JSON.parse(String(ContentVariables))).toEqual({ customer_name: 'Ayşe "A" Yılmaz', item: 'permit' })
  })

  test('of a template that Twilio does not know: its text', async () => {
    const templateId = await template('Ours', 'Your {{item}} is ready.', null)
    const content = { template: { templateId, variables: { item: 'permit' } } }
    const id = await inbox.send({ to: { address: newPhone() }, channelAccountId: inbox.sms.id, content })
    await settled(id, { deliveryStatus: 'SENT' })
    expect(acceptedFor(id)[0]?.params).toMatchObject({ Body: 'Your permit is ready.' })
    expect(acceptedFor(id)[0]?.params).not.toHaveProperty('ContentSid')
  })

  test('of files: a MediaUrl for each, which Twilio can load without a token', async () => {
    const bytes = Buffer.from('89504e470d0a1a0a', 'hex')
    const file = async () => globalId('Attachment', await uploaded(inbox.app, { contentType: 'image/png', bytes }))
    const attachmentIds = [await file(), await file()]
    const content = { media: { attachmentIds, caption: 'Two pictures' } }
    const id = await inbox.send({ to: { address: newPhone() }, channelAccountId: inbox.sms.id, content })
    await settled(id, { deliveryStatus: 'SENT' })
    const { params } = present(acceptedFor(id)[0])
    expect(params.Body).toBe('Two pictures')
    const urls = [params.MediaUrl ?? []].flat()
    expect(urls).toHaveLength(2)
    for (const url of urls) {
      const answer = await fetch(url.replace(inbox.app.deps.config.PUBLIC_URL ?? '', inbox.app.url))
      expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'image/png'])
      expect(Buffer.from(await answer.arrayBuffer())).toEqual(bytes)
    }
  })

  test('through a Messaging Service names the service instead of a number', async () => {
    const messagingServiceSid = newSid('MG')
    const account = await connect(inbox.app, {
      channel: 'SMS',
      name: 'Service',
      address: '+15017122664',
      credentials: { twilio: { ...inbox.fake.credentials, messagingServiceSid } },
    })
    const id = await inbox.send({ to: { address: newPhone() }, channelAccountId: account.id, content: { text: 'Hello' } })
    await settled(id, { deliveryStatus: 'SENT' })
    expect(acceptedFor(id)[0]?.params).toMatchObject({ MessagingServiceSid: messagingServiceSid, Body: 'Hello' })
    expect(acceptedFor(id)[0]?.params).not.toHaveProperty('From')
  })

  test('to a WhatsApp customer without a number goes to the id that they wrote from', async () => {
    const { messageSid } = await inbox.inbound(inbox.whatsapp, 'whatsapp:IN.1349AbC', 'Hello', { ProfileName: 'Ravi' })
    const received = await inbox.app.deps.db.communication.findFirstOrThrow({
      where: { externalMessageId: messageSid },
      include: { customer: { include: { identities: true } } },
    })
    expect(received.customer).toMatchObject({ name: 'Ravi', identities: [{ kind: 'WHATSAPP', value: 'IN.1349AbC', verified: true }] })
    const content = { text: 'Hello Ravi' }
    const byConversation = await inbox.send({ to: { conversationId: globalId('Conversation', received.conversationId ?? '') }, content })
    const byCustomer = await inbox.send({ to: { customerId: globalId('Customer', received.customerId) }, content })
    for (const id of [byConversation, byCustomer]) {
      await settled(id, { deliveryStatus: 'SENT', customerId: received.customerId, conversationId: received.conversationId })
      expect(acceptedFor(id)[0]?.params).toMatchObject({ From: inbox.whatsapp.address, To: 'whatsapp:IN.1349AbC' })
    }
  })
})

test('PENDING → SENT is told by the graph and by the log', async () => {
  const gate = Promise.withResolvers<void>()
  inbox.fake.next({ beforeAnswering: gate.promise })
  const answer = await inbox.trySend({ to: { address: newPhone() }, channelAccountId: inbox.sms.id, content: { text: 'Hello' } })
  const sent = answer.__typename === 'SendMessageSuccess' ? answer.communication : null
  expect(sent).toMatchObject({ deliveryStatus: 'PENDING', externalMessageId: null })
  const id = localId('Communication', sent?.id ?? '') ?? ''
  await eventually(() => expect(acceptedFor(id)).toHaveLength(1))
  expect(await inbox.row(id)).toMatchObject({ deliveryStatus: 'PENDING', attempts: 1, attemptStartedAt: expect.any(Date) })
  gate.resolve()
  await settled(id, { deliveryStatus: 'SENT' })
  const thread = await inbox.app.request(ConversationThreadDocument, { id: sent?.conversation?.id ?? '' })
  expect(thread.data?.conversation?.communications.edges.map(({ node }) => node)).toMatchObject([
    { id: sent?.id, deliveryStatus: 'SENT', externalMessageId: acceptedFor(id)[0]?.sid, failure: null, sentAt: expect.any(String) },
  ])
  const events = await inbox.app.deps.db.event.findMany({ where: { communicationId: id }, orderBy: { seq: 'asc' } })
  expect(events).toMatchObject([
    { type: 'COMMUNICATION_CREATED' },
    { type: 'DELIVERY_STATUS_CHANGED', data: { previousStatus: 'PENDING', deliveryStatus: 'SENT' } },
  ])
})

describe('a refusal', () => {
  test.each([
    [21211, /not a valid phone number/],
    [21408, /country/],
    [30007, /filtered/],
    [63016, /24 hours/],
    [99999, /error 99999\): The moon is in the wrong phase/],
  ])('%i is FAILED, with a sentence that a business owner understands', async (code, sentence) => {
    inbox.fake.next({ status: 400, code, message: 'The moon is in the wrong phase' })
    const id = await inbox.sendText()
    await settled(id, { deliveryStatus: 'FAILED', failureCode: String(code), failureMessage: expect.stringMatching(sentence) })
    expect(await inbox.row(id)).toMatchObject({ externalMessageId: null, sentAt: null, attempts: 1 })
    expect(acceptedFor(id)).toEqual([])
  })

  test('of the credentials is FAILED too, and does not show them', async () => {
    inbox.fake.next({ status: 401, code: 20003, message: `Authenticate ${inbox.fake.credentials.authToken}` })
    const row = await settled(await inbox.sendText(), { deliveryStatus: 'FAILED', failureCode: '20003' })
    expect(row.failureMessage).toMatch(/check the credentials/)
    expect(row.failureMessage).not.toContain(inbox.fake.credentials.authToken)
  })

  test('21610 also records the opt-out, with its event', async () => {
    inbox.fake.next({ status: 400, code: 21610, message: 'Attempt to send to unsubscribed recipient' })
    const { customerId } = await settled(await inbox.sendText(), { deliveryStatus: 'FAILED', failureCode: '21610' })
    const word = { channel: 'SMS', state: 'OPTED_OUT', source: 'PROVIDER', evidence: expect.stringMatching(/^21610: /) }
    expect(await inbox.app.deps.db.consentEntry.findMany({ where: { customerId }, orderBy: { purpose: 'asc' } })).toMatchObject([
      { purpose: 'TRANSACTIONAL', ...word },
      { purpose: 'MARKETING', ...word },
    ])
    const events = await inbox.app.deps.db.event.findMany({ where: { customerId, type: 'CUSTOMER_OPTED_OUT' }, orderBy: { seq: 'asc' } })
    expect(events).toMatchObject([{ data: { channel: 'SMS', purposes: ['TRANSACTIONAL', 'MARKETING'] } }])
    const requests = inbox.fake.requests.length
    const input = { to: { customerId: globalId('Customer', customerId) }, channelAccountId: inbox.sms.id, content: { text: 'Hello?' } }
    expect((await inbox.trySend(input)).__typename).toBe('RecipientOptedOutError')
    expect(inbox.fake.requests).toHaveLength(requests)
  })

  test('of one message does not hold up the next', async () => {
    const to = { address: newPhone() }
    inbox.fake.next({ status: 400, code: 21211 }, {})
    const [first, second] = [
      await inbox.send({ to, channelAccountId: inbox.sms.id, content: { text: 'First' } }),
      await inbox.send({ to, channelAccountId: inbox.sms.id, content: { text: 'Second' } }),
    ]
    await settled(first, { deliveryStatus: 'FAILED' })
    await settled(second, { deliveryStatus: 'SENT' })
  })
})

test('twenty messages of one conversation reach Twilio in their order, one after the other, while others are sent beside them', async () => {
  const to = newPhone()
  const texts = Array.from({ length: 20 }, (_, index) => `Message ${index}`)
  const requested = () => inbox.fake.requests.filter(({ params }) => params.To === to).map(({ params }) => params.Body)
  const gate = Promise.withResolvers<void>()
  inbox.fake.next({ beforeAccepting: gate.promise })
  const others: string[] = []
  const ids: string[] = []
  const sent = () => inbox.app.deps.db.communication.count({ where: { id: { in: others }, deliveryStatus: 'SENT' } })
  for (const text of texts) {
    ids.push(await inbox.send({ to: { address: to }, channelAccountId: inbox.sms.id, content: { text } }))
    if (text === texts[0]) await eventually(() => expect(requested()).toEqual([text]))
    others.push(await inbox.sendText('Beside'))
  }
  // One in a thousand shares the queue: see conversationQueue.
  await eventually(async () => expect(await sent()).toBeGreaterThanOrEqual(others.length - 3))
  expect(requested()).toEqual(texts.slice(0, 1))
  gate.resolve()
  for (const id of ids) await settled(id, { deliveryStatus: 'SENT' })
  expect(requested()).toEqual(texts)
})
