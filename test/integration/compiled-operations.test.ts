import fc from 'fast-check'
import {
  type DocumentNode,
  execute,
  type GraphQLObjectType,
  getNamedType,
  isLeafType,
  isObjectType,
  isRequiredArgument,
  parse,
  print,
} from 'graphql'
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest'
import { createCompiledOperations } from '../../schema/compiled/operations.ts'
import type { Context } from '../../schema/context.ts'
import { globalId } from '../../schema/global-id.ts'
import { schema } from '../../schema/schema.ts'
import { createAuthenticator } from '../../src/auth/authenticate.ts'
import type { MessageFact } from '../../src/channels/fact.ts'
import { addNote } from '../../src/domain/add-note.ts'
import { assignConversation, setConversationStatus } from '../../src/domain/change-conversation.ts'
import { newId } from '../../src/domain/ids.ts'
import { mergeCustomers } from '../../src/domain/merge-customers.ts'
import { receiveMessages } from '../../src/domain/receive-message.ts'
import { sendMessage } from '../../src/domain/send-message.ts'
import {
  ChannelStatsDocument,
  type ChannelStatsQuery,
  CommunicationsQueueDocument,
  ConversationThreadDocument,
  CustomersDocument,
  CustomerWorkspaceDocument,
  InboxDocument,
} from '../generated/graphql.ts'
import { startTestApp, type TestApp } from '../support/app.ts'
import { randomDocument } from '../support/random-document.ts'

let app: TestApp
let context: Context
let conversationIds: string[]
let customerIds: string[]
let communicationIds: string[]

beforeAll(async () => {
  app = await startTestApp({ WORKER: 'off' }, { handwritten: true })
  const { deps } = app
  const viewer = await createAuthenticator(deps).authenticate(`Bearer ${await app.token()}`)
  context = { deps, viewer } as Context
  await seed()
  const order = { orderBy: { id: 'asc' }, select: { id: true } } as const
  conversationIds = (await deps.db.conversation.findMany(order)).map(({ id }) => globalId('Conversation', id))
  const living = { where: { mergedIntoId: null }, ...order }
  customerIds = (await deps.db.customer.findMany(living)).map(({ id }) => globalId('Customer', id))
  communicationIds = (await deps.db.communication.findMany(order)).map(({ id }) => globalId('Communication', id))
}, 60_000)

afterAll(() => app.close())

/** Conversations with everything that a row or an item can show: windows, failures, authors, attachments, odd texts. */
async function seed(): Promise<void> {
  const { deps } = app
  const organizationId = context.viewer?.organization.id ?? ''
  const actor = { organizationId, memberId: context.viewer?.member?.id ?? null }
  const accounts = await deps.db.channelAccount.findMany()
  for (const account of accounts) {
    for (const [index, body] of ['plain', 'quote " back \\ slash', '\u0001\u001e\u2028 emoji 👩‍👩‍👧 𝕳', '', 'x'.repeat(3000)].entries()) {
      const address = `+9055511122${index}${account.channel === 'SMS' ? 1 : 2}`
      const fact: MessageFact = {
        kind: 'message',
        externalMessageId: `${account.channel}-${index}`,
        address,
        identities: [{ kind: 'PHONE', scope: '', value: address, verified: true }],
        profileName: index % 2 === 0 ? `Customer "${index}"` : null,
        body,
        attachments:
          index === 1
            ? [
                { url: 'https://api.twilio.com/a', contentType: 'image/png' },
                { url: 'https://api.twilio.com/b', contentType: null },
              ]
            : [],
        content: { kind: 'TEXT' },
        payload: null,
        consent: null,
      }
      const [result] = await receiveMessages(deps, null, [{ account, windowHours: account.channel === 'WHATSAPP' ? 24 : null, fact }])
      if (result?.status !== 'fulfilled') throw new Error(`not received: ${JSON.stringify(result)}`)
      const received = result.value
      const conversationId = received?.conversationId ?? ''
      await addNote(deps, actor, { customerId: received?.customerId ?? '', conversationId, body: `note ${index}` })
      await sendMessage(deps, actor, {
        to: { conversationId },
        content: { text: `answer ${index}` },
        idempotencyKey: `${account.channel} ${index}`,
      })
      if (index === 2) await assignConversation(deps, actor, { conversationId, assigneeId: actor.memberId })
      if (index === 3) await setConversationStatus(deps, actor, { conversationId, status: 'CLOSED' })
    }
  }
  await deps.db.communication.updateMany({
    where: { direction: 'OUTBOUND', body: 'answer 1' },
    data: { deliveryStatus: 'FAILED', failureCode: '30008', failureMessage: 'no' },
  })
  await deps.db.communication.updateMany({
    where: { body: 'answer 2' },
    data: { deliveryStatus: 'READ', sentAt: new Date(), deliveredAt: new Date(), readAt: new Date() },
  })
  await deps.db.communication.updateMany({ where: { body: 'plain' }, data: { revokedAt: new Date(), body: '' } })
  await deps.db.conversation.updateMany({ where: { status: 'CLOSED' }, data: { windowExpiresAt: new Date(Date.now() - 1000) } })
  const customerOf = async (value: string) => (await deps.db.customerIdentity.findFirstOrThrow({ where: { value } })).customerId
  const [survivorId, mergedId] = [await customerOf('+90555111220' + '1'), await customerOf('+90555111221' + '1')]
  await mergeCustomers(deps, actor, { survivorId, mergedId })
  await mergeCustomers(deps, actor, { survivorId, mergedId: await customerOf('+905551112242') })
  const [file] = await deps.db.attachment.findMany()
  await deps.db.attachment.update({
    where: { id: file?.id ?? '' },
    data: { status: 'STORED', size: 5, filename: 'a "b".png', storageKey: `attachments/${newId()}` },
  })
}

