import { createSecretKey } from 'node:crypto'
import { createRemoteJWKSet, errors, type FlattenedJWSInput, type JWSHeaderParameters, type JWTPayload, jwtVerify } from 'jose'
import type { Deps } from '../deps.ts'
import { AuthUnavailableError, UnauthenticatedError } from './errors.ts'

/** Checks a JWT's signature and times. Throws UnauthenticatedError, or AuthUnavailableError where the issuer's keys cannot be read. */
export type VerifyToken = (token: string) => Promise<JWTPayload>

/** HS256 by AUTH_JWT_SECRET, or RS256 and ES256 by AUTH_JWKS_URL. The algorithms are pinned: a public key never serves as an HMAC secret. */
export function createVerifyToken(deps: Pick<Deps, 'config' | 'clock' | 'log'>): VerifyToken {
  const verify = verifierOf(deps)
  return async (token) => {
    try {
      return await verify(token)
    } catch (error) {
      if (error instanceof errors.JOSEError) throw new UnauthenticatedError(reasonOf(error))
      throw error
    }
  }
}

function verifierOf({ config, clock, log }: Pick<Deps, 'config' | 'clock' | 'log'>): VerifyToken {
  if (config.AUTH_JWKS_URL !== undefined) {
    const keys = issuerKeys(new URL(config.AUTH_JWKS_URL), log)
    return async (token) => (await jwtVerify(token, keys, { algorithms: ['RS256', 'ES256'], currentDate: clock() })).payload
  }
  if (config.AUTH_JWT_SECRET === undefined) throw new Error('neither AUTH_JWT_SECRET nor AUTH_JWKS_URL is set')
  const secret = createSecretKey(config.AUTH_JWT_SECRET, 'utf8')
  return async (token) => (await jwtVerify(token, secret, { algorithms: ['HS256'], currentDate: clock() })).payload
}

/** Keys are kept for 10 minutes; an unknown `kid` asks again, at most every 30 seconds. */
function issuerKeys(url: URL, log: Deps['log']) {
  const remote = createRemoteJWKSet(url, { timeoutDuration: 5_000, cooldownDuration: 30_000, cacheMaxAge: 600_000 })
  return async (header?: JWSHeaderParameters, token?: FlattenedJWSInput) => {
    try {
      return await remote(header, token)
    } catch (error) {
      // Only these two are about the token; all else says that the key set could not be fetched or used.
      if (error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JWKSMultipleMatchingKeys) throw error
      log.error({ err: error, url: url.origin + url.pathname }, 'AUTH_JWKS_URL: the keys of the token issuer cannot be read')
      throw new AuthUnavailableError('The keys of the token issuer cannot be read at the moment.', { cause: error })
    }
  }
}

function reasonOf(error: errors.JOSEError): string {
  if (error instanceof errors.JWTExpired) return 'The token has expired.'
  if (error instanceof errors.JWTClaimValidationFailed) {
    return error.claim === 'nbf' && error.reason === 'check_failed'
      ? 'The token is not valid yet.'
      : `The token's \`${error.claim}\` is not valid.`
  }
  if (error instanceof errors.JOSEAlgNotAllowed) return "The token's algorithm is not allowed."
  if (error instanceof errors.JWSSignatureVerificationFailed) return "The token's signature is wrong."
  if (error instanceof errors.JWKSNoMatchingKey) return 'The token is signed with a key that the issuer does not list.'
  if (error instanceof errors.JWKSMultipleMatchingKeys) return "The token's header must name its key (`kid`)."
  return 'The token is not a valid JWT.'
}
