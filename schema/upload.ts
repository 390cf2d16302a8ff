import type { Attachment as Row } from '../src/db/generated/client.ts'
import { ValidationError } from '../src/domain/errors.ts'
import { createUpload } from '../src/domain/upload-attachment.ts'
import { signUploadLink, type UploadLink } from '../src/upload-links.ts'
import { Attachment } from './attachment.ts'
import { builder } from './builder.ts'
import { actorOf } from './context.ts'

const Input = builder.inputType('CreateUploadInput', {
  fields: (t) => ({
    filename: t.string({ required: true, description: '1 to 255 characters; what the customer will see.' }),
    contentType: t.string({
      required: true,
      description: 'A media type, e.g. image/jpeg. The bytes correct it: what they show to be something else is stored as that.',
    }),
    size: t.int({ required: true, description: 'Bytes; from 1 to the limit of the server (MAX_ATTACHMENT_BYTES).' }),
  }),
})

const Success = builder.objectRef<{ attachment: Row; link: UploadLink }>('CreateUploadSuccess').implement({
  description: 'Send the bytes to `url`; then the attachment is STORED and can be sent with a message.',
  fields: (t) => ({
    attachment: t.field({ type: Attachment, resolve: ({ attachment }) => attachment }),
    url: t.string({
      description: 'Needs no other credentials. It takes one file, once: 409 when it has been used.',
      resolve: ({ link }, _args, { deps }) => `${deps.config.PUBLIC_URL}${link.path}`,
    }),
    method: t.string({ resolve: () => 'PUT' }),
    headers: t.field({
      type: 'JSON',
      description: 'To be sent with the bytes, by name.',
      resolve: ({ attachment }) => ({ 'content-type': attachment.contentType }),
    }),
    expiresAt: t.field({ type: 'DateTime', description: 'After 15 minutes.', resolve: ({ link }) => link.expiresAt }),
  }),
})

builder.mutationField('createUpload', (t) =>
  t.field({
    type: Success,
    description:
      'AGENT. A place for a file that will be sent. An upload that no message takes up is deleted after a day. (Without the graph: POST files to /uploads as multipart/form-data, with the same `Authorization`.)',
    authScopes: { role: 'AGENT' },
    errors: { types: [ValidationError] },
    args: { input: t.arg({ type: Input, required: true }) },
    resolve: async (_root, { input }, context) => {
      const { organizationId, memberId } = actorOf(context)
      const attachment = await createUpload(context.deps, { organizationId, uploadedById: memberId }, input)
      const link = await signUploadLink(context.deps, { attachmentId: attachment.id, organizationId, size: input.size })
      return { attachment, link }
    },
  }),
)
