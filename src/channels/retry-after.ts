/** Milliseconds that a Retry-After header asks for, given as seconds or as an HTTP date; null where it is absent or neither. */
export function retryAfterMs(header: string | null | undefined, now: Date = new Date()): number | null {
  const value = header?.trim()
  if (value === undefined || value === '') return null
  if (/^\d+(\.\d+)?$/.test(value)) return Math.round(Number(value) * 1000)
  const date = Date.parse(value)
  return Number.isNaN(date) ? null : Math.max(0, date - now.getTime())
}
