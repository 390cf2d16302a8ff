import type { IncomingMessage, ServerResponse } from 'node:http'
import { z } from 'zod'
import type { Authenticator } from '../auth/authenticate.ts'
import { UnauthenticatedError } from '../auth/errors.ts'
import type { Viewer } from '../auth/viewer.ts'
import type { Deps } from '../deps.ts'
import type { Metrics } from './metrics.ts'

const Parameters = z.object({
  query: z.string(),
  operationName: z.string().nullish(),
  variables: z.record(z.string(), z.unknown()).nullish(),
})

export type GraphQLParameters = z.output<typeof Parameters>

export type KnownOperations = {
  /** True where it has answered; false: it has not touched the response, and Yoga has to. */
  answer(request: IncomingMessage, response: ServerResponse, body: Buffer): Promise<boolean>
}

type Options = {
  authenticator: Authenticator
  metrics: Metrics
  /** The whole answer of an operation that is known, as JSON; null: not known, or unusual. */
  answerKnown(parameters: GraphQLParameters, viewer: Viewer): Promise<string | null>
}

/**
 * The shortcut for what inboxes ask all the time: from the token to the ready JSON, without Yoga and the executor. Whatever is unusual, and
 * each error, is left to them, so that there is one place that says what is wrong.
 */
export function createKnownOperations(deps: Pick<Deps, 'log'>, { authenticator, metrics, answerKnown }: Options): KnownOperations {
  const answerOf = async (request: IncomingMessage, body: Buffer): Promise<string | null> => {
    try {
      const parsed = Parameters.safeParse(JSON.parse(body.toString('utf8')))
      const viewer = parsed.success ? await authenticator.authenticate(request.headers.authorization) : null
      return parsed.success && viewer !== null ? await answerKnown(parsed.data, viewer) : null
    } catch (error) {
      const expected = error instanceof SyntaxError || error instanceof UnauthenticatedError
      if (!expected) deps.log.error({ err: error }, 'a known operation failed and is left to the executor')
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
