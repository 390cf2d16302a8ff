import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { localId } from '../../schema/global-id.ts'
import {
  AddNoteDocument,
  AssignConversationDocument,
  CommunicationsQueueDocument,
  CustomersDocument,
  CustomerTimelineDocument,
  InboxDocument,
  MarkReadDocument,
  MergeCustomersDocument,
  SendMessageDocument,
  SetConversationStatusDocument,
  ViewerDocument,
} from '../generated/graphql.ts'
import { startTestApp, type TestApp } from '../support/app.ts'
import { merging, type Person } from '../support/merging.ts'
import { openOrganization, type TestOrganization } from '../support/organization.ts'
import { member, present } from '../support/result.ts'

type Merging = ReturnType<typeof merging>

let app: TestApp
let org: TestOrganization
let writer: Merging['writer']
let merge: Merging['merge']
let unmerge: Merging['unmerge']
let profile: Merging['profile']
let workspace: Merging['workspace']

beforeAll(async () => {
  app = await startTestApp()
  org = await openOrganization(app, { slug: 'merging' })
  ;({ writer, merge, unmerge, profile, workspace } = merging(org))
})
afterAll(() => app?.close())

const bodies = async (id: string) => (await workspace(id)).communications.nodes.map(({ body }) => body)
const threads = async ({ row }: Person) =>
  app.deps.db.conversation.findMany({ where: { customerId: row, mergedIntoId: null }, orderBy: { id: 'asc' } })
const thread = async (person: Person, channel: 'SMS' | 'WHATSAPP') =>
  present((await threads(person)).find((one) => one.channel === channel))
const timeline = async (id: string) =>
  present((await org.ask(CustomerTimelineDocument, { id, first: 100 })).customer).timeline.nodes.map(({ type }) => type)
const total = async () => (await org.ask(ViewerDocument)).viewer.unreadCount

