import type { AutomationTemplate } from '../db/generated/client.ts'
import type { AutomationKind, ChannelType } from '../db/generated/enums.ts'
import type { Deps } from '../deps.ts'
import type { Tx } from '../events/transact.ts'
import { type AutomationText, DEFAULT_LANGUAGE, defaultText } from './automation-defaults.ts'
import { checkVariable, checkVariables, variablesOf } from './automation-variables.ts'
import { cleanHtml } from './clean-html.ts'
import { NotFoundError, ValidationError } from './errors.ts'
import { newId } from './ids.ts'
import { checkedLanguage, withBase } from './languages.ts'
import { templateVariables } from './render-template.ts'
import { MAX_BODY, MAX_HTML } from './templates.ts'
import { optionalText, requiredText } from './text.ts'

/** The text of an automation on a channel, in a language; `row` null: the default one. */
export type ChosenText = AutomationText & { kind: AutomationKind; channel: ChannelType; language: string; row: AutomationTemplate | null }

export type AutomationTemplateInput = {
  channel: ChannelType
  /** Absent: the organization's. */
  language?: string | null
  subject?: string | null
  body?: string | null
  html?: string | null
  templateId?: string | null
  variables?: unknown
}

type Place = { kind: AutomationKind; channel: ChannelType }

/** In the first of the languages, or of their bases, that has a text of the organization's own or a default one. */
export function chooseText(rows: readonly AutomationTemplate[], { kind, channel }: Place, languages: readonly string[]): ChosenText {
  for (const language of [...languages, DEFAULT_LANGUAGE].flatMap(withBase)) {
    const row = rows.find((one) => one.kind === kind && one.channel === channel && one.language === language) ?? null
    const text = row ?? defaultText(kind, channel, language)
    if (text !== null) return { kind, channel, language, subject: text.subject, body: text.body, html: text.html, row }
  }
  throw new Error(`no default text for ${kind} on ${channel}`)
}

/** Writes the organization's own text in place of the default one; absent fields stay as they are. Throws ValidationError, NotFoundError. */
export async function saveAutomationTemplate(
  { channels, tx }: { channels: Deps['channels']; tx: Tx },
  scope: { organizationId: string; language: string },
  kind: AutomationKind,
  input: AutomationTemplateInput,
  path: string[],
): Promise<void> {
  const { organizationId } = scope
  const { channel } = input
  const language = checkedLanguage(input.language ?? scope.language, [...path, 'language'])
  const rows = await tx.automationTemplate.findMany({ where: { organizationId, kind, channel } })
  const before = chooseText(rows, { kind, channel }, [language])
  const text = checkedText(kind, before, input, path)
  if (input.templateId) checkCarriesTemplates(channels, channel, [...path, 'templateId'])
  const link = await checkedLink(tx, organizationId, kind, before.row, input, path)
  const key = { organizationId, kind, channel, language }
  const data = { ...text, ...link, updatedAt: new Date() }
  await tx.automationTemplate.upsert({
    where: { organizationId_kind_channel_language: key },
    create: { id: newId(), ...key, ...data },
    update: data,
  })
}

/** The default text holds again. Changes nothing where it does already. */
export async function resetAutomationTemplate(
  tx: Tx,
  organizationId: string,
  place: { kind: AutomationKind; channel: ChannelType; language: string },
): Promise<void> {
  await tx.automationTemplate.deleteMany({ where: { organizationId, ...place } })
}

function checkedText(kind: AutomationKind, before: AutomationText, input: AutomationTemplateInput, path: string[]): AutomationText {
  if (input.channel !== 'EMAIL') {
    const [field] = (['subject', 'html'] as const).filter((name) => input[name] !== undefined && input[name] !== null)
    if (field !== undefined) throw new ValidationError(`Only e-mails have ${field}; this is for ${input.channel}.`, [...path, field])
  }
  const at = (field: string) => [...path, field]
  const body = input.body === undefined || input.body === null ? before.body : requiredText(input.body, at('body'), MAX_BODY)
  const subject = input.subject === undefined ? before.subject : optionalText(input.subject, at('subject'), 200)
  if (input.channel === 'EMAIL' && subject === null) throw new ValidationError('An e-mail needs a subject.', at('subject'))
  const written = input.html === undefined ? before.html : optionalText(input.html, at('html'), MAX_HTML)
  const html = written === null ? null : cleanHtml(written, at('html'))
  for (const [field, text] of Object.entries({ subject, body, html })) checkVariables(kind, text, at(field))
  return { subject, body, html }
}

function checkCarriesTemplates(channels: Deps['channels'], channel: ChannelType, path: string[]): void {
  if (channels.all.some((adapter) => adapter.channel === channel && adapter.capabilities.content.includes('TEMPLATE'))) return
  throw new ValidationError(`${channel} carries no templates of a provider: write a text instead, as \`body\`.`, path)
}

type Link = { templateId: string | null; variables: Record<string, string> }

/** The provider's template that is sent in place of the text, each of its variables with one of ours. */
async function checkedLink(
  tx: Tx,
  organizationId: string,
  kind: AutomationKind,
  before: AutomationTemplate | null,
  input: AutomationTemplateInput,
  path: string[],
): Promise<Link> {
  if (input.templateId === undefined && input.variables === undefined)
    return { templateId: before?.templateId ?? null, variables: mappingOf(before) }
  const templateId = input.templateId === undefined ? (before?.templateId ?? null) : input.templateId
  if (templateId === null) return { templateId: null, variables: {} }
  const at = [...path, 'templateId']
  const template = await tx.template.findFirst({ where: { id: templateId, organizationId } })
  if (template === null) throw new NotFoundError('template', at)
  if (template.providerTemplateId === null)
    throw new ValidationError('This template is not the provider’s: write its text here instead, as `body`.', at)
  const account =
    template.channelAccountId === null ? null : await tx.channelAccount.findUnique({ where: { id: template.channelAccountId } })
  const channel = account?.channel ?? template.channel
  if (channel !== null && channel !== input.channel)
    throw new ValidationError(`The template is for ${channel}, not for ${input.channel}.`, at)
  const given = input.variables === undefined ? mappingOf(before) : checkedMapping(input.variables, [...path, 'variables'])
  const variables = Object.fromEntries(
    templateVariables(template.subject, template.body, template.html).map((name) => [name, given[name] ?? name]),
  )
  for (const [name, ours] of Object.entries(variables)) {
    if (given[name] === undefined && !variablesOf(kind).includes(ours))
      throw new ValidationError(
        `Say what fills in {{${name}}} of the template: one of ${variablesOf(kind).join(', ')}, e.g. { "${name}": "customer_name" }.`,
        [...path, 'variables'],
      )
    checkVariable(kind, ours, [...path, 'variables', name])
  }
  return { templateId, variables }
}

/** Ours by the names of the provider's template. */
export const mappingOf = (row: Pick<AutomationTemplate, 'variables'> | null): Record<string, string> =>
  (row?.variables as Record<string, string> | undefined) ?? {}

function checkedMapping(given: unknown, path: string[]): Record<string, string> {
  if (given === null) return {}
  const isText = (value: unknown) => typeof value === 'string'
  if (typeof given === 'object' && !Array.isArray(given) && Object.values(given as object).every(isText))
    return given as Record<string, string>
  throw new ValidationError('variables must be an object of names, e.g. { "1": "customer_name" }.', path)
}
