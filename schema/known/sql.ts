import { Prisma } from '../../src/db/generated/client.ts'
import type { NodeType } from '../global-id.ts'

/** The global id of a row, as `globalId` makes it. (PostgreSQL breaks base64 after 76 characters; these are shorter.) */
export const globalIdSql = (type: NodeType, column: string): string => `encode(convert_to('${type}:' || ${column}, 'UTF8'), 'base64')`

/** A time as JSON has it; sessions are in UTC. */
export const isoTime = (column: string): string => `to_char(${column}, 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`

/** A nested object from `"key": expression` pairs, in their order. */
export const object = (fields: Record<string, string>): string =>
  `(SELECT row_to_json(o) FROM (SELECT ${Object.entries(fields)
    .map(([key, expression]) => `${expression} AS "${key}"`)
    .join(', ')}) AS o)`

/** The object where the row exists, else null. */
export const objectOrNull = (present: string, fields: Record<string, string>): string =>
  `CASE WHEN ${present} IS NULL THEN NULL ELSE ${object(fields)} END`

/** Text of our own making, to be composed with parameters. */
export const raw = (text: string): Prisma.Sql => Prisma.raw(text)

// JSON text has no raw control characters, so this one can stand between two.
const SEPARATOR = '\u001e'

/** Texts of many rows as one, which costs the driver less than many rows; `split` takes them apart. */
export const joined = (expression: string, order: string): Prisma.Sql => raw(`string_agg(${expression}, E'\\x1e' ORDER BY ${order})`)

export const split = (text: string | null): string[] => (text === null ? [] : text.split(SEPARATOR))
