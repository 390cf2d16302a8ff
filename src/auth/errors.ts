/** The caller's credentials are wrong: `message` is a short reason that may be shown to the caller. */
export class UnauthenticatedError extends Error {
  override readonly name = 'UnauthenticatedError'
}

/** Nobody can be recognized now because the issuer's keys (AUTH_JWKS_URL) cannot be read: answer 503, not 401. `cause` tells why. */
export class AuthUnavailableError extends Error {
  override readonly name = 'AuthUnavailableError'
}
