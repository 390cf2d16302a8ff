import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { newId } from '../../src/domain/ids.ts'
import { reconcileCounts } from '../../src/domain/reconcile-counts.ts'
import {
  AddNoteDocument,
  CreateWebchatUploadDocument,
  InboxEventsDocument,
  MarkReadDocument,
  MarkWebchatReadDocument,
  SendMessageDocument,
  SendWebchatMessageDocument,
  SetConversationStatusDocument,
  WebchatDocument,
} from '../generated/graphql.ts'
import { startTestApp, type TestApp } from '../support/app.ts'
import { countStatements } from '../support/count-statements.ts'
import { eventually } from '../support/eventually.ts'
import { followers, overSse, type Subscriber } from '../support/live.ts'
import { openOrganization, type TestOrganization } from '../support/organization.ts'
import { member, present } from '../support/result.ts'
import { eventsOf, openChat, type TestChat, toldTexts } from '../support/webchat.ts'

let app: TestApp
let org: TestOrganization
let chat: TestChat
const running: Subscriber<unknown>[] = []

beforeAll(async () => {
  app = await startTestApp()
  org = await openOrganization(app, { slug: 'shop', name: 'The Shop' })
  chat = await openChat(app, org, { key: 'wc_help' })
})
afterAll(async () => {
  for (const subscriber of running) subscriber.stop()
  await app?.close()
})

const statusOf = async (communicationGlobalId: string): Promise<string | null> => {
  const document = 'query ($id: ID!) { communication(id: $id) { deliveryStatus } }'
  const { communication } = await org.ask<{ communication: { deliveryStatus: string | null } }, object>(document, {
    id: communicationGlobalId,
  })
  return communication.deliveryStatus
}

test('a conversation from both sides', async () => {
  const inbox = await overSse(app, { document: InboxEventsDocument, token: org.token })
  running.push(inbox)
  const visitor = await chat.visitor({ name: 'Ada', email: 'ada@example.com' })
  expect((await visitor.ask(WebchatDocument)).webchat).toMatchObject({
    organizationName: 'The Shop',
    isIdentified: false,
    status: 'OPEN',
    unreadCount: 0,
    messages: { nodes: [] },
  })
  const said = await visitor.say('Do you deliver to Izmir?')
  expect(said).toMatchObject({ fromVisitor: true, text: 'Do you deliver to Izmir?', authorName: null, status: 'SENT', attachments: [] })
  await eventually(() =>
    expect(inbox.data().map(({ inboxEvents }) => inboxEvents)).toContainEqual(
      expect.objectContaining({
        __typename: 'CommunicationReceivedEvent',
        communication: expect.objectContaining({ type: 'WEBCHAT', body: 'Do you deliver to Izmir?' }),
      }),
    ),
  )
  const conversationId = await chat.conversation('Do you deliver to Izmir?')
  const live = await visitor.follow('socket', visitor.cursor)
  running.push(live)
  const answerId = await chat.answer(
    conversationId,
    'Yes, within two days.',
    await app.token({ organization: 'shop', name: 'Grace Hopper' }),
  )
  await eventually(() => expect(toldTexts(live)).toEqual(['Do you deliver to Izmir?', 'Yes, within two days.']))
  const told = eventsOf(live).flatMap((event) => (event.__typename === 'WebchatMessageEvent' ? [event.message] : []))
  expect(told[1]).toMatchObject({ fromVisitor: false, authorName: 'Grace Hopper' })
  await eventually(async () => expect(await statusOf(answerId)).toBe('DELIVERED'))
  expect((await visitor.ask(WebchatDocument)).webchat.unreadCount).toBe(1)

  const read = await visitor.ask(MarkWebchatReadDocument, { input: { messageId: present(told[1]).id } })
  expect(member(read.markWebchatRead, 'MarkWebchatReadSuccess').webchat.unreadCount).toBe(0)
  expect(await statusOf(answerId)).toBe('READ')
  await eventually(() =>
    expect(eventsOf(live)).toContainEqual(
      expect.objectContaining({
        __typename: 'WebchatMessageChangedEvent',
        message: expect.objectContaining({ id: told[1]?.id, status: 'READ' }),
      }),
    ),
  )

  await org.ask(MarkReadDocument, { input: { target: { conversationId } } })
  await eventually(() =>
    expect(eventsOf(live)).toContainEqual(
      expect.objectContaining({ __typename: 'WebchatReadByStaffEvent', message: expect.objectContaining({ id: said.id }) }),
    ),
  )
  await org.ask(SetConversationStatusDocument, { input: { conversationId, status: 'CLOSED' } })
  await eventually(() =>
    expect(eventsOf(live)).toContainEqual(expect.objectContaining({ __typename: 'WebchatStatusEvent', status: 'CLOSED' })),
  )
  expect((await visitor.ask(WebchatDocument)).webchat).toMatchObject({
    status: 'CLOSED',
    messages: {
      nodes: [
        { text: 'Do you deliver to Izmir?', status: 'READ' },
        { text: 'Yes, within two days.', status: 'READ' },
      ],
    },
  })
})

