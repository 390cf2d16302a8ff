export type Json = Record<string, unknown>

export const objectIn = (value: unknown): Json | null =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : null

/** The objects of a list; [] where it is none. */
export const objectsIn = (value: unknown): Json[] =>
  Array.isArray(value) ? value.map(objectIn).filter((entry): entry is Json => entry !== null) : []

/** A text that is not empty, or null. */
export const textIn = (value: unknown): string | null => (typeof value === 'string' && value !== '' ? value : null)

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
const UNFIT = /[\u0000-\u001f\u007f]|^\s*$/
const MAX_ID_LENGTH = 1000

/** An id that can be stored and compared; Meta sends some as numbers. */
export function idIn(value: unknown): string | null {
  const id = typeof value === 'number' && Number.isSafeInteger(value) ? String(value) : value
  return typeof id === 'string' && id.length <= MAX_ID_LENGTH && !UNFIT.test(id) && id.isWellFormed() ? id : null
}

/** An absolute http(s) address, as it was written. */
export function webAddressIn(value: unknown): string | null {
  const url = typeof value === 'string' ? URL.parse(value) : null
  return url !== null && /^https?:$/.test(url.protocol) ? (value as string) : null
}

/** 1973 in milliseconds: a smaller number counts seconds, as the samples of Meta's app dashboard do. */
const FIRST_MILLISECONDS = 100_000_000_000
/** Year 9999: what comes later cannot be stored. */
const LAST = Date.UTC(9999, 0)

/** Meta's time: milliseconds since 1970, as a number or in a string; also seconds and ISO 8601. */
export function timeIn(value: unknown): Date | null {
  const number = typeof value === 'number' ? value : typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : null
  const milliseconds =
    number !== null ? (number < FIRST_MILLISECONDS ? number * 1000 : number) : typeof value === 'string' ? Date.parse(value) : Number.NaN
  return Number.isFinite(milliseconds) && milliseconds >= 0 && milliseconds < LAST ? new Date(milliseconds) : null
}
