/** Real bodies have a dozen levels; far deeper ones could not be written out as JSON again. */
const MAX_DEPTH = 64

/**
 * The value of a JSON text, or undefined where it is none. What a database cannot store is taken out: escaped NUL characters; halves of
 * surrogate pairs become U+FFFD, and what is nested too deep null.
 */
export function readJson(body: Buffer): unknown {
  const text = body.toString('utf8')
  try {
    return pruned(JSON.parse(/\\u(0000|d[89a-f])/i.test(text) ? storable(text) : text), MAX_DEPTH)
  } catch {
    // Not JSON, or cut off: the caller keeps it as something unknown.
    return undefined
  }
}

function pruned(value: unknown, levels: number): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (levels === 0) return null
  for (const [key, part] of Object.entries(value)) {
    const kept = pruned(part, levels - 1)
    if (kept !== part) Object.assign(value, { [key]: kept })
  }
  return value
}

/** Pairs are matched before halves, and other escapes are passed over, so that `\\u0000` (a backslash and a text) stays. */
const ESCAPES = /\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u([0-9a-fA-F]{4})|\\./g

const storable = (text: string): string =>
  text.replace(ESCAPES, (written: string, unit: string | undefined) => {
    if (unit === undefined) return written
    if (unit === '0000') return ''
    return /^d[89a-f]/i.test(unit) ? '\\ufffd' : written
  })
