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

/** For subscriptions, which would otherwise be refused at each event instead of at their beginning. Throws as `tooComplex` says. */
export function checkLimits(context: Context, info: GraphQLResolveInfo): void {
  const definitions = [info.operation, ...Object.values(info.fragments)]
  const { schema, variableValues: variables } = info
  const found = complexityFromQuery({ kind: Kind.DOCUMENT, definitions }, { schema, variables, ctx: context })
  const max = queryLimits(context)
  const limits = { maxComplexity: max.complexity, maxDepth: max.depth, maxBreadth: max.breadth }
  for (const kind of ['Depth', 'Breadth', 'Complexity'] as const) {
    const { key } = measures[kind]
    if (found[key] > max[key]) throw tooComplex(kind, { ...found, ...limits })
  }
}
