import {
  type FieldNode,
  type GraphQLField,
  type GraphQLObjectType,
  type GraphQLSchema,
  getArgumentValues,
  getNamedType,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  type SelectionSetNode,
} from 'graphql'
import type { Deps } from '../../src/deps.ts'
import { isOfTheId } from '../columns.ts'
import type { SignedIn } from '../context.ts'
import type { Fragments } from '../fragments.ts'
import type { NodeType } from '../global-id.ts'
import { type ConnectionField, connectionSql } from './connection.ts'
import { type FieldSql, LeftToExecutor, NOW, ORGANIZATION } from './field.ts'
import { globalIdSql, jsonObject, selectList } from './sql.ts'
import { condensed, type Template } from './template.ts'

/** Stands in the JSON of a statement for what this process makes: `mark`, the place in `makers`, a colon and the key. */
export type Late = { mark: string; makers: ((context: SignedIn, key: string) => Promise<string>)[] }

type Compiling = { deps: Deps; fragments: Fragments; late: Late; rows: number }

type Selected = { key: string; field: GraphQLField<unknown, unknown> | null; nodes: [FieldNode, ...FieldNode[]] }

// PostgreSQL cuts longer names off.
const MAX_KEY = 63

/** An operation as one statement whose `json` is the value of `data`. Throws LeftToExecutor where a field cannot be read so. */
export function compileOperation(
  deps: Deps,
  schema: GraphQLSchema,
  operation: OperationDefinitionNode,
  fragments: Fragments,
  late: Late,
): Template {
  const query = schema.getQueryType()
  if (query === null || query === undefined) throw new LeftToExecutor()
  const compiling: Compiling = { deps, fragments, late, rows: 0 }
  const fields = fieldsOf(compiling, query, [operation.selectionSet], null)
  const given = `(SELECT ${ORGANIZATION}::uuid, ${NOW}::timestamptz) AS given`
  return condensed(['SELECT ', ...jsonObject(fields), `::text AS json FROM ${given}`])
}

/** The select list of a selection on `row`; null: the query itself. */
const fieldsOf = (compiling: Compiling, type: GraphQLObjectType, sets: SelectionSetNode[], row: string | null): Template =>
  selectList(
    selectionOf(compiling, type, sets).map((selected) => ({ key: selected.key, parts: expressionOf(compiling, type, selected, row) })),
  )

function selectionOf({ fragments }: Compiling, type: GraphQLObjectType, sets: SelectionSetNode[]): Selected[] {
  const found = new Map<string, Selected>()
  const collect = (set: SelectionSetNode): void => {
    for (const node of set.selections) {
      if ((node.directives?.length ?? 0) > 0) throw new LeftToExecutor()
      if (node.kind === Kind.FIELD) {
        const key = node.alias?.value ?? node.name.value
        const known = found.get(key)
        if (known !== undefined) known.nodes.push(node)
        else if (key.length > MAX_KEY) throw new LeftToExecutor()
        else found.set(key, { key, field: type.getFields()[node.name.value] ?? null, nodes: [node] })
        continue
      }
      const fragment = node.kind === Kind.FRAGMENT_SPREAD ? fragments[node.name.value] : node
      if (fragment === undefined) throw new LeftToExecutor()
      if (applies(type, fragment.typeCondition?.name.value ?? type.name)) collect(fragment.selectionSet)
    }
  }
  for (const set of sets) collect(set)
  return [...found.values()]
}

const applies = (type: GraphQLObjectType, condition: string): boolean =>
  condition === type.name || type.getInterfaces().some(({ name }) => name === condition)

function expressionOf(compiling: Compiling, type: GraphQLObjectType, { field, nodes }: Selected, row: string | null): Template {
  if (nodes[0].name.value === '__typename') return [`'${type.name}'`]
  if (field === null) throw new LeftToExecutor()
  if (field.name === 'id' && row !== null && applies(type, 'Node')) return [globalIdSql(type.name as NodeType, `${row}.id`)]
  const sql = field.extensions.sql as FieldSql | undefined
  if (sql === undefined) throw new LeftToExecutor()
  switch (sql.kind) {
    case 'value':
      return [sql.value(row ?? '')]
    case 'late':
      return [`'${compiling.late.mark}${compiling.late.makers.push(sql.make) - 1}:' || (${sql.key(row ?? '')})`]
    case 'page':
      return connectionOf(compiling, field, nodes, sql, row)
    default:
      return rowsExpression(compiling, field, nodes, sql, row ?? '')
  }
}

