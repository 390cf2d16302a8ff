import sendgridMail from '@sendgrid/mail'
import type { Outgoing, OutgoingFile, SendResult } from '../channel.ts'
import { Rejected, Unavailable, Uncertain } from '../failures.ts'
import { MAX_MESSAGE_BYTES } from './capabilities.ts'
import type { SendgridCredentials } from './credentials.ts'
import { type SendgridApi, sendgridClient } from './http.ts'
import { unsubscribeUrl } from './unsubscribe.ts'

type MailService = typeof sendgridMail
// The declarations have only the shared service, which has one client.
const { MailService } = sendgridMail as unknown as { MailService: new () => MailService }
type Mail = Parameters<MailService['send']>[0]

/** Sends one e-mail; our id of it comes back in every event. Throws Rejected, Unavailable or Uncertain. */
export async function sendBySendgrid(api: SendgridApi, message: Outgoing, credentials: SendgridCredentials): Promise<SendResult> {
  const mail = await mailOf(message, credentials)
  const service = new MailService()
  service.setClient(sendgridClient(api, credentials.apiKey))
  return { externalMessageId: await accepted(() => service.send(mail)) }
}

async function mailOf(message: Outgoing, credentials: SendgridCredentials): Promise<Mail> {
  const { body, email, from, to, communicationId } = message
  const html = email?.html ?? null
  const files = await attachmentsOf(message.files, Buffer.byteLength(body) + Buffer.byteLength(html ?? ''))
  const replyTo = email?.replyTo
  const { unsubscribeGroupId } = credentials
  return {
    from: { email: from, ...(named(email?.fromName) && { name: oneLine(email?.fromName ?? '') }) },
    personalizations: [{ to: [{ email: to }], customArgs: { communicationId } }],
    ...(replyTo !== undefined && {
      replyTo: { email: replyTo.address, ...(named(replyTo.name) && { name: oneLine(replyTo.name ?? '') }) },
    }),
    subject: subjectOf(message),
    // Plain text first (RFC 2046); SendGrid refuses an empty part.
    content: [
      ...(body !== '' || html === null ? [{ type: 'text/plain', value: body === '' ? ' ' : body }] : []),
      ...(html === null ? [] : [{ type: 'text/html', value: html }]),
    ] as [{ type: string; value: string }],
    headers: headersOf(message, credentials),
    ...(files.length > 0 && { attachments: files }),
    ...(email?.marketing === true && unsubscribeGroupId !== undefined && { asm: { groupId: unsubscribeGroupId } }),
  }
}

const named = (name: string | null | undefined): boolean => name !== null && name !== undefined && name.trim() !== ''

/** SendGrid refuses an e-mail without a subject. */
const subjectOf = ({ subject, body }: Outgoing): string => oneLine(subject ?? '') || oneLine(body).slice(0, 78) || '(no subject)'

const oneLine = (text: string): string => text.replaceAll(/\s+/g, ' ').trim()

function headersOf(
  { email, to, communicationId, statusCallbackUrl }: Outgoing,
  { inboundSecret }: SendgridCredentials,
): Record<string, string> {
  if (email === null) return {}
  const bracketed = email.references.map((id) => `<${id}>`)
  const parent = bracketed.at(-1)
  const unsubscribe = [
    `<mailto:${email.replyTo.address}?subject=unsubscribe>`,
    `<${unsubscribeUrl(statusCallbackUrl, communicationId, to, inboundSecret)}>`,
  ]
  return {
    'Message-ID': `<${email.messageId}>`,
    ...(parent !== undefined && { 'In-Reply-To': parent, References: bracketed.join(' ') }),
    ...(email.marketing && { 'List-Unsubscribe': unsubscribe.join(', '), 'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click' }),
  }
}

type MailFile = { content: string; filename: string; type: string; disposition: string }

async function attachmentsOf(files: readonly OutgoingFile[], textBytes: number): Promise<MailFile[]> {
  const expected = files.reduce((sum, { size }) => sum + Math.ceil(size / 3) * 4, textBytes)
  if (expected > MAX_MESSAGE_BYTES) {
    throw new Rejected('MESSAGE_TOO_LARGE', 'The e-mail with its attachments is larger than the 30 MB that SendGrid accepts.')
  }
  const read: MailFile[] = []
  for (const { filename, contentType, read: readFile } of files) {
    const content = (await readFile()).toString('base64')
    // SendGrid refuses a type with parameters.
    const type = contentType.replace(/\s*;.*$/s, '')
    read.push({ content, filename: oneLine(filename ?? '') || 'attachment', type, disposition: 'attachment' })
  }
  return read
}

async function accepted(send: () => ReturnType<MailService['send']>): Promise<string> {
  try {
    const [{ headers }] = await send()
    const id: unknown = (headers as Record<string, unknown>)['x-message-id']
    if (typeof id === 'string' && id !== '') return id
  } catch (error) {
    if (error instanceof Rejected || error instanceof Unavailable || error instanceof Uncertain) throw error
    // The library refused to write the request: its message may quote what it was given.
    throw new Rejected('UNSENDABLE', 'The e-mail cannot be written as SendGrid wants it.')
  }
  throw new Uncertain('SendGrid took the e-mail, but its answer has no id')
}
