import type { IncomingMessage } from 'node:http'
import type { ExecutionArgs, GraphQLSchema } from 'graphql'
import { createYoga, type GraphiQLOptions, type Plugin, type YogaServerInstance } from 'graphql-yoga'
import type { Authenticator } from '../auth/authenticate.ts'
import type { Caller, Viewer } from '../auth/viewer.ts'
import type { Config } from '../config.ts'
import type { Deps } from '../deps.ts'
import type { Direct, Subscribe } from '../live/subscribe.ts'
import type { Visitor } from '../visitor-tokens.ts'
import { clientAddress } from './client-address.ts'
import { endWithCredentials } from './end-with-credentials.ts'
import { maskError } from './mask-error.ts'
import type { Metrics } from './metrics.ts'
import { type PersistedDocuments, usePersistedDocuments } from './persisted-documents.ts'
import { queryLimits } from './query-limits.ts'
import { allowUnusedFragments } from './unused-fragments.ts'

/** What a transport knows. Over HTTP all is found from the request; a socket has asked before, and lets go of the request that opened it. */
export type ServerContext = { req: IncomingMessage } | ({ caller: Caller; client: Client; watched: true } & Direct)

type Client = GraphQLContext['client']

/** Who is at the other end, of whichever transport. */
export const clientOf = (request: IncomingMessage, { TRUSTED_PROXIES }: Pick<Config, 'TRUSTED_PROXIES'>): Client => ({
  address: clientAddress(request, TRUSTED_PROXIES),
  origin: request.headers.origin ?? null,
})

/** `watched`: the transport ends its connection when the credentials stop working, so a stream need not. */
export type GraphQLContext = {
  deps: Deps
  viewer: Viewer | null
  visitor: Visitor | null
  client: { address: string; origin: string | null }
  watched?: boolean
}

export type GraphQLServer = YogaServerInstance<ServerContext, GraphQLContext>

type Options = {
  schema: GraphQLSchema
  authenticator: Authenticator
  /** What the resolvers need beside deps and viewer. */
  context: object
  subscribe: Subscribe
  metrics: Metrics
  documents: PersistedDocuments
  /** The page at /graphql for browsers; null: none. */
  graphiql: ((request: Request) => Promise<GraphiQLOptions>) | null
}

const NOBODY = { viewer: null, visitor: null }

/** The graph over HTTP and SSE on /graphql. Limits: see config.ts; a refused query says which one and by how much. */
export function createGraphQL(deps: Deps, options: Options): GraphQLServer {
  const { config, log } = deps
  const { graphiql } = options
  return createYoga<ServerContext, GraphQLContext>({
    schema: options.schema,
    graphqlEndpoint: '/graphql',
    batching: false,
    extraParamNames: ['documentId'],
    landingPage: false,
    graphiql: graphiql === null ? false : (request) => graphiql(request),
    // Its page is 9 MB of source, for those who ask for it.
    renderGraphiQL: async (page) => (await import('@graphql-yoga/render-graphiql')).renderGraphiQL(page),
    cors: { origin: '*', credentials: false, methods: ['GET', 'POST', 'OPTIONS'] },
    maskedErrors: { maskError: (error) => maskError(log, error) },
    logging: {
      debug: () => {},
      info: () => {},
      warn: (...args) => log.warn({ args }, 'graphql'),
      // What is unexpected is in the log already, with the reference that the client is told.
      error: (...args) => log.debug({ args }, 'graphql'),
    },
    context: async (given) => ({
      ...options.context,
      deps,
      ...NOBODY,
      ...('caller' in given ? given.caller : await options.authenticator.recognize(given.req.headers.authorization)),
      client: 'client' in given ? given.client : clientOf(given.req, config),
    }),
    plugins: [
      usePersistedDocuments(options.documents),
      ...queryLimits(config),
      ...(graphiql === null ? [] : [allowUnusedFragments()]),
      tellWhatIsAsked(),
      useSubscribe(options.subscribe),
      useOperationMetrics(options.metrics),
    ],
  })
}

/** For the loaders, which read no more columns than that. */
function tellWhatIsAsked(): Plugin<GraphQLContext> {
  const tell = ({ args: { schema, document, contextValue } }: { args: ExecutionArgs }) =>
    void Object.assign(contextValue as object, { asked: { schema, document } })
  return { onExecute: tell, onSubscribe: tell }
}

function useSubscribe(subscribe: Subscribe): Plugin<GraphQLContext> {
  return {
    onSubscribe({ setSubscribeFn }) {
      setSubscribeFn(async (args: Parameters<Subscribe>[0]) => {
        const results = await subscribe(args)
        const { viewer, visitor, deps, watched } = args.contextValue as GraphQLContext
        if (!(Symbol.asyncIterator in results) || watched === true) return results
        if (viewer !== null) return endWithCredentials(deps, { viewer, visitor: null }, results)
        return visitor === null ? results : endWithCredentials(deps, { viewer, visitor }, results)
      })
    },
  }
}

function useOperationMetrics(metrics: Metrics): Plugin<GraphQLContext> {
  return {
    onExecute: ({ args }) => ({
      onExecuteDone({ result }) {
        const failed = !(Symbol.asyncIterator in result) && (result.errors?.length ?? 0) > 0
        const operation = args.document.definitions.find((definition: { kind: string }) => definition.kind === 'OperationDefinition')
        const kind = operation !== undefined && 'operation' in operation ? operation.operation : 'unknown'
        metrics.graphqlOperations.inc({ kind, outcome: failed ? 'error' : 'ok' })
      },
    }),
    onSubscribe: () => {
      metrics.graphqlOperations.inc({ kind: 'subscription', outcome: 'ok' })
    },
  }
}
