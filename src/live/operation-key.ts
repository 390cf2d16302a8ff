import { type DocumentNode, type ExecutionArgs, Kind, print, visit } from 'graphql'
import type { Viewer } from '../auth/viewer.ts'
import type { Visitor } from '../visitor-tokens.ts'

type Described = { text: string; cursors: Set<string> }

const described = new WeakMap<DocumentNode, Described>()

/**
 * The same for all who would be told the same of an event: same operation, variables, role or visitor. The organization is not in it, because
 * an event belongs to one; nor is a variable that only says after which event the subscription begins.
 */
export function operationKey({ document, operationName, variableValues, contextValue }: ExecutionArgs): string {
  const { viewer, visitor } = contextValue as { viewer: Viewer | null; visitor: Visitor | null }
  const { text, cursors } = describe(document)
  const variables = Object.entries(variableValues ?? {}).filter(([name]) => !cursors.has(name))
  return JSON.stringify([text, operationName ?? null, variables, viewer?.role ?? visitor?.id ?? null])
}

function describe(document: DocumentNode): Described {
  const known = described.get(document)
  if (known !== undefined) return known
  const description = { text: print(document), cursors: cursorVariables(document) }
  described.set(document, description)
  return description
}

/** Variables that are used once, as `after` of a subscription's own field. */
function cursorVariables(document: DocumentNode): Set<string> {
  const uses = new Map<string, number>()
  visit(document, {
    VariableDefinition: () => false,
    Variable: ({ name }) => void uses.set(name.value, (uses.get(name.value) ?? 0) + 1),
  })
  const roots = document.definitions
    .flatMap((definition) => (definition.kind === Kind.OPERATION_DEFINITION ? definition.selectionSet.selections : []))
    .flatMap((selection) => (selection.kind === Kind.FIELD ? (selection.arguments ?? []) : []))
  const cursors = roots.flatMap(({ name, value }) => (name.value === 'after' && value.kind === Kind.VARIABLE ? [value.name.value] : []))
  return new Set(cursors.filter((name) => uses.get(name) === 1))
}
