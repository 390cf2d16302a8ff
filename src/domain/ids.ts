import { v7 } from 'uuid'

/** A fresh UUIDv7: sorts by time, and within one process strictly in the order of creation. */
export const newId = (): string => v7()

/** The smallest UUIDv7 of that millisecond, to turn a time into a bound on ids. */
export function firstIdAt(time: Date): string {
  const hex = Math.max(0, time.getTime()).toString(16).padStart(12, '0')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-7000-8000-000000000000`
}

/** The millisecond in which a UUIDv7 was made. */
export const timeOfId = (id: string): Date => new Date(Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16))