describe('mergeCustomers', () => {
  test('everything is of the survivor, and the old id leads there', async () => {
    const [survivor, merged] = [await writer('sms'), await writer('whatsapp')]
    await org.ask(AddNoteDocument, { input: { customerId: merged.id, body: 'a note' } })
    const before = await total()
    const { customer, merge: made } = await merge(survivor, merged)
    expect(customer).toMatchObject({ id: survivor.id, unreadCount: 2, identities: [{ value: survivor.number }, { value: merged.number }] })
    expect(made).toMatchObject({ mergedCustomerId: merged.id, survivor: { id: survivor.id }, undoneAt: null, actor: { name: 'Tess Ter' } })
    expect(await bodies(survivor.id)).toEqual([`${survivor.number} by sms`, `${merged.number} by whatsapp`, 'a note'])
    expect((await workspace(survivor.id)).conversations.nodes.map(({ channel }) => channel).sort()).toEqual(['SMS', 'WHATSAPP'])
    expect(await total()).toBe(before)
    expect((await profile(merged.id)).id).toBe(survivor.id)
    const node = await org.ask<{ node: { id: string } }, object>(`query { node(id: "${merged.id}") { id } }`)
    expect(node.node.id).toBe(survivor.id)
    await org.whatsapp.inbound(merged.number, 'it is still me')
    expect((await bodies(survivor.id)).at(-1)).toBe('it is still me')
  })

  test('two conversations on one account become one, with counts, window and the way to answer', async () => {
    const [survivor, merged] = [await writer('sms', 'whatsapp'), await writer('sms', 'whatsapp')]
    const [mine, theirs] = [await thread(survivor, 'SMS'), await thread(merged, 'SMS')]
    await org.ask(SendMessageDocument, { input: { to: { customerId: merged.id }, channel: 'SMS', content: { text: 'an answer' } } })
    const { customer } = await merge(survivor, merged)
    expect(customer.unreadCount).toBe(4)
    const joined = await threads(survivor)
    expect(joined).toHaveLength(2)
    expect(joined.find(({ id }) => id === mine.id)).toMatchObject({
      unreadCount: 2,
      inboundCount: 2,
      outboundCount: 1,
      address: merged.number,
      lastInboundAt: theirs.lastInboundAt,
      status: 'OPEN',
    })
    expect(await app.deps.db.conversation.findUnique({ where: { id: theirs.id } })).toMatchObject({
      mergedIntoId: mine.id,
      unreadCount: 0,
      inboundCount: 0,
    })
    const inbox = (await org.ask(InboxDocument, { filter: { search: merged.number } })).conversations.nodes
    expect(inbox.map((row) => row.customer.id)).toEqual([survivor.id, survivor.id])
    const listed = await org.ask<{ conversations: { nodes: { id: string }[] } }, object>('{ conversations(first: 100) { nodes { id } } }')
    expect(listed.conversations.nodes.map(({ id }) => localId('Conversation', id))).not.toContain(theirs.id)
  })

  test('what waits for an answer stays open, and who is assigned stays', async () => {
    const [survivor, merged] = [await writer('sms'), await writer('sms')]
    const conversationId = present((await workspace(survivor.id)).conversations.nodes[0]).id
    const other = present((await workspace(merged.id)).conversations.nodes[0]).id
    const assigneeId = present((await org.ask(ViewerDocument)).viewer.member).id
    await org.ask(SetConversationStatusDocument, { input: { conversationId, status: 'CLOSED' } })
    await org.ask(AssignConversationDocument, { input: { conversationId: other, assigneeId } })
    const { merge: made } = await merge(survivor, merged)
    expect((await workspace(survivor.id)).conversations.nodes).toMatchObject([{ status: 'OPEN', assignee: { id: assigneeId } }])
    expect((await unmerge(made.id)).__typename).toBe('UnmergeCustomersSuccess')
    expect((await workspace(survivor.id)).conversations.nodes).toMatchObject([{ status: 'CLOSED', assignee: null }])
    expect((await workspace(merged.id)).conversations.nodes).toMatchObject([{ id: other, status: 'OPEN', assignee: { id: assigneeId } }])
  })

  test('the merged one is in no list', async () => {
    const [survivor, merged] = [await writer('sms'), await writer('sms')]
    await app.deps.db.customer.update({ where: { id: merged.row }, data: { name: 'Hidden Twin' } })
    await app.deps.db.customer.update({ where: { id: survivor.row }, data: { name: 'Seen Twin' } })
    await merge(survivor, merged)
    expect((await org.ask(CustomersDocument, { search: 'Twin' })).customers.nodes).toMatchObject([{ id: survivor.id, name: 'Seen Twin' }])
    expect((await org.ask(CustomersDocument, { search: merged.number })).customers.nodes).toMatchObject([{ id: survivor.id }])
    const { customers } = await org.ask(CustomersDocument, { first: 100 })
    expect(customers.nodes.map(({ id }) => id)).not.toContain(merged.id)
  })

  test('a name is taken where there was none, and given back', async () => {
    const [survivor, merged] = [await writer('sms'), await writer('sms')]
    await app.deps.db.customer.update({ where: { id: merged.row }, data: { name: 'Ada' } })
    const { customer, merge: made } = await merge(survivor, merged)
    expect(customer.name).toBe('Ada')
    expect(member(await unmerge(made.id), 'UnmergeCustomersSuccess')).toMatchObject({ survivor: { name: null }, restored: { name: 'Ada' } })
  })

  test('both timelines tell it, and that of the survivor shows what was before, once', async () => {
    const [survivor, merged] = [await writer('sms'), await writer('sms')]
    const [mine, theirs] = [await timeline(survivor.id), await timeline(merged.id)]
    const { merge: made } = await merge(survivor, merged)
    const both = await timeline(survivor.id)
    expect(both.filter((type) => type === 'CUSTOMERS_MERGED')).toHaveLength(1)
    for (const type of ['CUSTOMER_CREATED', 'COMMUNICATION_RECEIVED'] as const) {
      expect(both.filter((one) => one === type)).toHaveLength([...mine, ...theirs].filter((one) => one === type).length)
    }
    await unmerge(made.id)
    expect((await timeline(merged.id)).slice(-theirs.length)).toEqual(theirs)
    expect((await timeline(merged.id)).filter((type) => type.startsWith('CUSTOMERS_'))).toEqual(['CUSTOMERS_UNMERGED', 'CUSTOMERS_MERGED'])
    expect((await timeline(survivor.id)).filter((type) => type === 'CUSTOMER_CREATED')).toHaveLength(1)
  })

  test('a timeline of two is paged without gaps', async () => {
    const [survivor, merged] = [await writer('sms'), await writer('sms')]
    for (const person of [survivor, merged, survivor, merged]) await org.sms.inbound(person.number, 'again')
    await merge(survivor, merged)
    const all = present((await org.ask(CustomerTimelineDocument, { id: survivor.id, first: 100 })).customer).timeline.nodes.map(
      ({ id }) => id,
    )
    const paged: string[] = []
    for (let after: string | null = null, more = true; more; ) {
      const page = async () => present((await org.ask(CustomerTimelineDocument, { id: survivor.id, first: 2, after })).customer).timeline
      const { nodes, pageInfo }: Awaited<ReturnType<typeof page>> = await page()
      paged.push(...nodes.map(({ id }) => id))
      after = pageInfo.endCursor ?? null
      more = pageInfo.hasNextPage
    }
    expect(paged).toEqual(all)
  })

  test('a merge is refused of one customer, also by an old id, and of nobody', async () => {
    const [survivor, merged] = [await writer('sms'), await writer('sms')]
    await merge(survivor, merged)
    const ask = async (survivorId: string, mergedId: string) =>
      (await org.ask(MergeCustomersDocument, { input: { survivorId, mergedId } })).mergeCustomers
    for (const [one, other] of [
      [survivor.id, survivor.id],
      [survivor.id, merged.id],
      [merged.id, survivor.id],
    ] as const) {
      expect(await ask(one, other)).toMatchObject({ __typename: 'ValidationError', path: ['input', 'mergedId'] })
    }
    expect(await ask(survivor.id, present((await org.ask(ViewerDocument)).viewer.member).id)).toMatchObject({ __typename: 'NotFoundError' })
  })

  test('a chain: old ids lead to the last survivor in one step, and it is undone from the end', async () => {
    const people = [await writer('sms'), await writer('sms'), await writer('sms')] as const
    const [a, b, c] = people
    const first = (await merge(b, a)).merge.id
    const second = (await merge(c, b)).merge.id
    expect((await profile(a.id)).id).toBe(c.id)
    expect((await threads(c)).map(({ inboundCount }) => inboundCount)).toEqual([3])
    expect(await app.deps.db.conversation.count({ where: { mergedIntoId: present((await threads(c))[0]).id } })).toBe(2)
    expect((await timeline(c.id)).filter((type) => type === 'CUSTOMER_CREATED')).toHaveLength(3)
    expect(await unmerge(first)).toMatchObject({ __typename: 'ValidationError', path: ['input', 'mergeId'] })
    member(await unmerge(second), 'UnmergeCustomersSuccess')
    expect((await profile(a.id)).id).toBe(b.id)
    expect(await unmerge(second)).toMatchObject({ __typename: 'ValidationError', message: 'This merge is undone already.' })
    member(await unmerge(first), 'UnmergeCustomersSuccess')
    for (const person of people) expect(await bodies(person.id)).toEqual([`${person.number} by sms`])
    expect((await profile(a.id)).merges).toMatchObject([{ id: first }])
    expect((await profile(b.id)).merges.map(({ id }) => id)).toEqual([second, first])
  })
})