const answerCompiled = createCompiledOperations(schema)

/** What both ways answer; `compiled` is null where that is left to the executor, which reads no more columns than the server lets it. */
async function both(document: DocumentNode, variables: Record<string, unknown>) {
  const query = print(document)
  const compiled = await answerCompiled({ query, variables }, context)
  const asked = { schema, document: parse(query) }
  const executed = await execute({ ...asked, variableValues: variables, contextValue: { ...context, asked } })
  return {
    compiled: compiled === null ? null : (JSON.parse(compiled) as unknown),
    executed: JSON.parse(JSON.stringify(executed)) as { data: never },
  }
}

async function expectSame(document: DocumentNode, variables: Record<string, unknown>) {
  const { compiled, executed } = await both(document, variables)
  expect(compiled).not.toBeNull()
  expect(compiled).toEqual(executed)
  return executed.data
}

describe('a compiled operation answers what the executor answers', () => {
  const inboxFilters = [
    ...['OPEN', 'SNOOZED', 'CLOSED'].map((status) => ({ status })),
    ...[[], ['WHATSAPP'], ['SMS', 'EMAIL', 'WHATSAPP']].map((channels) => ({ channels })),
    ...[true, false].flatMap((yes) => [{ unread: yes }, { unassigned: yes }]),
    ...['9055', 'Customer "2"', '%', 'nobody has this', ' '].map((search) => ({ search })),
    { status: 'OPEN', channels: ['SMS'], unread: true, unassigned: true, search: '5551' },
  ]
  const communicationFilters = [
    ...[[], ['SMS'], ['INTERNAL_NOTE', 'CALL_LOG'], ['WHATSAPP', 'EMAIL']].map((types) => ({ types })),
    ...['INBOUND', 'OUTBOUND', 'INTERNAL'].map((direction) => ({ direction })),
    ...[true, false].map((unread) => ({ unread })),
    ...['answer', 'QUOTE', '_', 'nothing like it'].map((search) => ({ search })),
    { since: '2020-01-01T00:00:00Z' },
    { until: '2020-01-01T00:00:00Z' },
    { types: ['SMS'], direction: 'INBOUND', unread: true, since: '2020-01-01T00:00:00Z', until: '2100-01-01T00:00:00Z', search: 'plain' },
  ]

  it.each([{}, { first: 3 }, { first: 100 }, ...inboxFilters.map((filter) => ({ filter }))])('Inbox %j', async (variables) => {
    await expectSame(InboxDocument, variables)
  })

  it('Inbox by account and by assignee', async () => {
    const [account] = await app.deps.db.channelAccount.findMany()
    const channelAccountId = globalId('ChannelAccount', account?.id ?? '')
    const assigneeId = globalId('Member', context.viewer?.member?.id ?? '')
    for (const filter of [{ channelAccountId }, { assigneeId }]) await expectSame(InboxDocument, { filter })
  })

  it.each(communicationFilters)('the queue, a customer and a thread with %j', async (filter) => {
    await expectSame(CommunicationsQueueDocument, { filter })
    await expectSame(CustomerWorkspaceDocument, { id: customerIds[3], filter, last: 2 })
    const query =
      'query ($id: ID!, $f: CommunicationFilter) { conversation(id: $id) { communications(first: 2, filter: $f) { edges { cursor } } } }'
    await expectSame(parse(query), { id: conversationIds[3], f: filter })
  })

  it('CustomerWorkspace of every customer, also of one who was merged', async () => {
    for (const id of customerIds) await expectSame(CustomerWorkspaceDocument, { id })
    const merged = await app.deps.db.customer.findFirst({ where: { mergedIntoId: { not: null } } })
    const data = await expectSame(CustomerWorkspaceDocument, { id: globalId('Customer', merged?.id ?? '') })
    expect(data).toMatchObject({ customer: { id: globalId('Customer', merged?.mergedIntoId ?? '') } })
  })

  it.each([{}, { search: '9055' }, { search: 'Customer' }, { first: 2 }])('Customers %j', async (variables) => {
    await expectSame(CustomersDocument, variables)
  })

  it('ChannelStats', async () => {
    const { channelStats } = (await expectSame(ChannelStatsDocument, {})) as ChannelStatsQuery
    expect(channelStats.map(({ channel }) => channel)).toEqual(expect.arrayContaining(['SMS', 'WHATSAPP']))
  })

  it.each([
    ['forwards', 'first', 'after', 'endCursor', 'hasNextPage'],
    ['backwards', 'last', 'before', 'startCursor', 'hasPreviousPage'],
  ])('lists page after page, %s', async (_name, size, cursor, end, more) => {
    for (const list of ['conversations', 'communications', 'customers']) {
      const pageInfo = 'pageInfo { hasNextPage hasPreviousPage startCursor endCursor }'
      const document = parse(
        `query ($n: Int, $c: String) { ${list}(${size}: $n, ${cursor}: $c) { edges { cursor node { id } } nodes { id } ${pageInfo} } }`,
      )
      let c: unknown = null
      let pages = 0
      do {
        const page = (await expectSame(document, { n: 4, c }))[list] as Record<string, Record<string, unknown>>
        c = page.pageInfo?.[more] === true ? page.pageInfo[end] : null
        pages += 1
      } while (c !== null)
      expect(pages).toBeGreaterThan(1)
    }
  })

  it('ConversationThread of every conversation, page after page', async () => {
    for (const id of conversationIds) {
      let before: string | null = null
      do {
        const data = await expectSame(ConversationThreadDocument, { id, last: 2, before })
        type Thread = { conversation: { communications: { pageInfo: { hasPreviousPage: boolean; startCursor: string } } } }
        const { pageInfo } = (data as Thread).conversation.communications
        before = pageInfo.hasPreviousPage ? pageInfo.startCursor : null
      } while (before !== null)
    }
    expect(conversationIds).toHaveLength(10)
  })

  it('what is another organization’s, or nobody’s', async () => {
    const id = (type: 'Conversation' | 'Customer' | 'Communication') => globalId(type, newId())
    expect(await expectSame(ConversationThreadDocument, { id: id('Conversation') })).toEqual({ conversation: null })
    expect(await expectSame(CustomerWorkspaceDocument, { id: id('Customer') })).toEqual({ customer: null })
    expect(await expectSame(parse('query ($id: ID!) { communication(id: $id) { id } }'), { id: id('Communication') })).toEqual({
      communication: null,
    })
  })

  it('any selection of what has SQL', async () => {
    const ids = { Conversation: conversationIds, Customer: customerIds, Communication: communicationIds }
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 2 ** 31 - 2 }), async (seed) => {
        const { text, variables } = randomDocument(schema, ids, seed)
        const { compiled, executed } = await both(parse(text), variables)
        if (compiled === null) expect(executed, text).toMatchObject({ errors: [{ extensions: { code: 'QUERY_TOO_COMPLEX' } }] })
        else expect(compiled, text).toEqual(executed)
      }),
      { numRuns: 200 },
    )
  })
})

