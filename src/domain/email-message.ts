import type { Mailbox } from '../channels/fact.ts'
import type { EmailMessage } from '../db/generated/client.ts'
import type { Deps } from '../deps.ts'

/** What an e-mail has beyond its communication. Message ids are without angle brackets; `html` is sanitized, its own pictures are `cid:` URLs. */
export type StoredEmail = Pick<EmailMessage, 'communicationId' | 'messageId' | 'references' | 'html' | 'quotedText'> & {
  from: Mailbox
  to: Mailbox[]
  cc: Mailbox[]
}

/** The e-mails among these communications of the organization, by communication id, in one statement. */
export async function emailMessages(
  deps: Pick<Deps, 'db'>,
  organizationId: string,
  communicationIds: readonly string[],
): Promise<Map<string, StoredEmail>> {
  const rows = await deps.db.emailMessage.findMany({ where: { organizationId, communicationId: { in: [...communicationIds] } } })
  return new Map(
    rows.map(({ communicationId, messageId, references, html, quotedText, from, to, cc }) => [
      communicationId,
      { communicationId, messageId, references, html, quotedText, from: from as Mailbox, to: to as Mailbox[], cc: cc as Mailbox[] },
    ]),
  )
}

/**
 * `html` with each `cid:` URL replaced by that of the file it names: `urlsByContentId` is keyed by the attachment's `contentId`. A picture
 * whose file is not there stays as it is, and shows nothing.
 */
export function withInlineImages(html: string, urlsByContentId: ReadonlyMap<string, string>): string {
  return html.replace(/\bsrc="cid:([^"]*)"/g, (whole, spelled: string) => {
    const url = urlsByContentId.get(contentIdOf(spelled))
    return url === undefined ? whole : `src="${url.replaceAll('&', '&amp;').replaceAll('"', '&quot;')}"`
  })
}

/** An id as the HTML spells it: escaped for the attribute, and percent-encoded as in every URL (RFC 2392). */
function contentIdOf(spelled: string): string {
  const unescaped = spelled.replaceAll('&quot;', '"').replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&')
  try {
    return decodeURIComponent(unescaped)
  } catch {
    return unescaped
  }
}
