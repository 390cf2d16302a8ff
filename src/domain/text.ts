import { ValidationError } from './errors.ts'

/** PostgreSQL's text cannot hold NUL; everything else comes out as it went in. */
export const withoutNul = (text: string): string => text.replaceAll('\u0000', '')

/** Lone surrogates cannot be encoded as UTF-8 (RFC 3629): they become U+FFFD. */
export const cleanText = (text: string): string => withoutNul(text).toWellFormed()

/** How JSON writes what is not clean; also some of what is. */
const SUSPECT = /\\u(0000|d[89a-f])/

/** A copy whose texts are all clean: jsonb refuses what text refuses. */
export function cleanJson<Value>(value: Value): Value {
  const json = JSON.stringify(value)
  const clean = (_key: string, part: unknown) => (typeof part === 'string' ? cleanText(part) : part)
  return JSON.parse(json, SUSPECT.test(json) ? clean : undefined) as Value
}

/** A required text of 1 to `max` characters, white space alone not counting. */
export function requiredText(text: string, path: string[], max: number): string {
  const clean = cleanText(text)
  if (clean.trim() === '') throw new ValidationError(`${path.at(-1)} must not be empty.`, path)
  return limitedText(clean, path, max)
}

/** An optional text of at most `max` characters; blank becomes null. */
export function optionalText(text: string | null | undefined, path: string[], max: number): string | null {
  if (text === null || text === undefined) return null
  const clean = cleanText(text)
  return clean.trim() === '' ? null : limitedText(clean, path, max)
}

function limitedText(text: string, path: string[], max: number): string {
  if (text.length <= max) return text
  throw new ValidationError(`${path.at(-1)} has ${text.length} characters; at most ${max} are allowed.`, path)
}
