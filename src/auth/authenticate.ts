import { LRUCache } from 'lru-cache'
import type { Role } from '../db/generated/enums.ts'
import type { Deps } from '../deps.ts'
import { hashApiKey, isApiKey, looksLikeApiKey } from '../domain/api-key-secret.ts'
import { looksLikeVisitorToken, verifyVisitorToken } from '../visitor-tokens.ts'
import { readClaims } from './claims.ts'
import { UnauthenticatedError } from './errors.ts'
import { findOrMakeMember } from './member.ts'
import { createVerifyToken } from './verify-token.ts'
import type { Caller, Viewer } from './viewer.ts'

/** The last millisecond that a Date can hold. */
const LAST_DATE = 8.64e15

type AuthDeps = Pick<Deps, 'bus' | 'config' | 'pool' | 'clock' | 'log'>

/**
 * Turns an `Authorization` value (`Bearer <JWT>` or `Bearer parley_…`) into who is asking. null: no credentials were given. Throws
 * UnauthenticatedError where they are wrong, AuthUnavailableError where the token issuer's keys cannot be read; an error of the database is
 * passed on as it is.
 */
export type Authenticator = {
  /** Staff only: to this, a visitor's token is wrong. */
  authenticate(authorization: string | null | undefined): Promise<Viewer | null>
  /** Also visitors of a web chat. */
  recognize(authorization: string | null | undefined): Promise<Caller | null>
}

// A token says the same each time it is sent; what can change without it (a signing key withdrawn) takes effect after this.
const TOKEN_MEMORY_MS = 10_000
const TOKENS_REMEMBERED = 10_000

/** A token costs one prepared statement, and a second one where the member is new or changed; nothing when it comes again within seconds. */
export function createAuthenticator(deps: AuthDeps): Authenticator {
  const verifyToken = createVerifyToken(deps)
  const remembered = new LRUCache<string, Viewer>({ max: TOKENS_REMEMBERED, ttl: TOKEN_MEMORY_MS })
  const viewerOf = async (token: string): Promise<Viewer> => {
    if (looksLikeApiKey(token)) return viewerOfApiKey(deps, token)
    const known = remembered.get(token)
    if (known !== undefined && (known.expiresAt === null || known.expiresAt > deps.clock())) return known
    if (looksLikeVisitorToken(token)) throw new UnauthenticatedError("This is the token of a web chat's visitor.")
    const claims = readClaims(await verifyToken(token))
    const expiresAt = typeof claims.exp === 'number' ? new Date(Math.min(claims.exp * 1000, LAST_DATE)) : null
    const viewer = { ...(await findOrMakeMember(deps, claims)), role: claims.role, apiKeyId: null, expiresAt }
    remembered.set(token, viewer)
    return viewer
  }
  return {
    async authenticate(authorization) {
      const token = bearerOf(authorization)
      return token === null ? null : viewerOf(token)
    },
    async recognize(authorization) {
      const token = bearerOf(authorization)
      if (token === null) return null
      if (remembered.has(token) || !looksLikeVisitorToken(token)) return { viewer: await viewerOf(token), visitor: null }
      const visitor = await verifyVisitorToken(deps, token)
      if (visitor === null) throw new UnauthenticatedError('The visitor token has expired or is not valid: start the chat anew.')
      return { viewer: null, visitor }
    },
  }
}

function bearerOf(authorization: string | null | undefined): string | null {
  if (authorization === null || authorization === undefined || authorization.trim() === '') return null
  // RFC 9110, 11.1: the scheme's name is case-insensitive.
  const token = /^bearer +([^\s]+)$/i.exec(authorization.trim())?.[1]
  if (token === undefined) throw new UnauthenticatedError('The authorization must be "Bearer" and a token or an API key.')
  return token
}

async function viewerOfApiKey(deps: AuthDeps, key: string): Promise<Viewer> {
  const row = isApiKey(key) ? await findApiKey(deps, key) : undefined
  if (row === undefined) throw new UnauthenticatedError('The API key is unknown or revoked.')
  const { api_key_id, role, ...organization } = row
  return { organization, role, member: null, apiKeyId: api_key_id, expiresAt: null }
}

async function findApiKey({ pool }: AuthDeps, key: string) {
  const { rows } = await pool.query<Viewer['organization'] & { api_key_id: string; role: Role }>({
    name: 'auth-api-key',
    text: `SELECT k.id AS api_key_id, k.role, o.id, o.slug, o.name, o.timezone
      FROM api_key k JOIN organization o ON o.id = k.organization_id
      WHERE k.hash = $1 AND k.revoked_at IS NULL`,
    values: [Buffer.from(hashApiKey(key))],
  })
  return rows[0]
}
