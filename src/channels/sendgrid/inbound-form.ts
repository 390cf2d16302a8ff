import { z } from 'zod'
import type { MediaReference } from '../fact.ts'
import { mailboxesOf, normalizeEmail } from './address.ts'
import { decodeText } from './charset.ts'
import { bareId, nameOf, type ReadEmail, readHeaders, readMime } from './email.ts'
import type { FormPart, MultipartForm } from './multipart.ts'

/** An e-mail together with what SendGrid says about its way here. */
export type Delivered = {
  email: ReadEmail
  envelope: { from: string | null; to: string[] }
  spf: string | null
  dkim: string | null
  spamScore: number | null
  senderIp: string | null
}

const Envelope = z.object({ from: z.string().catch(''), to: z.array(z.string().catch('')).catch([]) }).catch({ from: '', to: [] })
const Charsets = z.record(z.string(), z.string().catch('')).catch({})
const ContentIds = z.record(z.string(), z.string().catch('')).catch({})
const FileInfo = z.object({
  filename: z.string().optional().catch(undefined),
  name: z.string().optional().catch(undefined),
  type: z.string().optional().catch(undefined),
  'content-id': z.string().optional().catch(undefined),
})
const FileInfos = z.record(z.string(), FileInfo.catch({})).catch({})

/**
 * Reads an Inbound Parse post: raw (the field `email` holds the MIME message) or parsed (its parts are fields). Never rejects.
 * Source: https://www.twilio.com/docs/sendgrid/for-developers/parsing-email/setting-up-the-inbound-parse-webhook
 */
export async function readInboundForm(form: MultipartForm): Promise<Delivered> {
  const fields = new Map(form.parts.filter(({ filename }) => filename === null).map(({ name, bytes }) => [name, bytes]))
  const charsets = Charsets.parse(jsonIn(fields.get('charsets')))
  const field = (name: string): string | null => {
    const bytes = fields.get(name)
    return bytes === undefined ? null : decodeText(bytes, Object.hasOwn(charsets, name) ? charsets[name] : undefined)
  }
  const raw = fields.get('email') ?? form.parts.find(({ name }) => name === 'email')?.bytes
  const headers = fields.get('headers')
  const read = await (raw === undefined ? readHeaders(headers ?? Buffer.alloc(0)) : readMime(raw))
  const email = raw === undefined ? { ...read, ...partsIn(form, field) } : read
  const named = {
    from: mailboxesOf(field('from') ?? undefined)[0] ?? null,
    to: mailboxesOf(field('to') ?? undefined),
    cc: mailboxesOf(field('cc') ?? undefined),
  }
  const envelope = Envelope.parse(jsonIn(fields.get('envelope')))
  const sender = normalizeEmail(envelope.from)
  return {
    email: {
      ...email,
      from: email.from ?? named.from ?? email.replyTo[0] ?? (sender === null ? null : { name: null, address: sender }),
      to: email.to.length > 0 ? email.to : named.to,
      cc: email.cc.length > 0 ? email.cc : named.cc,
      subject: (raw === undefined ? (field('subject') ?? email.subject) : email.subject || (field('subject') ?? '')).trim(),
      problem: email.problem ?? form.problem,
    },
    envelope: { from: sender, to: envelope.to.map(normalizeEmail).filter((address) => address !== null) },
    spf: field('SPF'),
    dkim: field('dkim'),
    spamScore: numberIn(field('spam_score')),
    senderIp: field('sender_ip'),
  }
}

function partsIn(form: MultipartForm, field: (name: string) => string | null): Pick<ReadEmail, 'text' | 'html' | 'files'> {
  const infos = FileInfos.parse(jsonIn(field('attachment-info')))
  const idsByPart = new Map(Object.entries(ContentIds.parse(jsonIn(field('content-ids')))).map(([id, name]) => [name, id]))
  const files = form.parts.filter(({ filename }) => filename !== null)
  return {
    text: field('text'),
    html: field('html'),
    files: files.map((part) => fileOf(part, (Object.hasOwn(infos, part.name) ? infos[part.name] : null) ?? {}, idsByPart.get(part.name))),
  }
}

function fileOf({ filename, contentType, bytes }: FormPart, info: z.output<typeof FileInfo>, idOfPart: string | undefined): MediaReference {
  const name = info.filename ?? info.name ?? filename ?? ''
  const contentId = info['content-id'] ?? idOfPart
  return {
    url: null,
    bytes,
    contentType: info.type ?? contentType,
    ...nameOf(name),
    ...(contentId !== undefined && contentId !== '' && { contentId: bareId(contentId) }),
  }
}

function jsonIn(field: Buffer | string | null | undefined): unknown {
  try {
    return JSON.parse(String(field ?? 'null'))
  } catch {
    return null
  }
}

function numberIn(field: string | null): number | null {
  const number = field === null || field.trim() === '' ? Number.NaN : Number(field)
  return Number.isFinite(number) ? number : null
}
