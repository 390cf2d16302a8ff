import type { AutomationTemplate, Template } from '../db/generated/client.ts'
import type { AutomationKind, ChannelType } from '../db/generated/enums.ts'
import type { Deps } from '../deps.ts'
import type { Tx } from '../events/transact.ts'
import { braced, checkVariable, variablesOf } from './automation-variables.ts'
import { NotFoundError, ValidationError } from './errors.ts'
import { templateVariables } from './render-template.ts'

export type LinkInput = {
  channel: ChannelType
  /** Absent: as before; null: none. */
  templateId?: string | null
  /** What fills in each variable of that template. */
  templateVariables?: unknown
}

type Reading = { channels: Deps['channels']; tx: Tx }

type Link = { templateId: string | null; variables: Record<string, string> }

/** The provider's template that is sent in place of the text, each of its variables with one of ours. Throws ValidationError, NotFoundError. */
export async function checkedLink(
  reading: Reading,
  organizationId: string,
  kind: AutomationKind,
  before: AutomationTemplate | null,
  input: LinkInput,
  path: string[],
): Promise<Link> {
  const at = { template: [...path, 'templateId'], variables: [...path, 'templateVariables'] }
  const templateId = input.templateId === undefined ? (before?.templateId ?? null) : input.templateId
  const given = input.templateVariables === undefined ? null : checkedMapping(input.templateVariables, at.variables)
  if (input.templateId === undefined && given === null) return { templateId, variables: mappingOf(before) }
  if (templateId === null) {
    if (given === null || Object.keys(given).length === 0) return { templateId: null, variables: {} }
    throw new ValidationError('No template is chosen whose variables these could be: name it as `templateId`.', at.variables)
  }
  const template = await linkable(reading, organizationId, templateId, input.channel, at.template)
  const theirs = templateVariables(template.subject, template.body, template.html)
  const strange = Object.keys(given ?? {}).find((name) => !theirs.includes(name))
  if (strange !== undefined)
    throw new ValidationError(
      `The template has no {{${strange}}}; ${theirs.length === 0 ? 'it has no variables' : `its variables are ${braced(theirs)}`}.`,
      [...at.variables, strange],
    )
  const mapping = new Map(Object.entries(given ?? mappingOf(before)))
  return { templateId, variables: Object.fromEntries(theirs.map((name) => [name, filler(kind, name, mapping.get(name), at.variables)])) }
}

async function linkable(
  { channels, tx }: Reading,
  organizationId: string,
  id: string,
  channel: ChannelType,
  path: string[],
): Promise<Template> {
  checkCarriesTemplates(channels, channel, path)
  const template = await tx.template.findFirst({ where: { id, organizationId } })
  if (template === null) throw new NotFoundError('template', path)
  if (template.providerTemplateId === null)
    throw new ValidationError('This template is not the provider’s: write its text here instead, as `body`.', path)
  const account =
    template.channelAccountId === null ? null : await tx.channelAccount.findUnique({ where: { id: template.channelAccountId } })
  const its = account?.channel ?? template.channel
  if (its === null || its === channel) return template
  throw new ValidationError(`The template is for ${its}, not for ${channel}.`, path)
}

function checkCarriesTemplates(channels: Deps['channels'], channel: ChannelType, path: string[]): void {
  if (channels.all.some((adapter) => adapter.channel === channel && adapter.capabilities.content.includes('TEMPLATE'))) return
  throw new ValidationError(`${channel} carries no templates of a provider: write a text instead, as \`body\`.`, path)
}

/** The variable of ours that fills in one of the template's: that of the same name, where none is given. */
function filler(kind: AutomationKind, name: string, given: string | undefined, path: string[]): string {
  if (given === undefined && !variablesOf(kind).includes(name))
    throw new ValidationError(
      `Say what fills in {{${name}}} of the template: one of ${variablesOf(kind).join(', ')}, e.g. { "${name}": "customer_name" }.`,
      path,
    )
  checkVariable(kind, given ?? name, [...path, name])
  return given ?? name
}

/** Ours by the names of the provider's template. */
export const mappingOf = (row: Pick<AutomationTemplate, 'variables'> | null): Record<string, string> =>
  (row?.variables as Record<string, string> | undefined) ?? {}

function checkedMapping(given: unknown, path: string[]): Record<string, string> {
  if (given === null) return {}
  const isText = (value: unknown) => typeof value === 'string'
  if (typeof given === 'object' && !Array.isArray(given) && Object.values(given as object).every(isText))
    return given as Record<string, string>
  throw new ValidationError('templateVariables must be an object of names, e.g. { "1": "customer_name" }.', path)
}
