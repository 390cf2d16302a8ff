import { type DocumentNode, type GraphQLNamedType, getNamedType, print } from 'graphql'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { localId, type NodeType } from '../../schema/global-id.ts'
import { createOrganization } from '../../src/domain/create-organization.ts'
import { foldChannelStats } from '../../src/domain/fold-channel-stats.ts'
import { newId } from '../../src/domain/ids.ts'
import { encodeCursor } from '../../src/events/cursor.ts'
import * as generated from '../generated/graphql.ts'
import {
  AddNoteDocument,
  ChannelStatsDocument,
  CreateAppointmentDocument,
  CreateCustomerDocument,
  CreateTemplateDocument,
  CustomersDocument,
  InboxDocument,
  LogCallDocument,
  MergeCustomersDocument,
  SendMessageDocument,
  UpdateNotificationSettingsDocument,
} from '../generated/graphql.ts'
import { startTestApp, type TestApp } from '../support/app.ts'
import { eventually } from '../support/eventually.ts'
import { printedSchema } from '../support/graph.ts'
import {
  argumentsFor,
  idPlaces,
  nodeFieldsWithArguments,
  nodeOperationFor,
  type OwnIds,
  operationFor,
  rootFields,
  selectionOf,
} from '../support/graph-walk.ts'
import { openOrganization, type TestOrganization } from '../support/organization.ts'
import { dataOf, member, present } from '../support/result.ts'
import { latestOf, nodesOf, rowsOf, seenIn, tracesOf } from '../support/tenant.ts'

const schema = printedSchema()
const documents = Object.fromEntries(Object.entries(generated).filter(([name]) => name.endsWith('Document'))) as Record<
  string,
  DocumentNode
>
/** Of the staff: those of a web chat's visitors are tried in webchat-access.test.ts. */
const isQuery = ({ definitions: [first] }: DocumentNode) =>
  first?.kind === 'OperationDefinition' && first.operation === 'query' && first.name?.value !== 'Webchat'

let app: TestApp
let first: TestOrganization
let second: TestOrganization
let firstNodes: Record<NodeType, string[]>
let own: OwnIds
let secondCustomer: string
let traces: string[]

/** Some of everything that an organization can have. */
async function fill(organization: TestOrganization, word: string, number: string): Promise<void> {
  const picture = { NumMedia: '1', MediaUrl0: `data:text/plain,${word}`, MediaContentType0: 'text/plain' }
  await organization.sms.inbound(number, `${word} writes by SMS`)
  await organization.whatsapp.inbound(number, `${word} writes by WhatsApp`, { ProfileName: `${word} Profile`, ...picture })
  const row = present((await organization.ask(InboxDocument, { filter: { search: number, channels: ['SMS'] } })).conversations.nodes[0])
  const place = { customerId: row.customer.id, conversationId: row.id }
  await organization.ask(AddNoteDocument, { input: { ...place, body: `${word} note` } })
  await organization.ask(LogCallDocument, { input: { ...place, subject: `${word} subject`, body: `${word} call` } })
  const template = { name: `${word} template`, body: `${word} writes to {{customer_name}}`, subject: `${word} template subject` }
  await organization.ask(CreateTemplateDocument, { input: template })
  await organization.ask(
    `mutation { createApiKey(input: { name: "${word} key", role: ADMIN }) { __typename }
      assignConversation(input: { conversationId: "${row.id}" }) { __typename } }`,
  )
  await addTwins(organization, number, place.customerId)
  const staff = { name: `${word} staff` }
  const appointment = { customer: { customerId: place.customerId }, service: `${word} service`, externalId: `${word} appointment`, staff }
  const times = { startsAt: '2199-01-01T10:00:00.000Z', endsAt: '2199-01-01T11:00:00.000Z' }
  const booked = await organization.ask(CreateAppointmentDocument, { input: { ...appointment, ...times } })
  member(booked.createAppointment, 'CreateAppointmentSuccess')
  const settings = { businessName: `${word} business`, reviewLink: `https://example.com/${word}` }
  member(
    (await organization.ask(UpdateNotificationSettingsDocument, { input: settings })).updateNotificationSettings,
    'UpdateNotificationSettingsSuccess',
  )
  const refusedLater = { to: { address: '+15005550001' }, channel: 'SMS' as const, content: { text: `${word} fails` } }
  member((await organization.ask(SendMessageDocument, { input: refusedLater })).sendMessage, 'SendMessageSuccess')
  const sendAt = new Date(Date.now() + 86_400_000).toISOString()
  const sent = { to: { conversationId: row.id }, content: { text: `${word} answer` }, idempotencyKey: `${word} idempotency key`, sendAt }
  member((await organization.ask(SendMessageDocument, { input: sent })).sendMessage, 'SendMessageSuccess')
}

