import { createHash, randomBytes } from 'node:crypto'

const PREFIX = 'parley_'
const FORMAT = /^parley_[A-Za-z0-9_-]{43}$/

/** A fresh API key: `parley_` and 32 random bytes in base64url. Only `hash` and `hint` (the last 4 characters) are to be stored. */
export function newApiKey(): { key: string; hash: Uint8Array<ArrayBuffer>; hint: string } {
  const key = PREFIX + randomBytes(32).toString('base64url')
  return { key, hash: hashApiKey(key), hint: key.slice(-4) }
}

/** SHA-256, 32 bytes. A key has 256 random bits, so it needs neither salt nor a slow hash. */
export const hashApiKey = (key: string): Uint8Array<ArrayBuffer> => new Uint8Array(createHash('sha256').update(key).digest())

/** Whether a bearer token is meant as an API key, well-formed or not. */
export const looksLikeApiKey = (token: string): boolean => token.startsWith(PREFIX)

/** Whether it can be an API key at all; spares the database a question otherwise. */
export const isApiKey = (token: string): boolean => FORMAT.test(token)
