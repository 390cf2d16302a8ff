import { signAttachmentLink } from '../src/attachment-links.ts'
import { builder } from './builder.ts'
import { columnsOf } from './columns.ts'
import { column, late } from './compiled/field.ts'
import { type Context, organizationOf } from './context.ts'
import { AttachmentStatus } from './enums.ts'
import { inOrder } from './loaders.ts'

const linkOf = async (context: Context, id: string): Promise<string> => {
  const { config, clock } = context.deps
  return `${config.PUBLIC_URL}${await signAttachmentLink(config, id, organizationOf(context), clock)}`
}

export const Attachment = builder.loadableNodeRef('Attachment', {
  id: { resolve: (attachment) => attachment.id },
  load: async (ids: string[], context: Context) =>
    inOrder(
      ids,
      await context.deps.db.attachment.findMany({
        where: { id: { in: ids }, organizationId: organizationOf(context) },
        ...columnsOf(context, 'Attachment'),
      }),
    ),
})
Attachment.implement({
  description:
    'A file of a message: fetched from the provider soon after the message arrived, or uploaded to be sent (`createUpload`). An upload that no message takes up is deleted after a day.',
  fields: (t) => ({
    filename: t.exposeString('filename', { ...column('filename'), nullable: true }),
    contentType: t.exposeString('contentType', {
      ...column('content_type'),
      nullable: true,
      description: 'A media type, e.g. image/jpeg: what the bytes are, where they tell, whatever the sender called them.',
    }),
    size: t.exposeInt('size', { ...column('size'), nullable: true, description: 'Bytes; null until it is stored.' }),
    status: t.field({ type: AttachmentStatus, ...column('status'), resolve: (attachment) => attachment.status }),
    failure: t.exposeString('failure', { ...column('failure'), nullable: true, description: 'A sentence for people, where it is FAILED.' }),
    url: t.string({
      nullable: true,
      description: 'Where a browser can load it, without a token, for at least an hour; null until it is stored.',
      ...late((row) => `CASE WHEN ${row}.status = 'STORED' THEN ${row}.id END`, linkOf),
      resolve: (attachment, _args, context) => (attachment.status === 'STORED' ? linkOf(context, attachment.id) : null),
    }),
  }),
})
