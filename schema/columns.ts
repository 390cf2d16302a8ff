import {
  type DocumentNode,
  type FieldNode,
  type GraphQLField,
  type GraphQLResolveInfo,
  type GraphQLSchema,
  isInterfaceType,
  isObjectType,
  Kind,
  TypeInfo,
  visit,
  visitWithTypeInfo,
} from 'graphql'
import { camelCase } from '../src/domain/sql.ts'
import type { FieldSql } from './compiled/field.ts'
import type { Context } from './context.ts'

/** By the name of a noun: the columns of its table that the fields of a document are made of; null: not known, all. */
type Columns = Map<string, Set<string> | null>

/** What an execution is of; the server sets it on the context, so that the loaders read no more than is asked for. */
export type Asked = { schema: GraphQLSchema; document: DocumentNode }

const remembered = new WeakMap<DocumentNode, Columns>()

/**
 * The `select` of a query by Prisma: the columns of a noun that the document asks for, and those in `always`; none, which is all, where a field
 * does not say what it reads. The type leaves `select` out, so that rows keep theirs: no resolver runs that looks at another column.
 */
export function columnsOf(context: Context, noun: string, ...always: string[]): object {
  const { asked } = context
  if (asked === undefined) return {}
  const own = rememberedColumns(asked).get(noun)
  if (own === null) return {}
  return { select: Object.fromEntries(['id', ...always, ...(own ?? [])].map((name) => [camelCase(name), true])) }
}

function rememberedColumns(asked: Asked): Columns {
  const known = remembered.get(asked.document)
  if (known !== undefined) return known
  const columns = columnsIn(asked)
  remembered.set(asked.document, columns)
  return columns
}

/** Whether a field of a noun is said by its id. */
export const isOfTheId = ({ name }: FieldNode): boolean => /^(id|__typename)$/.test(name.value)

/** Whether a field of a noun asks for no more than the id, which the row of its parent holds. */
export const idIsEnough = ({ fieldNodes }: GraphQLResolveInfo): boolean =>
  fieldNodes.every((node) => node.selectionSet?.selections.every((selection) => selection.kind === Kind.FIELD && isOfTheId(selection)))

function columnsIn({ schema, document }: Asked): Columns {
  const columns: Columns = new Map()
  const types = new TypeInfo(schema)
  const take = (noun: string, read: string[] | null): void => {
    const known = columns.get(noun)
    columns.set(noun, known === null || read === null ? null : new Set([...(known ?? []), ...read]))
  }
  visit(
    document,
    visitWithTypeInfo(types, {
      Field() {
        const [parent, field] = [types.getParentType(), types.getFieldDef()]
        if (parent === undefined || parent === null || field === undefined || field === null) return
        const owners = isInterfaceType(parent) ? schema.getPossibleTypes(parent) : [parent]
        for (const owner of owners) if (isObjectType(owner)) take(owner.name, columnsRead(owner.getFields()[field.name] ?? field))
      },
    }),
  )
  return columns
}

/** From the alias of a row to the columns that an expression names. */
const named = (expression: (row: string) => string): string[] => [...expression('§').matchAll(/§\.(\w+)/g)].map(([, column = '']) => column)

function columnsRead({ name, extensions }: GraphQLField<unknown, unknown>): string[] | null {
  if (name === 'id' || name.startsWith('__')) return []
  const columns = extensions.columns as string[] | undefined
  const sql = extensions.sql as FieldSql | undefined
  if (columns !== undefined || sql === undefined) return columns ?? null
  switch (sql.kind) {
    case 'value':
      return named(sql.value)
    case 'late':
      return named(sql.key)
    case 'one':
      return sql.columns
    default:
      return []
  }
}
