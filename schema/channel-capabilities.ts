import type { Capabilities as Shape } from '../src/channels/channel.ts'
import type { MediaKind as MediaKindName } from '../src/channels/content.ts'
import { builder } from './builder.ts'
import { MediaKind, TextLimitUnit } from './enums.ts'

const ContentType = builder.enumType('MessageContentType', {
  description: 'What a channel can send.',
  values: {
    TEXT: { description: 'A text without a form of its own.' },
    EMAIL: { description: 'An e-mail with a subject and, if wanted, HTML. A text that goes by such a channel is an e-mail too.' },
    TEMPLATE: { description: 'A template that the provider has approved. Ours go wherever a text does.' },
    MEDIA: { description: 'Files, with or without a text.' },
    INTERACTIVE: { description: 'A question with reply buttons, or with a list.' },
    REACTION: { description: 'An emoji on a message.' },
  } as const,
})

const MediaLimit = builder.objectRef<{ kind: MediaKindName } & NonNullable<Shape['media'][MediaKindName]>>('ChannelMediaLimit').implement({
  fields: (t) => ({
    kind: t.field({ type: MediaKind, resolve: (limit) => limit.kind }),
    maxBytes: t.int({
      description: 'The largest file, in bytes; no more than this server takes (MAX_ATTACHMENT_BYTES).',
      resolve: ({ maxBytes }, _args, { deps }) => Math.min(maxBytes, deps.config.MAX_ATTACHMENT_BYTES),
    }),
    types: t.stringList({ description: 'The media types allowed, e.g. image/png; empty: any.', resolve: (limit) => [...limit.types] }),
    captions: t.boolean({ description: 'A text may go with it, within `captionLimit`.', resolve: ({ captions }) => captions !== false }),
  }),
})

const InteractiveLimit = builder.objectRef<NonNullable<Shape['interactive']>>('ChannelInteractiveLimit').implement({
  description: 'Lengths are in characters.',
  fields: (t) => ({
    maxButtons: t.exposeInt('maxButtons'),
    maxRows: t.exposeInt('maxRows', { description: 'Of a list, over all its sections; 0: there are no lists.' }),
    maxTitle: t.exposeInt('maxTitle', { description: "Of a button's title." }),
    maxRowTitle: t.exposeInt('maxRowTitle', { description: "Of the title of a list's row or section; 0 where there are no lists." }),
    maxBody: t.exposeInt('maxBody', { description: 'Of the question.' }),
  }),
})

export const ChannelCapabilities = builder.objectRef<Shape>('ChannelCapabilities').implement({
  description: 'What the channel allows. The same values decide whether a message is accepted.',
  fields: (t) => ({
    textLimit: t.exposeInt('textLimit', { description: 'Longest text, in `textLimitUnit`.' }),
    textLimitUnit: t.field({ type: TextLimitUnit, resolve: (capabilities) => capabilities.textLimitUnit }),
    captionLimit: t.int({
      description: 'Longest text beside a file, in `textLimitUnit`; 0: files go without one.',
      resolve: ({ captionLimit, textLimit }) => captionLimit ?? textLimit,
    }),
    messagingWindowHours: t.exposeInt('messagingWindowHours', {
      nullable: true,
      description:
        "Hours after the customer's last message in which free text is allowed; null: always. A conversation's own window can be longer, after a click on an advertisement.",
    }),
    humanAgentHours: t.exposeInt('humanAgentHours', {
      nullable: true,
      description:
        "Hours after the customer's last message in which a person on the staff may still answer; null: no longer than the window.",
    }),
    businessInitiated: t.exposeBoolean('businessInitiated', {
      description: 'Something can be sent outside the window, or to a customer who never wrote.',
    }),
    templatesNeedApproval: t.exposeBoolean('templatesNeedApproval', {
      description: 'Outside the window, only templates that the provider has approved can be sent.',
    }),
    content: t.field({ type: [ContentType], description: 'What can be sent.', resolve: (capabilities) => [...capabilities.content] }),
    media: t.field({
      type: [MediaLimit],
      description: 'The kinds of files that can be sent.',
      resolve: ({ media, captionLimit }) =>
        Object.entries(media).flatMap(([kind, limit]) =>
          limit === undefined ? [] : [{ kind: kind as MediaKindName, ...limit, ...(captionLimit === 0 && { captions: false as const }) }],
        ),
    }),
    maxAttachments: t.exposeInt('maxAttachments', { description: 'Files in one message.' }),
    maxMessageBytes: t.int({
      nullable: true,
      description:
        'The largest message with its text and all its files, in bytes; in e-mails each file counts four thirds, as base64. null: only each file has a limit.',
      resolve: ({ maxMessage }) => maxMessage?.bytes ?? null,
    }),
    interactive: t.field({
      type: InteractiveLimit,
      nullable: true,
      description: 'Limits of reply buttons and lists; null: there are none.',
      resolve: ({ interactive }) => interactive,
    }),
    messagesPerSecond: t.exposeInt('messagesPerSecond', {
      nullable: true,
      description: 'How many are sent in a second from one account that says nothing else; null: as many as there are.',
    }),
    quotedReplies: t.exposeBoolean('quotedReplies', { description: 'A message can quote the one that it answers.' }),
    inbound: t.exposeBoolean('inbound', { description: 'Customers can write on it.' }),
    deliveryReceipts: t.exposeBoolean('deliveryReceipts'),
    readReceipts: t.exposeBoolean('readReceipts'),
  }),
})
