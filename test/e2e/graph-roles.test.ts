import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { globalId, type NodeType } from '../../schema/global-id.ts'
import type { Role } from '../../src/db/generated/enums.ts'
import { newId } from '../../src/domain/ids.ts'
import { startTestApp, type TestApp } from '../support/app.ts'
import { printedSchema } from '../support/graph.ts'
import { argumentsFor, type Field, type OwnIds, operationFor, rootFields } from '../support/graph-walk.ts'

const schema = printedSchema()
const adminMutations = [
  'checkChannelAccount',
  'connectChannelAccount',
  'createApiKey',
  'createTemplate',
  'deleteTemplate',
  'disconnectChannelAccount',
  'replayWebhookReceipt',
  'resetAutomationTemplate',
  'revokeApiKey',
  'sendTestNotification',
  'syncTemplates',
  'updateChannelAccount',
  'updateNotificationSettings',
  'updateTemplate',
]

const adminQueries = ['apiKeys', 'webhookReceipts']

let app: TestApp
let tokens: Record<Role, string>
let agentKey: string

beforeAll(async () => {
  app = await startTestApp({ MAX_QUERY_ALIASES: '1000' })
  const token = (role: Role) => app.token({ role, subject: role })
  tokens = { VIEWER: await token('VIEWER'), AGENT: await token('AGENT'), ADMIN: await token('ADMIN') }
  const document = 'mutation { createApiKey(input: { name: "roles", role: AGENT }) { ... on CreateApiKeySuccess { key } } }'
  const { data } = await app.request<{ createApiKey: { key: string } }, object>(document, {})
  agentKey = data?.createApiKey.key ?? ''
})
afterAll(() => app?.close())

/** Ids that are right in form and belong to nothing. */
const nothing = new Proxy({} as OwnIds, { get: (_target, type: string) => globalId(type as NodeType, newId()) })

const call = (kind: 'query' | 'mutation' | 'subscription', field: Field, token: string | null) => {
  const variables = argumentsFor(field, nothing, null, null)
  return app.request<Record<string, unknown>, object>(operationFor(schema, kind, field, variables, 0), variables, token)
}

const codeOf = ({ errors }: Awaited<ReturnType<typeof call>>) => errors?.[0]?.extensions?.code
const fields = (kind: 'Query' | 'Mutation' | 'Subscription') => rootFields(schema, kind).map((field) => ({ name: field.name, field }))

function expectUnauthenticated(answer: Awaited<ReturnType<typeof call>>): void {
  expect([codeOf(answer), answer.status]).toEqual(['UNAUTHENTICATED', 401])
  expect(Object.values(answer.data ?? {}).filter((value) => value !== null)).toEqual([])
}

describe('without a token', () => {
  test.each(fields('Query'))('the query $name is UNAUTHENTICATED', async ({ field }) => {
    const answer = await call('query', field, null)
    expectUnauthenticated(answer)
  })
  test.each(fields('Mutation'))('the mutation $name is UNAUTHENTICATED', async ({ field }) => {
    const answer = await call('mutation', field, null)
    expectUnauthenticated(answer)
  })
  test.each(fields('Subscription'))('the subscription $name is UNAUTHENTICATED', async ({ field }) => {
    const variables = argumentsFor(field, nothing, null, null)
    const response = await fetch(`${app.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
      body: JSON.stringify({ query: operationFor(schema, 'subscription', field, variables, 0), variables }),
    })
    expect(await response.text()).toContain('"code":"UNAUTHENTICATED"')
  })
  test('the schema can be read', async () => {
    const { data, errors } = await app.request('{ __schema { queryType { name } } __type(name: "Customer") { name } __typename }', {}, null)
    expect([data, errors]).toEqual([
      { __schema: { queryType: { name: 'Query' } }, __type: { name: 'Customer' }, __typename: 'Query' },
      undefined,
    ])
  })
  test.each(['Bearer nonsense', 'Basic dXNlcjpwYXNz', 'Bearer parley_nonsense', 'Bearer'])(
    'a wrong authorization is told: %s',
    async (authorization) => {
      const response = await fetch(`${app.url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization },
        body: JSON.stringify({ query: '{ viewer { role } }' }),
      })
      const answer = (await response.json()) as { errors: { extensions: { code: string } }[] }
      expect([response.status, answer.errors[0]?.extensions.code]).toEqual([401, 'UNAUTHENTICATED'])
    },
  )
})

describe('by role', () => {
  test.each(fields('Mutation'))('the mutation $name', async ({ name, field }) => {
    const forAdmins = adminMutations.includes(name)
    const forbidden = (answer: Awaited<ReturnType<typeof call>>) => codeOf(answer) === 'FORBIDDEN' && (answer.data ?? null) === null
    expect(forbidden(await call('mutation', field, tokens.VIEWER)), 'VIEWER').toBe(true)
    expect(forbidden(await call('mutation', field, tokens.AGENT)), 'AGENT').toBe(forAdmins)
    expect(forbidden(await call('mutation', field, agentKey)), 'an API key of role AGENT').toBe(forAdmins)
    expect((await call('mutation', field, tokens.ADMIN)).errors, 'ADMIN').toBeUndefined()
    expect(field.description, 'the contract says so').toMatch(forAdmins ? /^ADMIN\./ : /^AGENT\./)
  })

  test.each(fields('Query'))('the query $name', async ({ name, field }) => {
    for (const role of ['VIEWER', 'AGENT', 'ADMIN'] as const) {
      const answer = await call('query', field, tokens[role])
      expect(codeOf(answer), role).toBe(adminQueries.includes(name) && role !== 'ADMIN' ? 'FORBIDDEN' : undefined)
    }
  })

  test('an API key cannot be seen as a node by those who may not list it', async () => {
    const { data } = await app.request<{ apiKeys: { id: string }[] }, object>('{ apiKeys { id } }', {})
    const id = data?.apiKeys[0]?.id
    const seen = async (token: string) =>
      (await app.request<{ node: unknown }, object>('query ($id: ID!) { node(id: $id) { id } }', { id }, token)).data
    expect(await seen(tokens.AGENT)).toEqual({ node: null })
    expect(await seen(tokens.ADMIN)).toEqual({ node: { id } })
  })
})
