import type { IncomingMessage, ServerResponse } from 'node:http'
import { GraphQLError } from 'graphql'
import { z } from 'zod'
import type { Authenticator } from '../auth/authenticate.ts'
import { UnauthenticatedError } from '../auth/errors.ts'
import type { Viewer } from '../auth/viewer.ts'
import type { Deps } from '../deps.ts'
import type { Metrics } from './metrics.ts'
import type { PersistedDocuments } from './persisted-documents.ts'

const Parameters = z.object({
  query: z.string().nullish(),
  documentId: z.string().nullish(),
  operationName: z.string().nullish(),
  variables: z.record(z.string(), z.unknown()).nullish(),
  extensions: z.looseObject({ persistedQuery: z.looseObject({ sha256Hash: z.string() }).nullish() }).nullish(),
})

export type GraphQLParameters = { query: string } & Pick<z.output<typeof Parameters>, 'operationName' | 'variables'>

export type DirectReads = {
  /** True where it has answered; false: it has not touched the response, and Yoga has to. */
  answer(request: IncomingMessage, response: ServerResponse, body: Buffer): Promise<boolean>
}

type Options = {
  authenticator: Authenticator
  metrics: Metrics
  documents: PersistedDocuments
  /** The whole answer of an operation, as JSON; null: it cannot be given so. */
  answerCompiled(parameters: GraphQLParameters, viewer: Viewer): Promise<string | null>
}

/**
 * The shortcut for reads: from the token to the ready JSON, without Yoga and the executor. Whatever is unusual, and
 * each error, is left to them, so that there is one place that says what is wrong.
 */
export function createDirectReads(deps: Pick<Deps, 'log'>, { authenticator, metrics, documents, answerCompiled }: Options): DirectReads {
  const answerOf = async (request: IncomingMessage, body: Buffer): Promise<string | null> => {
    try {
      const { success, data: parameters } = Parameters.safeParse(JSON.parse(body.toString('utf8')))
      const query = success ? documents.resolve(parameters) : null
      const viewer = query === null ? null : await authenticator.authenticate(request.headers.authorization)
      return query === null || viewer === null ? null : await answerCompiled({ ...parameters, query }, viewer)
    } catch (error) {
      const expected = error instanceof SyntaxError || error instanceof UnauthenticatedError || error instanceof GraphQLError
      if (!expected) deps.log.error({ err: error }, 'a read failed and is left to the executor')
      return null
    }
  }
  return {
    async answer(request, response, body) {
      const contentType = acceptedType(request)
      if (contentType === null) return false
      const json = await answerOf(request, body)
      if (json === null) return false
      metrics.graphqlOperations.inc({ kind: 'query', outcome: 'ok' })
      response.writeHead(200, {
        'content-type': `${contentType}; charset=utf-8`,
        'content-length': Buffer.byteLength(json),
        ...(request.headers.origin === undefined ? {} : { 'access-control-allow-origin': '*' }),
      })
      response.end(json)
      return true
    },
  }
}

/** JSON in, and which JSON out (GraphQL over HTTP, "Media Types"); null where it is to be something else. */
function acceptedType({ headers }: IncomingMessage): string | null {
  if (!headers['content-type']?.startsWith('application/json')) return null
  const accept = headers.accept ?? '*/*'
  if (accept.includes('application/graphql-response+json')) return 'application/graphql-response+json'
  return accept.includes('application/json') || accept.includes('*/*') ? 'application/json' : null
}
