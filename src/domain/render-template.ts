import Mustache from 'mustache'

export type Rendered = { subject: string | null; body: string; missingVariables: string[]; variables: Record<string, string> }

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
export function renderTemplate(template: { subject: string | null; body: string }, values: Record<string, string>): Rendered {
  const names = templateVariables(template.subject, template.body)
  const missingVariables = names.filter((name) => !Object.hasOwn(values, name))
  const variables = Object.fromEntries(names.filter((name) => Object.hasOwn(values, name)).map((name) => [name, values[name] ?? '']))
  const view = { ...Object.fromEntries(missingVariables.map((name) => [name, `{{${name}}}`])), ...variables }
  const fill = (text: string) => Mustache.render(text, view, undefined, { escape: (value: unknown) => String(value) })
  return { subject: template.subject === null ? null : fill(template.subject), body: fill(template.body), missingVariables, variables }
}
