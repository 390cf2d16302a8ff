import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { AuthUnavailableError } from '../auth/errors.ts'
import { isDatabaseAway } from '../db/away.ts'
import type { Deps } from '../deps.ts'
import { HttpError, RequestAborted } from './errors.ts'
import { sendJson } from './json.ts'
import type { Metrics } from './metrics.ts'

/** Answers a request; a thrown HttpError becomes its status, any other error a 500 (or 503) without detail. */
export type Handler = (request: IncomingMessage, response: ServerResponse, url: URL) => Promise<void>

/** Handlers by path: exactly that path or, where it ends with a slash, all that begins with it; the longest one wins. */
export type Routes = Readonly<Record<string, Handler>>

type RouterDeps = Pick<Deps, 'log'> & { metrics: Metrics }

/** Finds the handler, counts the request and turns errors into answers. Never rejects. */
export function createRouter({ log, metrics }: RouterDeps, routes: Routes) {
  const exact = new Map(Object.entries(routes).filter(([path]) => !path.endsWith('/')))
  const prefixes = Object.entries(routes)
    .filter(([path]) => path.endsWith('/'))
    .sort(([a], [b]) => b.length - a.length)

  const find = (path: string): [string, Handler] | undefined => {
    const handler = exact.get(path)
    return handler === undefined ? prefixes.find(([prefix]) => path.startsWith(prefix)) : [path, handler]
  }

  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = urlOf(request)
    const [route, handler] = (url && find(url.pathname)) ?? ['none', undefined]
    // Set here and not by each handler; a header that is set also makes Node keep those of writeHead, which `observe` reads.
    response.setHeader('x-content-type-options', 'nosniff')
    observe(metrics, route, request, response)
    try {
      if (url === null) throw new HttpError(400, 'The address of the request is not valid.')
      if (handler === undefined) throw new HttpError(404, 'There is nothing at this address.')
      await handler(request, response, url)
    } catch (error) {
      answerError(log, route, request, response, error)
    }
  }
}

/** Only path and query are used; the host is a placeholder, because the Host header is the client's word. */
function urlOf(request: IncomingMessage): URL | null {
  const target = request.url?.startsWith('/') ? `http://localhost${request.url}` : (request.url ?? '')
  return URL.parse(target)
}

function observe(metrics: Metrics, route: string, request: IncomingMessage, response: ServerResponse): void {
  const method = request.method ?? 'none'
  const started = performance.now()
  response.once('close', () => {
    metrics.httpRequests.inc({ route, method, status: response.writableFinished ? response.statusCode : 'aborted' })
    const stream = String(response.getHeader('content-type') ?? '').startsWith('text/event-stream')
    if (!stream) metrics.httpSeconds.observe({ route, method }, (performance.now() - started) / 1000)
  })
}

function answerError(log: Deps['log'], route: string, request: IncomingMessage, response: ServerResponse, error: unknown): void {
  if (error instanceof RequestAborted) {
    log.debug({ err: error, route }, 'a client went away')
    response.destroy()
    return
  }
  const { status, body } = describe(log, route, request, error)
  // An answer that has begun cannot be taken back: cutting it off is the only way to say that it is not whole.
  if (response.headersSent) response.destroy()
  else sendJson(response, status, body, status === 503 ? { 'retry-after': '5' } : {})
}

function describe(
  log: Deps['log'],
  route: string,
  request: IncomingMessage,
  error: unknown,
): { status: number; body: Record<string, string> } {
  if (error instanceof HttpError) return { status: error.status, body: { error: error.message } }
  if (error instanceof AuthUnavailableError) return { status: 503, body: { error: error.message } }
  if (isDatabaseAway(error)) {
    log.error({ err: error, route }, 'the database cannot be reached')
    return { status: 503, body: { error: 'The database cannot be reached at the moment; try again soon.' } }
  }
  const reference = randomUUID()
  log.error({ err: error, reference, route, method: request.method }, 'a request failed unexpectedly')
  return { status: 500, body: { error: 'Something went wrong on our side.', reference } }
}
