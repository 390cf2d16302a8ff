import type { ContentInput } from '../src/domain/content-input.ts'
import { builder } from './builder.ts'
import { MediaKind } from './enums.ts'
import { requiredId } from './global-id.ts'

const TemplateContent = builder.inputType('TemplateContentInput', {
  description: 'A template with values for its variables.',
  fields: (t) => ({
    templateId: t.id({ required: true }),
    variables: t.field({ type: 'JSON', description: 'An object of texts and numbers; built-in variables need not be given.' }),
  }),
})

const uploads = 'Uploads (`createUpload`) that no message has taken up yet, in the order in which they are to be shown.'

const MediaContent = builder.inputType('MediaContentInput', {
  description: "Files, within the channel's `maxAttachments` and the size and types of `media`.",
  fields: (t) => ({
    attachmentIds: t.idList({ required: true, description: uploads }),
    caption: t.string({ description: "Plain text within the channel's `captionLimit`." }),
    kind: t.field({
      type: MediaKind,
      description: 'What the files are sent as; absent: what their types say, DOCUMENT where the channel does not show them.',
    }),
  }),
})

const Button = builder.inputType('InteractiveButtonInput', {
  fields: (t) => ({
    id: t.string({ required: true, description: 'At most 200 characters; it comes back with the answer.' }),
    title: t.string({ required: true }),
  }),
})

const Row = builder.inputType('InteractiveRowInput', {
  fields: (t) => ({
    id: t.string({ required: true, description: 'At most 200 characters; it comes back with the answer.' }),
    title: t.string({ required: true }),
    description: t.string({ description: 'At most 72 characters.' }),
  }),
})

const Section = builder.inputType('InteractiveSectionInput', {
  fields: (t) => ({
    title: t.string({ description: 'Required where there are several.' }),
    rows: t.field({ type: [Row], required: true }),
  }),
})

const List = builder.inputType('InteractiveListInput', {
  fields: (t) => ({
    button: t.string({ required: true, description: 'What opens the list.' }),
    sections: t.field({ type: [Section], required: true }),
  }),
})

const InteractiveContent = builder.inputType('InteractiveContentInput', {
  description: 'A choice: either buttons or a list, within the limits in `capabilities`. The answer is an InteractiveReplyContent.',
  fields: (t) => ({
    body: t.string({ required: true, description: 'The question.' }),
    header: t.string({ description: 'At most 60 characters.' }),
    footer: t.string({ description: 'At most 60 characters.' }),
    buttons: t.field({ type: [Button] }),
    list: t.field({ type: List }),
  }),
})

const ReactionContent = builder.inputType('ReactionContentInput', {
  description: 'An emoji on a message.',
  fields: (t) => ({
    communicationId: t.id({ required: true, description: 'A message of the same conversation that the provider knows.' }),
    emoji: t.string({ description: 'One emoji; absent or null: take the reaction back.' }),
  }),
})

const EmailContent = builder.inputType('EmailContentInput', {
  description: 'An e-mail, by a channel account for e-mail.',
  fields: (t) => ({
    subject: t.string({ required: true, description: '1 to 500 characters.' }),
    text: t.string({ description: 'Absent: made of `html`. One of the two is needed.' }),
    html: t.string({ description: 'Sanitized before it is sent: nothing that runs, loads or submits something stays.' }),
    attachmentIds: t.idList({ description: uploads }),
  }),
})

/** What to send, in the graph. */
export const MessageContent = builder.inputType('MessageContentInput', {
  isOneOf: true,
  description: 'What to send: exactly one of these. Which kinds a channel takes is in its `capabilities`.',
  fields: (t) => ({
    text: t.string({ description: "Plain text within the channel's `textLimit`. As an e-mail it continues the conversation's subject." }),
    template: t.field({ type: TemplateContent }),
    media: t.field({ type: MediaContent }),
    interactive: t.field({ type: InteractiveContent }),
    reaction: t.field({ type: ReactionContent }),
    email: t.field({ type: EmailContent }),
  }),
})

const path = ['input', 'content']

const attachments = (ids: readonly string[], kind: string): string[] =>
  ids.map((id, index) => requiredId('Attachment', id, [...path, kind, 'attachmentIds', String(index)]))

/** The same with the rows' own ids. Throws NotFoundError for what cannot be an id. */
export function contentInput(content: ContentInput): ContentInput {
  const { template, media, reaction, email } = content
  return {
    ...content,
    template: template && { ...template, templateId: requiredId('Template', template.templateId, [...path, 'template', 'templateId']) },
    media: media && { ...media, attachmentIds: attachments(media.attachmentIds, 'media') },
    reaction: reaction && {
      ...reaction,
      communicationId: requiredId('Communication', reaction.communicationId, [...path, 'reaction', 'communicationId']),
    },
    email: email && { ...email, attachmentIds: attachments(email.attachmentIds ?? [], 'email') },
  }
}