describe('anything unusual is left to the executor', () => {
  const answer = (query: string, variables = {}) => answerCompiled({ query, variables }, context)

  it.each([
    { first: 0 },
    { first: 101 },
    { first: 'many' },
    { after: 'no cursor' },
    { filter: { assigneeId: 'x' } },
    { filter: { status: 'NO_STATUS' } },
    { filter: { unassigned: true, assigneeId: Buffer.from(`Member:${newId()}`).toString('base64') } },
  ])('Inbox %j', async (variables) => {
    expect(await answer(print(InboxDocument), variables)).toBeNull()
  })

  it('nobody signed in', async () => {
    expect(await answerCompiled({ query: print(InboxDocument) }, { ...context, viewer: null })).toBeNull()
  })

  it.each([
    ['no query', 'query Inbox {'],
    ['an invalid one', '{ conversations { nodes { nothing } } }'],
    ['a mutation', 'mutation { addNote(input: { customerId: "x", body: "y" }) { __typename } }'],
    ['one of two operations, not named', 'query A { channelStats { total } } query B { channelStats { total } }'],
    ['a directive', '{ conversations { nodes { id @include(if: true) } } }'],
    ['a field without SQL', '{ customers { nodes { sendability { canSend } } } }'],
    ['a key that PostgreSQL would cut off', `{ conversations { nodes { ${'k'.repeat(64)}: id } } }`],
    ['an id that is none', '{ conversation(id: "x") { id } }'],
    [
      'more than the server allows',
      `{ conversations(first: 100) { nodes { communications(first: 100) { nodes { id attachments { id } } } } } }`,
    ],
    ['more aliases than the server allows', `{ ${Array.from({ length: 31 }, (_, n) => `a${n}: channelStats { total }`).join(' ')} }`],
  ])('%s', async (_name, query) => {
    expect(await answer(query)).toBeNull()
  })

  it('only what every role may see is compiled', () => {
    for (const type of Object.values(schema.getTypeMap())) {
      if (!isObjectType(type)) continue
      for (const field of Object.values(type.getFields())) {
        if (field.extensions.sql !== undefined)
          expect(field.extensions.pothosOptions, `${type.name}.${field.name}`).not.toHaveProperty('authScopes')
      }
    }
  })
})

