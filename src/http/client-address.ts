import type { IncomingMessage } from 'node:http'

/**
 * Who is at the other end of the connection, as far as a server can know. Each of `trustedProxies` in front of it has added an address to
 * X-Forwarded-For; what stands before those is the client's own word. "" where the connection is gone.
 */
export function clientAddress(request: Pick<IncomingMessage, 'headers' | 'socket'>, trustedProxies: number): string {
  const forwarded = String(request.headers['x-forwarded-for'] ?? '').split(',')
  const told = trustedProxies === 0 ? undefined : forwarded.at(-trustedProxies)?.trim()
  return told === undefined || told === '' ? (request.socket.remoteAddress ?? '') : withoutPort(told)
}

/** Some proxies tell the client's port too, which is another one each time: `203.0.113.9:4711`, `[2001:db8::1]:4711`. */
const withoutPort = (address: string): string =>
  address.replace(/^\[([0-9a-f:.]+)\](?::\d{1,5})?$/i, '$1').replace(/^(\d{1,3}(?:\.\d{1,3}){3}):\d{1,5}$/, '$1')
