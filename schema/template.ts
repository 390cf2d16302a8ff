import type { Template as Row } from '../src/db/generated/client.ts'
import { AlreadyExistsError, NotFoundError, ValidationError } from '../src/domain/errors.ts'
import { checkedPage, decodeKeys, encodeKeys, pageOf } from '../src/domain/page.ts'
import { type Rendered, renderTemplate, templateVariables } from '../src/domain/render-template.ts'
import { UUID_FORM } from '../src/domain/sql.ts'
import { createTemplate, deleteTemplate, previewValues, updateTemplate } from '../src/domain/templates.ts'
import { builder } from './builder.ts'
import { ChannelAccount } from './channel-account.ts'
import { columnsOf } from './columns.ts'
import { column, reads, reference, timeColumn } from './compiled/field.ts'
import { actorOf, type Context, organizationOf } from './context.ts'
import { ChannelType, TemplatePurpose, TemplateStatus } from './enums.ts'
import { globalId, localId, optionalId, requiredId } from './global-id.ts'
import { batched, inOrder } from './loaders.ts'
import { connectionOf, pageCost } from './pagination.ts'

export const TemplatePreview = builder.objectRef<Rendered>('TemplatePreview').implement({
  description: 'The template with its values filled in.',
  fields: (t) => ({
    subject: t.exposeString('subject', { nullable: true }),
    body: t.exposeString('body'),
    html: t.exposeString('html', { nullable: true, description: 'Of an e-mail; safe to be shown.' }),
    missingVariables: t.exposeStringList('missingVariables', {
      description: 'They stay in the text as `{{name}}`; a send would be refused.',
    }),
  }),
})

export const Template = builder.loadableNodeRef('Template', {
  id: { resolve: (template) => template.id },
  load: async (ids: string[], context: Context) =>
    inOrder(
      ids,
      await context.deps.db.template.findMany({
        where: { id: { in: ids }, organizationId: organizationOf(context) },
        ...columnsOf(context, 'Template'),
      }),
    ),
})
Template.implement({
  description:
    "A text with variables, `{{customer_name}}`; known without being given: customer_name, customer_first_name, organization_name, agent_name. Either the organization's own, edited here, or the provider's, synchronized from there (`channelAccount`).",
  fields: (t) => ({
    name: t.exposeString('name', column('name')),
    channel: t.field({
      type: ChannelType,
      nullable: true,
      description: 'null: for every channel.',
      ...column('channel'),
      resolve: (template) => template.channel,
    }),
    language: t.exposeString('language', {
      ...column('language'),
      description: "A language tag, e.g. tr or pt-BR; of the provider's as it spells it, e.g. pt_BR.",
    }),
    subject: t.exposeString('subject', { ...column('subject'), nullable: true }),
    body: t.exposeString('body', column('body')),
    html: t.exposeString('html', {
      ...column('html'),
      nullable: true,
      description: 'Of an e-mail, besides the plain `body`; sanitized when it is saved.',
    }),
    variables: t.stringList({
      description:
        'The names between `{{` and `}}`, in order of first use; where the provider counts them, 1, 2, …. A send without a value for one is refused.',
      ...reads('subject', 'body', 'html'),
      resolve: (template) => templateVariables(template.subject, template.body, template.html),
    }),
    purpose: t.field({
      type: TemplatePurpose,
      description: "What the provider calls its category. Messages with a MARKETING template ask for the customer's consent to marketing.",
      ...column('purpose'),
      resolve: (template) => template.purpose,
    }),
    providerTemplateId: t.exposeString('providerTemplateId', {
      ...column('provider_template_id'),
      nullable: true,
      description: "The provider's approved counterpart (Twilio: ContentSid, HX…); needed on WhatsApp outside the messaging window.",
    }),
    channelAccount: t.field({
      type: ChannelAccount,
      nullable: true,
      description: "Of the provider's: the account that it can be sent from. null: the organization's own, which is edited here.",
      ...reference('channel_account', 'channel_account_id'),
      resolve: (template) => template.channelAccountId,
    }),
    status: t.field({
      type: TemplateStatus,
      nullable: true,
      description: "The provider's word; null: the organization's own.",
      ...column('status'),
      resolve: (template) => template.status,
    }),
    statusReason: t.exposeString('statusReason', {
      ...column('status_reason'),
      nullable: true,
      description: 'Why it is REJECTED, PAUSED or DISABLED.',
    }),
    quality: t.exposeString('quality', {
      ...column('quality'),
      nullable: true,
      description: "The provider's rating of how customers take it, e.g. GREEN.",
    }),
    components: t.field({
      type: 'JSON',
      nullable: true,
      description: 'As the provider describes it: header, footer, buttons.',
      ...column('components'),
      resolve: (template) => template.components,
    }),
    syncedAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'When the provider was last asked, or last told.',
      ...timeColumn('synced_at'),
      resolve: (template) => template.syncedAt,
    }),
    createdAt: t.field({ type: 'DateTime', ...timeColumn('created_at'), resolve: (template) => template.createdAt }),
    updatedAt: t.field({ type: 'DateTime', ...timeColumn('updated_at'), resolve: (template) => template.updatedAt }),
    preview: t.field({
      type: TemplatePreview,
      nullable: true,
      description: 'What the message will read like, before it is sent.',
      args: { customerId: t.arg.id({ required: true }), variables: t.arg({ type: 'JSON' }) },
      ...reads('subject', 'body', 'html'),
      resolve: async (template, args, context) => {
        const customerId = requiredId('Customer', args.customerId, ['customerId'])
        const key = { customerId, variables: args.variables }
        const values = await batched(context, 'preview', key, customerId, async () => {
          return new Map([[customerId, await previewValues(context.deps, actorOf(context), customerId, args.variables)]])
        })
        return renderTemplate(template, values)
      },
    }),
  }),
})

