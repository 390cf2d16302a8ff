import { readdirSync, readFileSync } from 'node:fs'
import { request as httpRequest } from 'node:http'
import { type OperationDefinitionNode, parse, print } from 'graphql'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { CreateCustomerDocument, InboxDocument, ViewerDocument } from '../generated/graphql.ts'
import { startTestApp, type TestApp } from '../support/app.ts'
import { openOrganization, type TestOrganization } from '../support/organization.ts'
import { member, present } from '../support/result.ts'

let app: TestApp
let org: TestOrganization
let customerId: string

beforeAll(async () => {
  app = await startTestApp()
  org = await openOrganization(app, { slug: 'limits' })
  const { createCustomer } = await org.ask(CreateCustomerDocument, { input: { name: 'Somebody' } })
  customerId = member(createCustomer, 'CreateCustomerSuccess').customer.id
})
afterAll(() => app?.close())

type Refused = { status: number; errors: { message: string; extensions: Record<string, unknown> }[] }

async function refused(query: string): Promise<{ status: number; message: string; extensions: Record<string, unknown> }> {
  const { status, errors } = (await app.request(query, {}, org.token)) as Refused
  expect(errors).toHaveLength(1)
  return { status, ...present(errors[0]) }
}

const nested = (levels: number): string =>
  levels === 0 ? 'id' : `customer { conversations(first: 1) { nodes { id ${nested(levels - 1)} } } }`

describe('a query over a limit is refused with the limit and what it would have cost', () => {
  test('depth', async () => {
    const { status, message, extensions } = await refused(`{ conversations(first: 1) { nodes { id ${nested(4)} } } }`)
    expect(extensions).toMatchObject({ code: 'QUERY_TOO_COMPLEX', limit: 'DEPTH', max: 12, cost: expect.any(Number) })
    expect([status, message]).toEqual([400, `The query's depth is ${extensions.cost}; at most 12 is allowed.`])
    expect(extensions.cost).toBeGreaterThan(12)
  })

  test('cost, in which page sizes count', async () => {
    const query = (first: number) =>
      `{ conversations(first: ${first}) { nodes { communications(last: ${first}) { nodes { customer { identities { id } } } } } } }`
    const { status, message, extensions } = await refused(query(100))
    expect(extensions).toMatchObject({ code: 'QUERY_TOO_COMPLEX', limit: 'COMPLEXITY', max: 50_000, cost: expect.any(Number) })
    expect([status, message]).toEqual([400, `The query's cost is ${extensions.cost}; at most 50000 is allowed.`])
    expect(extensions.cost).toBeGreaterThan(50_000)
    expect((await app.request(query(10), {}, org.token)).errors).toBeUndefined()
    const byVariable = `query ($n: Int) ${query(100).replaceAll('100', '$n')}`
    expect((await app.request(byVariable, { n: 100 }, org.token)).errors?.[0]?.extensions).toMatchObject({ cost: extensions.cost })
  })

  test('aliases', async () => {
    const query = (count: number) => `{ ${Array.from({ length: count }, (_, index) => `a${index}: viewer { id }`).join(' ')} }`
    const { status, message, extensions } = await refused(query(31))
    expect([status, extensions]).toEqual([400, { code: 'QUERY_TOO_COMPLEX', limit: 'ALIASES', max: 30 }])
    expect(message).toBe('Aliases limit of 30 exceeded, found 31.')
    expect((await app.request(query(30), {}, org.token)).errors).toBeUndefined()
  })

  test('tokens', async () => {
    const { message, extensions } = await refused(`{ viewer { ${'id '.repeat(5000)} } }`)
    expect(extensions).toEqual({ code: 'QUERY_TOO_COMPLEX', limit: 'TOKENS', max: 5000 })
    expect(message).toContain('5000')
  })

  test('of the same kind in a mutation', async () => {
    const notes = Array.from({ length: 31 }, (_, n) => `a${n}: addNote(input: { customerId: "x", body: "x" }) { __typename }`).join(' ')
    expect((await refused(`mutation { ${notes} }`)).extensions).toMatchObject({ limit: 'ALIASES' })
  })
})

