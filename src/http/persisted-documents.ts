import { hash } from 'node:crypto'
import { GraphQLError } from 'graphql'
import type { Plugin } from 'graphql-yoga'
import { LRUCache } from 'lru-cache'

/** The parameters of a GraphQL request, as far as they say which document is meant. */
export type DocumentParameters = {
  query?: string | null | undefined
  documentId?: unknown
  extensions?: { persistedQuery?: { version?: unknown; sha256Hash?: unknown } | null } | null | undefined
}

/** A document that is known from the start, and the texts that clients take the hash of. */
type TrustedDocument = { text: string; spellings: string[] }

export type PersistedDocuments = {
  /** The text of the document; null: none is named. A text that comes with its hash is remembered. Throws a GraphQLError for the client. */
  resolve(parameters: DocumentParameters): string | null
}

const REMEMBERED = 1000
const MAX_TEXT = 20_000
const ID_PREFIX = 'sha256:'

/**
 * Documents that clients name by the SHA-256 (hex) of their text: as Automatic Persisted Queries do
 * (https://www.apollographql.com/docs/apollo-server/performance/apq), or as `documentId: "sha256:…"`
 * (https://github.com/graphql/graphql-over-http/blob/main/spec/Appendix%20A%20--%20Persisted%20Documents.md). `trusted` are known from the
 * start, which is put off until one is asked for; others are learned by the first of the two ways, by each process for itself, and forgotten when there are too many.
 */
export function createPersistedDocuments(trusted: () => TrustedDocument[]): PersistedDocuments {
  let known: Map<string, string> | null = null
  const learned = new LRUCache<string, string>({ max: REMEMBERED })
  const textOf = (digest: string): string | null => {
    known ??= new Map(trusted().flatMap(({ text, spellings }) => spellings.map((spelling) => [sha256(spelling), text])))
    return known.get(digest) ?? learned.get(digest) ?? null
  }
  const learn = (digest: string, query: string): void => {
    if (sha256(query) !== digest) throw refusal('extensions.persistedQuery.sha256Hash is not the hash of the query.', 'BAD_REQUEST', 400)
    if (query.length <= MAX_TEXT) learned.set(digest, query)
  }

  return {
    resolve({ query, documentId, extensions }) {
      const digest = extensions?.persistedQuery?.sha256Hash
      if (typeof query === 'string') {
        if (typeof digest === 'string' && textOf(digest) !== query) learn(digest, query)
        return query
      }
      if (typeof documentId === 'string') {
        const text = documentId.startsWith(ID_PREFIX) ? textOf(documentId.slice(ID_PREFIX.length)) : null
        if (text === null) throw refusal('documentId names no document of this server.', 'PERSISTED_DOCUMENT_NOT_FOUND', 400)
        return text
      }
      const text = typeof digest === 'string' ? textOf(digest) : null
      // Clients know these words: they send the text once more, with its hash.
      if (typeof digest === 'string' && text === null) throw refusal('PersistedQueryNotFound', 'PERSISTED_QUERY_NOT_FOUND', 200)
      return text
    },
  }
}

const sha256 = (text: string): string => hash('sha256', text, 'hex')

const refusal = (message: string, code: string, status: number): GraphQLError =>
  new GraphQLError(message, { extensions: { code, http: { status } } })

/** The same for requests that Yoga answers. */
export const usePersistedDocuments = (documents: PersistedDocuments): Plugin => ({
  onParams({ params, setParams }) {
    const query = documents.resolve(params as DocumentParameters)
    if (query !== null) setParams({ ...params, query })
  },
})
