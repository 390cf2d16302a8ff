import type { TemplateFault } from './channel.ts'

/**
 * The first value that WhatsApp refuses in a template, whoever carries it there.
 * Source: https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes (132018: “Param text cannot have new-line/tab
 * characters or more than 4 consecutive spaces”)
 */
export function whatsappValueFault(variables: Readonly<Record<string, string>>): TemplateFault | null {
  const wrong = Object.entries(variables).find(([, value]) => /[\n\r\t]| {5}/.test(value))
  if (wrong === undefined) return null
  const [variable] = wrong
  return {
    variable,
    message: `WhatsApp takes no line breaks, tabs or more than four spaces in a row in {{${variable}}}: write it in one line.`,
  }
}