/** Two customers who were merged, and a suggestion to merge them with a third. */
async function addTwins(organization: TestOrganization, number: string, otherId: string): Promise<void> {
  const twins: string[] = []
  for (const twin of ['first', 'second']) {
    const input = { identities: [{ kind: 'EMAIL' as const, value: `${twin}-twin-${number.slice(1)}@example.com` }] }
    twins.push(member((await organization.ask(CreateCustomerDocument, { input })).createCustomer, 'CreateCustomerSuccess').customer.id)
  }
  const [survivorId, mergedId] = twins.map(present) as [string, string]
  member((await organization.ask(MergeCustomersDocument, { input: { survivorId, mergedId } })).mergeCustomers, 'MergeCustomersSuccess')
  const [customerId, otherCustomerId] = [survivorId, otherId].map((id) => present(localId('Customer', id))) as [string, string]
  const suggestion = { id: newId(), organizationId: organization.id, customerId, otherCustomerId }
  await app.deps.db.mergeSuggestion.create({ data: { ...suggestion, kind: 'PHONE', value: number } })
}

beforeAll(async () => {
  app = await startTestApp({
    MAX_QUERY_TOKENS: '100000',
    MAX_QUERY_COST: '10000000',
    MAX_QUERY_DEPTH: '100',
    MAX_QUERY_ALIASES: '1000',
  })
  first = await openOrganization(app, { slug: 'first-of-two', name: 'Firstly Limited' })
  second = await openOrganization(app, { slug: 'second-of-two', name: 'Secondly Limited' })
  await fill(first, 'Firstonly', '+905556660001')
  await fill(second, 'Secondonly', '+905556660002')
  await eventually(async () => expect(await app.deps.db.attachment.count({ where: { status: 'STORED' } })).toBe(2))
  await eventually(async () => expect(await app.deps.db.communication.count({ where: { deliveryStatus: 'FAILED' } })).toBe(2))
  const [firstRows, secondRows] = [await rowsOf(app.deps.pool, first.id), await rowsOf(app.deps.pool, second.id)]
  firstNodes = nodesOf(firstRows)
  const secondNodes = nodesOf(secondRows)
  own = latestOf(secondNodes)
  secondCustomer = present(secondNodes.Customer[0])
  traces = tracesOf(firstRows, secondRows)
})
afterAll(() => app?.close())

/** Asks as an ADMIN of the second organization; what the first one has must not be in the answer. */
async function expectNothingOfTheFirst(document: string, variables: Record<string, unknown>): Promise<Record<string, unknown>> {
  const answer = await app.request<Record<string, unknown>, object>(document, variables, second.token)
  expect(seenIn(answer, traces), `${document.slice(0, 200)} ${JSON.stringify(variables)}`).toEqual([])
  const refusals = (answer.errors ?? []).map(({ extensions, message }) => extensions?.code ?? message)
  expect(
    refusals.filter((code) => code !== 'NOT_FOUND' && code !== 'INVALID_INPUT'),
    `${document} ${JSON.stringify(variables)}`,
  ).toEqual([])
  return answer.data ?? {}
}

/** A few foreign ids for a place: all of the type that it wants, and one of each other type. */
const foreignIds = (wants: NodeType | null): string[] =>
  Object.entries(firstNodes).flatMap(([type, ids]) => (wants === null || wants === type ? ids : ids.slice(0, 1)))

