import { isIPv6 } from 'node:net'
import type { Deps } from '../deps.ts'
import type { RateLimit } from '../rate-limits.ts'
import type { Visitor } from '../visitor-tokens.ts'
import { RateLimitedError } from './errors.ts'

export const STARTS_BY_ADDRESS: RateLimit = { name: 'webchat-starts', points: 60, seconds: 60 }
const STARTS_OF_ACCOUNT: RateLimit = { name: 'webchat-account', points: 1_200, seconds: 60 }
export const MESSAGES_BY_VISITOR: RateLimit = { name: 'webchat-messages', points: 30, seconds: 60 }

/** Before anything is looked up for somebody who is not known yet. */
export const limitStarts = (deps: Pick<Deps, 'limits'>, address: string): Promise<void> => take(deps, STARTS_BY_ADDRESS, networkOf(address))

export const limitAccount = (deps: Pick<Deps, 'limits'>, channelAccountId: string): Promise<void> =>
  take(deps, STARTS_OF_ACCOUNT, channelAccountId)

export const limitMessages = (deps: Pick<Deps, 'limits'>, visitor: Visitor): Promise<void> =>
  take(deps, MESSAGES_BY_VISITOR, `${visitor.channelAccountId} ${visitor.id}`)

async function take({ limits }: Pick<Deps, 'limits'>, limit: RateLimit, key: string): Promise<void> {
  const waitMs = await limits.take(limit, key)
  if (waitMs !== null) throw new RateLimitedError(waitMs)
}

/** What one customer of an internet provider has: an IPv4 address, or an IPv6 network of 64 bits, in which addresses are free to choose. */
export function networkOf(address: string): string {
  if (!isIPv6(address)) return address
  const mapped = /^::ffff:(\d+(?:\.\d+){3})$/i.exec(address)?.[1]
  if (mapped !== undefined) return mapped
  const [head = '', tail] = (address.split('%')[0] ?? '').split('::')
  const groups = (part: string | undefined): string[] => (part === undefined || part === '' ? [] : part.split(':'))
  const missing = tail === undefined ? 0 : 8 - groups(head).length - groups(tail).length
  return [...groups(head), ...Array<string>(Math.max(0, missing)).fill('0'), ...groups(tail)].slice(0, 4).join(':')
}
