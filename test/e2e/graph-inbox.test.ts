import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  AddNoteDocument,
  AssignConversationDocument,
  ChannelStatsDocument,
  CommunicationsQueueDocument,
  ConversationThreadDocument,
  CreateCustomerDocument,
  CustomersDocument,
  CustomerTimelineDocument,
  CustomerWorkspaceDocument,
  InboxDocument,
  LogCallDocument,
  MarkReadDocument,
  type MarkReadTargetInput,
  RefetchDocument,
  SendMessageDocument,
  SetConversationStatusDocument,
  UpdateCustomerDocument,
  ViewerDocument,
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

describe.each(['SANDBOX', 'TWILIO'] as const)('the inbox over %s', (provider) => {
  let org: TestOrganization
  let customers = 0
  const number = () => `+90555${String(1110000 + customers++)}`
  const later = { timeout: 15_000, interval: 50 }

  beforeAll(async () => {
    const twilio = { credentials: { twilio: fake.credentials }, authToken: fake.credentials.authToken }
    org = await openOrganization(app, {
      slug: provider.toLowerCase(),
      timezone: 'Asia/Kolkata',
      ...(provider === 'TWILIO' ? twilio : {}),
    })
  })

  const rowOf = async (from: string) => present((await org.ask(InboxDocument, { filter: { search: from } })).conversations.nodes[0])
  const thread = async (id: string) => present((await org.ask(ConversationThreadDocument, { id })).conversation)
  const bodies = async (id: string) => (await thread(id)).communications.edges.map(({ node }) => node.body)
  const unread = async () => (await org.ask(ViewerDocument)).viewer.unreadCount

  async function conversation(text = 'hello') {
    const from = number()
    await org.sms.inbound(from, text)
    const row = await rowOf(from)
    return { from, id: row.id, customerId: row.customer.id }
  }

  test('a first message makes a customer, a conversation and one unread communication', async () => {
    const before = await unread()
    const from = number()
    const { sid } = await org.whatsapp.inbound(from, 'Is my permit ready?', { ProfileName: 'Ayşe Yılmaz' })

    const { conversations } = await org.ask(InboxDocument, { first: 1 })
    const row = present(conversations.nodes[0])
    expect(row).toMatchObject({
      channel: 'WHATSAPP',
      status: 'OPEN',
      unreadCount: 1,
      customer: { name: 'Ayşe Yılmaz' },
      channelAccount: { id: org.whatsapp.id, address: org.whatsapp.address },
      assignee: null,
      messagingWindow: { isOpen: true },
      lastCommunication: { type: 'WHATSAPP', direction: 'INBOUND', body: 'Is my permit ready?', deliveryStatus: null },
    })
    const opened = Date.parse(present(row.messagingWindow.expiresAt)) - Date.parse(row.lastActivityAt)
    expect(opened).toBe(24 * 3_600_000)
    expect((await thread(row.id)).communications.edges.map(({ node }) => node)).toEqual([
      expect.objectContaining({ externalMessageId: sid, isRead: false, author: null, attachments: [], failure: null, readAt: null }),
    ])
    expect(await unread()).toBe(before + 1)
    const { customer } = await org.ask(CustomerWorkspaceDocument, { id: row.customer.id })
    expect(customer).toMatchObject({ unreadCount: 1, identities: [{ kind: 'PHONE', value: from, verified: true }] })
  })

  test('every node of the inbox can be fetched again by its id', async () => {
    const { id, customerId } = await conversation()
    const communicationId = present((await thread(id)).lastCommunication).id
    const { viewer } = await org.ask(ViewerDocument)
    const expected = {
      Conversation: id,
      Customer: customerId,
      Communication: communicationId,
      ChannelAccount: org.sms.id,
      Organization: viewer.organization.id,
      Member: present(viewer.member).id,
    }
    for (const [typename, node] of Object.entries(expected)) {
      expect(await org.ask(RefetchDocument, { id: node })).toEqual({ node: { id: node, __typename: typename } })
    }
  })

  test('an answer is sent and its status moves forward to READ', async () => {
    const { id } = await conversation('Are you open?')
    const input = { to: { conversationId: id }, content: { text: 'Yes, until 17:00.' } }
    const { communication } = member((await org.ask(SendMessageDocument, { input })).sendMessage, 'SendMessageSuccess')
    expect(communication).toMatchObject({
      type: 'SMS',
      direction: 'OUTBOUND',
      deliveryStatus: 'PENDING',
      author: { name: 'Tess Ter' },
      conversation: { id },
    })
    const sent = async () => present((await thread(id)).communications.edges.find(({ node }) => node.id === communication.id)).node
    if (provider === 'TWILIO') {
      await expect.poll(async () => (await sent()).deliveryStatus, later).toBe('SENT')
      const sid = present((await sent()).externalMessageId)
      expect(await fake.callback(sid, 'delivered')).toEqual([200])
      expect(await sent()).toMatchObject({ deliveryStatus: 'DELIVERED', readAt: null })
      await fake.callback(sid, 'read')
      await fake.callback(sid, 'sent')
    }
    await expect.poll(async () => (await sent()).deliveryStatus, later).toBe('READ')
    const { sentAt, deliveredAt, readAt } = await sent()
    expect([sentAt, deliveredAt, readAt]).not.toContain(null)
    expect(await bodies(id)).toEqual(['Are you open?', 'Yes, until 17:00.'])
  })

  test('a refused send says why, in words', async () => {
    const { id } = await conversation()
    if (provider === 'TWILIO') fake.next({ status: 400, code: 21211, message: "Invalid 'To' Phone Number" })
    const to = provider === 'TWILIO' ? { conversationId: id } : { address: '+15005550001' }
    const input = { to, channel: 'SMS' as const, content: { text: 'never arrives' } }
    const { communication } = member((await org.ask(SendMessageDocument, { input })).sendMessage, 'SendMessageSuccess')
    const failed = async () => {
      const { communications } = await org.ask(CommunicationsQueueDocument, { filter: { search: 'never arrives' } })
      return present(communications.nodes.find((node) => node.id === communication.id))
    }
    await expect.poll(async () => (await failed()).deliveryStatus, later).toBe('FAILED')
    expect((await failed()).failure).toEqual({ code: '21211', message: expect.stringMatching(/\w+ \w+ \w+/) })
  })

  test('notes and calls stand in the thread where they belong, and are read', async () => {
    const { id, customerId } = await conversation('call me')
    const before = await unread()
    const note = await org.ask(AddNoteDocument, { input: { customerId, conversationId: id, body: 'calls at noon' } })
    expect(member(note.addNote, 'AddNoteSuccess').communication).toMatchObject({
      type: 'INTERNAL_NOTE',
      direction: 'INTERNAL',
      isRead: true,
      deliveryStatus: null,
      author: { name: 'Tess Ter' },
    })
    const call = await org.ask(LogCallDocument, {
      input: { customerId, subject: 'Permit', body: 'explained it', direction: 'INBOUND', outcome: 'ANSWERED', durationSeconds: 61 },
    })
    const logged = member(call.logCall, 'LogCallSuccess').communication
    expect(logged).toMatchObject({ type: 'CALL_LOG', direction: 'INBOUND', subject: 'Permit', isRead: true })
    expect(await bodies(id)).toEqual(['call me', 'calls at noon'])
    expect((await thread(id)).lastCommunication?.body).toBe('calls at noon')
    const { node } = await org.ask<{ node: unknown }, { id: string }>(
      'query ($id: ID!) { node(id: $id) { ... on Communication { call { outcome durationSeconds startedAt } conversation { id } } } }',
      { id: logged.id },
    )
    expect(node).toEqual({ call: { outcome: 'ANSWERED', durationSeconds: 61, startedAt: null }, conversation: null })
    const { customer } = await org.ask(CustomerWorkspaceDocument, { id: customerId })
    expect(customer?.communications.nodes.map(({ body }) => body)).toEqual(['call me', 'calls at noon', 'explained it'])
    expect(await unread()).toBe(before)
  })

  test('mark read by communications, by conversation and by customer brings every counter along', async () => {
    const { id, customerId, from } = await conversation('one')
    await org.sms.inbound(from, 'two')
    await org.sms.inbound(from, 'three')
    await org.whatsapp.inbound(from, 'four')
    const before = await unread()
    const [first] = (await thread(id)).communications.edges
    const marked = async (target: MarkReadTargetInput) =>
      member((await org.ask(MarkReadDocument, { input: { target } })).markRead, 'MarkReadSuccess')
    expect(await marked({ communicationIds: [present(first).node.id] })).toMatchObject({ markedCount: 1, customer: { unreadCount: 3 } })
    expect(await marked({ conversationId: id })).toMatchObject({ markedCount: 2, customer: { id: customerId, unreadCount: 1 } })
    expect((await thread(id)).unreadCount).toBe(0)
    expect(await marked({ customerId })).toMatchObject({ markedCount: 1, organizationUnreadCount: before - 4 })
    expect(await marked({ customerId })).toMatchObject({
      markedCount: 0,
      customer: { unreadCount: 0 },
      organizationUnreadCount: before - 4,
    })
    expect(await unread()).toBe(before - 4)
    const nodes = (await thread(id)).communications.edges.map(({ node }) => node)
    expect(nodes.map(({ isRead, readAt }) => isRead && readAt !== null)).toEqual([true, true, true])
  })

  test('a conversation is assigned, snoozed, closed, and reopened by the customer', async () => {
    const { id, from } = await conversation()
    const assigneeId = present((await org.ask(ViewerDocument)).viewer.member).id
    const assign = async (to: string | null) =>
      member(
        (await org.ask(AssignConversationDocument, { input: { conversationId: id, assigneeId: to } })).assignConversation,
        'AssignConversationSuccess',
      ).conversation
    const set = async (status: 'OPEN' | 'SNOOZED' | 'CLOSED', snoozedUntil?: string) =>
      member(
        (await org.ask(SetConversationStatusDocument, { input: { conversationId: id, status, snoozedUntil } })).setConversationStatus,
        'SetConversationStatusSuccess',
      ).conversation
    const listed = async (filter: object) => {
      const { conversations } = await org.ask(InboxDocument, { filter, first: 100 })
      return conversations.nodes.some((node) => node.id === id)
    }

    expect((await assign(assigneeId)).assignee).toEqual({ id: assigneeId, name: 'Tess Ter' })
    expect([await listed({ assigneeId }), await listed({ unassigned: false }), await listed({ unassigned: true })]).toEqual([
      true,
      true,
      false,
    ])
    expect((await assign(null)).assignee).toBeNull()
    expect([await listed({ assigneeId }), await listed({ unassigned: true })]).toEqual([false, true])

    const until = new Date(Date.now() + 3_600_000).toISOString()
    expect(await set('SNOOZED', until)).toMatchObject({ status: 'SNOOZED', snoozedUntil: until })
    expect([await listed({ status: 'OPEN' }), await listed({ status: 'SNOOZED' })]).toEqual([false, true])
    await org.sms.inbound(from, 'still there?')
    expect(await thread(id)).toMatchObject({ status: 'OPEN', unreadCount: 2 })

    expect(await set('CLOSED')).toMatchObject({ status: 'CLOSED', snoozedUntil: null })
    await org.sms.inbound(from, 'one more thing')
    expect(await thread(id)).toMatchObject({ status: 'OPEN', unreadCount: 3 })
    expect(await listed({ unread: true, channels: ['SMS'], channelAccountId: org.sms.id })).toBe(true)
    expect([await listed({ unread: false }), await listed({ channels: ['WHATSAPP'] })]).toEqual([false, false])
  })

  test('a snoozed conversation reopens by itself at its time', async () => {
    const { id } = await conversation()
    const snoozedUntil = new Date(Date.now() + 400).toISOString()
    await org.ask(SetConversationStatusDocument, { input: { conversationId: id, status: 'SNOOZED', snoozedUntil } })
    await expect.poll(async () => (await thread(id)).status, later).toBe('OPEN')
  })

  test('customers are made, found by name and address, and changed', async () => {
    const phone = number()
    const made = await org.ask(CreateCustomerDocument, {
      input: {
        name: 'Grace Hopper',
        identities: [
          { kind: 'PHONE', value: phone.replace('+90', '+90 ') },
          { kind: 'EMAIL', value: 'Grace@Example.COM' },
        ],
      },
    })
    const { customer } = member(made.createCustomer, 'CreateCustomerSuccess')
    expect(customer.identities.map(({ kind, value }) => [kind, value])).toEqual([
      ['PHONE', phone],
      ['EMAIL', 'grace@example.com'],
    ])
    for (const search of ['grace hop', phone.slice(3), 'GRACE@EXAMPLE']) {
      const found = (await org.ask(CustomersDocument, { search })).customers.nodes
      expect(found.map(({ id }) => id)).toEqual([customer.id])
    }
    expect((await org.ask(CustomersDocument, { search: 'nobody like this' })).customers.nodes).toEqual([])

    const input = {
      customerId: customer.id,
      name: 'Rear Admiral Hopper',
      addIdentities: [{ kind: 'WEBCHAT' as const, value: 'visitor-1' }],
      removeIdentityIds: [present(customer.identities[1]).id],
    }
    const changed = member((await org.ask(UpdateCustomerDocument, { input })).updateCustomer, 'UpdateCustomerSuccess').customer
    expect(changed.name).toBe('Rear Admiral Hopper')
    expect(changed.identities.map(({ kind }) => kind)).toEqual(['PHONE', 'WEBCHAT'])
    const nameless = await org.ask(UpdateCustomerDocument, { input: { customerId: customer.id, name: null } })
    expect(member(nameless.updateCustomer, 'UpdateCustomerSuccess').customer.name).toBeNull()

    await org.sms.inbound(phone, 'it is me')
    const workspace = present((await org.ask(CustomerWorkspaceDocument, { id: customer.id })).customer)
    expect(workspace.communications.nodes.map(({ body }) => body)).toEqual(['it is me'])
    expect(workspace.identities[0]).toMatchObject({ value: phone, verified: true })
  })

  test('workspace and queue filter by type, direction, unread, time and text', async () => {
    const { id, customerId, from } = await conversation('Filter FIRST')
    await org.whatsapp.inbound(from, 'filter second')
    await org.ask(AddNoteDocument, { input: { customerId, body: 'filter note' } })
    await org.ask(LogCallDocument, { input: { customerId, subject: 'filter subject', body: 'talked' } })
    await org.ask(SendMessageDocument, { input: { to: { conversationId: id }, content: { text: 'filter answer' } } })
    await org.ask(MarkReadDocument, { input: { target: { conversationId: id } } })
    const all = present((await org.ask(CustomerWorkspaceDocument, { id: customerId })).customer).communications.nodes
    expect(all).toHaveLength(5)
    const noteAt = present(all[2]).createdAt
    const cases: [filter: object, expected: string[]][] = [
      [{ types: ['INTERNAL_NOTE'] }, ['filter note']],
      [{ types: ['CALL_LOG', 'WHATSAPP'] }, ['filter second', 'talked']],
      [{ types: [] }, []],
      [{ direction: 'INBOUND' }, ['Filter FIRST', 'filter second']],
      [{ direction: 'INTERNAL' }, ['filter note']],
      [{ direction: 'OUTBOUND', types: ['SMS'] }, ['filter answer']],
      [{ unread: true }, ['filter second']],
      [{ unread: false, direction: 'INBOUND' }, ['Filter FIRST']],
      [{ search: 'filter first' }, ['Filter FIRST']],
      [{ search: 'filter subject' }, ['talked']],
      [{ since: noteAt }, ['filter note', 'talked', 'filter answer']],
      [{ until: noteAt }, ['Filter FIRST', 'filter second']],
      [{ since: noteAt, until: noteAt }, []],
    ]
    for (const [filter, expected] of cases) {
      const { customer } = await org.ask(CustomerWorkspaceDocument, { id: customerId, filter })
      const label = JSON.stringify(filter)
      expect(
        customer?.communications.nodes.map(({ body }) => body),
        label,
      ).toEqual(expected)
      const queue = (await org.ask(CommunicationsQueueDocument, { filter, first: 100 })).communications.nodes
      const own = queue.filter((node) => node.customer.id === customerId).map(({ body }) => body)
      expect(own, label).toEqual(expected.toReversed())
    }
  })

  test('the timeline tells what happened, newest first', async () => {
    const { id, customerId, from } = await conversation('story')
    await org.ask(AddNoteDocument, { input: { customerId, conversationId: id, body: 'n' } })
    await org.ask(SetConversationStatusDocument, { input: { conversationId: id, status: 'CLOSED' } })
    await org.sms.inbound(from, 'STOP')
    await org.sms.inbound(from, 'START')
    const { customer } = await org.ask(CustomerTimelineDocument, { id: customerId })
    const events = present(customer).timeline.nodes.toReversed()
    expect(events.map(({ type, actor }) => [type, actor?.name ?? null])).toEqual([
      ['CUSTOMER_CREATED', null],
      ['CONVERSATION_CHANGED', null],
      ['COMMUNICATION_RECEIVED', null],
      ['COMMUNICATION_CREATED', 'Tess Ter'],
      ['CONVERSATION_CHANGED', 'Tess Ter'],
      ['CONVERSATION_CHANGED', null],
      ['COMMUNICATION_RECEIVED', null],
      ['CUSTOMER_OPTED_OUT', null],
      ['COMMUNICATION_RECEIVED', null],
      ['CUSTOMER_OPTED_IN', null],
    ])
    const told = await org.ask<{ customer: { timeline: { nodes: { type: string; data: { purposes: string[] } }[] } } }, object>(
      'query ($id: ID!) { customer(id: $id) { timeline { nodes { type data } } } }',
      { id: customerId },
    )
    for (const word of ['CUSTOMER_OPTED_OUT', 'CUSTOMER_OPTED_IN']) {
      const words = told.customer.timeline.nodes.filter(({ type }) => type === word)
      // STOP and START are about every message.
      expect(words.map(({ data }) => data.purposes)).toEqual([['TRANSACTIONAL', 'MARKETING']])
    }
    expect(present(events[3]).communication).not.toBeNull()
    const page = present((await org.ask(CustomerTimelineDocument, { id: customerId, first: 3 })).customer).timeline
    expect(page.pageInfo.hasNextPage).toBe(true)
    const next = present((await org.ask(CustomerTimelineDocument, { id: customerId, after: page.pageInfo.endCursor })).customer).timeline
    expect([...page.nodes, ...next.nodes]).toEqual(events.toReversed())
  })

  test('the channel stats count messages only, and today in the organization’s time zone', async () => {
    const stats = async () => {
      const { channelStats } = await org.ask(ChannelStatsDocument)
      return present(channelStats.find(({ channel }) => channel === 'SMS'))
    }
    const before = await stats()
    const { id, customerId } = await conversation()
    await org.ask(AddNoteDocument, { input: { customerId, conversationId: id, body: 'not counted' } })
    await org.ask(SendMessageDocument, { input: { to: { conversationId: id }, content: { text: 'counted' } } })
    expect(await stats()).toEqual({
      ...before,
      total: before.total + 2,
      today: before.today + 2,
      inbound: before.inbound + 1,
      outbound: before.outbound + 1,
      unread: before.unread + 1,
    })
    // Kolkata is 5:30 ahead of UTC, without daylight saving.
    const OFFSET = 5.5 * 3_600_000
    const DAY = 86_400_000
    const written = Date.parse(present((await thread(id)).lastCommunication).createdAt)
    const midnight = Math.floor((written + OFFSET) / DAY + 1) * DAY - OFFSET
    const { clock } = app.deps
    try {
      app.deps.clock = () => new Date(midnight - 1)
      expect((await stats()).today).toBeGreaterThanOrEqual(1)
      app.deps.clock = () => new Date(midnight)
      expect((await stats()).today).toBe(0)
    } finally {
      app.deps.clock = clock
    }
  })

  test('attachments are fetched and can be loaded by their link', async () => {
    const from = number()
    const bytes = Buffer.from('a picture')
    const url =
      provider === 'TWILIO' ? fake.media({ bytes, contentType: 'image/png' }) : `data:image/png;base64,${bytes.toString('base64')}`
    await org.whatsapp.inbound(from, '', { NumMedia: '1', MediaUrl0: url, MediaContentType0: 'image/png' })
    const { id } = await rowOf(from)
    const attachment = async () => present(present((await thread(id)).communications.edges[0]).node.attachments[0])
    await expect.poll(async () => (await attachment()).url, later).not.toBeNull()
    expect(await attachment()).toMatchObject({ contentType: 'image/png', size: bytes.byteLength })
    const loaded = await fetch(present((await attachment()).url))
    expect(Buffer.from(await loaded.arrayBuffer())).toEqual(bytes)
  })
})
