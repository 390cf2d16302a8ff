import type { Template } from '../db/generated/client.ts'
import type { ChannelType, TemplatePurpose } from '../db/generated/enums.ts'
import type { Deps } from '../deps.ts'
import { type Tx, transact } from '../events/transact.ts'
import type { Actor } from './actor.ts'
import { cleanHtml } from './clean-html.ts'
import { carriesEmail } from './content-limits.ts'
import { AlreadyExistsError, NotFoundError, ValidationError } from './errors.ts'
import { newId } from './ids.ts'
import { checkedLanguage } from './languages.ts'
import { templateVariables } from './render-template.ts'
import { templateValues } from './template-values.ts'
import { optionalText, requiredText } from './text.ts'
import { isUniqueViolation } from './unique-violation.ts'

type TemplateContent = {
  name?: string | null
  channel?: ChannelType | null
  language?: string | null
  subject?: string | null
  body?: string | null
  html?: string | null
  purpose?: TemplatePurpose | null
  providerTemplateId?: string | null
}

export type CreateTemplateInput = TemplateContent & { name: string; body: string }
export type UpdateTemplateInput = TemplateContent & { templateId: string }

export const MAX_BODY = 20_000
export const MAX_HTML = 200_000

/** Throws ValidationError, AlreadyExistsError (name and language are unique together among those of the organization's own). */
export async function createTemplate(
  deps: Pick<Deps, 'db' | 'bus' | 'channels'>,
  actor: Actor,
  input: CreateTemplateInput,
): Promise<Template> {
  const id = newId()
  const data = checkedContent({ ...input, channel: input.channel ?? null })
  const { name, body, language = 'en' } = data
  if (name === undefined || body === undefined) throw new ValidationError('name and body are required.', ['input'])
  checkHtmlChannel(deps, data.html ?? null, data.channel ?? null)
  return underFreeName(
    transact(deps, actor.organizationId, async (tx, recorder) => {
      recorder.event({ type: 'TEMPLATE_CHANGED', actorId: actor.memberId, data: { templateId: id, change: 'created' } })
      return tx.template.create({ data: { ...data, id, name, body, language, organizationId: actor.organizationId } })
    }),
  )
}

/** Absent fields stay as they are. Throws NotFoundError, ValidationError, AlreadyExistsError. */
export async function updateTemplate(
  deps: Pick<Deps, 'db' | 'bus' | 'clock' | 'channels'>,
  actor: Actor,
  input: UpdateTemplateInput,
): Promise<Template> {
  const { templateId, ...content } = input
  return underFreeName(
    transact(deps, actor.organizationId, async (tx, recorder) => {
      const before = await lockOwnTemplate(tx, actor.organizationId, templateId)
      const data = checkedContent(content)
      const { html, channel } = { ...before, ...definedOf(data) }
      checkHtmlChannel(deps, html, channel)
      recorder.event({ type: 'TEMPLATE_CHANGED', actorId: actor.memberId, data: { templateId, change: 'updated' } })
      return tx.template.update({ where: { id: templateId }, data: { ...data, updatedAt: deps.clock() } })
    }),
  )
}

/** Messages that were sent with it stay; automations that sent it send their own text again. Throws NotFoundError, ValidationError. */
export async function deleteTemplate(deps: Pick<Deps, 'db' | 'bus'>, actor: Actor, templateId: string): Promise<void> {
  await transact(deps, actor.organizationId, async (tx, recorder) => {
    await lockOwnTemplate(tx, actor.organizationId, templateId)
    await tx.template.delete({ where: { id: templateId } })
    const { organizationId } = actor
    await tx.automationTemplate.updateMany({ where: { organizationId, templateId }, data: { templateId: null, variables: {} } })
    recorder.event({ type: 'TEMPLATE_CHANGED', actorId: actor.memberId, data: { templateId, change: 'deleted' } })
  })
}

/** The values of all variables that are known for a customer, the same for every template. Throws NotFoundError, ValidationError. */
export async function previewValues(
  deps: Pick<Deps, 'db'>,
  actor: Actor,
  customerId: string,
  variables: unknown,
): Promise<Record<string, string>> {
  const customer = await deps.db.customer.findFirst({ where: { id: customerId, organizationId: actor.organizationId } })
  if (customer === null) throw new NotFoundError('customer', ['customerId'])
  return templateValues(deps.db, actor, customer, variables, ['variables'])
}

/** Those of a channel account are the provider's, and changed there. */
async function lockOwnTemplate(tx: Tx, organizationId: string, id: string): Promise<Template> {
  await tx.$queryRaw`SELECT FROM template WHERE id = ${id}::uuid AND organization_id = ${organizationId}::uuid FOR UPDATE`
  const template = await tx.template.findFirst({ where: { id, organizationId } })
  const path = ['input', 'templateId']
  if (template === null) throw new NotFoundError('template', path)
  if (template.channelAccountId === null) return template
  throw new ValidationError('This template is edited at the provider; syncTemplates brings the changes here.', path)
}

/** The unique key decides, because a look before would miss what a concurrent transaction is about to commit. */
async function underFreeName(writing: Promise<Template>): Promise<Template> {
  try {
    return await writing
  } catch (error) {
    if (!isUniqueViolation(error)) throw error
    throw new AlreadyExistsError('There is already a template with this name and language.', ['input', 'name'])
  }
}

function checkedContent(content: TemplateContent) {
  const subject = content.subject === undefined ? undefined : optionalText(content.subject, ['input', 'subject'], 200)
  const body = content.body === undefined || content.body === null ? undefined : requiredText(content.body, ['input', 'body'], MAX_BODY)
  const html = content.html === undefined ? undefined : checkedHtml(content.html)
  checkSyntax(subject ?? null, ['input', 'subject'])
  checkSyntax(body ?? null, ['input', 'body'])
  return {
    name: content.name === undefined || content.name === null ? undefined : requiredText(content.name, ['input', 'name'], 200),
    channel: content.channel,
    language:
      content.language === undefined || content.language === null ? undefined : checkedLanguage(content.language, ['input', 'language']),
    subject,
    body,
    html,
    purpose: content.purpose ?? undefined,
    providerTemplateId:
      content.providerTemplateId === undefined ? undefined : optionalText(content.providerTemplateId, ['input', 'providerTemplateId'], 200),
  }
}

const definedOf = <Data extends object>(data: Data): Partial<Data> =>
  Object.fromEntries(Object.entries(data).filter(([, value]) => value !== undefined)) as Partial<Data>

function checkedHtml(given: string | null): string | null {
  const path = ['input', 'html']
  const written = optionalText(given, path, MAX_HTML)
  const html = written === null ? null : cleanHtml(written, path)
  checkSyntax(html, path)
  return html
}

function checkHtmlChannel({ channels }: Pick<Deps, 'channels'>, html: string | null, channel: ChannelType | null): void {
  if (html === null || channel === null) return
  if (channels.all.some((adapter) => adapter.channel === channel && carriesEmail(adapter.capabilities))) return
  throw new ValidationError(`Only e-mails have HTML; the template is for ${channel}.`, ['input', 'html'])
}

function checkSyntax(text: string | null, path: string[]): void {
  try {
    templateVariables(text)
  } catch (error) {
    throw new ValidationError((error as Error).message, path)
  }
}
