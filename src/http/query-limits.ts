import { maxAliasesPlugin } from '@escape.tech/graphql-armor-max-aliases'
import { maxTokensPlugin } from '@escape.tech/graphql-armor-max-tokens'
import { GraphQLError } from 'graphql'
import type { Plugin } from 'graphql-yoga'
import type { Config } from '../config.ts'

/** Limits that need no types: a document's tokens and aliases. Refusals look like those of cost and depth. */
export const queryLimits = (config: Pick<Config, 'MAX_QUERY_TOKENS' | 'MAX_QUERY_ALIASES'>): Plugin[] => [
  maxTokensPlugin({ n: config.MAX_QUERY_TOKENS, onReject: [refusal('TOKENS', config.MAX_QUERY_TOKENS)] }),
  maxAliasesPlugin({ n: config.MAX_QUERY_ALIASES, onReject: [refusal('ALIASES', config.MAX_QUERY_ALIASES)] }),
]

/** The library calls it a syntax error, which it is not; what is thrown here takes its place. */
const refusal = (limit: string, max: number) => (_context: unknown, error: GraphQLError) => {
  const message = error.message.replace('Syntax Error: ', '')
  throw new GraphQLError(message, { extensions: { code: 'QUERY_TOO_COMPLEX', limit, max, http: { status: 400 } } })
}
