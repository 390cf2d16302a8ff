import { createHash } from 'node:crypto'
import { printExecutableGraphQLDocument } from '@graphql-tools/documents'
import { type DocumentNode, print } from 'graphql'
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest'
import { trustedDocuments } from '../../schema/trusted-documents.ts'
import { createPersistedDocuments } from '../../src/http/persisted-documents.ts'
import * as generated from '../generated/graphql.ts'
import { startTestApp, type TestApp } from '../support/app.ts'
import { countStatements } from '../support/count-statements.ts'

let app: TestApp
let authorization: string

beforeAll(async () => {
  app = await startTestApp({ WORKER: 'off' })
  authorization = `Bearer ${await app.token()}`
})
afterAll(() => app?.close())

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

const byHash = (sha256Hash: string) => ({ extensions: { persistedQuery: { version: 1, sha256Hash } } })

async function ask(body: object, headers: Record<string, string> = {}) {
  const response = await fetch(`${app.url}/graphql`, {
    method: 'POST',
    headers: { authorization, 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  })
  return {
    status: response.status,
    ...((await response.json()) as { data?: unknown; errors?: { message: string; extensions: { code: string } }[] }),
  }
}

const typed = Object.entries(generated).flatMap(([name, value]) =>
  name.endsWith('Document') ? [[name, value as DocumentNode] as const] : [],
)

describe('the typed documents of codegen.ts are known from the start', () => {
  const documents = createPersistedDocuments(trustedDocuments)

  it.each(typed)('%s', (_name, document) => {
    const text = print(document)
    expect(documents.resolve(byHash(sha256(text)))).toBe(text)
    expect(documents.resolve({ documentId: `sha256:${sha256(text)}` })).toBe(text)
    expect(documents.resolve({ documentId: `sha256:${sha256(printExecutableGraphQLDocument(document))}` })).toBe(text)
  })

  it('as many as there are operations', () => {
    expect(typed.length).toBeGreaterThan(60)
  })
})

test('by hash, by id and by text the answer is the same, and one statement', async () => {
  const query = print(generated.InboxDocument)
  const whole = await ask({ query })
  const statements = countStatements()
  expect(await ask(byHash(sha256(query)))).toEqual(whole)
  expect(await ask({ documentId: `sha256:${sha256(query)}` })).toEqual(whole)
  expect(statements.count()).toBe(2)
  statements.stop()
  expect(whole).toMatchObject({ status: 200, data: { conversations: { nodes: [] } } })
})

describe('Automatic Persisted Queries', () => {
  const query = '{ viewer { organization { slug } } }'

  it('asks for the text of a document that it does not know, and knows it from then on', async () => {
    const unknown = await ask(byHash(sha256(query)))
    expect(unknown).toMatchObject({
      status: 200,
      errors: [{ message: 'PersistedQueryNotFound', extensions: { code: 'PERSISTED_QUERY_NOT_FOUND' } }],
    })
    const answer = { status: 200, data: { viewer: { organization: { slug: 'demo' } } } }
    expect(await ask({ query, ...byHash(sha256(query)) })).toEqual(answer)
    expect(await ask(byHash(sha256(query)))).toEqual(answer)
  })

  it('learns what it can compile, too', async () => {
    const read = '{ conversations { nodes { id } } }'
    const answer = { status: 200, data: { conversations: { nodes: [] } } }
    expect(await ask({ query: read, ...byHash(sha256(read)) })).toEqual(answer)
    expect(await ask(byHash(sha256(read)))).toEqual(answer)
  })

  it('refuses a hash that is another text’s', async () => {
    const wrong = await ask({ query, ...byHash(sha256('something else')) })
    expect(wrong).toMatchObject({ status: 400, errors: [{ extensions: { code: 'BAD_REQUEST' } }] })
    const after = await ask(byHash(sha256('something else')))
    expect(after.errors?.[0]?.message).toBe('PersistedQueryNotFound')
  })

  it('by GET, so that it can be cached', async () => {
    const parameters = new URLSearchParams({ extensions: JSON.stringify(byHash(sha256(print(generated.ChannelStatsDocument))).extensions) })
    const response = await fetch(`${app.url}/graphql?${parameters}`, { headers: { authorization, accept: 'application/json' } })
    expect(await response.json()).toMatchObject({ data: { channelStats: expect.any(Array) } })
  })
})

test.each(['sha256:nothing', 'nothing', ''])('a documentId that is not known (%j) is an error that says so', async (documentId) => {
  const { status, errors } = await ask({ documentId })
  expect(status).toBe(400)
  expect(errors).toMatchObject([{ extensions: { code: 'PERSISTED_DOCUMENT_NOT_FOUND' } }])
})

test('a document is not answered to nobody, however it is named', async () => {
  const { errors } = await ask(byHash(sha256(print(generated.InboxDocument))), { authorization: '' })
  expect(errors).toMatchObject([{ extensions: { code: 'UNAUTHENTICATED' } }])
})