describe('what came since the merge', () => {
  test('stays with the survivor, in a joined conversation; the window and the address go back', async () => {
    const [survivor, merged] = [await writer('sms'), await writer('sms')]
    const { merge: made } = await merge(survivor, merged)
    await org.sms.inbound(merged.number, 'since')
    await org.ask(MarkReadDocument, { input: { target: { customerId: survivor.id } } })
    await org.sms.inbound(merged.number, 'since, unread')
    expect(member(await unmerge(made.id), 'UnmergeCustomersSuccess')).toMatchObject({
      survivor: { id: survivor.id, unreadCount: 1 },
      restored: { id: merged.id, unreadCount: 0 },
      merge: { undoneAt: expect.any(String) },
    })
    expect(await bodies(survivor.id)).toEqual([`${survivor.number} by sms`, 'since', 'since, unread'])
    expect(await bodies(merged.id)).toEqual([`${merged.number} by sms`])
    expect(await threads(survivor)).toMatchObject([{ address: survivor.number, inboundCount: 3, unreadCount: 1 }])
    expect(await threads(merged)).toMatchObject([{ address: merged.number, inboundCount: 1, unreadCount: 0 }])
    await org.sms.inbound(merged.number, 'later')
    expect((await bodies(merged.id)).at(-1)).toBe('later')
  })

  test('stays with the survivor in a conversation of its own, where the old one goes back', async () => {
    const [survivor, merged] = [await writer('sms'), await writer('whatsapp')]
    const { merge: made } = await merge(survivor, merged)
    const whatsapp = await thread(survivor, 'WHATSAPP')
    await org.whatsapp.inbound(merged.number, 'since')
    member(await unmerge(made.id), 'UnmergeCustomersSuccess')
    expect(await threads(merged)).toMatchObject([
      { id: whatsapp.id, inboundCount: 1, unreadCount: 1, lastActivityAt: whatsapp.lastActivityAt },
    ])
    expect(await thread(survivor, 'WHATSAPP')).toMatchObject({ inboundCount: 1, unreadCount: 1 })
    expect(await bodies(survivor.id)).toEqual([`${survivor.number} by sms`, 'since'])
  })
})

test('staff who still have the old id on their screen act on the survivor', async () => {
  const [survivor, merged] = [await writer('sms'), await writer('sms')]
  await merge(survivor, merged)
  const note = await org.ask(AddNoteDocument, { input: { customerId: merged.id, body: 'noted by the old id' } })
  expect(note.addNote.__typename).toBe('AddNoteSuccess')
  expect((await bodies(survivor.id)).at(-1)).toBe('noted by the old id')
  const { communications } = await org.ask(CommunicationsQueueDocument, { filter: { search: 'noted by the old id' } })
  expect(communications.nodes).toMatchObject([{ customer: { id: survivor.id } }])
})

test('a conversation that was joined with another can still be assigned and closed by its old id', async () => {
  const [survivor, merged] = [await writer('sms'), await writer('sms')]
  const old = present((await workspace(merged.id)).conversations.nodes[0]).id
  await merge(survivor, merged)
  const { setConversationStatus } = await org.ask(SetConversationStatusDocument, { input: { conversationId: old, status: 'CLOSED' } })
  expect(member(setConversationStatus, 'SetConversationStatusSuccess').conversation).toMatchObject({
    status: 'CLOSED',
    customer: { id: survivor.id },
  })
  expect(await threads(survivor)).toMatchObject([{ status: 'CLOSED' }])
})
