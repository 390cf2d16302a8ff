import { signAttachmentLink } from '../src/attachment-links.ts'
import type { Content } from '../src/channels/content.ts'
import { emailMessages, type StoredEmail, withInlineImages } from '../src/domain/email-message.ts'
import { builder } from './builder.ts'
import { type Context, organizationOf } from './context.ts'
import { batched } from './loaders.ts'
import type { Shown } from './shown-content.ts'

const Mailbox = builder.objectRef<StoredEmail['from']>('Mailbox').implement({
  description: 'An address of an e-mail, and whose it says to be.',
  fields: (t) => ({ name: t.exposeString('name', { nullable: true }), address: t.exposeString('address') }),
})

async function emailOf(context: Context, communicationId: string): Promise<StoredEmail | null> {
  const { email } = await batched(context, 'e-mails', null, communicationId, async (ids) => {
    const found = await emailMessages(context.deps, organizationOf(context), ids)
    return new Map(ids.map((id) => [id, { email: found.get(id) ?? null }]))
  })
  return email
}

/** The pictures that an e-mail shows, by what `cid:` names, as addresses that a browser can load. */
async function inlineImages(context: Context, communicationId: string): Promise<ReadonlyMap<string, string>> {
  const { deps } = context
  const organizationId = organizationOf(context)
  const files = await batched(context, 'inline images', null, communicationId, async (ids) => {
    const rows = await deps.db.attachment.findMany({
      where: { organizationId, communicationId: { in: [...ids] }, contentId: { not: null }, status: 'STORED' },
      select: { id: true, contentId: true, communicationId: true },
    })
    const byEmail = Map.groupBy(rows, (row) => row.communicationId)
    return new Map(ids.map((id) => [id, byEmail.get(id) ?? []]))
  })
  const links = files.map(async ({ id, contentId }) => {
    const link = await signAttachmentLink(deps.config, id, organizationId, deps.clock)
    return [contentId ?? '', `${deps.config.PUBLIC_URL}${link}`] as const
  })
  return new Map(await Promise.all(links))
}

export const EmailContent = builder.objectRef<Shown<Extract<Content, { kind: 'EMAIL' }>>>('EmailContent').implement({
  description: "An e-mail. Its files are the communication's `attachments`.",
  fields: (t) => ({
    subject: t.string({ nullable: true, resolve: ({ row }) => row.subject }),
    from: t.field({
      type: Mailbox,
      nullable: true,
      description: 'null: it has not been sent yet.',
      resolve: async ({ row }, _args, context) => (await emailOf(context, row.id))?.from ?? null,
    }),
    to: t.field({ type: [Mailbox], resolve: async ({ row }, _args, context) => (await emailOf(context, row.id))?.to ?? [] }),
    cc: t.field({ type: [Mailbox], resolve: async ({ row }, _args, context) => (await emailOf(context, row.id))?.cc ?? [] }),
    text: t.string({ description: 'Without the history that it quotes.', resolve: ({ row }) => row.body }),
    html: t.string({
      nullable: true,
      description:
        'Sanitized: nothing in it runs, submits or loads something but pictures. Those of the e-mail itself are links that work for at least an hour. Show it in a sandboxed frame.',
      resolve: async ({ row }, _args, context) => {
        const html = (await emailOf(context, row.id))?.html ?? null
        return html?.includes('cid:') === true ? withInlineImages(html, await inlineImages(context, row.id)) : html
      },
    }),
    quotedText: t.string({
      nullable: true,
      description: 'The history below the answer.',
      resolve: async ({ row }, _args, context) => (await emailOf(context, row.id))?.quotedText ?? null,
    }),
    messageId: t.string({
      nullable: true,
      description: 'Message-ID, without its angle brackets.',
      resolve: async ({ row }, _args, context) => (await emailOf(context, row.id))?.messageId ?? null,
    }),
  }),
})
