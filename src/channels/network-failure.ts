/** What broke before a byte of the request was written, or while the other side's certificate was looked at. */
const BEFORE_ANYTHING_WAS_WRITTEN = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'UND_ERR_CONNECT_TIMEOUT',
  'CERT_HAS_EXPIRED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'ERR_TLS_CERT_ALTNAME_INVALID',
])

type SystemError = { name?: unknown; code?: unknown; syscall?: unknown; errors?: SystemError[]; cause?: SystemError }

/**
 * Why a request got no answer. `code` says nothing of the request, whose credentials libraries put into their errors.
 * `neverSent`: the request surely did not reach the provider.
 */
export function networkFailure(error: unknown): { code: string; neverSent: boolean } {
  const outer = error as SystemError
  const system = outer.cause ?? outer
  // A DOMException's code, as that of a time limit, is a number that says nothing.
  const code = [system.code, outer.code, outer.name].find((word) => typeof word === 'string') ?? 'unknown error'
  const connecting = [system, ...(system.errors ?? [])].some(({ syscall }) => syscall === 'connect' || syscall === 'getaddrinfo')
  return { code, neverSent: connecting || BEFORE_ANYTHING_WAS_WRITTEN.has(code) }
}
