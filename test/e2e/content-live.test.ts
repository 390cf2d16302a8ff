import { afterAll, beforeAll, expect, test } from 'vitest'
import { globalId, localId } from '../../schema/global-id.ts'
import { applyEdit, applyRevoke } from '../../src/domain/apply-edit.ts'
import { newId } from '../../src/domain/ids.ts'
import { encodeCursor } from '../../src/events/cursor.ts'
import { startTestApp, type TestApp } from '../support/app.ts'
import { eventually } from '../support/eventually.ts'
import { overSse } from '../support/live.ts'
import { dataOf, present } from '../support/result.ts'
import { type ScriptedChannel, scriptChannel } from '../support/scripted-channel.ts'

const HOUR = 3_600_000

let app: TestApp
let chat: ScriptedChannel

beforeAll(async () => {
  app = await startTestApp({ WORKER: 'off' })
  chat = await scriptChannel(app, 'MESSENGER', { messagingWindowHours: 24, humanAgentHours: 168, businessInitiated: false })
})
afterAll(() => app.close())

const document = `subscription ($after: String, $types: [InboxEventType!]) { inboxEvents(after: $after, filter: { types: $types }) {
  __typename
  ... on CommunicationChangedEvent { change communication { id } }
  ... on CustomersMergedEvent { survivor { id } mergedCustomerId customer { id } }
  ... on CustomersUnmergedEvent { survivor { id } mergedCustomerId }
  ... on MergeSuggestedEvent { customer { id } otherCustomer { id } }
} }`

/** The events of these types that the log has until now; `count` of them. */
async function told(types: string[], count: number): Promise<object[]> {
  const variables = { after: encodeCursor(0n), types }
  const subscriber = await overSse<{ inboxEvents: object }, object>(app, { document, variables, token: await app.token() })
  await eventually(() => expect(subscriber.data()).toHaveLength(count))
  subscriber.stop()
  return subscriber.data().map(({ inboxEvents }) => inboxEvents)
}

test('the inbox hears of edits, revokes and reactions', async () => {
  const { communicationId, conversationId } = await chat.says('user-1', { externalMessageId: 'm1', body: 'First' })
  const id = globalId('Communication', communicationId)
  const input = {
    to: { conversationId: globalId('Conversation', conversationId) },
    content: { reaction: { communicationId: id, emoji: '👍' } },
  }
  await app.request('mutation ($input: SendMessageInput!) { sendMessage(input: $input) { __typename } }', { input })
  const at = new Date()
  await applyEdit(app.deps, chat.account, {
    kind: 'edit',
    externalMessageId: 'm1',
    revision: '1',
    body: 'Second',
    content: { kind: 'TEXT' },
    at,
  })
  await applyRevoke(app.deps, chat.account, { kind: 'revoke', externalMessageId: 'm1', at })
  const changed = (change: string) => ({ __typename: 'CommunicationChangedEvent', change, communication: { id } })
  expect(await told(['COMMUNICATION_CHANGED'], 3)).toEqual([changed('REACTION'), changed('EDITED'), changed('REVOKED')])
})

test('the inbox hears of merges, undone ones and suggestions', async () => {
  const [one, other] = [await chat.says('user-2'), await chat.says('user-3')]
  const input = { survivorId: globalId('Customer', one.customerId), mergedId: globalId('Customer', other.customerId) }
  const { mergeCustomers } = dataOf(
    await app.request<{ mergeCustomers: { merge: { id: string } } }, object>(
      'mutation ($input: MergeCustomersInput!) { mergeCustomers(input: $input) { ... on MergeCustomersSuccess { merge { id } } } }',
      { input },
    ),
  )
  const { survivorId, mergedId } = input
  const about = { survivor: { id: survivorId }, mergedCustomerId: mergedId }
  const merged = { __typename: 'CustomersMergedEvent', ...about }
  expect(await told(['CUSTOMERS_MERGED'], 2)).toMatchObject([merged, merged])
  await app.request('mutation ($id: ID!) { unmergeCustomers(input: { mergeId: $id }) { __typename } }', { id: mergeCustomers.merge.id })
  const unmerged = { __typename: 'CustomersUnmergedEvent', ...about }
  expect(await told(['CUSTOMERS_UNMERGED'], 2)).toEqual([unmerged, unmerged])
  const email = { kind: 'EMAIL', scope: '', value: 'shared@example.com', verified: true } as const
  const { organizationId } = chat.account
  await app.deps.db.customerIdentity.create({ data: { id: newId(), organizationId, customerId: other.customerId, ...email } })
  const own = { kind: 'MESSENGER', scope: chat.account.address, value: 'user-2', verified: true } as const
  await chat.says('user-2', { identities: [own, email] })
  expect(await told(['MERGE_SUGGESTED'], 1)).toEqual([
    { __typename: 'MergeSuggestedEvent', customer: { id: survivorId }, otherCustomer: { id: mergedId } },
  ])
})

