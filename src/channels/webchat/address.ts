import type { Identity } from '../fact.ts'

const VISITOR = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/
const KEY = /^[a-z](?:[a-z0-9_-]{1,61}[a-z0-9])$/

/**
 * A visitor's id (a UUID), or the key under which a page opens the chat: 3 to 63 letters, digits, "-" and "_", a letter first. Both in lower
 * case.
 */
export function normalizeWebchat(address: string): string | null {
  const text = address.trim().toLowerCase()
  return VISITOR.test(text) || KEY.test(text) ? text : null
}

/** Visitors are made by one chat and mean nothing to another. */
export const identifyWebchat = (address: string, accountAddress: string): Identity => ({
  kind: 'WEBCHAT',
  scope: accountAddress,
  value: address,
  verified: true,
})