test('what a visitor says of itself is kept with the message, and nobody is found by it', async () => {
  const { customer } = await knownByEmail('known@example.com')
  const visitor = await chat.visitor({ name: 'Someone', email: 'known@example.com' })
  await visitor.say('It is me, the known one')
  const row = await app.deps.db.communication.findFirstOrThrow({ where: { body: 'It is me, the known one' }, include: { customer: true } })
  expect(row.payload).toEqual({ visitor: { name: 'Someone', email: 'known@example.com' } })
  expect(row.customerId).not.toBe(customer)
  expect(row.customer.name).toBeNull()
  expect(await app.deps.db.customerIdentity.findMany({ where: { customerId: row.customerId }, select: { kind: true } })).toEqual([
    { kind: 'WEBCHAT' },
  ])
  expect(await app.deps.db.mergeSuggestion.count({ where: { organizationId: org.id } })).toBe(0)
})

async function knownByEmail(value: string): Promise<{ customer: string }> {
  const { id } = await app.deps.db.customer.create({ data: { id: crypto.randomUUID(), organizationId: org.id, name: 'Known' } })
  const data = { id: crypto.randomUUID(), organizationId: org.id, customerId: id, kind: 'EMAIL', value, verified: true } as const
  await app.deps.db.customerIdentity.create({ data })
  return { customer: id }
}

describe('a subscription', () => {
  test.each(['socket', 'sse'] as const)('over %s goes on after its cursor: none missing, none twice', async (way) => {
    const visitor = await chat.visitor()
    await visitor.say(`Hello over ${way}`)
    const conversationId = await chat.conversation(`Hello over ${way}`)
    const first = await visitor.follow(way, visitor.cursor)
    await chat.answer(conversationId, 'one')
    await eventually(() => expect(toldTexts(first)).toContain('one'))
    const one = eventsOf(first).findLast((event) => event.__typename === 'WebchatMessageEvent')
    first.stop()
    await eventually(async () => expect(await followers(app)).toBeLessThanOrEqual(running.length))
    await chat.answer(conversationId, 'two')
    const last = await chat.answer(conversationId, 'three')
    await eventually(async () => expect(await statusOf(last)).toBe('SENT'))
    const second = await visitor.follow(way, present(one).cursor)
    await eventually(() => expect(toldTexts(second)).toEqual(['two', 'three']))
    await eventually(async () => expect(await statusOf(last)).toBe('DELIVERED'))
    second.stop()
  })

  test('that begins after the query makes DELIVERED what the query gave', async () => {
    const visitor = await chat.visitor()
    await visitor.say('Anybody there at night?')
    const answer = await chat.answer(await chat.conversation('Anybody there at night?'), 'In the morning.')
    await eventually(async () => expect(await statusOf(answer)).toBe('SENT'))
    const { cursor, messages } = (await visitor.ask(WebchatDocument)).webchat
    expect(messages.nodes.map(({ text }) => text)).toEqual(['Anybody there at night?', 'In the morning.'])
    expect(await statusOf(answer)).toBe('SENT')
    const live = await visitor.follow('sse', cursor)
    await eventually(async () => expect(await statusOf(answer)).toBe('DELIVERED'))
    expect(toldTexts(live)).toEqual([])
    live.stop()
  })

  test('tells no notes, no other conversation and no address of the staff', async () => {
    const [visitor, stranger] = [await chat.visitor(), await chat.visitor()]
    const [live, strange] = [await visitor.follow('sse'), await stranger.follow('sse')]
    await visitor.say('The pump is broken')
    await stranger.say('Mine works well')
    const conversationId = await chat.conversation('The pump is broken')
    const { customerId } = await app.deps.db.communication.findFirstOrThrow({ where: { body: 'The pump is broken' } })
    const customer = Buffer.from(`Customer:${customerId}`).toString('base64')
    const note = { customerId: customer, conversationId, body: 'A difficult customer, secretly' }
    member((await org.ask(AddNoteDocument, { input: note })).addNote, 'AddNoteSuccess')
    await chat.answer(
      conversationId,
      'We send a new one',
      await app.token({ organization: 'shop', subject: 'bot', name: 'bot@shop.example' }),
    )
    await eventually(() => expect(toldTexts(live)).toEqual(['The pump is broken', 'We send a new one']))
    await eventually(() => expect(toldTexts(strange)).toEqual(['Mine works well']))
    const seen = JSON.stringify([live.results, strange.results, await visitor.ask(WebchatDocument)])
    expect(seen).not.toMatch(/secretly|@shop\.example/)
    expect(await visitor.texts()).toEqual(['The pump is broken', 'We send a new one'])
    expect(await stranger.texts()).toEqual(['Mine works well'])
    live.stop()
    strange.stop()
  })

  test('refuses the cursor of another visitor, and what is none', async () => {
    const [visitor, stranger] = [await chat.visitor(), await chat.visitor()]
    for (const after of [stranger.cursor, 'nonsense', '']) {
      const refused = await visitor.follow('socket', after)
      await refused.ended
      expect(refused.results).toMatchObject([{ errors: [{ extensions: { code: 'INVALID_INPUT' } }] }])
    }
  })
})

