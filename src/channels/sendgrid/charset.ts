import iconv from 'iconv-lite'

/** The text that the bytes are in `charset`; where that is not known or plainly wrong, in UTF-8, and at last in Windows-1252, which reads all. */
export function decodeText(bytes: Buffer, charset: string | undefined): string {
  if (charset !== undefined && isForeign(charset)) return decodeForeign(bytes, charset)
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

/** Charsets of old mail programs that are none of the web's, e.g. cp850, UTF-7 and ISO-2022-KR. */
function isForeign(charset: string): boolean {
  if (SHIFTED.has(charset.toLowerCase())) return true
  try {
    return new TextDecoder(charset) === null
  } catch {
    return iconv.encodingExists(charset)
  }
}

function decodeForeign(bytes: Buffer, charset: string): string {
  const shifted = SHIFTED.get(charset.toLowerCase())
  return shifted === undefined ? iconv.decode(bytes, charset) : new TextDecoder(shifted.base).decode(raised(bytes, shifted))
}

type Shifted = { base: string; into: string; back: string; dropped: readonly string[] }

/**
 * Seven bits a byte: between two marks, bytes stand for those of `base` without their highest bit. Sources: RFC 1557 (Korean), RFC 1843 (HZ).
 */
const KOREAN: Shifted = { base: 'euc-kr', into: '\x0e', back: '\x0f', dropped: ['\x1b$)C'] }
const HZ: Shifted = { base: 'gbk', into: '~{', back: '~}', dropped: ['~\r\n', '~\n'] }
const SHIFTED: ReadonlyMap<string, Shifted> = new Map([
  ['iso-2022-kr', KOREAN],
  ['csiso2022kr', KOREAN],
  ['hz-gb-2312', HZ],
  ['hz', HZ],
])

function raised(bytes: Buffer, { into, back, dropped }: Shifted): Buffer {
  const [first = '', ...shifted] = dropped.reduce((text, mark) => text.replaceAll(mark, ''), bytes.toString('latin1')).split(into)
  const text = shifted.map((part) => {
    const end = part.indexOf(back)
    const raisedPart = end === -1 ? part : part.slice(0, end)
    const rest = end === -1 ? '' : part.slice(end + back.length)
    return raisedPart.replace(/[\x21-\x7e]/g, (character) => String.fromCharCode(character.charCodeAt(0) | 0x80)) + rest
  })
  const whole = [first, ...text].join('')
  return Buffer.from(into === HZ.into ? whole.replaceAll('~~', '~') : whole, 'latin1')
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
  return bytes.includes(undefined) ? text : decodeForeign(Buffer.from(bytes as number[]), charset)
}