const objectType = (field: GraphQLField<unknown, unknown>): GraphQLObjectType => {
  const type = getNamedType(field.type)
  if (!isObjectType(type)) throw new LeftToExecutor()
  return type
}

const setsOf = (nodes: FieldNode[]): SelectionSetNode[] => nodes.flatMap(({ selectionSet }) => selectionSet ?? [])

function rowsExpression(
  compiling: Compiling,
  field: GraphQLField<unknown, unknown>,
  nodes: Selected['nodes'],
  sql: Extract<FieldSql, { kind: 'one' | 'many' }>,
  row: string,
): Template {
  const type = objectType(field)
  const item = `r${compiling.rows++}`
  const fields = fieldsOf(compiling, type, setsOf(nodes), item)
  const { from } = sql
  const rows: Template[number] =
    'fixed' in from
      ? from.fixed(row, item, compiling.deps)
      : ({ context, variables, bind }) => from.asked(item, { context, args: getArgumentValues(field, nodes[0], variables), bind })
  if (sql.kind === 'one') {
    const idOnly = sql.id !== null && selectionOf(compiling, type, setsOf(nodes)).every(({ nodes: [node] }) => isOfTheId(node))
    const source = idOnly && sql.id !== null ? `(SELECT ${sql.id(row)} AS id) AS ${item} WHERE ${item}.id IS NOT NULL` : rows
    return jsonObject([...fields, ' FROM ', source])
  }
  return ['coalesce((SELECT json_agg(', ...jsonObject(fields), ` ORDER BY ${sql.order(item)}) FROM `, rows, "), '[]')"]
}

type Selection = { type: GraphQLObjectType; sets: SelectionSetNode[] }

function connectionOf(
  compiling: Compiling,
  field: GraphQLField<unknown, unknown>,
  nodes: Selected['nodes'],
  sql: Extract<FieldSql, { kind: 'page' }>,
  row: string | null,
): Template {
  const item = `r${compiling.rows++}`
  const connection = connectionFields(compiling, { type: objectType(field), sets: setsOf(nodes) }, item)
  return [
    (request) =>
      connectionSql(sql, sql.list(request.context, getArgumentValues(field, nodes[0], request.variables) as never), connection, {
        request,
        row,
        item,
      }),
  ]
}

/** The fields of a connection, of its edges and of its pageInfo, as `connectionSql` wants them. */
function connectionFields(compiling: Compiling, { type, sets }: Selection, item: string): ConnectionField[] {
  return selectionOf(compiling, type, sets).map((selected) => {
    const { key, field, nodes } = selected
    const name = nodes[0].name.value
    if (name === '__typename') return { key, constant: type.name }
    const below = { type: objectType(present(field)), sets: setsOf(nodes) }
    if (name === 'nodes') return { key, rows: condensed(fieldsOf(compiling, below.type, below.sets, item)) }
    if (name === 'edges') return { key, rows: edgeFields(compiling, below, item) }
    if (name !== 'pageInfo') throw new LeftToExecutor()
    const info = selectionOf(compiling, below.type, below.sets)
    return { key, pageInfo: info.map((each) => ({ key: each.key, name: each.nodes[0].name.value, type: below.type.name })) }
  })
}

function edgeFields(compiling: Compiling, { type, sets }: Selection, item: string): Template {
  const expression = ({ field, nodes }: Selected): Template => {
    const name = nodes[0].name.value
    if (name === '__typename') return [`'${type.name}'`]
    if (name === 'cursor') return [`${item}.cursor`]
    if (name !== 'node') throw new LeftToExecutor()
    return jsonObject(fieldsOf(compiling, objectType(present(field)), setsOf(nodes), item))
  }
  return selectList(selectionOf(compiling, type, sets).map((selected) => ({ key: selected.key, parts: expression(selected) })))
}

function present<Value>(value: Value | null): Value {
  if (value === null) throw new LeftToExecutor()
  return value
}
