import { LRUCache } from 'lru-cache'
import type { Role } from '../db/generated/enums.ts'
import type { Deps } from '../deps.ts'
import { hashApiKey, isApiKey, looksLikeApiKey } from '../domain/api-key-secret.ts'
import { readClaims } from './claims.ts'
import { UnauthenticatedError } from './errors.ts'
import { findOrMakeMember } from './member.ts'
import { createVerifyToken } from './verify-token.ts'
import type { Viewer } from './viewer.ts'

/** The last millisecond that a Date can hold. */
const LAST_DATE = 8.64e15

type AuthDeps = Pick<Deps, 'config' | 'pool' | 'clock' | 'log'>

/** Turns an `Authorization` value (`Bearer <JWT>` or `Bearer parley_…`) into a viewer. */
export type Authenticator = {
  /**
   * null: no credentials were given. Throws UnauthenticatedError where they are wrong, AuthUnavailableError where the token issuer's
   * keys cannot be read; an error of the database is passed on as it is.
   */
  authenticate(authorization: string | null | undefined): Promise<Viewer | null>
}

// A token says the same each time it is sent; what can change without it (a signing key withdrawn) takes effect after this.
const TOKEN_MEMORY_MS = 10_000
const TOKENS_REMEMBERED = 10_000

/** A token costs one prepared statement, and a second one where the member is new or changed; nothing when it comes again within seconds. */
export function createAuthenticator(deps: AuthDeps): Authenticator {
  const verifyToken = createVerifyToken(deps)
  const remembered = new LRUCache<string, Viewer>({ max: TOKENS_REMEMBERED, ttl: TOKEN_MEMORY_MS })
  return {
    async authenticate(authorization) {
      if (authorization === null || authorization === undefined || authorization.trim() === '') return null
      // RFC 9110, 11.1: the scheme's name is case-insensitive.
      const token = /^bearer +([^\s]+)$/i.exec(authorization.trim())?.[1]
      if (token === undefined) throw new UnauthenticatedError('The authorization must be "Bearer" and a token or an API key.')
      if (looksLikeApiKey(token)) return viewerOfApiKey(deps, token)
      const known = remembered.get(token)
      if (known !== undefined && (known.expiresAt === null || known.expiresAt > deps.clock())) return known
      const claims = readClaims(await verifyToken(token))
      const expiresAt = typeof claims.exp === 'number' ? new Date(Math.min(claims.exp * 1000, LAST_DATE)) : null
      const viewer = { ...(await findOrMakeMember(deps, claims)), role: claims.role, apiKeyId: null, expiresAt }
      remembered.set(token, viewer)
      return viewer
    },
  }
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