test('a window tells what opened it and until when a person may answer; sendability the rest', async () => {
  const { conversationId, customerId, communicationId } = await chat.says('user-4', { window: { hours: 168, reason: 'AD_REFERRAL' } })
  const query = `query ($conversation: ID!, $customer: ID!) {
    conversation(id: $conversation) { messagingWindow { isOpen expiresAt reason humanAgentUntil } }
    customer(id: $customer) { sendability { channelAccount { id } canSend reason templatesOnly humanAgentOnly windowExpiresAt textLimit templates { name } } }
  }`
  type Answer = { conversation: { messagingWindow: object }; customer: { sendability: { channelAccount: { id: string } }[] } }
  const state = async () => {
    const variables = { conversation: globalId('Conversation', conversationId), customer: globalId('Customer', customerId) }
    const { conversation, customer } = dataOf(await app.request<Answer, object>(query, variables))
    const { channelAccount, ...row } = present(
      customer.sendability.find(({ channelAccount: { id } }) => localId('ChannelAccount', id) === chat.account.id),
    )
    return { window: conversation.messagingWindow, row }
  }
  const { organizationId, id: channelAccountId } = chat.account
  const template = { organizationId, body: 'x', language: 'en' }
  await app.deps.db.template.deleteMany()
  await app.deps.db.template.createMany({
    data: [
      { id: newId(), ...template, name: 'ours' },
      { id: newId(), ...template, name: 'of another channel', channel: 'SMS' },
      {
        id: newId(),
        ...template,
        name: 'approved',
        channelAccountId,
        scope: channelAccountId,
        providerTemplateId: 'p',
        status: 'APPROVED',
      },
      { id: newId(), ...template, name: 'paused', channelAccountId, scope: channelAccountId, providerTemplateId: 'q', status: 'PAUSED' },
    ],
  })
  const { createdAt } = await app.deps.db.communication.findUniqueOrThrow({ where: { id: communicationId } })
  const after = (hours: number) => new Date(createdAt.getTime() + hours * HOUR).toISOString()
  const names = (templates: string[]) => templates.map((name) => ({ name }))
  const open = { canSend: true, reason: null, templatesOnly: false, humanAgentOnly: false, textLimit: 100 }
  expect(await state()).toEqual({
    window: { isOpen: true, expiresAt: after(168), reason: 'AD_REFERRAL', humanAgentUntil: after(168) },
    row: { ...open, windowExpiresAt: after(168), templates: names(['ours', 'approved']) },
  })
  const move = (data: object) => app.deps.db.conversation.update({ where: { id: conversationId }, data })
  const past = new Date(Date.now() - HOUR)
  await move({ windowExpiresAt: past, windowReason: 'CUSTOMER_MESSAGE' })
  const closed = { ...open, reason: 'MESSAGING_WINDOW_CLOSED', windowExpiresAt: past.toISOString() }
  expect(await state()).toEqual({
    window: { isOpen: false, expiresAt: past.toISOString(), reason: 'CUSTOMER_MESSAGE', humanAgentUntil: after(168) },
    row: { ...closed, humanAgentOnly: true, templates: names(['ours', 'approved']) },
  })
  await move({ lastInboundAt: new Date(Date.now() - 200 * HOUR) })
  expect((await state()).row).toEqual({ ...closed, canSend: false, templates: [] })
  await move({ lastInboundAt: null, windowExpiresAt: null, windowReason: null })
  expect(await state()).toEqual({
    window: { isOpen: false, expiresAt: null, reason: null, humanAgentUntil: null },
    row: { ...closed, canSend: false, reason: 'NEVER_WROTE', windowExpiresAt: null, templates: [] },
  })
  await app.deps.db.channelAccount.update({ where: { id: chat.account.id }, data: { status: 'PENDING' } })
  expect((await state()).row).toMatchObject({ canSend: false, reason: 'ACCOUNT_NOT_ACTIVE', templates: [] })
})
