/**
 * The value of a JSON text, or undefined where it is none. What a database cannot store is taken out: escaped NUL characters, and halves
 * of surrogate pairs become U+FFFD.
 */
export function readJson(body: Buffer): unknown {
  const text = body.toString('utf8')
  try {
    return JSON.parse(/\\u(0000|d[89a-f])/i.test(text) ? storable(text) : text)
  } catch {
    // Not JSON, or cut off: the caller keeps it as something unknown.
    return undefined
  }
}

/** Pairs are matched before halves, and other escapes are passed over, so that `\\u0000` (a backslash and a text) stays. */
const ESCAPES = /\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u([0-9a-fA-F]{4})|\\./g

const storable = (text: string): string =>
  text.replace(ESCAPES, (written: string, unit: string | undefined) => {
    if (unit === undefined) return written
    if (unit === '0000') return ''
    return /^d[89a-f]/i.test(unit) ? '\\ufffd' : written
  })
