import type { Server } from 'node:http'
import { CloseCode, type ServerOptions, type SubscribePayload } from 'graphql-ws'
import { type Extra, useServer } from 'graphql-ws/use/ws'
import { type WebSocket, WebSocketServer } from 'ws'
import type { Authenticator } from '../auth/authenticate.ts'
import { AuthUnavailableError, UnauthenticatedError } from '../auth/errors.ts'
import type { Caller } from '../auth/viewer.ts'
import { watchCredentials } from '../auth/watch-credentials.ts'
import type { Deps } from '../deps.ts'
import type { GraphQLServer } from './graphql.ts'
import { maskError } from './mask-error.ts'
import type { Metrics } from './metrics.ts'

export type Sockets = {
  /** Takes no more sockets and closes those that are open with 1001 (going away). */
  close(): Promise<void>
}

type Connection = Extra & { caller?: Caller; stopWatching?: () => void }

// RFC 6455, section 7.4.1.
const GOING_AWAY = 1001

type SocketDeps = Pick<Deps, 'bus' | 'clock' | 'config' | 'log' | 'pool'>

type Options = { server: Server; yoga: GraphQLServer; authenticator: Authenticator; metrics: Metrics }

/**
 * graphql-ws on /graphql. The token comes in `connectionParams.authorization` (or `Authorization`), as in the HTTP header. Without a valid
 * one the socket is closed with 4403; so it is when the token expires or the API key is revoked.
 */
export function openSockets(deps: SocketDeps, { server, yoga, authenticator, metrics }: Options): Sockets {
  const webSockets = new WebSocketServer({ noServer: true, maxPayload: deps.config.MAX_BODY_BYTES })
  const upgrade = (request: Parameters<Parameters<Server['on']>[1]>[0], socket: import('node:net').Socket, head: Buffer) => {
    if (URL.parse(request.url ?? '/', 'http://localhost')?.pathname !== '/graphql') {
      // Node has let go of the socket, and a client that has gone away is an error that nobody else hears: unheard, it would end the process.
      socket.on('error', () => socket.destroy())
      socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n')
      return
    }
    webSockets.handleUpgrade(request, socket, head, (webSocket) => webSockets.emit('connection', webSocket, request))
  }
  server.on('upgrade', upgrade)
  webSockets.on('connection', (webSocket) => {
    metrics.openSockets.inc()
    webSocket.once('close', () => metrics.openSockets.dec())
  })
  // isProd: else the reason of a close would be the message of an unexpected error.
  useServer({ ...protocol(deps, yoga, authenticator), isProd: true }, webSockets)
  return {
    async close() {
      server.off('upgrade', upgrade)
      for (const webSocket of webSockets.clients) webSocket.close(GOING_AWAY, 'Going away')
      webSockets.close()
    },
  }
}

function protocol(deps: SocketDeps, yoga: GraphQLServer, authenticator: Authenticator): ServerOptions<Record<string, unknown>, Connection> {
  return {
    connectionInitWaitTimeout: 10_000,
    async onConnect({ connectionParams, extra }) {
      const caller = await identify(deps, authenticator, connectionParams, extra.socket)
      // Who left meanwhile is not watched: `onClose` has been.
      if (caller === null || extra.socket.readyState !== extra.socket.OPEN) return false
      extra.caller = caller
      extra.stopWatching = watchCredentials(deps, caller, (reason) => extra.socket.close(CloseCode.Forbidden, reason))
      return true
    },
    onClose({ extra }) {
      extra.stopWatching?.()
    },
    // What is thrown here would close the socket and be told in full as the reason; a failed operation is that operation's own matter.
    onSubscribe: ({ extra }, _id, payload) =>
      prepare(yoga, extra, payload).catch((error: unknown) => [maskError(deps.log, error)] as never),
    execute: (args) => (args as unknown as { execute: (args: unknown) => never }).execute(args),
    subscribe: (args) => (args as unknown as { subscribe: (args: unknown) => never }).subscribe(args),
  }
}

async function prepare(yoga: GraphQLServer, extra: Connection, { query, operationName, variables }: SubscribePayload): Promise<never> {
  const { schema, execute, subscribe, contextFactory, parse, validate } = yoga.getEnveloped({
    caller: extra.caller,
    watched: true,
    req: extra.request,
    socket: extra.socket,
    params: { query, operationName, variables },
  } as never)
  const document = parse(query)
  const errors = validate(schema, document)
  if (errors.length > 0) return errors as never
  return {
    schema,
    document,
    operationName,
    variableValues: variables,
    contextValue: await contextFactory(),
    execute,
    subscribe,
  } as never
}

/** null: refused, the protocol closes with 4403. A token issuer that cannot be asked is our trouble: 1013, try again later. */
async function identify(
  deps: SocketDeps,
  authenticator: Authenticator,
  connectionParams: Record<string, unknown> | undefined,
  socket: WebSocket,
): Promise<Caller | null> {
  const given = connectionParams?.authorization ?? connectionParams?.Authorization
  try {
    return await authenticator.recognize(typeof given === 'string' ? given : null)
  } catch (error) {
    if (error instanceof UnauthenticatedError) return null
    deps.log.error({ err: error }, 'a socket could not be authenticated')
    socket.close(1013, error instanceof AuthUnavailableError ? error.message.slice(0, 120) : 'Try again later')
    return null
  }
}
