import { randomUUID } from 'node:crypto'
import { PothosValidationError } from '@pothos/core'
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
  if (known === null && error instanceof GraphQLError && isForTheClient(error, original)) return error
  const { message, extensions } = known ?? unexpected(log, original)
  const place =
    error instanceof GraphQLError ? { nodes: error.nodes, source: error.source, positions: error.positions, path: error.path } : {}
  return new GraphQLError(message, { ...place, extensions })
}

/**
 * Of GraphQL's own errors: those about the document and its variables (they have no place in the answer), those we made (they have a code),
 * and a malformed global id. What is left is about values that our resolvers gave.
 */
const isForTheClient = (error: GraphQLError, original: unknown): boolean =>
  error.path === undefined || error.extensions.code !== undefined || original instanceof PothosValidationError

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