describe('the operations of a frontend pass the default limits with pages of 100', () => {
  const folder = new URL('../../schema/operations/', import.meta.url)
  const documents = readdirSync(folder).map((file) => parse(readFileSync(new URL(file, folder), 'utf8')))
  const definitions = documents.flatMap((document) => document.definitions)
  const operations = definitions.filter((definition) => definition.kind === 'OperationDefinition' && definition.operation === 'query')

  test.each(operations.map((operation) => ({ name: (operation as OperationDefinitionNode).name?.value ?? '', operation })))(
    '$name',
    async ({ operation }) => {
      const known = new Map(
        definitions.flatMap((one) => (one.kind === 'FragmentDefinition' ? [[one.name.value, print(one)] as const] : [])),
      )
      const text = print(operation)
      const used = new Set<string>()
      const collect = (part: string): void => {
        for (const [, name = ''] of part.matchAll(/\.\.\.(\w+)/g)) {
          if (used.has(name) || !known.has(name)) continue
          used.add(name)
          collect(known.get(name) ?? '')
        }
      }
      collect(text)
      const sizes = { first: 100, last: 100 }
      const ids = { id: org.sms.id, customerId, kind: 'REVIEW_REQUEST' }
      const wanted = (operation as OperationDefinitionNode).variableDefinitions?.map(({ variable }) => variable.name.value) ?? []
      const variables = Object.fromEntries(Object.entries({ ...sizes, ...ids }).filter(([name]) => wanted.includes(name)))
      const document = [text, ...[...used].map((name) => known.get(name))].join('\n')
      // What only a web chat's visitor may ask passes the limits all the same; then it is refused.
      const allowed = document.startsWith('query Webchat') ? { errors: [{ extensions: { code: 'FORBIDDEN' } }] } : {}
      const { errors } = await app.request(document, variables, org.token)
      expect(errors === undefined ? {} : { errors }).toMatchObject(allowed)
      expect(errors?.length ?? 0).toBe(Object.keys(allowed).length)
    },
  )
})

describe('bodies', () => {
  const post = (headers: Record<string, string>, chunks: string[]) =>
    new Promise<{ status: number; body: string }>((resolve, reject) => {
      const outgoing = httpRequest(`${app.url}/graphql`, { method: 'POST', headers: { 'content-type': 'application/json', ...headers } })
      outgoing.on('response', (response) => {
        const parts: Buffer[] = []
        response.on('data', (part: Buffer) => parts.push(part))
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(parts).toString() }))
      })
      outgoing.on('error', reject)
      for (const chunk of chunks) outgoing.write(chunk)
      outgoing.end()
    })
  const large = JSON.stringify({ query: '{ viewer { id } }', variables: { padding: 'x'.repeat(1_000_000) } })

  test.each([
    ['with its length', { 'content-length': String(Buffer.byteLength(large)) }],
    ['in chunks', { 'transfer-encoding': 'chunked' }],
  ])('a body that is too large is refused %s', async (_name, headers) => {
    const { status, body } = await post({ ...headers, authorization: `Bearer ${org.token}` }, [
      large.slice(0, 500_000),
      large.slice(500_000),
    ])
    expect([status, body]).toEqual([413, expect.stringContaining('MAX_BODY_BYTES')])
  })

  test('a small body in chunks is taken', async () => {
    const headers = { 'transfer-encoding': 'chunked', authorization: `Bearer ${org.token}` }
    const { status, body } = await post(headers, ['{"query":"{ viewer ', '{ role } }"}'])
    expect([status, JSON.parse(body)]).toEqual([200, { data: { viewer: { role: 'ADMIN' } } }])
  })

  test('a batch is refused', async () => {
    const one = { query: '{ viewer { role } }' }
    const response = await fetch(`${app.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${org.token}` },
      body: JSON.stringify([one, one]),
    })
    const text = await response.text()
    expect(response.status).toBe(400)
    expect(text).toMatch(/batch/i)
    expect(text).not.toContain('ADMIN')
  })

  test.each(['', 'null', '7', '{', '{"query":7}', '{"query":""}', '{"variables":{}}', '{"query":"{ nothing }"}', '{"query":"{ viewer"}'])(
    'the body %j is the client’s mistake, told without a stack',
    async (body) => {
      const response = await fetch(`${app.url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${org.token}` },
        body,
      })
      const text = await response.text()
      expect([200, 400]).toContain(response.status)
      expect(text).toContain('"errors"')
      expect(text).not.toMatch(/stack|node_modules|reference/i)
    },
  )

  test('a mutation by GET is refused', async () => {
    const query = encodeURIComponent('mutation { createApiKey(input: { name: "x", role: ADMIN }) { __typename } }')
    const response = await fetch(`${app.url}/graphql?query=${query}`, { headers: { authorization: `Bearer ${org.token}` } })
    expect(response.status).toBe(405)
    expect(await app.deps.db.apiKey.count()).toBe(0)
  })
})

test('introspection needs no token and passes the limits', async () => {
  const { getIntrospectionQuery } = await import('graphql')
  const answer = await app.request<{ __schema: { types: unknown[] } }, object>(getIntrospectionQuery(), {}, null)
  expect(answer.errors).toBeUndefined()
  expect(answer.data?.__schema.types.length).toBeGreaterThan(50)
})

test('a cursor or page that is wrong inside of a list is refused once and leaks nothing', async () => {
  const answer = await app.request(InboxDocument, { first: 101 }, org.token)
  expect(answer.errors?.map(({ extensions }) => extensions?.code)).toEqual(['INVALID_INPUT'])
  expect(answer.data ?? null).toBeNull()
  expect((await app.request(ViewerDocument, {}, org.token)).errors).toBeUndefined()
})
