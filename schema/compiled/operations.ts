import { maxAliasesRule } from '@escape.tech/graphql-armor-max-aliases'
import {
  type DocumentNode,
  GraphQLError,
  type GraphQLSchema,
  getVariableValues,
  Kind,
  type OperationDefinitionNode,
  OperationTypeNode,
  parse,
  specifiedRules,
  validate,
} from 'graphql'
import { LRUCache } from 'lru-cache'
import type { Deps } from '../../src/deps.ts'
import { UserError } from '../../src/domain/errors.ts'
import { runPrepared } from '../../src/domain/list-query.ts'
import type { Context, SignedIn } from '../context.ts'
import { type Fragments, fragmentsOf } from '../fragments.ts'
import { withinLimits } from '../query-limits.ts'
import { compileOperation, type Late } from './compile.ts'
import { LeftToExecutor } from './field.ts'
import { newLate, withLate } from './late.ts'
import { binder, filled, type Template } from './template.ts'

export type Parameters = {
  query: string
  operationName?: string | null | undefined
  variables?: Record<string, unknown> | null | undefined
}

type Compiled = {
  operation: OperationDefinitionNode
  fragments: Fragments
  template: Template
  late: Late
  allowed: LRUCache<string, boolean>
}

const MAX_TEXT = 20_000
const PAGE_SIZES_REMEMBERED = 200

const DOCUMENTS_REMEMBERED = 1000

export type CompiledOperations = (parameters: Parameters, context: Context) => Promise<string | null>

/**
 * Gives the whole answer of a query as JSON, read by one statement that is made from the query's own selection, without the executor. null:
 * the executor has to answer, because the query asks for something that has no SQL (`FieldSql`), or for something wrong. A test holds
 * what this gives against what the executor gives.
 */
export function createCompiledOperations(schema: GraphQLSchema): CompiledOperations {
  const remembered = new LRUCache<string, { compiled: Compiled | null }>({ max: DOCUMENTS_REMEMBERED })
  return async ({ query, operationName, variables }, context) => {
    if (context.viewer === null || query.length > MAX_TEXT) return null
    const key = `${operationName ?? ''} ${query}`
    const known = remembered.get(key)
    const compiled = known === undefined ? compile(schema, query, operationName ?? null, context.deps) : known.compiled
    if (known === undefined) remembered.set(key, { compiled })
    if (compiled === null) return null
    const { coerced } = getVariableValues(schema, compiled.operation.variableDefinitions ?? [], variables ?? {})
    if (coerced === undefined || !isAllowed(schema, compiled, coerced, context)) return null
    return answer(compiled, context as SignedIn, coerced)
  }
}

async function answer({ template, late }: Compiled, context: SignedIn, variables: Record<string, unknown>): Promise<string | null> {
  const values: unknown[] = [context.viewer.organization.id, context.deps.clock()]
  let once = true
  const perValues = () => {
    once = false
  }
  try {
    const text = filled(template, { context, variables, bind: binder(values), perValues })
    const [row] = await runPrepared<{ json: string }>(context.deps, { text, values }, once)
    return row === undefined ? null : `{"data":${await withLate(late, row.json, context)}}`
  } catch (error) {
    // The executor says it in the form that errors have.
    if (error instanceof UserError || error instanceof LeftToExecutor) return null
    throw error
  }
}

function compile(schema: GraphQLSchema, query: string, operationName: string | null, deps: Deps): Compiled | null {
  try {
    const document = parse(query, { maxTokens: deps.config.MAX_QUERY_TOKENS })
    const operation = operationOf(document, operationName)
    if (operation?.operation !== OperationTypeNode.QUERY) return null
    const rules = [...specifiedRules, maxAliasesRule({ n: deps.config.MAX_QUERY_ALIASES })]
    if (validate(schema, document, rules).length > 0) return null
    const fragments = fragmentsOf(document.definitions)
    const late = newLate()
    const template = compileOperation(deps, schema, operation, fragments, late)
    return { operation, fragments, template, late, allowed: new LRUCache({ max: PAGE_SIZES_REMEMBERED }) }
  } catch (error) {
    if (error instanceof GraphQLError || error instanceof LeftToExecutor) return null
    throw error
  }
}

function operationOf({ definitions }: DocumentNode, name: string | null): OperationDefinitionNode | null {
  const operations = definitions.filter((definition) => definition.kind === Kind.OPERATION_DEFINITION)
  const wanted = name === null ? operations : operations.filter((operation) => operation.name?.value === name)
  return wanted.length === 1 ? (wanted[0] ?? null) : null
}

/** What a query costs depends on the sizes of its pages, the only numbers among its variables. */
function isAllowed(
  schema: GraphQLSchema,
  { operation, fragments, allowed }: Compiled,
  variables: Record<string, unknown>,
  context: Context,
): boolean {
  const sizes = Object.entries(variables).filter(([, value]) => typeof value === 'number')
  const key = sizes.join(' ')
  const known = allowed.get(key)
  if (known !== undefined) return known
  const found = withinLimits(context, { schema, operation, fragments, variables })
  allowed.set(key, found)
  return found
}
