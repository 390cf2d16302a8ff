import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  type DocumentNode,
  type FragmentDefinitionNode,
  GraphQLError,
  type GraphQLSchema,
  getVariableValues,
  Kind,
  type OperationDefinitionNode,
  parse,
  print,
  visit,
} from 'graphql'
import { LRUCache } from 'lru-cache'
import { UserError } from '../../src/domain/errors.ts'
import type { Context, SignedIn } from '../context.ts'
import { inboxJson } from './inbox.ts'
import { threadJson } from './thread.ts'

/** Variables have been coerced by the schema when this is called. null: let the executor answer. */
type Answer = (context: SignedIn, variables: Record<string, unknown>) => Promise<string | null>

type Known = { operation: OperationDefinitionNode; answer: Answer }

/**
 * The reads that every inbox repeats, answered by one statement that returns JSON, without the executor. A test holds each answer against the
 * executor's; anything unusual (another selection, a wrong argument, no token) goes to the executor.
 */
const answers: Record<string, Answer> = {
  Inbox: (context, variables) => inboxJson(context, variables),
  ConversationThread: (context, variables) => threadJson(context, variables as { id: string }),
}

const OPERATIONS = parse(readFileSync(join(import.meta.dirname, '../operations/inbox.graphql'), 'utf8'))

const knownTexts = new Map(Object.entries(answers).map(([name, answer]) => [canonical(OPERATIONS, name)?.text, answer]))

type Parameters = { query: string; operationName?: string | null; variables?: Record<string, unknown> | null }

const MAX_TEXT = 20_000

const recognized = new LRUCache<string, { known: Known | null }>({ max: 1000 })

/** The JSON of the whole answer, or null where the executor has to give it. */
export async function answerKnown(schema: GraphQLSchema, parameters: Parameters, context: Context): Promise<string | null> {
  const known = parameters.query.length > MAX_TEXT ? null : recognize(parameters)
  if (known === null || context.viewer === null) return null
  const { coerced } = getVariableValues(schema, known.operation.variableDefinitions ?? [], parameters.variables ?? {})
  if (coerced === undefined) return null
  try {
    return await known.answer(context as SignedIn, coerced)
  } catch (error) {
    // The executor says it in the form that errors have.
    if (error instanceof UserError) return null
    throw error
  }
}

function recognize({ query, operationName }: Parameters): Known | null {
  const key = `${operationName ?? ''} ${query}`
  const before = recognized.get(key)
  if (before !== undefined) return before.known
  const known = lookUp(query, operationName ?? undefined)
  recognized.set(key, { known })
  return known
}

function lookUp(query: string, operationName: string | undefined): Known | null {
  try {
    const found = canonical(parse(query), operationName)
    const answer = found === null ? undefined : knownTexts.get(found.text)
    return found === null || answer === undefined ? null : { operation: found.operation, answer }
  } catch (error) {
    if (error instanceof GraphQLError) return null
    throw error
  }
}

/** The operation with the fragments it uses, in one spelling; null where the document has no such operation. */
function canonical(document: DocumentNode, operationName: string | undefined): { text: string; operation: OperationDefinitionNode } | null {
  const operations = document.definitions.filter((definition) => definition.kind === Kind.OPERATION_DEFINITION)
  const operation = operationName === undefined ? operations[0] : operations.find(({ name }) => name?.value === operationName)
  if (operation === undefined || (operationName === undefined && operations.length > 1)) return null
  const fragments = new Map<string, FragmentDefinitionNode>()
  const collect = (node: OperationDefinitionNode | FragmentDefinitionNode): void => {
    visit(node, {
      FragmentSpread({ name: { value } }) {
        const fragment = document.definitions.find(
          (definition) => definition.kind === Kind.FRAGMENT_DEFINITION && definition.name.value === value,
        )
        if (fragment?.kind !== Kind.FRAGMENT_DEFINITION || fragments.has(value)) return
        fragments.set(value, fragment)
        collect(fragment)
      },
    })
  }
  collect(operation)
  const parts = [...fragments].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, fragment]) => print(fragment))
  return { text: [print(operation), ...parts].join('\n'), operation }
}
