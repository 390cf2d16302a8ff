import { type Json, textIn } from '../json.ts'

/** What a template of WhatsApp's leaves open, and under which names of variables we ask for it. */
export type MediaHeader = { type: 'image' | 'video' | 'document'; variable: string }

/** The names in `{{…}}`, in the order of WhatsApp's parameters, each once. */
export function placeholdersIn(text: unknown): string[] {
  const names = [...new Set([...(textIn(text) ?? '').matchAll(/\{\{\s*(\w+)\s*\}\}/g)].map(([, name]) => name ?? ''))]
  return names.every((name) => /^\d+$/.test(name)) ? names.toSorted((a, b) => Number(a) - Number(b)) : names
}

/** Header and body both count from 1, so that of the header gets another name: `{{1}}` becomes `header_1`. */
export const headerVariable = (placeholder: string): string => (/^\d+$/.test(placeholder) ? `header_${placeholder}` : placeholder)

/** A header that is a file is given by its web address, e.g. in `header_image`. */
export function mediaHeaderOf(component: Json): MediaHeader | null {
  const type = textIn(component.format)?.toLowerCase()
  return type === 'image' || type === 'video' || type === 'document' ? { type, variable: `header_${type}` } : null
}

/**
 * The variable of a button, or null where it has none: the end of a web address is `button_1` for the first button, a coupon
 * `button_1` too; the code of an authentication template is that of its body, `1`.
 */
export function buttonVariable(button: Json, index: number): string | null {
  const type = textIn(button.type)?.toUpperCase()
  const url = textIn(button.url)
  if (type === 'OTP' || (url !== null && /^https:\/\/www\.whatsapp\.com\/otp\/code\//.test(url))) return '1'
  if (type === 'COPY_CODE' || (type === 'URL' && placeholdersIn(url).length > 0)) return `button_${index + 1}`
  return null
}
