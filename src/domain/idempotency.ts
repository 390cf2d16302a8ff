import { createHash } from 'node:crypto'
import type { Communication } from '../db/generated/client.ts'
import type { Tx } from '../events/transact.ts'
import { IdempotencyConflictError, ValidationError } from './errors.ts'
import { cleanText } from './text.ts'

export function checkedKey(key: string | null | undefined): string | null {
  if (key === null || key === undefined) return null
  const clean = cleanText(key)
  if (clean.length >= 1 && clean.length <= 200) return clean
  throw new ValidationError('idempotencyKey must have 1 to 200 characters.', ['input', 'idempotencyKey'])
}

/** The same for the same input, whatever the order of its keys; absent and null are one. */
export const inputHash = (input: unknown): string => createHash('sha256').update(canonical(input)).digest('base64url')

function canonical(value: unknown): string {
  if (value instanceof Date) return JSON.stringify(value)
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value ?? null)
  const entries = Object.entries(value).filter(([, part]) => part !== null && part !== undefined)
  return `{${entries
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, part]) => `${JSON.stringify(key)}:${canonical(part)}`)
    .join()}}`
}

/** What these keys made before, by their keys. */
export async function madeBefore(tx: Tx, organizationId: string, keys: readonly string[]): Promise<ReadonlyMap<string, Communication>> {
  if (keys.length === 0) return new Map()
  const made = await tx.communication.findMany({ where: { organizationId, idempotencyKey: { in: [...keys] } } })
  return new Map(made.map((communication) => [communication.idempotencyKey ?? '', communication]))
}

/** What this key made before, or null. Throws IdempotencyConflictError where that was from another input. */
export function madeFor(made: ReadonlyMap<string, Communication>, key: string | null, hash: string): Communication | null {
  const before = key === null ? undefined : made.get(key)
  if (before !== undefined && before.idempotencyHash !== hash) throw new IdempotencyConflictError()
  return before ?? null
}
