import type { Prisma } from '../../src/db/generated/client.ts'
import type { SignedIn } from '../context.ts'
import type { Bind } from './field.ts'

/** What a statement is made for. `variables` have been coerced by the schema. */
export type Request = { context: SignedIn; variables: Record<string, unknown>; bind: Bind; perValues(): void }

/** SQL text whose parts either are always the same or depend on the request. */
export type Template = (string | ((request: Request) => string))[]

/** A template in as few parts as it can have. */
export function condensed(parts: Template): Template {
  const result: Template = []
  for (const part of parts) {
    const last = result.at(-1)
    if (typeof part === 'string' && typeof last === 'string') result[result.length - 1] = last + part
    else result.push(part)
  }
  return result
}

export const filled = (template: Template, request: Request): string =>
  template.map((part) => (typeof part === 'string' ? part : part(request))).join('')

/** Numbers the values of a statement, after those that are in `values` already. */
export const binder =
  (values: unknown[]): Bind =>
  ({ strings, values: own }: Prisma.Sql) =>
    strings.reduce((text, string, index) => `${text}$${values.push(own[index - 1])}${string}`)
