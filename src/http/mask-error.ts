import { randomUUID } from 'node:crypto'
import { GraphQLError } from 'graphql'
import type { Logger } from 'pino'
import { AuthUnavailableError, UnauthenticatedError } from '../auth/errors.ts'
import { isDatabaseAway } from '../db/away.ts'
import { UserError } from '../domain/errors.ts'

/**
 * What a client is told of an error: its own mistakes in full; everything else by a reference, under which the log has the whole story.
 */
export function maskError(log: Logger, error: unknown): Error {
  const original = error instanceof GraphQLError && error.originalError !== undefined ? error.originalError : error
  const known = knownError(original)
  if (known === null && error instanceof GraphQLError && (original === error || original instanceof GraphQLError)) return error
  const { message, extensions } = known ?? unexpected(log, original)
  const place =
    error instanceof GraphQLError ? { nodes: error.nodes, source: error.source, positions: error.positions, path: error.path } : {}
  return new GraphQLError(message, { ...place, extensions })
}

type Told = { message: string; extensions: Record<string, unknown> }

function knownError(error: unknown): Told | null {
  if (error instanceof UserError) return { message: error.message, extensions: { code: error.code, inputPath: error.path } }
  if (error instanceof UnauthenticatedError)
    return { message: error.message, extensions: { code: 'UNAUTHENTICATED', http: { status: 401 } } }
  if (error instanceof AuthUnavailableError)
    return { message: error.message, extensions: { code: 'SERVICE_UNAVAILABLE', http: { status: 503 } } }
  if (isDatabaseAway(error)) {
    return {
      message: 'The database cannot be reached at the moment; try again soon.',
      extensions: { code: 'SERVICE_UNAVAILABLE', http: { status: 503 } },
    }
  }
  return null
}

function unexpected(log: Logger, error: unknown): Told {
  const reference = randomUUID()
  log.error({ err: error, reference }, 'a GraphQL request failed unexpectedly')
  return { message: `Something went wrong on our side. Reference: ${reference}`, extensions: { code: 'INTERNAL_SERVER_ERROR', reference } }
}