test('a message sent twice is there once', async () => {
  const visitor = await chat.visitor()
  const input = { clientMessageId: 'once', text: 'Only once' }
  const answers = await Promise.all([1, 2, 3].map(() => visitor.ask(SendWebchatMessageDocument, { input })))
  const ids = answers.map(({ sendWebchatMessage }) => member(sendWebchatMessage, 'SendWebchatMessageSuccess').webchatMessage.id)
  expect(new Set(ids).size).toBe(1)
  expect(await visitor.texts()).toEqual(['Only once'])
  const stranger = await chat.visitor()
  expect((await stranger.say({ clientMessageId: 'once', text: 'Another one' })).id).not.toBe(ids[0])
})

test('a file is uploaded, sent and shown', async () => {
  const [visitor, stranger] = [await chat.visitor(), await chat.visitor()]
  const input = { filename: 'note.txt', contentType: 'text/plain', size: 9 }
  const { uploadId, uploadUrl } = member(
    (await visitor.ask(CreateWebchatUploadDocument, { input })).createWebchatUpload,
    'CreateWebchatUploadSuccess',
  )
  const early = (await visitor.ask(SendWebchatMessageDocument, { input: { clientMessageId: 'early', uploadIds: [uploadId] } }))
    .sendWebchatMessage
  expect(early).toMatchObject({ __typename: 'NotFoundError', path: ['input', 'uploadIds', '0'] })
  const put = await fetch(uploadUrl, { method: 'PUT', body: 'the bytes', headers: { 'content-type': 'text/plain' } })
  expect(put.ok).toBe(true)
  const stolen = await stranger.ask(SendWebchatMessageDocument, { input: { clientMessageId: 'stolen', uploadIds: [uploadId] } })
  expect(stolen.sendWebchatMessage).toMatchObject({ __typename: 'NotFoundError' })
  await visitor.say({ uploadIds: [uploadId], text: 'See here' })
  const [shown] = (await visitor.ask(WebchatDocument)).webchat.messages.nodes
  expect(shown).toMatchObject({ text: 'See here', attachments: [{ filename: 'note.txt', size: 9 }] })
  expect(await (await fetch(present(shown?.attachments[0]).url)).text()).toBe('the bytes')
  const again = await visitor.ask(SendWebchatMessageDocument, { input: { clientMessageId: 'again', uploadIds: [uploadId] } })
  expect(again.sendWebchatMessage).toMatchObject({ __typename: 'NotFoundError' })
})

