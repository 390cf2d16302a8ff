import type { NodeType } from '../global-id.ts'

/** The global id of a row, as `globalId` makes it. (PostgreSQL breaks base64 after 76 characters; these are shorter.) */
export const globalIdSql = (type: NodeType, id: string): string => `encode(convert_to('${type}:' || ${id}, 'UTF8'), 'base64')`

/** An object as JSON, from the parts of what comes after SELECT; NULL where that finds no row. */
export const jsonObject = <Part>(parts: readonly Part[]): (Part | string)[] => ['(SELECT row_to_json(o) FROM (SELECT ', ...parts, ') AS o)']

/** `expression AS "key", …`, from the parts of the expressions. */
export const selectList = <Part>(columns: readonly { key: string; parts: readonly Part[] }[]): (Part | string)[] =>
  columns.flatMap(({ key, parts }, index) => [index === 0 ? '' : ', ', ...parts, ` AS "${key}"`])

/** A time as JSON has it; sessions are in UTC. */
export const isoTime = (time: string): string => `to_char(${time}, 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`
