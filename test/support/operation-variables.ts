import {
  type DocumentNode,
  type GraphQLSchema,
  getNamedType,
  isEnumType,
  isInputObjectType,
  Kind,
  type OperationDefinitionNode,
  typeFromAST,
} from 'graphql'
import { argumentsFor, type Field, type OwnIds } from './graph-walk.ts'

export type Operation = OperationDefinitionNode & { name: { value: string } }

/** The one operation of a document. */
export function operationOf({ definitions }: DocumentNode): Operation {
  const operation = definitions.find((definition) => definition.kind === Kind.OPERATION_DEFINITION)
  if (operation?.name === undefined) throw new Error('a document of one named operation is expected')
  return operation as Operation
}

/**
 * Sensible variables for an operation: what it needs, and then each thing that it may be given besides, one at a time, every value of an enum, and
 * each member of a filter. Places in a list are not among them: they come from an answer.
 */
export function variablesFor(schema: GraphQLSchema, operation: Operation, own: OwnIds): Record<string, unknown>[] {
  const field = { ...rootField(schema, operation), name: operation.name.value, args: declared(schema, operation) } as Field
  const places = field.args.flatMap(({ name, type }) => {
    const inner = getNamedType(type)
    if (['after', 'before', 'first', 'last', 'input'].includes(name)) return []
    return isInputObjectType(inner) ? Object.keys(inner.getFields()).map((part) => [name, part]) : [[name]]
  })
  const one = argumentsFor(field, own, null, null)
  return [one, ...places.flatMap((place) => variations(field, place, argumentsFor(field, own, place, null)))]
}

/** The same with every other value of the enum, boolean or time at that place. */
function variations(field: Field, [name, part]: string[], given: Record<string, unknown>): Record<string, unknown>[] {
  const argument = field.args.find((each) => each.name === name)
  if (argument === undefined || part === undefined || name === undefined) return [given]
  const filter = getNamedType(argument.type)
  const type = isInputObjectType(filter) ? filter.getFields()[part]?.type : undefined
  if (type === undefined) return [given]
  const inner = getNamedType(type)
  const values = isEnumType(inner)
    ? inner.getValues().map(({ value }) => value as unknown)
    : inner.name === 'Boolean'
      ? [true, false]
      : inner.name === 'DateTime'
        ? ['2199-01-01T00:00:00.000Z', '2000-01-01T00:00:00.000Z', new Date(Date.now() - 3_600_000).toISOString()]
        : null
  if (values === null) return [given]
  const listed = String(type).startsWith('[')
  return values.map((value) => ({ ...given, [name]: { ...(given[name] as object), [part]: listed ? [value] : value } }))
}

function rootField(schema: GraphQLSchema, operation: Operation): Field {
  const [selection] = operation.selectionSet.selections
  const field = selection?.kind === Kind.FIELD ? schema.getRootType(operation.operation)?.getFields()[selection.name.value] : undefined
  if (field === undefined) throw new Error(`${operation.name.value} begins with no field`)
  return field as Field
}

const declared = (schema: GraphQLSchema, operation: Operation) =>
  (operation.variableDefinitions ?? []).map(({ variable, type, defaultValue }) => ({
    name: variable.name.value,
    type: typeFromAST(schema, type as never),
    defaultValue,
  })) as unknown as Field['args']

/** The variables for the next page of an answer; null where there is none. */
export function nextPage(answer: unknown, operation: Operation): Record<string, string> | null {
  const takes = (name: string) => operation.variableDefinitions?.some(({ variable }) => variable.name.value === name) === true
  const { endCursor, startCursor } = pageInfo(answer) ?? {}
  if (typeof endCursor === 'string' && takes('after')) return { after: endCursor }
  if (typeof startCursor === 'string' && takes('before')) return { before: startCursor }
  return null
}

function pageInfo(value: unknown): Record<string, unknown> | null {
  if (typeof value !== 'object' || value === null) return null
  const own = (value as { pageInfo?: Record<string, unknown> }).pageInfo
  if (own !== undefined) return own
  return Object.values(value).reduce<Record<string, unknown> | null>((found, inner) => found ?? pageInfo(inner), null)
}
