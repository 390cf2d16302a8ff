import { createSecretKey, hkdfSync, type KeyObject } from 'node:crypto'
import { errors, type JWTPayload, jwtVerify, SignJWT } from 'jose'
import type { Config } from './config.ts'
import type { Deps } from './deps.ts'

type Keys = Pick<Config, 'ENCRYPTION_KEY'>

/** Tokens of one kind: `purpose` makes their keys, which sign nothing else and decrypt nothing. */
export type TokenKind = { purpose: string; audience: string; typ?: string }

const derived = new Map<string, WeakMap<Buffer, KeyObject>>()

/** The key that tokens of this kind are signed with now. Throws an Error where ENCRYPTION_KEY holds none. */
export function signingKey(kind: TokenKind, keys: Keys): KeyObject {
  const [key] = keysOf(kind, keys)
  if (key === undefined) throw new Error('ENCRYPTION_KEY holds no key')
  return key
}

/** One for each ENCRYPTION_KEY, so that tokens of before a rotation stay valid. */
function keysOf({ purpose }: TokenKind, { ENCRYPTION_KEY }: Keys): KeyObject[] {
  const known = derived.get(purpose) ?? new WeakMap<Buffer, KeyObject>()
  derived.set(purpose, known)
  return ENCRYPTION_KEY.map((key) => {
    const own = known.get(key) ?? createSecretKey(Buffer.from(hkdfSync('sha256', key, '', purpose, 32)))
    known.set(key, own)
    return own
  })
}

/** A JWT (HS256) about `subject`, valid until `expiresAt` (whole seconds). */
export const signToken = (
  kind: TokenKind,
  key: KeyObject,
  { subject, expiresAt, claims }: { subject: string; expiresAt: Date; claims: JWTPayload },
): Promise<string> =>
  new SignJWT(claims)
    .setProtectedHeader({ alg: 'HS256', ...(kind.typ === undefined ? {} : { typ: kind.typ }) })
    .setAudience(kind.audience)
    .setSubject(subject)
    .setExpirationTime(expiresAt)
    .sign(key)

/** The claims of a token; null where it is of another kind, about another `subject`, changed, or expired. */
export async function verifiedClaims(
  kind: TokenKind,
  { config, clock }: { config: Keys; clock: Deps['clock'] },
  token: string,
  subject?: string,
): Promise<JWTPayload | null> {
  const { audience, typ } = kind
  const options = { algorithms: ['HS256'], audience, currentDate: clock(), ...(typ && { typ }), ...(subject && { subject }) }
  for (const key of keysOf(kind, config)) {
    try {
      return (await jwtVerify(token, key, options)).payload
    } catch (error) {
      if (!(error instanceof errors.JOSEError)) throw error
    }
  }
  return null
}
