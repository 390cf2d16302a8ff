import type { ProviderTemplate } from '../../channel.ts'
import { Unavailable } from '../../failures.ts'
import type { MetaApp } from '../app.ts'
import { graphRequest } from '../graph.ts'
import { idIn, type Json, objectIn, objectsIn, textIn } from '../json.ts'
import type { WhatsappCredentials } from './credentials.ts'
import { templateStatus } from './template-update.ts'
import { buttonVariable, headerVariable, mediaHeaderOf, placeholdersIn } from './template-variables.ts'

const FIELDS = 'id,name,language,status,category,components,quality_score,rejected_reason,parameter_format'
const PAGE_SIZE = '100'
/** Meta allows 6,000 templates of one business account. */
const MAX_PAGES = 100

/** All templates of the business account. Throws Rejected or Unavailable. Source: https://developers.facebook.com/docs/graph-api/reference/whats-app-business-account/message_templates */
export async function listWhatsappTemplates(
  app: MetaApp,
  { accessToken, businessAccountId }: WhatsappCredentials,
): Promise<ProviderTemplate[]> {
  const templates: ProviderTemplate[] = []
  let after: string | null = null
  for (let page = 0; page < MAX_PAGES; page++) {
    const query: Record<string, string> = { fields: FIELDS, limit: PAGE_SIZE, ...(after !== null && { after }) }
    const answer: Json = await graphRequest(app, accessToken, {
      method: 'GET',
      path: `${businessAccountId}/message_templates`,
      query,
      effect: 'none',
    })
    if (!Array.isArray(answer.data)) throw new Unavailable('Meta’s list of templates cannot be read')
    templates.push(
      ...objectsIn(answer.data)
        .map(templateOf)
        .filter((template) => template !== null),
    )
    // The address in `next` is not followed: it carries the token, and only the cursor is needed.
    const paging = objectIn(answer.paging)
    const next = textIn(objectIn(paging?.cursors)?.after)
    if (textIn(paging?.next) === null || next === null || next === after) return templates
    after = next
  }
  throw new Unavailable('Meta’s list of templates does not end')
}

function templateOf(template: Json): ProviderTemplate | null {
  const providerTemplateId = idIn(template.id)
  const name = textIn(template.name)
  const language = textIn(template.language)
  if (providerTemplateId === null || name === null || language === null) return null
  const components = objectsIn(template.components)
  const rejected = textIn(template.rejected_reason)
  return {
    providerTemplateId,
    name,
    language,
    status: templateStatus(template.status) ?? 'PENDING',
    statusReason: rejected === null || rejected === 'NONE' ? null : rejected,
    category: textIn(template.category),
    quality: textIn(objectIn(template.quality_score)?.score),
    body: bodyOf(components),
    components,
  }
}

/** The template as the customer will read it, with one variable for everything that is open. */
export function bodyOf(components: Json[]): string {
  return components.flatMap(linesOf).join('\n')
}

function linesOf(component: Json): string[] {
  const text = textIn(component.text)
  switch (textIn(component.type)?.toUpperCase()) {
    case 'HEADER': {
      const media = mediaHeaderOf(component)
      if (media !== null) return [`{{${media.variable}}}`]
      return text === null ? [] : [withVariables(text, headerVariable)]
    }
    case 'BODY':
    case 'FOOTER':
      return text === null ? [] : [withVariables(text, (name) => name)]
    case 'BUTTONS':
      return objectsIn(component.buttons).flatMap(buttonLine)
    default:
      return []
  }
}

/** Buttons with something to fill in; the others say nothing that has to be known before sending. */
function buttonLine(button: Json, index: number): string[] {
  const variable = buttonVariable(button, index)
  // The code is in the body already.
  if (variable === null || variable === '1') return []
  const label = textIn(button.text) ?? `Button ${index + 1}`
  const url = textIn(button.url)
  return [`${label}: ${url === null || placeholdersIn(url).length === 0 ? `{{${variable}}}` : withVariables(url, () => variable)}`]
}

const withVariables = (text: string, variable: (placeholder: string) => string): string =>
  text.replace(/\{\{\s*(\w+)\s*\}\}/g, (_, placeholder: string) => `{{${variable(placeholder)}}}`)
