import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import {
  AddNoteDocument,
  AssignConversationDocument,
  CommunicationReceivedDocument,
  type CommunicationReceivedSubscription,
  InboxDocument,
  InboxEventsDocument,
  type InboxEventsSubscription,
  LogCallDocument,
  MarkReadDocument,
  SendMessageDocument,
  SetConversationStatusDocument,
  UnreadCountChangedDocument,
  type UnreadCountChangedSubscription,
  ViewerDocument,
} from '../generated/graphql.ts'
import { startTestApp, type TestApp } from '../support/app.ts'
import { eventually } from '../support/eventually.ts'
import { followers, overSocket, overSse, type Subscriber } from '../support/live.ts'
import { openOrganization, type TestOrganization } from '../support/organization.ts'
import { member, present } from '../support/result.ts'

type InboxEvent = InboxEventsSubscription['inboxEvents']

let app: TestApp
let org: TestOrganization
let other: TestOrganization
const running: Subscriber<unknown>[] = []

/** Over both transports; resolves when both follow. */
async function both<Data, Variables>(subscribing: Parameters<typeof overSocket<Data, Variables>>[1]): Promise<Subscriber<Data>[]> {
  const sse = await overSse<Data, Variables>(app, subscribing)
  const before = await followers(app)
  const socket = overSocket<Data, Variables>(app, subscribing)
  running.push(sse, socket)
  await eventually(async () => expect(await followers(app)).toBe(before + 1))
  return [socket, sse]
}

const events = (subscriber: Subscriber<InboxEventsSubscription>): InboxEvent[] => subscriber.data().map(({ inboxEvents }) => inboxEvents)

const ofType = <Name extends InboxEvent['__typename']>(all: InboxEvent[], name: Name): Extract<InboxEvent, { __typename: Name }>[] =>
  all.filter((event): event is Extract<InboxEvent, { __typename: Name }> => event.__typename === name)

/** When this resolves, whoever subscribes "from now" is not told of it any more: the log has been read so far. */
async function receivedBefore(organization: TestOrganization, number: string, body: string): Promise<void> {
  const witness = overSocket(app, { document: CommunicationReceivedDocument, token: organization.token })
  await eventually(async () => expect(await followers(app)).toBe(1))
  await organization.sms.inbound(number, body)
  await eventually(() => expect(witness.data().map(({ communicationReceived }) => communicationReceived.body)).toContain(body))
  witness.stop()
  await eventually(async () => expect(await followers(app)).toBe(0))
}

async function conversationOf(organization: TestOrganization, number: string) {
  const { conversations } = await organization.ask(InboxDocument, { filter: { search: number } })
  return present(conversations.nodes[0])
}

beforeAll(async () => {
  app = await startTestApp()
  org = await openOrganization(app, { slug: 'live' })
  other = await openOrganization(app, { slug: 'other' })
})
beforeEach(async () => {
  for (const subscriber of running.splice(0)) subscriber.stop()
  await eventually(async () => expect(await followers(app)).toBe(0))
})
afterAll(() => app?.close())

