import type { ReceiptFact } from '../fact.ts'
import { messageIds, type ReadEmail } from './email.ts'

const OUR_ID = /^([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})@/i
const MAX_REPORT = 200_000

/** Why the e-mail was written by no person: its Auto-Submitted (RFC 3834), or "report"; null: one may have. */
export function autoSubmittedIn({ headers }: ReadEmail): string | null {
  const said = headers.get('auto-submitted')?.trim()
  if (said !== undefined && said !== '' && !/^no\b/i.test(said)) return said.slice(0, 200)
  if (/^multipart\/report\b/i.test(headers.get('content-type')?.trim() ?? '')) return 'report'
  return headers.has('x-autoreply') || headers.has('x-autorespond') ? 'auto-replied' : null
}

/**
 * The receipts in a delivery status notification (RFC 3464) that names, as the message it is about, one whose Message-ID is ours. Only a final
 * failure counts; a warning that delivery is late changes nothing.
 */
export function receiptsIn(email: ReadEmail): ReceiptFact[] {
  const parts = email.files.map(({ contentType, bytes }) => ({
    type: contentType ?? '',
    text:
      bytes
        ?.subarray(0, MAX_REPORT)
        .toString('latin1')
        .replaceAll(/\r?\n[ \t]+/g, ' ') ?? '',
  }))
  // Some mail servers put the explanation for people into a part of the same type.
  const report = parts.find(({ type, text }) => type === 'message/delivery-status' && /^action:\s*failed\b/im.test(text))?.text
  if (report === undefined) return []
  const returned = parts.filter(({ type }) => type === 'message/rfc822' || type === 'text/rfc822-headers')
  const [id] = returned.flatMap(({ text }) => messageIds(/^message-id:(.*)$/im.exec(text)?.[1]))
  const communicationId = OUR_ID.exec(id ?? '')?.[1]?.toLowerCase()
  if (communicationId === undefined) return []
  const code = /^status:\s*(\d\.\d{1,3}\.\d{1,3})/im.exec(report)?.[1] ?? 'bounce'
  const said = /^diagnostic-code:\s*(?:[\w-]+;)?\s*(.*)$/im.exec(report)?.[1]?.trim().slice(0, 500)
  const message = `The e-mail came back: ${said ?? 'the recipient’s mail server gave no reason.'}`
  const [reportId] = messageIds(email.headers.get('message-id'))
  const repeated = reportId === undefined ? {} : { eventId: `report ${reportId}`.slice(0, 200) }
  return [
    // An event about it would bring the provider's own id; until then, ours stands for it.
    {
      kind: 'receipt',
      externalMessageId: communicationId,
      communicationId,
      status: 'FAILED',
      error: { code, message },
      final: true,
      ...repeated,
    },
  ]
}
