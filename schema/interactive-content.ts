import type {
  InteractiveButton,
  InteractiveList,
  InteractiveRow,
  InteractiveContent as InteractiveShape,
  InteractiveReplyContent as ReplyShape,
} from '../src/channels/content.ts'
import { builder } from './builder.ts'
import { described } from './enums.ts'
import type { Shown } from './shown-content.ts'

const Button = builder.objectRef<InteractiveButton>('InteractiveButton').implement({
  description: 'A reply button.',
  fields: (t) => ({ id: t.exposeString('id', { description: 'It comes back with the answer.' }), title: t.exposeString('title') }),
})

const ListRow = builder.objectRef<InteractiveRow>('InteractiveRow').implement({
  description: 'One choice of a list.',
  fields: (t) => ({
    id: t.exposeString('id', { description: 'It comes back with the answer.' }),
    title: t.exposeString('title'),
    description: t.exposeString('description', { nullable: true }),
  }),
})

const Section = builder.objectRef<InteractiveList['sections'][number]>('InteractiveSection').implement({
  description: 'Rows of a list that belong together.',
  fields: (t) => ({
    title: t.exposeString('title', { nullable: true }),
    rows: t.field({ type: [ListRow], resolve: ({ rows }) => rows }),
  }),
})

const List = builder.objectRef<InteractiveList>('InteractiveList').implement({
  description: 'Choices behind one button.',
  fields: (t) => ({
    button: t.exposeString('button', { description: 'What opens it.' }),
    sections: t.field({ type: [Section], resolve: ({ sections }) => sections }),
  }),
})

export const Interactive = builder.objectRef<Shown<InteractiveShape>>('InteractiveContent').implement({
  description: 'A choice put to the customer: buttons, or a list.',
  fields: (t) => ({
    text: t.string({ description: 'The question.', resolve: ({ row }) => row.body }),
    header: t.string({ nullable: true, resolve: ({ content }) => content.header }),
    footer: t.string({ nullable: true, resolve: ({ content }) => content.footer }),
    buttons: t.field({ type: [Button], resolve: ({ content }) => content.buttons }),
    list: t.field({ type: List, nullable: true, resolve: ({ content }) => content.list }),
  }),
})

const ReplyKind = builder.enumType('InteractiveReplyKind', {
  description: 'How the customer chose.',
  values: described<{ [Name in ReplyShape['reply']]: Name }>({
    BUTTON: 'A button of a question or a template.',
    LIST: 'A row of a list.',
    QUICK_REPLY: 'A suggestion under a message.',
    POSTBACK: 'A button, a menu or a link that leads into the conversation.',
    FLOW: 'A form that was filled in: see `data`.',
    ORDER: 'An order: see `data`.',
  }),
})

export const InteractiveReply = builder.objectRef<Shown<ReplyShape>>('InteractiveReplyContent').implement({
  description: 'What the customer chose.',
  fields: (t) => ({
    reply: t.field({ type: ReplyKind, resolve: ({ content }) => content.reply }),
    choiceId: t.string({ nullable: true, description: 'The id with which the choice was put.', resolve: ({ content }) => content.id }),
    title: t.string({ resolve: ({ content }) => content.title }),
    description: t.string({ nullable: true, resolve: ({ content }) => content.description }),
    data: t.field({
      type: 'JSON',
      nullable: true,
      description: "What was filled in or ordered, in the provider's words.",
      resolve: ({ content }) => content.data,
    }),
  }),
})
