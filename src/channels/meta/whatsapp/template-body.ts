import type { OutgoingTemplate } from '../../channel.ts'
import { Rejected } from '../../failures.ts'
import { type Json, objectsIn, textIn } from '../json.ts'
import { buttonVariable, headerVariable, mediaHeaderOf, placeholdersIn } from './template-variables.ts'

/**
 * The `template` object of a message: every placeholder of the synchronized components with its value. `mediaId`: a file that goes into
 * the header. Throws Rejected where a value is missing.
 * Source: https://developers.facebook.com/docs/whatsapp/cloud-api/guides/send-message-templates
 */
export function templateBody(template: OutgoingTemplate, mediaId: string | null): Json {
  const components = Array.isArray(template.components)
    ? objectsIn(template.components).flatMap((part) => componentsOf(part, template, mediaId))
    : unseen(template)
  return {
    name: template.name,
    // WhatsApp spells language tags with an underscore; one that was never synchronized may have a hyphen.
    language: { code: template.language.replaceAll('-', '_'), policy: 'deterministic' },
    ...(components.length > 0 && { components }),
  }
}

function componentsOf(component: Json, template: OutgoingTemplate, mediaId: string | null): Json[] {
  switch (textIn(component.type)?.toUpperCase()) {
    case 'HEADER':
      return headerOf(component, template, mediaId)
    case 'BODY':
      return withParameters('body', placeholdersIn(component.text), template, (name) => name)
    case 'BUTTONS':
      return objectsIn(component.buttons).flatMap((button, index) => buttonOf(button, index, template))
    default:
      return []
  }
}

function headerOf(component: Json, template: OutgoingTemplate, mediaId: string | null): Json[] {
  const media = mediaHeaderOf(component)
  if (media === null) return withParameters('header', placeholdersIn(component.text), template, headerVariable)
  const file = mediaId !== null ? { id: mediaId } : { link: valueFor(template, media.variable) }
  return [{ type: 'header', parameters: [{ type: media.type, [media.type]: file }] }]
}

function buttonOf(button: Json, index: number, template: OutgoingTemplate): Json[] {
  const variable = buttonVariable(button, index)
  if (variable === null) return []
  const value = valueFor(template, variable)
  const copied = textIn(button.type)?.toUpperCase() === 'COPY_CODE'
  const parameter = copied ? { type: 'coupon_code', coupon_code: value } : { type: 'text', text: value }
  return [{ type: 'button', sub_type: copied ? 'copy_code' : 'url', index: String(index), parameters: [parameter] }]
}

function withParameters(
  type: 'header' | 'body',
  placeholders: string[],
  template: OutgoingTemplate,
  variable: (placeholder: string) => string,
): Json[] {
  if (placeholders.length === 0) return []
  return [{ type, parameters: placeholders.map((placeholder) => parameterOf(placeholder, valueFor(template, variable(placeholder)))) }]
}

/** Numbered placeholders go by their order, named ones by their name. */
const parameterOf = (placeholder: string, text: string): Json => ({
  type: 'text',
  ...(!/^\d+$/.test(placeholder) && { parameter_name: placeholder }),
  text,
})

function valueFor({ variables, name }: OutgoingTemplate, variable: string): string {
  const value = Object.hasOwn(variables, variable) ? variables[variable] : undefined
  if (value !== undefined && value !== '') return value
  throw new Rejected('132000', `The template “${name}” needs a value for {{${variable}}}.`)
}

/** A template that was never synchronized: all values belong to its body, numbers in their order. */
function unseen(template: OutgoingTemplate): Json[] {
  const names = Object.keys(template.variables).toSorted((a, b) => Number(a) - Number(b))
  return withParameters('body', names, template, (name) => name)
}
