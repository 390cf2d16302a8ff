import { Prisma } from '../../src/db/generated/client.ts'
import type { Deps } from '../../src/deps.ts'
import type { ListQuery } from '../../src/domain/list-query.ts'
import type { SignedIn } from '../context.ts'
import { localId, type NodeType } from '../global-id.ts'
import { isoTime } from './sql.ts'

/** Given by every statement as its first parameters, so that any expression can name them. */
export const ORGANIZATION = '$1'
export const NOW = '$2'

/** Takes SQL with its values into the statement; gives its text. */
export type Bind = (sql: Prisma.Sql) => string

/**
 * How a field is read by a statement that answers a whole operation. Everything is told from the alias of the parent's row, `row`; `item` is
 * the alias that the rows of a child get.
 *
 * - `value`: an expression whose JSON is the field's.
 * - `late`: an expression that gives a key (null: null), and what this process makes of it, because PostgreSQL cannot.
 * - `one`: the FROM clause of at most one row; none is null. `id`: the expression of its id, where nothing but the id is asked for. `columns`: those
 *   of the parent's row that it is found by or made of.
 * - `many`: the FROM clause of all rows of a list, and their order.
 * - `page`: a connection: the rows of `list` whose `column` is the parent's id, or the organization's where the parent is the query.
 */
export type FieldSql =
  | { kind: 'value'; value(row: string): string }
  | { kind: 'late'; key(row: string): string; make(context: SignedIn, key: string): Promise<string> }
  | { kind: 'one'; from: From; id: ((row: string) => string) | null; columns: string[] }
  | { kind: 'many'; from: From; order(item: string): string }
  | { kind: 'page'; list: ListOf; column: string }

/** A FROM clause that is the same in every request, or one that depends on it. */
type From = { fixed(row: string, item: string, deps: Deps): string } | { asked(item: string, input: Input): string }

/** `args` have been coerced by the schema, so that each list knows the type of its own. */
type ListOf = (context: SignedIn, args: never) => ListQuery

export type Input = { context: SignedIn; args: Record<string, unknown>; bind: Bind }

/** Thrown where arguments are such that the executor has to say what is wrong, or knows better. */
export class LeftToExecutor extends Error {}

type Extensions = { extensions: { sql: FieldSql } }

const declare = (sql: FieldSql): Extensions => ({ extensions: { sql } })

/** The column as it is. */
export const column = (name: string): Extensions => declare({ kind: 'value', value: (row) => `${row}.${name}` })

/** A column with a time. */
export const timeColumn = (name: string): Extensions => declare({ kind: 'value', value: (row) => isoTime(`${row}.${name}`) })

export const value = (sql: (row: string) => string): Extensions => declare({ kind: 'value', value: sql })

export const late = (key: (row: string) => string, make: (context: SignedIn, key: string) => Promise<string>): Extensions =>
  declare({ kind: 'late', key, make })

/** The row of `table` whose id is in the parent's column. */
export const reference = (table: string, name: string): Extensions =>
  declare({
    kind: 'one',
    from: { fixed: (row, item) => `${table} AS ${item} WHERE ${item}.id = ${row}.${name}` },
    id: (row) => `${row}.${name}`,
    columns: [name],
  })

/** As `reference`, to the one that it was merged into, where rows keep the id of before. */
export const survivorOf = (table: 'customer' | 'conversation', name: string): Extensions =>
  declare({
    kind: 'one',
    from: { fixed: (row, item) => `${table} AS ${item} WHERE ${item}.id = ${survivor(table, `${row}.${name}`)}` },
    id: null,
    columns: [name],
  })

const survivor = (table: string, id: string): string => `(SELECT coalesce(m.merged_into_id, m.id) FROM ${table} AS m WHERE m.id = ${id})`

/** An object that is made of the parent's own row, of these columns of it; `from` is a FROM clause that says what its row is. */
export const part = (columns: string[], fixed: (row: string, item: string, deps: Deps) => string): Extensions =>
  declare({ kind: 'one', from: { fixed }, id: null, columns })

/** All rows of `table` that name the parent in `name`, oldest first. */
export const rowsOf = (table: string, name: string): Extensions =>
  declare({
    kind: 'many',
    from: { fixed: (row, item) => `${table} AS ${item} WHERE ${item}.${name} = ${row}.id` },
    order: (item) => `${item}.id`,
  })

/** Of a field that only the executor reads: the columns of the parent's row that it needs. */
export const reads = (...columns: string[]): { extensions: { columns: string[] } } => ({ extensions: { columns } })

/** As a field of the query: what depends on its arguments. */
export const found = (asked: (item: string, input: Input) => string): Extensions =>
  declare({ kind: 'one', from: { asked }, id: null, columns: [] })

/** The row of `table` in the organization that the argument `id` names, or the one that this was merged into. */
export const foundById = (type: NodeType, table: string, mayBeMerged: boolean): Extensions =>
  found((item, { args, bind }) => {
    const id = localId(type, String(args.id))
    if (id === null) throw new LeftToExecutor()
    const given = bind(Prisma.sql`${id}::uuid`)
    const wanted = mayBeMerged ? survivor(table, given) : given
    return `${table} AS ${item} WHERE ${item}.organization_id = ${ORGANIZATION}::uuid AND ${item}.id = ${wanted}`
  })

export const foundAll = (asked: (item: string, input: Input) => string, order: (item: string) => string): Extensions =>
  declare({ kind: 'many', from: { asked }, order })

export const pages = (list: ListOf, name: string): Extensions => declare({ kind: 'page', list, column: name })
