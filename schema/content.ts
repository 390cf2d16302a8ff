import type { Content, SharedContact } from '../src/channels/content.ts'
import type { Communication as Row } from '../src/db/generated/client.ts'
import { contentOf } from '../src/domain/content-of.ts'
import { builder } from './builder.ts'
import { Communication } from './communication.ts'
import { EmailContent as EmailShown } from './email-content.ts'
import { CallOutcome, MediaKind } from './enums.ts'
import { Interactive, InteractiveReply } from './interactive-content.ts'
import { linkedMessage } from './linked-messages.ts'
import type { Shown, ShownKind } from './shown-content.ts'
import { Template } from './template.ts'

const shown = <Own extends Content>(name: string) => builder.objectRef<Shown<Own>>(name)

type Of<Name extends Content['kind']> = Extract<Content, { kind: Name }>

const Text = shown<Of<'TEXT'>>('TextContent').implement({
  description: 'Plain text, and nothing more.',
  fields: (t) => ({ text: t.string({ resolve: ({ row }) => row.body }) }),
})

const Media = shown<Of<'MEDIA'>>('MediaContent').implement({
  description: "One or more files: the communication's `attachments`.",
  fields: (t) => ({
    media: t.field({ type: MediaKind, description: 'Of the first file.', resolve: ({ content }) => content.media }),
    caption: t.string({ nullable: true, description: 'The text that goes with the files.', resolve: ({ content }) => content.caption }),
  }),
})

const TemplateShown = shown<Of<'TEMPLATE'>>('TemplateContent').implement({
  description: 'A message made from a template; `text` is what the customer reads.',
  fields: (t) => ({
    name: t.string({
      nullable: true,
      description: 'null: sent before names were kept.',
      resolve: ({ content }) => (content.name === '' ? null : content.name),
    }),
    language: t.string({
      nullable: true,
      description: 'As the provider spells it, e.g. en_US.',
      resolve: ({ content }) => content.language,
    }),
    variables: t.field({
      type: 'JSON',
      description: 'The values that were filled in, by name.',
      resolve: ({ content }) => content.variables,
    }),
    text: t.string({ resolve: ({ row }) => row.body }),
    template: t.field({
      type: Template,
      nullable: true,
      description: 'As it is now; null: deleted.',
      resolve: ({ row }) => row.templateId,
    }),
  }),
})

const Location = shown<Of<'LOCATION'>>('LocationContent').implement({
  description: 'A place that the customer shared.',
  fields: (t) => ({
    latitude: t.float({ description: 'Degrees (WGS 84).', resolve: ({ content }) => content.latitude }),
    longitude: t.float({ description: 'Degrees (WGS 84).', resolve: ({ content }) => content.longitude }),
    name: t.string({ nullable: true, resolve: ({ content }) => content.name }),
    address: t.string({ nullable: true, resolve: ({ content }) => content.address }),
    url: t.string({ nullable: true, resolve: ({ content }) => content.url }),
  }),
})

const ContactEntry = builder.objectRef<{ value: string; type: string | null }>('SharedContactEntry').implement({
  description: 'A phone number or an e-mail address, as the customer shared it: nothing is checked.',
  fields: (t) => ({ value: t.exposeString('value'), type: t.exposeString('type', { nullable: true, description: 'E.g. HOME or WORK.' }) }),
})

const Contact = builder.objectRef<SharedContact>('SharedContact').implement({
  description: 'A person or a business.',
  fields: (t) => ({
    name: t.exposeString('name'),
    organization: t.exposeString('organization', { nullable: true }),
    phones: t.field({ type: [ContactEntry], resolve: ({ phones }) => phones }),
    emails: t.field({ type: [ContactEntry], resolve: ({ emails }) => emails }),
  }),
})

const Contacts = shown<Of<'CONTACTS'>>('ContactsContent').implement({
  description: 'Entries of an address book that the customer shared.',
  fields: (t) => ({ contacts: t.field({ type: [Contact], resolve: ({ content }) => content.contacts }) }),
})

const Reaction = shown<Of<'REACTION'>>('ReactionContent').implement({
  description: "A reaction to another message, also among that message's `reactions`.",
  fields: (t) => ({
    emoji: t.string({ nullable: true, description: 'null: an earlier reaction was taken back.', resolve: ({ content }) => content.emoji }),
    target: t.field({
      type: Communication,
      nullable: true,
      description: 'null: a message that is not in the log.',
      resolve: ({ row, content }, _args, context) => linkedMessage(context, row.channelAccountId, content.target),
    }),
  }),
})

const Unsupported = shown<Of<'UNSUPPORTED'>>('UnsupportedContent').implement({
  description: 'Something that is kept but not understood (yet).',
  fields: (t) => ({
    type: t.string({ description: "The provider's name for it.", resolve: ({ content }) => content.type }),
    raw: t.field({ type: 'JSON', nullable: true, description: "The provider's own words.", resolve: ({ content }) => content.raw }),
  }),
})

const names = {
  TEXT: 'TextContent',
  MEDIA: 'MediaContent',
  EMAIL: 'EmailContent',
  TEMPLATE: 'TemplateContent',
  INTERACTIVE: 'InteractiveContent',
  INTERACTIVE_REPLY: 'InteractiveReplyContent',
  LOCATION: 'LocationContent',
  CONTACTS: 'ContactsContent',
  REACTION: 'ReactionContent',
  UNSUPPORTED: 'UnsupportedContent',
  NOTE: 'NoteContent',
  CALL_LOG: 'CallLogContent',
} as const satisfies Record<ShownKind, string>

type Internal = Pick<Shown<null>, 'kind' | 'row'>

const Note = builder.objectRef<Internal>('NoteContent').implement({
  description: 'What staff wrote for staff.',
  fields: (t) => ({ text: t.string({ resolve: ({ row }) => row.body }) }),
})

const CallLog = builder.objectRef<Internal>('CallLogContent').implement({
  description: 'A call; null where something is not known.',
  fields: (t) => ({
    text: t.string({ description: 'What was said, where somebody wrote it down.', resolve: ({ row }) => row.body }),
    outcome: t.field({ type: CallOutcome, nullable: true, resolve: ({ row }) => row.callOutcome }),
    startedAt: t.field({ type: 'DateTime', nullable: true, resolve: ({ row }) => row.callStartedAt }),
    durationSeconds: t.int({ nullable: true, resolve: ({ row }) => row.callSeconds }),
  }),
})

const members = [
  Text,
  Media,
  EmailShown,
  TemplateShown,
  Interactive,
  InteractiveReply,
  Location,
  Contacts,
  Reaction,
  CallLog,
  Note,
  Unsupported,
] as const

const CommunicationContent = builder.unionType('CommunicationContent', {
  description: 'What a communication is; `body` is the plain-text form of all of them.',
  types: [...members],
  resolveType: ({ kind }) => names[kind],
})

function shownOf(row: Row): (typeof members)[number]['$inferType'] {
  if (row.type === 'INTERNAL_NOTE') return { kind: 'NOTE', row }
  if (row.type === 'CALL_LOG') return { kind: 'CALL_LOG', row }
  const content = contentOf(row)
  // The kind goes with the content; the compiler cannot see that they belong together.
  return { kind: content.kind, row, content } as (typeof members)[number]['$inferType']
}

builder.objectField(Communication, 'content', (t) =>
  t.field({
    type: CommunicationContent,
    description: 'A message that was taken back (`revokedAt`) is an empty text.',
    resolve: (row) => shownOf(row),
  }),
)
