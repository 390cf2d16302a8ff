import { type Communication, Prisma } from '../db/generated/client.ts'
import type { Tx } from '../events/transact.ts'
import { claimFiles } from './compose-files.ts'
import type { Composed } from './compose-message.ts'
import { carriesEmail } from './content-limits.ts'
import { draftEmail } from './email-threading.ts'
import { checkMessage, type Message, type RefusalPaths } from './policies.ts'
import type { Recipient } from './resolve-recipient.ts'
import { standingOf } from './standing.ts'

/** Throws the UserError that says why this may not be sent to this customer at that time. */
export async function checkPolicy(
  tx: Tx,
  recipient: Recipient & { customerId: string },
  message: Message,
  purpose: Composed['purpose'],
  at: Date,
  paths: Partial<RefusalPaths> = {},
): Promise<void> {
  checkMessage(await standingOf(tx, recipient, purpose), message, at, paths)
}

/** What the communication's row has of a message. */
export const columnsOf = (composed: Composed) => ({
  subject: composed.subject,
  body: composed.body,
  content: composed.content.kind === 'TEXT' ? Prisma.DbNull : (composed.content as Prisma.InputJsonObject),
  payload: (composed.payload as Prisma.InputJsonObject | null) ?? Prisma.DbNull,
  inReplyTo: composed.inReplyTo,
  purpose: composed.purpose,
  templateId: composed.template?.id ?? null,
})

/** What it has in rows of their own: its files, and the HTML of an e-mail. */
export async function keepParts(tx: Tx, communication: Communication, { account, adapter }: Recipient, composed: Composed): Promise<void> {
  await claimFiles(tx, communication.id, composed.files)
  if (carriesEmail(adapter.capabilities)) await draftEmail(tx, communication, account, composed.html)
}
