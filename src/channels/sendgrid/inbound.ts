import { createHash } from 'node:crypto'
import { sanitizeEmailHtml } from '../../email-html.ts'
import type { Part, RawRequest } from '../channel.ts'
import type { ConsentFact, EmailDetails, Fact, Identity, MediaReference, MessageFact } from '../fact.ts'
import { accountAddresses, aligned, domainOf, identifyEmail } from './address.ts'
import { messageIds, type ReadEmail } from './email.ts'
import { textOfHtml, withoutMarks } from './html.ts'
import { type Delivered, readInboundForm } from './inbound-form.ts'
import { readMultipart } from './multipart.ts'
import { foldHistory } from './quoted-history.ts'
import { autoSubmittedIn, receiptsIn } from './report.ts'

/** Longer texts and pages are kept whole as a file, because nobody reads them in a thread. */
const MAX_TEXT = 100_000
const MAX_HTML = 1_000_000

/** An Inbound Parse post: one e-mail. Never rejects, whatever the bytes. */
export async function parseInbound(request: RawRequest, maxBytes: number): Promise<Part[]> {
  const form = await readMultipart(request.headers['content-type'] ?? '', request.body, maxBytes)
  if (form.parts.length === 0) return [unknown(`no form in the request: ${form.problem ?? 'it has no parts'}`)]
  const delivered = await readInboundForm(form)
  const { from, to, cc } = delivered.email
  if (from === null) return [unknown('the e-mail has no sender')]
  const addresses = [...delivered.envelope.to, ...[...to, ...cc].map(({ address }) => address)]
  const message = messageOf(delivered, { ...from })
  const facts: Fact[] = [...receiptsIn(delivered.email), message, ...unsubscribedBy(message)]
  return [{ to: { channel: 'EMAIL', addresses: accountAddresses(addresses), communicationId: null }, facts }]
}

const unknown = (reason: string): Part => ({ to: null, facts: [{ kind: 'unknown', reason }] })

function messageOf(delivered: Delivered, from: EmailDetails['from']): MessageFact {
  const { email, envelope } = delivered
  const { headers, to, cc, subject } = email
  const { text, html, files } = readable(email)
  const { body, quotedText } = foldHistory(text, subject)
  const [messageId = null] = messageIds(headers.get('message-id'))
  const parents = [...messageIds(headers.get('references')), ...messageIds(headers.get('in-reply-to')).slice(0, 1)]
  const references = [...new Set(parents.toReversed())].toReversed()
  return {
    kind: 'message',
    externalMessageId: messageId ?? hashOf(email),
    address: from.address,
    identities: [senderOf(delivered, from.address)],
    profileName: from.name,
    body,
    ...(subject !== '' && { subject: subject.slice(0, 1000) }),
    content: { kind: 'EMAIL' },
    attachments: files,
    email: { messageId, references, from, to, cc, deliveredTo: envelope.to, html, quotedText },
    payload: payloadOf(delivered),
    consent: null,
  }
}

/** Its text, with the marks of `textOfHtml` where it has only HTML, and its HTML sanitized. What is too much of either goes on as a file. */
function readable(email: ReadEmail): { text: string; html: string | null; files: MediaReference[] } {
  const files = [...email.files]
  const source = email.html?.trim() === '' ? null : email.html
  const page = source?.slice(0, MAX_HTML) ?? null
  const clean = page === null ? null : attempt(() => ({ html: sanitizeEmailHtml(page) }))
  const shown = clean !== null && source === page
  if (source !== null && !shown) files.push({ url: null, bytes: Buffer.from(source), contentType: 'text/html', filename: 'message.html' })
  const plain = email.text?.trim() === '' ? null : email.text
  const written = () => (page === null || clean === null ? '' : (attempt(() => textOfHtml(page)) ?? ''))
  const text = plain === null ? written() : withoutMarks(plain)
  const cut = text.length > MAX_TEXT
  if (cut && (plain !== null || !shown))
    files.push({ url: null, bytes: Buffer.from(withoutMarks(text)), contentType: 'text/plain', filename: 'message.txt' })
  return { text: cut ? text.slice(0, MAX_TEXT) : text, html: shown ? clean.html : null, files }
}

/** HTML that the libraries cannot take is not shown. */
function attempt<T>(work: () => T): T | null {
  try {
    return work()
  } catch {
    return null
  }
}

/** Stable over repeated deliveries, which may differ in what SendGrid adds. */
const hashOf = ({ headers, from, subject, text, html }: ReadEmail): string =>
  `sha256:${createHash('sha256')
    .update(JSON.stringify([headers.get('date'), from?.address, subject, text, html]))
    .digest('hex')}`

/** Proven where DKIM or SPF passed for the sender's own domain, as DMARC demands: anybody can write any From. */
function senderOf({ dkim, spf, envelope }: Delivered, address: string): Identity {
  const domain = domainOf(address)
  const signers = [...(dkim ?? '').slice(0, 5000).matchAll(/@([\w.-]+)\s*:\s*pass\b/gi)].map((match) => (match[1] ?? '').toLowerCase())
  const sent = spf?.trim().toLowerCase() === 'pass' && envelope.from !== null ? [domainOf(envelope.from)] : []
  return { ...identifyEmail(address), verified: [...signers, ...sent].some((other) => aligned(domain, other)) }
}

function payloadOf({ email, envelope, spf, dkim, spamScore, senderIp }: Delivered): MessageFact['payload'] {
  const date = Date.parse(email.headers.get('date') ?? '')
  const said = {
    ...(email.replyTo.length > 0 && { replyTo: email.replyTo }),
    ...(autoSubmittedIn(email) !== null && { autoSubmitted: autoSubmittedIn(email) }),
    ...(Number.isFinite(date) && { date: new Date(date).toISOString() }),
    ...((envelope.from !== null || envelope.to.length > 0) && { envelope }),
    ...(spf !== null && { spf: spf.slice(0, 100) }),
    ...(dkim !== null && { dkim: dkim.slice(0, 1000) }),
    ...(spamScore !== null && { spamScore }),
    ...(senderIp !== null && { senderIp: senderIp.slice(0, 100) }),
    ...(email.problem !== null && { problem: email.problem.slice(0, 500) }),
  }
  return Object.keys(said).length === 0 ? null : said
}

/** A mail program answers `List-Unsubscribe: <mailto:…?subject=unsubscribe>` so; a person may write the word alone. */
function unsubscribedBy({ body, subject = '', externalMessageId, address, identities, payload }: MessageFact): ConsentFact[] {
  const [identity] = identities
  const word = (body.trim() === '' ? subject : body).trim().toLowerCase()
  if (identity === undefined || payload?.autoSubmitted !== undefined || (word !== 'unsubscribe' && word !== 'stop')) return []
  const written = typeof payload?.date === 'string' ? Date.parse(payload.date) : Number.NaN
  const at = new Date(Math.min(Number.isNaN(written) ? Number.POSITIVE_INFINITY : written, Date.now()))
  const evidence = `${address} wrote "${word}" (${externalMessageId})`
  return [{ kind: 'consent', identity, purposes: ['MARKETING'], state: 'OPTED_OUT', source: 'UNSUBSCRIBE', evidence, at }]
}
