import Mustache from 'mustache'
import { sanitizeEmailHtml } from '../email-html.ts'

export type Rendered = {
  subject: string | null
  body: string
  /** Sanitized, with the values as text: none of them can bring a tag or a script. */
  html: string | null
  missingVariables: string[]
  /** Those that the template uses. */
  variables: Record<string, string>
}

/** `providerTemplateId`: of the provider's, which refuses an empty value. */
type Texts = { subject: string | null; body: string; html: string | null; providerTemplateId?: string | null }

/** The names in `{{…}}`, in order of first use. Throws an Error with a readable message where the braces do not match. */
export function templateVariables(...texts: (string | null)[]): string[] {
  const names = texts.flatMap((text) => (text === null ? [] : spansOf(text)))
  return [...new Set(names)]
}

function spansOf(text: string): string[] {
  return Mustache.parse(text).flatMap(([kind, value]) => {
    if (kind === 'text') return []
    if ((kind === 'name' || kind === '&') && /^\w+$/.test(value)) return [value]
    throw new Error(`{{${value}}} is not a variable: write {{name}} with letters, digits and _ only`)
  })
}

/** Fills in the variables as plain text; what is missing stays as `{{name}}` and is listed. */
export function renderTemplate({ subject, body, html, providerTemplateId = null }: Texts, values: Record<string, string>): Rendered {
  const names = templateVariables(subject, body, html)
  const isGiven = (name: string): boolean =>
    Object.hasOwn(values, name) && (providerTemplateId === null || (values[name] ?? '').trim() !== '')
  const missingVariables = names.filter((name) => !isGiven(name))
  const variables = Object.fromEntries(names.filter(isGiven).map((name) => [name, values[name] ?? '']))
  const view = { ...Object.fromEntries(missingVariables.map((name) => [name, `{{${name}}}`])), ...variables }
  const escaped = Object.fromEntries(Object.entries(view).map(([name, value]) => [name, Mustache.escape(value)]))
  return {
    subject: subject === null ? null : fill(subject, view),
    body: fill(body, view),
    // Once more, because a value can complete what was harmless without it, such as the address of a link.
    html: html === null ? null : sanitizeEmailHtml(fill(html, escaped)),
    missingVariables,
    variables,
  }
}

const fill = (text: string, view: Record<string, string>): string => Mustache.render(text, view, undefined, { escape: String })
