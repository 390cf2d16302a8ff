import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { ConfigError } from '../config.ts'
import type { Deps } from '../deps.ts'
import type { Metrics } from './metrics.ts'
import { createRouter, type Routes } from './router.ts'

export type HttpServer = {
  /** For upgrades to WebSocket. */
  server: Server
  /** Opens HOST and PORT (0: any free one). Throws ConfigError that names the setting where that cannot be had. */
  listen(): Promise<{ host: string; port: number }>
  /**
   * Takes no more connections, lets requests in hand finish and destroys what is left after `deadlineMs`. Streams and WebSockets end
   * only by their own side or at the deadline: end them first.
   */
  close(deadlineMs: number): Promise<void>
  openRequests(): number
}

type ServerDeps = Pick<Deps, 'config' | 'log'> & { metrics: Metrics }

/** The one HTTP server of the process; see `Routes` for how addresses are matched. */
export function createHttpServer(deps: ServerDeps, routes: Routes): HttpServer {
  const route = createRouter(deps, routes)
  const sockets = new Set<Socket>()
  let open = 0
  let closing = false

  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    open += 1
    if (closing) response.setHeader('connection', 'close')
    response.once('close', () => {
      open -= 1
      if (closing) setImmediate(() => server.closeIdleConnections())
    })
    void route(request, response)
  }

  // Only the request has to arrive in time; an answer may take for ever, as an event stream does. Idle connections outlive the
  // 60 seconds of the usual load balancer, so that it is never the one to find a connection closed.
  const server = createServer({ headersTimeout: 15_000, requestTimeout: 60_000, keepAliveTimeout: 65_000 }, answer)
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })

  return {
    server,
    openRequests: () => open,
    async listen() {
      const { HOST, PORT } = deps.config
      server.listen(PORT, HOST)
      await once(server, 'listening').catch((error) => Promise.reject(listenError(error, HOST, PORT)))
      server.on('error', (error) => deps.log.error({ err: error }, 'the HTTP server reports an error'))
      const { address, port } = server.address() as AddressInfo
      return { host: address, port }
    },
    async close(deadlineMs) {
      closing = true
      if (!server.listening) return
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      server.closeIdleConnections()
      const timer = new AbortController()
      const deadline = delay(deadlineMs, 'late' as const, { signal: timer.signal }).catch(() => 'stopped' as const)
      if ((await Promise.race([closed, deadline])) === 'late') {
        deps.log.warn({ openRequests: open, connections: sockets.size }, 'connections are cut off at the end of the time to shut down')
        for (const socket of sockets) socket.destroy()
        await closed
      }
      timer.abort()
    },
  }
}

function listenError(error: NodeJS.ErrnoException, host: string, port: number): Error {
  if (error.code === 'EADDRINUSE')
    return new ConfigError(`PORT: ${port} is taken on ${host}; stop the other program or choose another port`)
  if (error.code === 'EACCES') return new ConfigError(`PORT: this user may not listen on ${port}; choose one above 1023`)
  if (['EADDRNOTAVAIL', 'ENOTFOUND', 'EAI_AGAIN', 'EAFNOSUPPORT', 'EINVAL'].includes(error.code ?? '')) {
    return new ConfigError(`HOST: ${host} is not an address of this machine`)
  }
  return error
}
