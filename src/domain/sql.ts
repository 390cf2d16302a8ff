import { Prisma } from '../db/generated/client.ts'
import { cleanText } from './text.ts'

/** From the name of a field to that of its column. */
export const snakeCase = (field: string): string => field.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)

/** From the name of a column to that of its field. */
export const camelCase = (column: string): string => column.replaceAll(/_([a-z])/g, (_match, letter: string) => letter.toUpperCase())

export const UUID_FORM = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/
export const MILLISECONDS_FORM = /^\d{1,15}$/

/** The ILIKE pattern for "contains", with % and _ taken literally; null where nothing is searched for. */
export function containing(search: string | null | undefined): string | null {
  const text = cleanText(search ?? '').trim()
  return text === '' ? null : `%${text.replaceAll(/[\\%_]/g, (character) => `\\${character}`)}%`
}

/** Members of an enum as literals, so that the plan is made for them; anything else is an Error. */
export function enumLiterals(members: Record<string, string>, given: readonly string[]): Prisma.Sql {
  const unknown = given.find((value) => !Object.hasOwn(members, value))
  if (unknown !== undefined) throw new Error(`${unknown} is not a member of the enum`)
  return Prisma.raw(`(${given.length === 0 ? 'NULL' : [...new Set(given)].map((value) => `'${value}'`).join()})`)
}