const TemplateConnection = builder.connectionObject(
  { type: Template, name: 'TemplateConnection', description: 'A page of templates.' },
  { name: 'TemplateEdge' },
)

builder.queryFields((t) => ({
  template: t.field({
    type: Template,
    nullable: true,
    args: { id: t.arg.id({ required: true }) },
    resolve: (_root, { id }) => localId('Template', id),
  }),
  templates: t.connection(
    {
      type: Template,
      description: 'Oldest first. With a channel: those for it and those for every channel.',
      complexity: pageCost,
      args: {
        channel: t.arg({ type: ChannelType }),
        status: t.arg({ type: TemplateStatus, description: "Only the provider's with this status." }),
        channelAccountId: t.arg.id({ description: "Only the provider's of this account." }),
      },
      resolve: async (_root, args, context) => {
        const page = checkedPage(args)
        const channelAccountId = optionalId('ChannelAccount', args.channelAccountId, ['channelAccountId'])
        const cursor =
          page.cursor === null ? null : decodeKeys('templates', page.cursor, [UUID_FORM], page.backwards ? 'before' : 'after')[0]
        const rows = await context.deps.db.template.findMany({
          where: {
            organizationId: organizationOf(context),
            ...(args.status ? { status: args.status } : {}),
            ...(channelAccountId === null ? {} : { channelAccountId }),
            ...(args.channel ? { OR: [{ channel: args.channel }, { channel: null }] } : {}),
            ...(cursor === null ? {} : { id: page.backwards ? { lt: cursor } : { gt: cursor } }),
          },
          orderBy: { id: page.backwards ? 'desc' : 'asc' },
          take: page.limit + 1,
        })
        return connectionOf(
          pageOf(rows, page),
          (row) => encodeKeys('templates', [row.id]),
          (row) => row,
        )
      },
    },
    TemplateConnection,
  ),
}))

const content = {
  channel: 'null: for every channel.',
  body: 'Plain text of 1 to 20,000 characters; variables as `{{name}}`.',
  html: 'Of an e-mail, at most 200,000 characters; variables as in the body. Scripts, forms and styles that move things are taken out.',
  providerTemplateId: "Twilio's ContentSid, where WhatsApp has approved the template.",
}

const Create = builder.inputType('CreateTemplateInput', {
  fields: (t) => ({
    name: t.string({ required: true, description: 'Unique together with the language.' }),
    channel: t.field({ type: ChannelType, description: content.channel }),
    language: t.string({ defaultValue: 'en' }),
    subject: t.string(),
    body: t.string({ required: true, description: content.body }),
    html: t.string({ description: content.html }),
    purpose: t.field({ type: TemplatePurpose }),
    providerTemplateId: t.string({ description: content.providerTemplateId }),
  }),
})

const Update = builder.inputType('UpdateTemplateInput', {
  description: 'Absent fields stay as they are.',
  fields: (t) => ({
    templateId: t.id({ required: true }),
    name: t.string(),
    channel: t.field({ type: ChannelType, description: content.channel }),
    language: t.string(),
    subject: t.string(),
    body: t.string({ description: content.body }),
    html: t.string({ description: content.html }),
    purpose: t.field({ type: TemplatePurpose }),
    providerTemplateId: t.string({ description: content.providerTemplateId }),
  }),
})

const Delete = builder.inputType('DeleteTemplateInput', { fields: (t) => ({ templateId: t.id({ required: true }) }) })

const success = (name: string) =>
  builder.objectRef<{ template: Row }>(name).implement({
    fields: (t) => ({ template: t.field({ type: Template, resolve: ({ template }) => template }) }),
  })

const DeleteSuccess = builder.objectRef<{ id: string }>('DeleteTemplateSuccess').implement({
  fields: (t) => ({ templateId: t.id({ resolve: ({ id }) => globalId('Template', id) }) }),
})

const authScopes = { role: 'ADMIN' } as const
const path = ['input', 'templateId']

builder.mutationFields((t) => ({
  createTemplate: t.field({
    type: success('CreateTemplateSuccess'),
    description: 'ADMIN. One of ours: name and language are unique together. Those of a provider come by `syncTemplates`.',
    authScopes,
    errors: { types: [ValidationError, AlreadyExistsError] },
    args: { input: t.arg({ type: Create, required: true }) },
    resolve: async (_root, { input }, context) => ({ template: await createTemplate(context.deps, actorOf(context), input) }),
  }),
  updateTemplate: t.field({
    type: success('UpdateTemplateSuccess'),
    description: "ADMIN. Absent fields stay as they are. The provider's templates are edited there.",
    authScopes,
    errors: { types: [ValidationError, NotFoundError, AlreadyExistsError] },
    args: { input: t.arg({ type: Update, required: true }) },
    resolve: async (_root, { input }, context) => {
      const templateId = requiredId('Template', input.templateId, path)
      return { template: await updateTemplate(context.deps, actorOf(context), { ...input, templateId }) }
    },
  }),
  deleteTemplate: t.field({
    type: DeleteSuccess,
    description: "ADMIN. Messages that were sent with it stay. The provider's templates are deleted there.",
    authScopes,
    errors: { types: [NotFoundError, ValidationError] },
    args: { input: t.arg({ type: Delete, required: true }) },
    resolve: async (_root, { input }, context) => {
      const id = requiredId('Template', input.templateId, path)
      await deleteTemplate(context.deps, actorOf(context), id)
      return { id }
    },
  }),
}))
