import type { IncomingMessage, Server } from 'node:http'
import type { Socket } from 'node:net'
import { CloseCode, handleProtocols, makeServer, type ServerOptions, type SubscribePayload } from 'graphql-ws'
import { type WebSocket, WebSocketServer } from 'ws'
import type { Authenticator } from '../auth/authenticate.ts'
import { AuthUnavailableError, UnauthenticatedError } from '../auth/errors.ts'
import type { Caller } from '../auth/viewer.ts'
import { watchCredentials } from '../auth/watch-credentials.ts'
import type { Deps } from '../deps.ts'
import type { Direct } from '../live/subscribe.ts'
import { clientOf, type GraphQLServer, type ServerContext } from './graphql.ts'
import { keepAlive } from './keep-alive.ts'
import { maskError } from './mask-error.ts'
import type { Metrics } from './metrics.ts'
import { createSocketWriter, type SocketWriter } from './socket-writer.ts'

export type Sockets = {
  /** Takes no more sockets and closes those that are open with 1001 (going away). */
  close(): Promise<void>
}

type Connection = {
  webSocket: WebSocket
  writer: SocketWriter
  client: ReturnType<typeof clientOf>
  caller?: Caller
  stopWatching?: () => void
}

// RFC 6455, section 7.4.1.
const GOING_AWAY = 1001
const TRY_AGAIN_LATER = 1013
// How long a client may take to answer a close: until then, what it has not read is kept for it.
const CLOSE_MS = 5_000

type SocketDeps = Pick<Deps, 'bus' | 'clock' | 'config' | 'log' | 'pool'>

type Options = { server: Server; yoga: GraphQLServer; authenticator: Authenticator; metrics: Metrics }

/**
 * graphql-ws on /graphql. The token comes in `connectionParams.authorization` (or `Authorization`), as in the HTTP header. Without a valid
 * one the socket is closed with 4403; so it is when the credentials stop working. A client that does not read is cut off (socket-writer.ts).
 */
export function openSockets(deps: SocketDeps, { server, yoga, authenticator, metrics }: Options): Sockets {
  const webSockets = new WebSocketServer({
    noServer: true,
    maxPayload: deps.config.MAX_BODY_BYTES,
    perMessageDeflate: false,
    handleProtocols,
    ...{ closeTimeout: CLOSE_MS }, // not in @types/ws
  })
  const protocol = makeServer(protocolOptions(deps, yoga, authenticator))
  const stopKeepingAlive = keepAlive(webSockets)

  const serve = (webSocket: WebSocket, connection: Socket, client: Connection['client']) => {
    metrics.openSockets.inc()
    const failed = (error: unknown) => {
      deps.log.error({ err: error }, 'a socket failed')
      webSocket.close(CloseCode.InternalServerError, 'Internal server error')
    }
    const writer = createSocketWriter(webSocket, connection, () => metrics.slowReaders.inc())
    const closed = protocol.opened(
      {
        protocol: webSocket.protocol,
        send: writer.send,
        close: (code, reason) => webSocket.close(code, reason),
        onMessage: (heard) => webSocket.on('message', (data) => void heard(parsed(String(data))).catch(failed)),
      },
      { webSocket, writer, client },
    )
    // A client that breaks the protocol or the connection; `ws` closes the socket.
    webSocket.on('error', (error) => deps.log.info({ reason: error.message }, 'a client broke its socket'))
    webSocket.once('close', (code, reason) => {
      metrics.openSockets.dec()
      closed(code, String(reason)).catch(failed)
    })
  }

  const upgrade = (request: IncomingMessage, connection: Socket, head: Buffer) => {
    if (URL.parse(request.url ?? '/', 'http://localhost')?.pathname !== '/graphql') {
      // Node has let go of the socket, and a client that has gone away is an error that nobody else hears: unheard, it would end the process.
      connection.on('error', () => connection.destroy())
      connection.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n')
      return
    }
    const client = clientOf(request, deps.config)
    webSockets.handleUpgrade(request, connection, head, (webSocket) => serve(webSocket, connection, client))
  }
  server.on('upgrade', upgrade)
  return {
    async close() {
      server.off('upgrade', upgrade)
      stopKeepingAlive()
      for (const webSocket of webSockets.clients) webSocket.close(GOING_AWAY, 'Going away')
      webSockets.close()
    },
  }
}

function protocolOptions(
  deps: SocketDeps,
  yoga: GraphQLServer,
  authenticator: Authenticator,
): ServerOptions<Record<string, unknown>, Connection> {
  return {
    connectionInitWaitTimeout: 10_000,
    async onConnect(context) {
      const { connectionParams, extra } = context
      const { webSocket } = extra
      // The token is not kept.
      delete (context as { connectionParams?: unknown }).connectionParams
      const caller = await identify(deps, authenticator, connectionParams, webSocket)
      // Who left meanwhile is not watched: `onClose` has been.
      if (caller === null || webSocket.readyState !== webSocket.OPEN) return false
      extra.caller = caller
      extra.stopWatching = watchCredentials(deps, caller, (reason) => webSocket.close(CloseCode.Forbidden, reason))
      return true
    },
    onClose({ extra }) {
      extra.stopWatching?.()
    },
    // What is thrown here would close the socket and be told in full as the reason; a failed operation is that operation's own matter.
    onSubscribe: ({ extra }, id, payload) =>
      prepare(yoga, extra, id, payload).catch((error: unknown) => [maskError(deps.log, error)] as never),
    execute: (args) => (args as unknown as Prepared).execute(args),
    subscribe: (args) => subscribeAndLetGo(args as unknown as Prepared),
  }
}

type Prepared = { execute(args: unknown): never; subscribe(args: unknown): Promise<never>; contextValue: Direct }

/** graphql-ws and Yoga hold all of an operation for as long as its subscription lasts: where a group serves it, they let go. */
async function subscribeAndLetGo(prepared: Prepared): Promise<never> {
  const { to } = prepared.contextValue
  const results = await prepared.subscribe(prepared)
  if (to === undefined || to.served === null) return results
  for (const name of Object.keys(prepared)) delete prepared[name as keyof Prepared]
  return to.served as never
}

/** graphql-ws takes a message that is parsed as well, and then nothing holds the text. What is no JSON is its to refuse. */
function parsed(text: string): string {
  try {
    const message: unknown = JSON.parse(text)
    return typeof message === 'string' ? text : (message as string)
  } catch {
    return text
  }
}

async function prepare(yoga: GraphQLServer, { caller, client, writer }: Connection, id: string, payload: SubscribePayload): Promise<never> {
  const { query, operationName, variables } = payload
  // The text is of no use to graphql-ws, which would keep it.
  Object.assign(payload, { query: '' })
  if (caller === undefined) throw new Error('an operation before the connection was acknowledged')
  const given: ServerContext = { caller, client, watched: true, to: { id, outlet: writer, served: null } }
  const { schema, execute, subscribe, contextFactory, parse, validate } = yoga.getEnveloped({
    ...given,
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
    socket.close(TRY_AGAIN_LATER, error instanceof AuthUnavailableError ? error.message.slice(0, 120) : 'Try again later')
    return null
  }
}