describe('InboxEvents', () => {
  test('tells of everything that happens, over both transports the same', async () => {
    const subscribers = await both({ document: InboxEventsDocument, token: org.token })
    const strangers = await both({ document: InboxEventsDocument, token: other.token })

    await org.sms.inbound('+905551110001', 'Is my permit ready?')
    const { id: conversationId, customer } = await conversationOf(org, '+905551110001')
    const sent = member(
      (await org.ask(SendMessageDocument, { input: { to: { conversationId }, content: { text: 'It is' } } })).sendMessage,
      'SendMessageSuccess',
    )
    const note = member(
      (await org.ask(AddNoteDocument, { input: { customerId: customer.id, body: 'friendly' } })).addNote,
      'AddNoteSuccess',
    )
    const call = member((await org.ask(LogCallDocument, { input: { customerId: customer.id, body: 'rang' } })).logCall, 'LogCallSuccess')
    await org.ask(MarkReadDocument, { input: { target: { conversationId } } })
    const me = present((await org.ask(ViewerDocument)).viewer.member)
    await org.ask(AssignConversationDocument, { input: { conversationId, assigneeId: me.id } })
    await org.ask(SetConversationStatusDocument, { input: { conversationId, status: 'CLOSED' } })
    await org.sms.inbound('+905551110001', 'STOP')

    for (const subscriber of subscribers) {
      await eventually(() => {
        expect(ofType(events(subscriber), 'DeliveryStatusChangedEvent').map(({ deliveryStatus }) => deliveryStatus)).toContain('READ')
        expect(ofType(events(subscriber), 'OptOutChangedEvent')).toHaveLength(1)
      })
      const all = events(subscriber)
      expect(all.every(({ id, cursor, occurredAt }) => id !== '' && cursor !== '' && !Number.isNaN(Date.parse(String(occurredAt))))).toBe(
        true,
      )
      expect(new Set(all.map(({ id }) => id)).size).toBe(all.length)
      const [received] = ofType(all, 'CommunicationReceivedEvent')
      expect(received?.communication).toMatchObject({ type: 'SMS', body: 'Is my permit ready?', customer: { id: customer.id } })
      expect(ofType(all, 'CommunicationCreatedEvent').map(({ communication }) => communication)).toEqual([
        { id: sent.communication.id, type: 'SMS', direction: 'OUTBOUND', body: 'It is' },
        { id: note.communication.id, type: 'INTERNAL_NOTE', direction: 'INTERNAL', body: 'friendly' },
        { id: call.communication.id, type: 'CALL_LOG', direction: expect.any(String), body: 'rang' },
      ])
      expect(ofType(all, 'DeliveryStatusChangedEvent').map((event) => [event.previousStatus, event.deliveryStatus])).toEqual([
        ['PENDING', 'SENT'],
        ['SENT', 'DELIVERED'],
        ['DELIVERED', 'READ'],
      ])
      expect(ofType(all, 'DeliveryStatusChangedEvent')[0]?.communication?.id).toBe(sent.communication.id)
      expect(ofType(all, 'UnreadCountChangedEvent').map((event) => event.organizationUnreadCount)).toEqual([1, 0, 1])
      expect(ofType(all, 'UnreadCountChangedEvent')[0]?.customer?.id).toBe(customer.id)
      const changes = ofType(all, 'ConversationChangedEvent').map(({ conversation }) => conversation)
      expect(changes[0]).toMatchObject({ id: conversationId })
      expect(changes.at(-1)?.assignee?.id).toBe(me.id)
      expect(ofType(all, 'CustomerChangedEvent')).toHaveLength(1)
    }
    const [overWebSocket, overEventStream] = subscribers.map((subscriber) => events(subscriber).map(({ cursor }) => cursor))
    expect(overWebSocket).toEqual(overEventStream)
    for (const stranger of strangers) expect(stranger.results).toEqual([])
  })

  test('filters by customer, conversation and type', async () => {
    await org.sms.inbound('+905551110011', 'first')
    await org.whatsapp.inbound('+905551110011', 'first')
    await org.sms.inbound('+905551110012', 'first')
    const { conversations } = await org.ask(InboxDocument, { filter: { search: '+905551110011' } })
    const sms = present(conversations.nodes.find(({ channel }) => channel === 'SMS'))
    const document = InboxEventsDocument
    const [ofCustomer] = await both({ document, token: org.token, variables: { filter: { customerId: sms.customer.id } } })
    const [ofConversation] = await both({ document, token: org.token, variables: { filter: { conversationId: sms.id } } })
    const [received] = await both({ document, token: org.token, variables: { filter: { types: ['COMMUNICATION_RECEIVED'] } } })
    const types = ['COMMUNICATION_RECEIVED'] as const
    const [foreign] = await both({
      document,
      token: other.token,
      variables: { filter: { customerId: sms.customer.id, types: [...types] } },
    })

    await org.sms.inbound('+905551110011', 'by SMS')
    await org.whatsapp.inbound('+905551110011', 'by WhatsApp')
    await org.sms.inbound('+905551110012', 'from another')

    const bodies = (subscriber: typeof received) =>
      ofType(events(present(subscriber)), 'CommunicationReceivedEvent').map(({ communication }) => communication?.body)
    await eventually(() => expect(bodies(received)).toEqual(['by SMS', 'by WhatsApp', 'from another']))
    await eventually(() => expect(bodies(ofCustomer)).toEqual(['by SMS', 'by WhatsApp']))
    await eventually(() => expect(bodies(ofConversation)).toEqual(['by SMS']))
    expect(events(present(received)).map(({ __typename }) => __typename)).toEqual(Array(3).fill('CommunicationReceivedEvent'))
    expect(ofType(events(present(ofCustomer)), 'UnreadCountChangedEvent')).toHaveLength(2)
    expect(present(foreign).results).toEqual([])
  })

  test.each([
    [{ after: 'nonsense' }, 'after is not a cursor of inboxEvents.'],
    [{ filter: { customerId: 'nonsense' } }, 'customerId is not the id of a Customer.'],
    [{ filter: { conversationId: 'nonsense' } }, 'conversationId is not the id of a Conversation.'],
  ])('refuses %o', async (variables, message) => {
    const subscribing = { document: InboxEventsDocument, variables, token: org.token }
    const errors = [expect.objectContaining({ message, extensions: expect.objectContaining({ code: 'INVALID_INPUT' }) })]
    for (const subscriber of [overSocket(app, subscribing), await overSse(app, subscribing)]) {
      expect(await subscriber.ended).toEqual({ by: 'complete' })
      expect(subscriber.results).toEqual([expect.objectContaining({ errors })])
    }
  })
})

