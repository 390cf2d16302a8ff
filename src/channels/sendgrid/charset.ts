import iconv from 'iconv-lite'

/** The text that the bytes are in `charset`; where that is not known or plainly wrong, in UTF-8, and at last in Windows-1252, which reads all. */
export function decodeText(bytes: Buffer, charset: string | undefined): string {
  if (charset !== undefined && isForeign(charset)) return iconv.decode(bytes, charset)
  for (const label of [charset, 'utf-8']) {
    if (label === undefined) continue
    try {
      return new TextDecoder(label, { fatal: true }).decode(bytes)
    } catch {
      // Another one has to do.
    }
  }
  return new TextDecoder('windows-1252').decode(bytes)
}

/** Charsets of old mail programs that are none of the web's, e.g. cp850 and UTF-7. */
function isForeign(charset: string): boolean {
  try {
    return new TextDecoder(charset) === null
  } catch {
    return iconv.encodingExists(charset)
  }
}

const NAMED = /charset\s{0,9}=\s{0,9}["']?([\w.:+-]{1,40})|=\?([\w.:+-]{1,40})(?:\*[\w-]{1,20})?\?[bq]\?/gi
const SEARCHED = 1_000_000

/** The one charset that a MIME message names, where that is none of the web's; null where it names others too. */
export function foreignCharsetIn(message: Buffer): string | null {
  const named = [...message.toString('latin1', 0, SEARCHED).matchAll(NAMED)].map(([, part, word]) => (part ?? word ?? '').toLowerCase())
  const [charset, ...others] = new Set(named)
  return charset !== undefined && others.length === 0 && isForeign(charset) ? charset : null
}

/** Windows-1252 has one character for each of the 256 bytes. */
const BYTES = new Map(
  [...new TextDecoder('windows-1252').decode(Uint8Array.from({ length: 256 }, (_, byte) => byte))].map((c, byte) => [c, byte]),
)

/** The text that is in `charset` and was taken for Windows-1252. */
export function reread(text: string, charset: string): string {
  const bytes = [...text].map((character) => BYTES.get(character))
  return bytes.includes(undefined) ? text : iconv.decode(Buffer.from(bytes as number[]), charset)
}
