import { isDeepStrictEqual } from 'node:util'
import type { ProviderTemplate } from '../channels/channel.ts'
import type { Template } from '../db/generated/client.ts'
import { Prisma } from '../db/generated/client.ts'
import { TemplatePurpose, type TemplateStatus } from '../db/generated/enums.ts'
import { templateVariables } from './render-template.ts'
import { cleanJson, cleanText } from './text.ts'

/** What a synchronized template takes from the provider. */
export type ProviderContent = {
  name: string
  language: string
  body: string
  purpose: TemplatePurpose
  providerTemplateId: string
  status: TemplateStatus
  statusReason: string | null
  quality: string | null
  components: unknown
}

/** Under which a template of one account is known again. */
export const templateKey = ({ name, language }: Pick<Template, 'name' | 'language'>): string => JSON.stringify([name, language])

/** By their keys. Where the provider has several of one name and language (Twilio's friendly names), all but the first bear their id. */
export function providerContents(listed: readonly ProviderTemplate[]): Map<string, ProviderContent> {
  const contents = new Map<string, ProviderContent>()
  for (const template of listed.toSorted((a, b) => (a.providerTemplateId < b.providerTemplateId ? -1 : 1))) {
    const content = contentOf(template)
    const taken = contents.has(templateKey(content))
    const named = taken ? { ...content, name: `${content.name} (${content.providerTemplateId})` } : content
    contents.set(templateKey(named), named)
  }
  return contents
}

function contentOf(template: ProviderTemplate): ProviderContent {
  const optional = (text: string | null) => (text === null ? null : cleanText(text))
  return {
    name: cleanText(template.name),
    language: cleanText(template.language),
    body: fillable(cleanText(template.body)),
    purpose: TemplatePurpose[template.category?.toUpperCase() as TemplatePurpose] ?? 'GENERAL',
    providerTemplateId: cleanText(template.providerTemplateId),
    status: template.status,
    statusReason: optional(template.statusReason),
    quality: optional(template.quality),
    components: cleanJson(template.components ?? null),
  }
}

/** Braces that are no variables stay as a text; only the provider's own copy is sent. */
function fillable(body: string): string {
  try {
    templateVariables(body)
    return body
  } catch {
    return body.replaceAll('{{', '{ {').replaceAll('}}', '} }')
  }
}

export function saysTheSame(template: Template, content: ProviderContent): boolean {
  const { name, language, body, purpose, providerTemplateId, status, statusReason, quality, components } = template
  return isDeepStrictEqual({ name, language, body, purpose, providerTemplateId, status, statusReason, quality, components }, content)
}

export const columnsOf = ({ components, ...columns }: ProviderContent) => ({
  ...columns,
  components: components === null ? Prisma.DbNull : (components as Prisma.InputJsonValue),
})
