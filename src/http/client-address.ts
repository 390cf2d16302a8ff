import type { IncomingMessage } from 'node:http'

/**
 * Who is at the other end of the connection, as far as a server can know. Each of `trustedProxies` in front of it has added an address to
 * X-Forwarded-For; what stands before those is the client's own word. "" where the connection is gone.
 */
export function clientAddress(request: Pick<IncomingMessage, 'headers' | 'socket'>, trustedProxies: number): string {
  const forwarded = String(request.headers['x-forwarded-for'] ?? '').split(',')
  const told = trustedProxies === 0 ? undefined : forwarded.at(-trustedProxies)?.trim()
  return told || (request.socket.remoteAddress ?? '')
}
