import PostalMime, { type Attachment, type Email } from 'postal-mime'
import type { Mailbox, MediaReference } from '../fact.ts'
import { mailboxesOf } from './address.ts'
import { decodeText, foreignCharsetIn, reread } from './charset.ts'

/** An e-mail as it was read, from MIME or from a form; nothing is interpreted yet. Header names are in lower case, values unfolded. */
export type ReadEmail = {
  headers: ReadonlyMap<string, string>
  from: Mailbox | null
  replyTo: Mailbox[]
  to: Mailbox[]
  cc: Mailbox[]
  subject: string
  text: string | null
  html: string | null
  files: MediaReference[]
  /** Why it could not be read as it should be; null: it could. */
  problem: string | null
}

const LIMITS = { maxNestingDepth: 50, maxHeadersSize: 1_000_000, forceRfc822Attachments: true } as const

/** Reads a MIME message, of which any part may be broken. Never rejects: what is not MIME at all is text. */
export async function readMime(bytes: Buffer): Promise<ReadEmail> {
  const source = withoutEnvelopeLine(bytes)
  try {
    if (hasTooManyLines(source)) throw new Error('it has too many lines')
    return rightly(fromMime(await PostalMime.parse(source, LIMITS), null), source)
  } catch (error) {
    const problem = `not readable as MIME: ${error instanceof Error ? error.message : String(error)}`
    const { headers, body } = await headersAlone(source)
    return { ...headers, text: body, problem, files: [{ url: null, bytes, contentType: 'message/rfc822', filename: 'message.eml' }] }
  }
}

/**
 * The parser reads the web's charsets, takes every other for Windows-1252, and believes each label. So a charset of old is read again, and a
 * message of one part whose label is missing or wrong.
 */
function rightly(email: ReadEmail, source: Buffer): ReadEmail {
  const { headers, text, html, subject, from } = email
  const charset = foreignCharsetIn(source)
  if (charset !== null) {
    const again = (each: string) => reread(each, charset)
    return {
      ...email,
      subject: again(subject),
      from: from === null || from.name === null ? from : { ...from, name: again(from.name) },
      text: text === null ? null : again(text),
      html: html === null ? null : again(html),
    }
  }
  const [, type] = /^(text\/(?:plain|html))\b/i.exec(headers.get('content-type') ?? 'text/plain') ?? []
  const isEncoded = /base64|quoted/i.test(headers.get('content-transfer-encoding') ?? '')
  if (type === undefined || isEncoded || !(text ?? html ?? '').includes('\ufffd')) return email
  const [, label] = /charset\s{0,9}=\s{0,9}["']?([\w.:+-]{1,40})/i.exec(headers.get('content-type') ?? '') ?? []
  const body = decodeText(source.subarray(endOfHeaders(source)[0]), label).trimStart()
  return { ...email, ...(type.toLowerCase() === 'text/html' ? { html: body } : { text: body }) }
}

/** Lines of base64 have 60 to 76 characters. */
const SHORT_LINE = 60
const MAX_SHORT_LINES = 100_000
const MAX_LINES = 600_000

/** Reading takes its time for every line: a mail of nothing but line ends would take minutes. 600,000 lines of base64 are 40 MB. */
function hasTooManyLines(bytes: Buffer): boolean {
  let [lines, short, start] = [0, 0, 0]
  for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, start)) {
    if (end - start < SHORT_LINE) short++
    if (++lines > MAX_LINES || short > MAX_SHORT_LINES) return true
    start = end + 1
  }
  return false
}

/** Some mail stores begin a message with "From sender date": that is no header. */
function withoutEnvelopeLine(bytes: Buffer): Buffer {
  if (bytes.subarray(0, 5).toString('latin1') !== 'From ') return bytes
  return bytes.subarray(bytes.indexOf('\n') + 1)
}

/** The headers as far as they go, and as text what follows them. */
async function headersAlone(bytes: Buffer): Promise<{ headers: ReadEmail; body: string }> {
  const [end, ended] = endOfHeaders(bytes)
  return { headers: await readHeaders(bytes), body: ended ? decodeText(bytes.subarray(end), undefined).trimStart() : '' }
}

const MAX_HEADERS = 200_000

function endOfHeaders(bytes: Buffer): [number, boolean] {
  const ends = ['\r\n\r\n', '\n\n'].map((mark) => bytes.indexOf(mark)).filter((at) => at >= 0)
  return ends.length === 0 ? [bytes.length, false] : [Math.min(...ends), true]
}

/** Reads headers that come without their body. Never rejects. */
export async function readHeaders(bytes: Buffer): Promise<ReadEmail> {
  try {
    const source = withoutEnvelopeLine(bytes)
    const head = Buffer.concat([source.subarray(0, Math.min(endOfHeaders(source)[0], MAX_HEADERS)), Buffer.from('\r\n\r\n')])
    return { ...fromMime(await PostalMime.parse(head, LIMITS), null), text: null, html: null, files: [] }
  } catch (error) {
    const problem = `unreadable headers: ${error instanceof Error ? error.message : String(error)}`
    return { headers: new Map(), from: null, replyTo: [], to: [], cc: [], subject: '', text: null, html: null, files: [], problem }
  }
}

function fromMime(email: Email, problem: string | null): ReadEmail {
  const headers = new Map<string, string>()
  const addresses = (name: string): Mailbox[] => email.headers.filter(({ key }) => key === name).flatMap(({ value }) => mailboxesOf(value))
  for (const { key, value } of email.headers) if (!headers.has(key)) headers.set(key, value)
  const [from = null] = [...addresses('from'), ...addresses('sender')]
  return {
    headers,
    from,
    replyTo: addresses('reply-to'),
    to: addresses('to'),
    cc: addresses('cc'),
    subject: email.subject ?? '',
    text: email.text ?? null,
    html: email.html ?? null,
    files: email.attachments.map(fileOf),
    problem,
  }
}

function fileOf({ filename, mimeType, contentId, content }: Attachment): MediaReference {
  const bytes =
    typeof content === 'string' ? Buffer.from(content) : Buffer.from(content instanceof Uint8Array ? content : new Uint8Array(content))
  const named = filename ?? (mimeType === 'message/rfc822' ? 'message.eml' : null)
  return {
    url: null,
    bytes,
    contentType: mimeType === '' ? null : mimeType,
    ...nameOf(named ?? ''),
    ...(contentId !== undefined && { contentId: bareId(contentId) }),
  }
}

/** A file's name without the folders where its sender had it. */
export function nameOf(path: string): Pick<MediaReference, 'filename'> {
  const name = path.split(/[\\/]/).at(-1)?.trim() ?? ''
  return name === '' ? {} : { filename: name.slice(0, 255) }
}

/** An id without its angle brackets. */
export const bareId = (id: string): string =>
  id
    .trim()
    .replace(/^<(.*)>$/s, '$1')
    .trim()

const MAX_ID = 250
const MAX_REFERENCES = 100

/** The ids in a Message-ID, In-Reply-To or References header, without brackets; what can be none is left out. */
export function messageIds(header: string | undefined): string[] {
  const spelled = (header ?? '').slice(0, 50_000)
  const bracketed = [...spelled.matchAll(/<([^<>]*)>/g)].map((match) => match[1] ?? '')
  const ids = bracketed.length > 0 ? bracketed : spelled.split(/[\s,]+/)
  return ids
    .map((id) => id.replaceAll(/\s/g, ''))
    .filter((id) => id !== '' && id.length <= MAX_ID && /^[^\p{Cc}<>]+$/u.test(id))
    .slice(-MAX_REFERENCES)
}
