import type { OutgoingTemplate, TemplateFault } from '../channel.ts'

/** Twilio knows templates by their ContentSid and by nothing else; null: it is one. Source: https://www.twilio.com/docs/content/content-api-resources */
export function contentSidFault({ id, name }: OutgoingTemplate): TemplateFault | null {
  if (/^HX[0-9a-zA-Z]*$/.test(id)) return null
  return {
    variable: null,
    message: `The template “${name}” has no ContentSid of Twilio’s (HX…), but ${JSON.stringify(id)}: choose one of this channel account’s own.`,
  }
}
