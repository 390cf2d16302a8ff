import type { Attachment, Communication } from '../src/db/generated/client.ts'
import { BodyTooLongError, ChannelNotConnectedError, NotFoundError, RateLimitedError, ValidationError } from '../src/domain/errors.ts'
import { communicationCursor } from '../src/domain/list-communications.ts'
import { checkedPage } from '../src/domain/page.ts'
import { createWebchatUpload } from '../src/domain/webchat-files.ts'
import { sealCursor } from '../src/domain/webchat-handles.ts'
import { markWebchatRead } from '../src/domain/webchat-read.ts'
import { sendWebchatMessage } from '../src/domain/webchat-send.ts'
import { type StartedWebchat, startWebchat } from '../src/domain/webchat-start.ts'
import { countUnread, listMessages, threadOf } from '../src/domain/webchat-thread.ts'
import { readHead } from '../src/events/page.ts'
import { signUploadLink } from '../src/upload-links.ts'
import type { Visitor } from '../src/visitor-tokens.ts'
import { builder } from './builder.ts'
import { type Context, visitorOf } from './context.ts'
import { connectionOf, pageCost } from './pagination.ts'
import { messageIdOf, WebchatMessage } from './webchat-message.ts'

/** `seq`: a place in the log from before anything else of it is read. */
type View = { visitor: Visitor; seq: bigint }

const viewOf = async ({ deps }: Context, visitor: Visitor): Promise<View> => ({
  visitor,
  seq: await readHead(deps.pool, visitor.organizationId),
})

export const WebchatStatus = builder.enumType('WebchatStatus', {
  description: 'Whether staff is still at it.',
  values: {
    OPEN: {},
    CLOSED: { description: 'Staff has closed the conversation; the next message opens it again.' },
  } as const,
})

const Webchat = builder.objectRef<View>('Webchat').implement({
  description: 'The conversation of one visitor with the organization.',
  fields: (t) => ({
    organizationName: t.string({
      resolve: async ({ visitor }, _args, { deps }) =>
        (await deps.db.organization.findUniqueOrThrow({ where: { id: visitor.organizationId }, select: { name: true } })).name,
    }),
    isIdentified: t.boolean({
      description: "The organization's server has vouched for the visitor, who therefore sees the same conversation on each device.",
      resolve: ({ visitor }) => visitor.externalId !== null,
    }),
    status: t.field({
      type: WebchatStatus,
      resolve: async ({ visitor }, _args, { deps }) => ((await threadOf(deps, visitor))?.status === 'CLOSED' ? 'CLOSED' : 'OPEN'),
    }),
    unreadCount: t.int({
      description: 'Messages of the staff that the visitor has not read.',
      resolve: ({ visitor }, _args, { deps }) => countUnread(deps, visitor),
    }),
    cursor: t.string({
      description: '`webchatEvents(after:)` with it gives everything that is not in this answer yet.',
      resolve: ({ visitor, seq }, _args, { deps }) => sealCursor(deps, visitor, seq),
    }),
    messages: t.connection(
      {
        type: WebchatMessage,
        description: 'Oldest first; `last` gives the newest. Pages of 1 to 100.',
        complexity: pageCost,
        resolve: async ({ visitor }, args, { deps }) =>
          connectionOf(await listMessages(deps, visitor, checkedPage(args)), communicationCursor, (row) => row),
      },
      { name: 'WebchatMessageConnection', description: 'A page of the conversation.' },
      { name: 'WebchatMessageEdge' },
    ),
  }),
})

builder.queryField('webchat', (t) =>
  t.field({
    type: Webchat,
    description: "VISITOR. The visitor's own conversation; empty before the first message.",
    skipTypeScopes: true,
    authScopes: { visitor: true },
    resolve: (_root, _args, context) => viewOf(context, visitorOf(context)),
  }),
)

const Identity = builder.inputType('WebchatIdentityInput', {
  description: "The organization's own word on who the visitor is. To be made on its server: the secret never goes to a browser.",
  fields: (t) => ({
    externalId: t.string({ required: true, description: "The organization's id of its user, 1 to 255 characters." }),
    hmac: t.string({
      required: true,
      description: "HMAC-SHA256 of `externalId` with the account's `identitySecret`, in hexadecimal.",
    }),
  }),
})

const Start = builder.inputType('StartWebchatInput', {
  fields: (t) => ({
    organization: t.string({ required: true, description: 'Its slug.' }),
    account: t.string({ required: true, description: "The chat's key: the address of the channel account." }),
    visitorToken: t.string({ description: 'Of an earlier start: the same visitor goes on, with a fresh token.' }),
    identity: t.field({ type: Identity }),
    name: t.string({ description: 'What the visitor says; at most 200 characters. Staff sees it as unproven.' }),
    email: t.string({ description: 'What the visitor says; at most 320 characters. No customer is found by it.' }),
  }),
})

const Choice = builder.inputType('WebchatChoiceInput', {
  description: 'The answer to a question with buttons or a list.',
  fields: (t) => ({
    messageId: t.string({ required: true, description: 'The `id` of the question.' }),
    choiceId: t.string({ required: true, description: 'The `id` of one of its `choices`.' }),
  }),
})

