import { decodeGlobalID, encodeGlobalID } from '@pothos/plugin-relay'
import { signAttachmentLink } from '../src/attachment-links.ts'
import type { Content } from '../src/channels/content.ts'
import type { Attachment, Communication } from '../src/db/generated/client.ts'
import { NotFoundError } from '../src/domain/errors.ts'
import { choicesOf } from '../src/domain/webchat-send.ts'
import { builder } from './builder.ts'
import type { Context } from './context.ts'
import { UUID } from './global-id.ts'
import { batched } from './loaders.ts'

// A communication as its customer may see it. None of these types leads to a type of the staff's.

const NAME = 'WebchatMessage'

/** The row's id. Throws NotFoundError where it cannot be one. */
export function messageIdOf(id: string, path: string[]): string {
  try {
    const decoded = decodeGlobalID(id)
    if (decoded.typename === NAME && UUID.test(decoded.id)) return decoded.id.toLowerCase()
  } catch {
    // Not even the form of a global id: as little a message as the others below.
  }
  throw new NotFoundError('message', path)
}

const Status = builder.enumType('WebchatMessageStatus', {
  description: "SENT → DELIVERED → READ. A visitor's own message is SENT until staff has read it.",
  values: ['SENT', 'DELIVERED', 'READ'] as const,
})

const File = builder.objectRef<Attachment>('WebchatAttachment').implement({
  fields: (t) => ({
    filename: t.exposeString('filename', { nullable: true }),
    contentType: t.exposeString('contentType', { nullable: true }),
    size: t.exposeInt('size', { nullable: true, description: 'Bytes.' }),
    url: t.string({
      description: 'Where a browser can load it, without a token, for at least an hour.',
      resolve: async ({ id, organizationId }, _args, { deps }) =>
        `${deps.config.PUBLIC_URL}${await signAttachmentLink(deps.config, id, organizationId, deps.clock)}`,
    }),
  }),
})

const Choice = builder.objectRef<ReturnType<typeof choicesOf>[number]>('WebchatChoice').implement({
  description: 'One answer to a question: `sendWebchatMessage` with `choice` gives it.',
  fields: (t) => ({
    id: t.exposeID('id'),
    title: t.exposeString('title'),
    description: t.exposeString('description', { nullable: true }),
  }),
})

export const WebchatMessage = builder.objectRef<Communication>(NAME).implement({
  description: 'A message of the visitor, or one that was sent to them.',
  fields: (t) => ({
    id: t.id({ resolve: (row) => encodeGlobalID(NAME, row.id) }),
    clientMessageId: t.string({
      nullable: true,
      description: "Of the visitor's own messages: as it was given to `sendWebchatMessage`.",
      resolve: (row) => (row.direction === 'INBOUND' ? (row.externalMessageId?.split(':').slice(1).join(':') ?? null) : null),
    }),
    fromVisitor: t.boolean({ description: 'false: from the staff.', resolve: (row) => row.direction === 'INBOUND' }),
    text: t.exposeString('body', { description: 'Plain text; empty where there are only files.' }),
    authorName: t.string({
      nullable: true,
      description: 'Who on the staff wrote it, by the name that they show; null: the visitor, a program, or somebody without a name.',
      resolve: (row, _args, context) => (row.authorId === null ? null : authorName(context, row.organizationId, row.authorId)),
    }),
    choices: t.field({
      type: [Choice],
      description: 'Answers to choose from, where it is a question.',
      resolve: (row) => {
        const content = row.content as Content | null
        return content?.kind === 'INTERACTIVE' ? choicesOf(content) : []
      },
    }),
    attachments: t.field({ type: [File], resolve: (row, _args, context) => filesOf(context, row.organizationId, row.id) }),
    status: t.field({
      type: Status,
      resolve: ({ direction, isRead, deliveryStatus }) => {
        if (direction === 'INBOUND') return isRead ? 'READ' : 'SENT'
        return deliveryStatus === 'READ' || deliveryStatus === 'DELIVERED' ? deliveryStatus : 'SENT'
      },
    }),
    editedAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'When it was last changed; null: never.',
      resolve: (row) => row.editedAt,
    }),
    createdAt: t.field({ type: 'DateTime', description: 'When it was sent.', resolve: (row) => row.sentAt ?? row.createdAt }),
  }),
})

/** An identity provider may put an e-mail address where a name should be; visitors see none. */
async function authorName(context: Context, organizationId: string, memberId: string): Promise<string | null> {
  const member = await batched(context, 'names of web chat authors', organizationId, memberId, async (ids) => {
    const rows = await context.deps.db.member.findMany({
      where: { organizationId, id: { in: [...ids] } },
      select: { id: true, name: true },
    })
    return new Map(ids.map((id) => [id, { name: rows.find((row) => row.id === id)?.name ?? null }]))
  })
  return member.name?.includes('@') === true ? null : member.name
}

const filesOf = (context: Context, organizationId: string, messageId: string): Promise<Attachment[]> =>
  batched(context, 'files of web chat messages', organizationId, messageId, async (ids) => {
    const where = { organizationId, communicationId: { in: [...ids] }, status: 'STORED' as const }
    const rows = await context.deps.db.attachment.findMany({ where, orderBy: { id: 'asc' } })
    return new Map(ids.map((id) => [id, rows.filter((row) => row.communicationId === id)]))
  })