test('the walk would notice: the first organization finds all of it', async () => {
  for (const [type, ids] of Object.entries(firstNodes)) {
    const document = `query ($id: ID!) { node(id: $id) { ... on ${type} ${selectionOf(schema, schema.getType(type) as GraphQLNamedType, 1)} } }`
    for (const id of ids) {
      const answer = dataOf(await app.request<{ node: unknown }, object>(document, { id }, first.token))
      expect(seenIn(answer, traces).length, `${type} ${id}`).toBeGreaterThan(0)
    }
  }
})

describe('queries', () => {
  test.each(rootFields(schema, 'Query').map((field) => ({ name: field.name, field })))('$name', async ({ field }) => {
    // All types of nodes at once, two deep, are more fields than a query may have: the nodes have tests of their own.
    const depth = getNamedType(field.type).name === 'Node' ? 1 : 2
    const fitting = argumentsFor(field, own, null, null)
    await expectNothingOfTheFirst(operationFor(schema, 'query', field, fitting, depth), fitting)
    for (const { path, wants } of idPlaces(field)) {
      for (const id of foreignIds(wants)) {
        const variables = argumentsFor(field, own, path, id)
        await expectNothingOfTheFirst(operationFor(schema, 'query', field, variables, depth), variables)
      }
    }
  })

  test.each(Object.entries(documents).flatMap(([name, document]) => (isQuery(document) ? [{ name, document }] : [])))(
    'the operation $name',
    async ({ document }) => {
      const ids = Object.values(firstNodes).flatMap((some) => some.slice(0, 2))
      const filters = [{ assigneeId: firstNodes.Member[0] }, { channelAccountId: firstNodes.ChannelAccount[0] }, { search: 'Firstonly' }]
      for (const id of ids) await expectNothingOfTheFirst(print(document), { id, customerId: id, kind: 'REVIEW_REQUEST' })
      for (const filter of document.definitions.some((one) => JSON.stringify(one).includes('ConversationFilter')) ? filters : []) {
        await expectNothingOfTheFirst(print(document), { filter })
      }
    },
  )

  test('an organization that has nothing sees nothing', async () => {
    await createOrganization(app.deps, { slug: 'empty-handed', name: 'Empty' })
    const token = await app.token({ organization: 'empty-handed' })
    const lists = rootFields(schema, 'Query').filter(({ name }) => !['viewer', 'members'].includes(name))
    for (const field of lists) {
      const variables = argumentsFor(field, own, null, null)
      const answer = await app.request<Record<string, unknown>, object>(
        operationFor(schema, 'query', field, variables, 0),
        variables,
        token,
      )
      expect(JSON.stringify(dataOf(answer)), field.name).not.toMatch(/"\w*(id|channel|cursor)":"/)
    }
  })

  test('the channel stats of an organization without messages are all 0', async () => {
    const third = await openOrganization(app, { slug: 'third-of-two' })
    const nothing = { total: 0, today: 0, inbound: 0, outbound: 0, unread: 0, failed: 0 }
    const { channelStats } = await third.ask(ChannelStatsDocument)
    expect(channelStats).toEqual([
      { channel: 'SMS', ...nothing },
      { channel: 'WHATSAPP', ...nothing },
    ])
    expect((await first.ask(ChannelStatsDocument)).channelStats[0]).toMatchObject({ inbound: 1, unread: 1, failed: 1 })
  })

  test('searches and cursors of the first organization', async () => {
    for (const search of ['Firstonly', '+905556660001', 'writes by']) {
      for (const field of [
        'customers(search: $search)',
        'conversations(filter: { search: $search })',
        'communications(filter: { search: $search })',
      ]) {
        await expectNothingOfTheFirst(`query ($search: String) { ${field} { nodes { __typename id } } }`, { search })
      }
    }
    for (const field of [
      'customers',
      'conversations',
      'communications',
      'mergeSuggestions',
      'scheduledMessages',
      'templates',
      'appointments',
      'automationRuns',
    ]) {
      const document = `query ($after: String) { ${field}(first: 1, after: $after) { nodes { id } pageInfo { endCursor } } }`
      const { [field]: page } = dataOf(
        await app.request<Record<string, { pageInfo: { endCursor: string } }>, object>(document, {}, first.token),
      )
      await expectNothingOfTheFirst(document, { after: page?.pageInfo.endCursor })
    }
  })
})

describe('nodes', () => {
  test.each(Object.keys({ ...schemaNodes() }))('%s', async (type) => {
    const document = `query ($id: ID!) { node(id: $id) { ... on ${type} ${selectionOf(schema, schema.getType(type) as GraphQLNamedType, 2)} } }`
    for (const id of Object.values(firstNodes).flat()) expect(await expectNothingOfTheFirst(document, { id })).toEqual({ node: null })
    const data = await expectNothingOfTheFirst(document, { id: own[type as NodeType] })
    expect(data.node, 'the own one is there').not.toBeNull()
  })

  test.each(nodeFieldsWithArguments(schema).map(({ parent, field }) => ({ name: `${parent}.${field.name}`, parent, field })))(
    '$name with foreign ids',
    async ({ parent, field }) => {
      const id = own[parent as NodeType]
      const fitting = argumentsFor(field, own, null, null)
      await expectNothingOfTheFirst(nodeOperationFor(schema, parent, field, fitting, id), fitting)
      for (const { path, wants } of idPlaces(field)) {
        for (const foreign of foreignIds(wants)) {
          const variables = argumentsFor(field, own, path, foreign)
          await expectNothingOfTheFirst(nodeOperationFor(schema, parent, field, variables, id), variables)
        }
      }
    },
  )
})

function schemaNodes(): Record<string, true> {
  const node = schema.getType('Node')
  if (node === undefined || !('resolveType' in node)) throw new Error('the schema has no interface Node')
  return Object.fromEntries(schema.getPossibleTypes(node as Parameters<typeof schema.getPossibleTypes>[0]).map(({ name }) => [name, true]))
}

describe('mutations', () => {
  const mutations = rootFields(schema, 'Mutation')
  const withIds = mutations.filter((field) => idPlaces(field).length > 0)

  test.each(withIds.map((field) => ({ name: field.name, field })))('$name changes nothing of the first', async ({ field }) => {
    // Else the worker does it meanwhile, where a minute begins.
    await foldChannelStats(app.deps)
    const before = await rowsOf(app.deps.pool, first.id)
    for (const { path, wants } of idPlaces(field)) {
      for (const id of foreignIds(wants)) {
        const variables = argumentsFor(field, own, path, id)
        const data = await expectNothingOfTheFirst(operationFor(schema, 'mutation', field, variables), variables)
        expect(data[field.name], `${path.join('.')} of ${field.name}`).toMatchObject({ __typename: 'NotFoundError' })
      }
    }
    expect(await rowsOf(app.deps.pool, first.id)).toEqual(before)
  })

  test('a send to an address takes an account and a customer of its own', async () => {
    for (const address of ['+905556660001', '+905556660099']) {
      const input = { to: { address }, channel: 'SMS' as const, content: { text: 'Secondonly by address' } }
      const sent = member((await second.ask(SendMessageDocument, { input })).sendMessage, 'SendMessageSuccess').communication
      const document = 'query ($id: ID!) { communication(id: $id) { channelAccount { id } customer { id name } conversation { id } } }'
      const data = await second.ask<{ communication: Record<string, { id: string } | null> }, object>(document, { id: sent.id })
      expect(data.communication.channelAccount?.id).toBe(second.sms.id)
      const ids = Object.values(data.communication).map((node) => node?.id)
      expect(
        ids.filter((id) =>
          Object.values(firstNodes)
            .flat()
            .includes(id ?? ''),
        ),
      ).toEqual([])
    }
  })

  test('no row of the second organization points to the first', async () => {
    const typedIn = '+905556660001'
    const others = traces.filter((trace) => trace !== typedIn)
    expect(seenIn(await rowsOf(app.deps.pool, second.id), others)).toEqual([])
  })

  test('the same calls with own ids all succeed, so the walk was about the ids', async () => {
    const destructive = [
      'cancelAppointment',
      'cancelMessage',
      'deleteTemplate',
      'disconnectChannelAccount',
      'removeCustomerIdentity',
      'revokeApiKey',
    ]
    const order = [
      // The latest merge of a customer can be undone, so before there is another one.
      ...mutations.filter(({ name }) => name === 'unmergeCustomers'),
      ...mutations.filter(({ name }) => name !== 'unmergeCustomers' && !destructive.includes(name)),
      ...mutations.filter(({ name }) => destructive.includes(name)),
    ]
    const booking = { customer: { customerId: own.Customer }, service: 'Secondonly', externalId: 'to be completed' }
    const times = { startsAt: '2199-02-01T10:00:00.000Z', endsAt: '2199-02-01T11:00:00.000Z' }
    await second.ask(CreateAppointmentDocument, { input: { ...booking, ...times } })
    for (const field of order) {
      const fitting = argumentsFor(field, own, null, null)
      const two = { survivorId: own.Customer, mergedId: secondCustomer }
      const special: Record<string, object> = {
        mergeCustomers: two,
        sendTestNotification: { kind: 'REVIEW_REQUEST', channel: 'SMS', to: '+905556660098' },
        completeAppointment: { appointment: { externalId: 'to be completed' } },
      }
      const variables = special[field.name] === undefined ? fitting : { input: special[field.name] }
      const data = await expectNothingOfTheFirst(operationFor(schema, 'mutation', field, variables), variables)
      const success = `${field.name.charAt(0).toUpperCase()}${field.name.slice(1)}Success`
      // The sandbox has no templates of its own; that is told of an account that was found.
      const typename = field.name === 'syncTemplates' ? 'ValidationError' : success
      expect(data[field.name], JSON.stringify(variables)).toMatchObject({ __typename: typename })
    }
  })
})

describe('subscriptions', () => {
  test('tell nothing of the first, whatever they ask for', async () => {
    const heard: string[] = []
    const leaving = new AbortController()
    const opened: Promise<void>[] = []
    const follow = (document: string, variables: object): void => {
      opened.push(
        listen(document, variables, leaving.signal, (text) => {
          heard.push(text)
        }),
      )
    }
    for (const field of rootFields(schema, 'Subscription')) {
      follow(operationFor(schema, 'subscription', field, {}, 1), {})
      for (const { path, wants } of idPlaces(field)) {
        for (const id of foreignIds(wants)) {
          const variables = argumentsFor(field, own, path, id)
          follow(operationFor(schema, 'subscription', field, variables, 1), variables)
        }
      }
      if (field.args.some(({ name }) => name === 'after')) {
        const variables = { after: encodeCursor(0n) }
        follow(operationFor(schema, 'subscription', field, variables, 1), variables)
      }
    }
    await Promise.all(opened)
    await first.sms.inbound('+905556660001', 'Firstonly is live')
    await second.sms.inbound('+905556660002', 'Secondonly is live')
    // Of communicationReceived, of inboxEvents from now on, and of inboxEvents from the beginning.
    await expect.poll(() => heard.join('').split('Secondonly is live').length - 1, { timeout: 15_000 }).toBeGreaterThanOrEqual(3)
    leaving.abort()
    expect(seenIn(heard, [...traces, 'Firstonly is live'])).toEqual([])
  })

  test('finds customers of its own', async () => {
    const { customers } = dataOf(await app.request(CustomersDocument, { search: 'Secondonly' }, second.token))
    expect(customers.nodes).toHaveLength(1)
  })
})

/** Follows a subscription over SSE as an ADMIN of the second organization; resolves when the server has answered. */
async function listen(document: string, variables: object, signal: AbortSignal, heard: (text: string) => void): Promise<void> {
  const response = await fetch(`${app.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'text/event-stream', authorization: `Bearer ${second.token}` },
    body: JSON.stringify({ query: document, variables }),
    signal,
  })
  const read = async () => {
    for await (const chunk of present(response.body)) heard(Buffer.from(chunk).toString())
  }
  read().catch((error: unknown) => {
    if (!signal.aborted) throw error
  })
}
