import type { OutgoingTemplate, TemplateFault } from '../../channel.ts'
import { whatsappValueFault } from '../../whatsapp-template.ts'
import { type Json, objectsIn, textIn } from '../json.ts'
import { mediaHeaderOf } from './template-variables.ts'

/** Parts that need more than texts to be sent, and for which there is no input. */
const UNFILLABLE = new Set(['CAROUSEL', 'LIMITED_TIME_OFFER', 'LOCATION', 'MPM', 'PRODUCT'])

/** What WhatsApp would refuse about the template as it is filled in; null: nothing that is known. */
export function whatsappTemplateFault({ id, components, variables }: OutgoingTemplate): TemplateFault | null {
  if (components === null && /^HX/.test(id))
    return { variable: null, message: 'The template’s counterpart is at Twilio: choose one of this channel account’s own.' }
  const parts = objectsIn(components)
  const unfillable = parts.flatMap(kindsOf).find((kind) => UNFILLABLE.has(kind))
  if (unfillable !== undefined)
    return { variable: null, message: `The template has a part (${unfillable}) that cannot be filled in here: choose another template.` }
  return headerFault(parts, variables) ?? whatsappValueFault(variables)
}

const upper = (value: unknown): string => textIn(value)?.toUpperCase() ?? ''

const kindsOf = (component: Json): string[] => [
  upper(component.type),
  upper(component.format),
  ...objectsIn(component.buttons).map(({ type }) => upper(type)),
]

/** WhatsApp fetches the file of a header itself. */
function headerFault(parts: readonly Json[], variables: Readonly<Record<string, string>>): TemplateFault | null {
  for (const part of parts) {
    const variable = mediaHeaderOf(part)?.variable
    if (variable === undefined || /^https?:$/.test(URL.parse(variables[variable] ?? '')?.protocol ?? '')) continue
    return { variable, message: `{{${variable}}} must be the web address of the file, e.g. https://www.example.com/picture.jpg.` }
  }
  return null
}
