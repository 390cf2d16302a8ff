import type { Organization } from '../db/generated/client.ts'
import type { Deps } from '../deps.ts'
import { AlreadyExistsError, ValidationError } from './errors.ts'
import { newId } from './ids.ts'
import { checkedLanguage } from './languages.ts'
import { requiredText } from './text.ts'
import { checkedTimeZone } from './time-zones.ts'
import { isUniqueViolation } from './unique-violation.ts'

const SLUG = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/

/** `slug`: its name in webhook addresses and tokens. Throws ValidationError, AlreadyExistsError. */
export async function createOrganization(
  deps: Pick<Deps, 'db'>,
  input: { slug: string; name: string; timezone?: string; language?: string },
): Promise<Organization> {
  if (!SLUG.test(input.slug)) {
    throw new ValidationError('slug must have 1 to 63 characters: a-z, 0-9, and - inside.', ['slug'])
  }
  const name = requiredText(input.name, ['name'], 200)
  const timezone = checkedTimeZone(input.timezone ?? 'UTC', ['timezone'])
  const language = checkedLanguage(input.language ?? 'en', ['language'])
  try {
    return await deps.db.organization.create({ data: { id: newId(), slug: input.slug, name, timezone, language } })
  } catch (error) {
    if (!isUniqueViolation(error)) throw error
    throw new AlreadyExistsError(`There is already an organization "${input.slug}".`, ['slug'])
  }
}
