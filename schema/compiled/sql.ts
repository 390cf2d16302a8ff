import type { NodeType } from '../global-id.ts'

/** The global id of a row, as `globalId` makes it. (PostgreSQL breaks base64 after 76 characters; these are shorter.) */
export const globalIdSql = (type: NodeType, id: string): string => `encode(convert_to('${type}:' || ${id}, 'UTF8'), 'base64')`

/** A time as JSON has it; sessions are in UTC. */
export const isoTime = (time: string): string => `to_char(${time}, 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`