test('every field of a noun is the same alone as with all others', async () => {
  const nouns = [
    ['Conversation', conversationIds[2]],
    ['Customer', customerIds[2]],
    ['Communication', communicationIds[2]],
    ['Attachment', globalId('Attachment', (await app.deps.db.attachment.findFirst())?.id ?? '')],
    ['ChannelAccount', globalId('ChannelAccount', (await app.deps.db.channelAccount.findFirst())?.id ?? '')],
    ['Member', globalId('Member', context.viewer?.member?.id ?? '')],
  ] as const
  for (const [noun, id] of nouns) {
    const fields = Object.values((schema.getType(noun) as GraphQLObjectType).getFields()).filter((field) =>
      field.args.every((arg) => !isRequiredArgument(arg)),
    )
    const shown = fields.map(({ name, type }) => (isLeafType(getNamedType(type)) ? name : `${name} { __typename }`))
    const ask = async (selection: string) => {
      const asked = { schema, document: parse(`query ($id: ID!) { node(id: $id) { ... on ${noun} { ${selection} } } }`) }
      const { data, errors } = await execute({ ...asked, variableValues: { id }, contextValue: { ...context, asked } })
      expect(errors).toBeUndefined()
      return data?.node as Record<string, unknown>
    }
    const all = await ask(shown.join(' '))
    for (const [index, { name }] of fields.entries()) expect((await ask(shown[index] ?? ''))[name], `${noun}.${name}`).toEqual(all[name])
  }
})