test('a long conversation costs no more statements than a short one', async () => {
  const { organizationId, id } = await app.deps.db.channelAccount.findFirstOrThrow({ where: { channel: 'WEBCHAT' } })
  const grown = async (messages: number) => {
    const visitor = await chat.visitor()
    await visitor.say(`The first of ${messages}`)
    const { customerId, conversationId } = await app.deps.db.communication.findFirstOrThrow({ where: { body: `The first of ${messages}` } })
    for (let n = 1; n < messages; n += 1) {
      const member = await app.deps.db.member.create({
        data: { id: newId(), organizationId, subject: newId(), name: 'Someone', role: 'AGENT' },
      })
      const place = { organizationId, customerId, conversationId, channelAccountId: id }
      const sent = { type: 'WEBCHAT', direction: 'OUTBOUND', deliveryStatus: 'READ', createdAt: new Date(), body: 'again' } as const
      const conversation = await app.deps.db.conversation.findUniqueOrThrow({ where: { id: conversationId ?? '' } })
      const data = { ...place, ...sent, id: newId(), authorId: member.id, address: conversation.address }
      const { id: communicationId } = await app.deps.db.communication.create({ data })
      await app.deps.db.attachment.create({ data: { id: newId(), organizationId, communicationId, status: 'STORED' } })
    }
    const statements = countStatements()
    const { messages: page } = (await visitor.ask(WebchatDocument)).webchat
    const count = statements.count()
    statements.stop()
    expect(page.nodes).toHaveLength(messages)
    return count
  }
  const short = await grown(2)
  // Author and file of each would be 36 more; a few are those of whoever follows meanwhile.
  expect(await grown(20)).toBeLessThan(short + 18)
  // Rows that are written by hand leave the conversation's counts as they were.
  expect(await reconcileCounts(app.deps, organizationId)).toHaveLength(2)
})

test('a question is answered by a choice', async () => {
  const [visitor, stranger] = [await chat.visitor(), await chat.visitor()]
  await visitor.say('When can you come?')
  const conversationId = await chat.conversation('When can you come?')
  const buttons = [
    { id: 'mon', title: 'Monday' },
    { id: 'tue', title: 'Tuesday' },
  ]
  const content = { interactive: { body: 'Which day?', buttons } }
  member((await org.ask(SendMessageDocument, { input: { to: { conversationId }, content } })).sendMessage, 'SendMessageSuccess')
  const question = await eventually(async () => {
    const { messages } = (await visitor.ask(WebchatDocument)).webchat
    return present(messages.nodes.find(({ text }) => text === 'Which day?'))
  })
  expect(question.choices).toEqual(buttons.map((button) => ({ ...button, description: null })))
  const choice = { messageId: question.id, choiceId: 'tue' }
  const refused = (who: typeof visitor, given: object) =>
    who.ask(SendWebchatMessageDocument, { input: { clientMessageId: 'wrong', choice: { ...choice, ...given } } })
  expect((await refused(stranger, {})).sendWebchatMessage).toMatchObject({
    __typename: 'NotFoundError',
    path: ['input', 'choice', 'messageId'],
  })
  expect((await refused(visitor, { choiceId: 'sun' })).sendWebchatMessage).toMatchObject({ path: ['input', 'choice', 'choiceId'] })
  expect((await visitor.say({ choice })).text).toBe('Tuesday')
  const row = await app.deps.db.communication.findFirstOrThrow({ where: { body: 'Tuesday' } })
  expect(row.content).toMatchObject({ kind: 'INTERACTIVE_REPLY', reply: 'BUTTON', id: 'tue' })
  expect(row.inReplyTo).toBe(Buffer.from(question.id, 'base64').toString().split(':')[1])
})

test.each([
  ['nothing', {}, 'ValidationError', ['input', 'text']],
  ['white space', { text: ' \n' }, 'ValidationError', ['input', 'text']],
  ['too much', { text: 'x'.repeat(4097) }, 'BodyTooLongError', ['input', 'text']],
  ['an id that is none', { text: 'x', clientMessageId: 'with space' }, 'ValidationError', ['input', 'clientMessageId']],
  [
    'a choice and a text',
    { text: 'x', choice: { messageId: 'V2ViY2hhdE1lc3NhZ2U6MA==', choiceId: 'a' } },
    'NotFoundError',
    ['input', 'choice', 'messageId'],
  ],
])('%s is refused', async (_name, given, type, path) => {
  const visitor = await chat.visitor()
  const input = { clientMessageId: 'refused', ...given }
  const { sendWebchatMessage } = await visitor.ask(SendWebchatMessageDocument, { input })
  expect(sendWebchatMessage).toMatchObject({ __typename: type, path })
})
