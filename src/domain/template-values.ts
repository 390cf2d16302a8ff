import type { Tx } from '../events/transact.ts'
import { ValidationError } from './errors.ts'
import { cleanText } from './text.ts'

/** Variables that every template may use without being given them. */
export const builtInVariables = ['customer_name', 'customer_first_name', 'organization_name', 'agent_name'] as const

/** The built-in values that are known, overridden by those given. Unknown ones are left out. */
export async function templateValues(
  tx: Tx,
  scope: { organizationId: string; memberId: string | null },
  customer: { name: string | null },
  given: unknown,
  path: string[],
): Promise<Record<string, string>> {
  const organization = await tx.organization.findUniqueOrThrow({ where: { id: scope.organizationId } })
  const member = scope.memberId === null ? null : await tx.member.findUnique({ where: { id: scope.memberId } })
  const builtIn: Record<(typeof builtInVariables)[number], string | null | undefined> = {
    customer_name: customer.name,
    customer_first_name: customer.name?.split(/\s+/)[0],
    organization_name: organization.name,
    agent_name: member?.name,
  }
  const known = Object.entries(builtIn).filter((entry): entry is [string, string] => typeof entry[1] === 'string')
  return { ...Object.fromEntries(known), ...checkedVariables(given, path) }
}

function checkedVariables(given: unknown, path: string[]): Record<string, string> {
  if (given === null || given === undefined) return {}
  if (typeof given !== 'object' || Array.isArray(given))
    throw new ValidationError('variables must be an object of texts and numbers.', path)
  return Object.fromEntries(
    Object.entries(given).map(([name, value]: [string, unknown]) => {
      if (typeof value === 'string') return [name, cleanText(value)]
      if (typeof value === 'number' || typeof value === 'boolean') return [name, String(value)]
      throw new ValidationError(`The variable ${name} must be a text or a number.`, [...path, name])
    }),
  )
}
