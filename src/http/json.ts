import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http'

/** Answers with JSON and ends the response; an answer to HEAD has the same headers and no body (Node leaves it out). */
export function sendJson(response: ServerResponse, status: number, body: unknown, headers: OutgoingHttpHeaders = {}): void {
  const text = JSON.stringify(body)
  response.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
    ...headers,
  })
  response.end(text)
}

/** For handlers that only read: answers 405 to another method and returns false. */
export function allowsMethod(request: IncomingMessage, response: ServerResponse, allowed: readonly string[]): boolean {
  if (allowed.includes(request.method ?? '')) return true
  sendJson(response, 405, { error: `This address answers ${allowed.join(' and ')} only.` }, { allow: allowed.join(', ') })
  return false
}