describe('the simple ones', () => {
  test('communicationReceived gives what customers write, filtered', async () => {
    await receivedBefore(org, '+905551110021', 'before')
    const { id: conversationId, customer } = await conversationOf(org, '+905551110021')
    const document = CommunicationReceivedDocument
    const all = await both({ document, token: org.token })
    const one = await both({ document, token: org.token, variables: { customerId: customer.id } })
    const [thread] = await both({ document, token: org.token, variables: { conversationId } })
    const strangers = await both({ document, token: other.token })

    await org.ask(AddNoteDocument, { input: { customerId: customer.id, body: 'not received' } })
    await org.whatsapp.inbound('+905551110022', 'somebody else')
    await org.sms.inbound('+905551110021', 'mine')

    const bodies = (subscriber: Subscriber<CommunicationReceivedSubscription>) =>
      subscriber.data().map(({ communicationReceived }) => communicationReceived.body)
    for (const subscriber of all) await eventually(() => expect(bodies(subscriber)).toEqual(['somebody else', 'mine']))
    for (const subscriber of one) await eventually(() => expect(bodies(subscriber)).toEqual(['mine']))
    await eventually(() => expect(bodies(present(thread))).toEqual(['mine']))
    expect(one[0]?.data()[0]?.communicationReceived).toMatchObject({
      type: 'SMS',
      direction: 'INBOUND',
      customer: { id: customer.id, unreadCount: 2 },
      conversation: { id: conversationId, unreadCount: 2 },
    })
    for (const stranger of strangers) expect(stranger.results).toEqual([])
  })

  test('unreadCountChanged gives the counts, filtered', async () => {
    const { viewer } = await org.ask(ViewerDocument)
    const start = viewer.unreadCount
    await receivedBefore(org, '+905551110031', 'one')
    const { customer } = await conversationOf(org, '+905551110031')
    const all = await both({ document: UnreadCountChangedDocument, token: org.token })
    const one = await both({ document: UnreadCountChangedDocument, token: org.token, variables: { customerId: customer.id } })

    await org.sms.inbound('+905551110031', 'two')
    await org.sms.inbound('+905551110032', 'somebody else')
    await org.ask(MarkReadDocument, { input: { target: { customerId: customer.id } } })

    const counts = (subscriber: Subscriber<UnreadCountChangedSubscription>) =>
      subscriber.data().map(({ unreadCountChanged }) => unreadCountChanged.organizationUnreadCount)
    for (const subscriber of all) await eventually(() => expect(counts(subscriber)).toEqual([start + 2, start + 3, start + 1]))
    for (const subscriber of one) await eventually(() => expect(counts(subscriber)).toEqual([start + 2, start + 1]))
    expect(one[0]?.data().at(-1)?.unreadCountChanged.customer).toEqual({ id: customer.id, unreadCount: 0 })
  })
})