const Send = builder.inputType('SendWebchatMessageInput', {
  description: 'A text, files, or both; or a choice.',
  fields: (t) => ({
    clientMessageId: t.string({
      required: true,
      description: "The sender's own name for it, 1 to 100 signs of ASCII. Sent again with the same one, a message is not doubled.",
    }),
    text: t.string({ description: 'At most 4,096 characters.' }),
    uploadIds: t.stringList({ description: 'Of `createWebchatUpload`, when their bytes have been uploaded; at most 10.' }),
    choice: t.field({ type: Choice, description: 'The answer to a question of the staff.' }),
  }),
})

const MarkRead = builder.inputType('MarkWebchatReadInput', {
  fields: (t) => ({ messageId: t.string({ required: true, description: 'The `id` of the last message that the visitor has read.' }) }),
})

const Upload = builder.inputType('CreateWebchatUploadInput', {
  fields: (t) => ({
    filename: t.string({ required: true, description: '1 to 255 characters.' }),
    contentType: t.string({ required: true, description: 'A media type, e.g. image/jpeg; what the bytes are counts.' }),
    size: t.int({ required: true, description: 'Bytes, at most MAX_ATTACHMENT_BYTES.' }),
  }),
})

const StartSuccess = builder.objectRef<StartedWebchat>('StartWebchatSuccess').implement({
  fields: (t) => ({
    token: t.exposeString('token', {
      description:
        'To be sent as `Authorization: Bearer …`. Whoever has it is this visitor: forget it when somebody signs out of the page.',
    }),
    expiresAt: t.field({
      type: 'DateTime',
      description: 'Start again with the token before that.',
      resolve: ({ visitor }) => visitor.expiresAt,
    }),
    webchat: t.field({ type: Webchat, resolve: ({ visitor }, _args, context) => viewOf(context, visitor) }),
  }),
})

const SendSuccess = builder.objectRef<{ message: Communication }>('SendWebchatMessageSuccess').implement({
  fields: (t) => ({ webchatMessage: t.field({ type: WebchatMessage, resolve: ({ message }) => message }) }),
})

const MarkReadSuccess = builder.objectRef<{ visitor: Visitor }>('MarkWebchatReadSuccess').implement({
  fields: (t) => ({ webchat: t.field({ type: Webchat, resolve: ({ visitor }, _args, context) => viewOf(context, visitor) }) }),
})

const UploadSuccess = builder
  .objectRef<{ attachment: Attachment; uploadId: string; size: number }>('CreateWebchatUploadSuccess')
  .implement({
    fields: (t) => ({
      uploadId: t.exposeString('uploadId', { description: 'For `sendWebchatMessage`, within a day.' }),
      uploadUrl: t.string({
        description: 'PUT the bytes here, once, within 15 minutes.',
        resolve: async ({ attachment, size }, _args, { deps }) => {
          const link = await signUploadLink(deps, { attachmentId: attachment.id, organizationId: attachment.organizationId, size })
          return `${deps.config.PUBLIC_URL}${link.path}`
        },
      }),
    }),
  })

const authScopes = { visitor: true } as const

builder.mutationFields((t) => ({
  startWebchat: t.field({
    type: StartSuccess,
    description:
      'PUBLIC. Makes somebody a visitor of a web chat, without a token. At most 60 times a minute from one address. Where the account names `allowedOrigins`, pages of other origins are refused.',
    errors: { types: [ValidationError, NotFoundError, ChannelNotConnectedError, RateLimitedError] },
    args: { input: t.arg({ type: Start, required: true }) },
    resolve: (_root, { input }, { deps, client }) => startWebchat(deps, client, input),
  }),
  sendWebchatMessage: t.field({
    type: SendSuccess,
    description: 'VISITOR. At most 30 messages and uploads a minute.',
    authScopes,
    errors: { types: [ValidationError, NotFoundError, BodyTooLongError, ChannelNotConnectedError, RateLimitedError] },
    args: { input: t.arg({ type: Send, required: true }) },
    resolve: async (_root, { input }, context) => {
      const { choice } = input
      const question = choice && { ...choice, messageId: messageIdOf(choice.messageId, ['input', 'choice', 'messageId']) }
      return { message: await sendWebchatMessage(context.deps, visitorOf(context), { ...input, choice: question ?? null }) }
    },
  }),
  markWebchatRead: t.field({
    type: MarkReadSuccess,
    description: 'VISITOR. All that staff wrote is READ, up to that message.',
    authScopes,
    errors: { types: [NotFoundError] },
    args: { input: t.arg({ type: MarkRead, required: true }) },
    resolve: async (_root, { input }, context) => {
      const visitor = visitorOf(context)
      await markWebchatRead(context.deps, visitor, messageIdOf(input.messageId, ['input', 'messageId']))
      return { visitor }
    },
  }),
  createWebchatUpload: t.field({
    type: UploadSuccess,
    description: 'VISITOR. A place for a file that is to be sent.',
    authScopes,
    errors: { types: [ValidationError, ChannelNotConnectedError, RateLimitedError] },
    args: { input: t.arg({ type: Upload, required: true }) },
    resolve: async (_root, { input }, context) => ({
      ...(await createWebchatUpload(context.deps, visitorOf(context), input)),
      size: input.size,
    }),
  }),
}))
