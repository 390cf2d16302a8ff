import { type ComplexityResult, complexityFromQuery } from '@pothos/plugin-complexity'
import { GraphQLError, type GraphQLResolveInfo, Kind } from 'graphql'
import type { Context } from './context.ts'

const measures = {
  Complexity: { name: 'cost', key: 'complexity' },
  Depth: { name: 'depth', key: 'depth' },
  Breadth: { name: 'breadth (number of fields)', key: 'breadth' },
} as const

type Limits = { maxComplexity?: number; maxDepth?: number; maxBreadth?: number }

export const queryLimits = ({ deps: { config } }: Context): ComplexityResult => ({
  complexity: config.MAX_QUERY_COST,
  depth: config.MAX_QUERY_DEPTH,
  breadth: 2000,
})

/** Says which limit, how much it was and how much is allowed. */
export function tooComplex(kind: keyof typeof measures, found: ComplexityResult & Limits): GraphQLError {
  const { name, key } = measures[kind]
  const [cost, max] = [found[key], found[`max${kind}`]]
  return new GraphQLError(`The query's ${name} is ${cost}; at most ${max} is allowed.`, {
    extensions: { code: 'QUERY_TOO_COMPLEX', limit: kind.toUpperCase(), cost, max, http: { status: 400 } },
  })
}

type Asked = Pick<GraphQLResolveInfo, 'schema' | 'operation' | 'fragments'> & { variables: Record<string, unknown> }

/** The first limit that a query is beyond, with what was found; null: none. */
function exceeded(context: Context, { schema, operation, fragments, variables }: Asked) {
  const document = { kind: Kind.DOCUMENT, definitions: [operation, ...Object.values(fragments)] } as const
  const found = complexityFromQuery(document, { schema, variables, ctx: context })
  const max = queryLimits(context)
  const kind = (['Depth', 'Breadth', 'Complexity'] as const).find((one) => found[measures[one].key] > max[measures[one].key])
  const limits = { maxComplexity: max.complexity, maxDepth: max.depth, maxBreadth: max.breadth }
  return kind === undefined ? null : { kind, found: { ...found, ...limits } }
}

export const withinLimits = (context: Context, asked: Asked): boolean => exceeded(context, asked) === null

/** For subscriptions, which would otherwise be refused at each event instead of at their beginning. Throws as `tooComplex` says. */
export function checkLimits(context: Context, { schema, operation, fragments, variableValues: variables }: GraphQLResolveInfo): void {
  const beyond = exceeded(context, { schema, operation, fragments, variables })
  if (beyond !== null) throw tooComplex(beyond.kind, beyond.found)
}
