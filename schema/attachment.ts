import { signAttachmentLink } from '../src/attachment-links.ts'
import { builder } from './builder.ts'
import { type Context, organizationOf } from './context.ts'
import { AttachmentStatus } from './enums.ts'
import { inOrder } from './loaders.ts'

export const Attachment = builder.loadableNodeRef('Attachment', {
  id: { resolve: (attachment) => attachment.id },
  load: async (ids: string[], context: Context) =>
    inOrder(ids, await context.deps.db.attachment.findMany({ where: { id: { in: ids }, organizationId: organizationOf(context) } })),
})
Attachment.implement({
  description:
    'A file of a message: fetched from the provider soon after the message arrived, or uploaded to be sent (`createUpload`). An upload that no message takes up is deleted after a day.',
  fields: (t) => ({
    filename: t.exposeString('filename', { nullable: true }),
    contentType: t.exposeString('contentType', {
      nullable: true,
      description: 'A media type, e.g. image/jpeg: what the bytes are, where they tell, whatever the sender called them.',
    }),
    size: t.exposeInt('size', { nullable: true, description: 'Bytes; null until it is stored.' }),
    status: t.field({ type: AttachmentStatus, resolve: (attachment) => attachment.status }),
    failure: t.exposeString('failure', { nullable: true, description: 'A sentence for people, where it is FAILED.' }),
    url: t.string({
      nullable: true,
      description: 'Where a browser can load it, without a token, for at least an hour; null until it is stored.',
      resolve: async (attachment, _args, { deps }) =>
        attachment.status === 'STORED'
          ? `${deps.config.PUBLIC_URL}${await signAttachmentLink(deps.config, attachment.id, attachment.organizationId, deps.clock)}`
          : null,
    }),
  }),
})
