import type { Communication } from '../db/generated/client.ts'
import type { Deps } from '../deps.ts'
import type { Actor } from './actor.ts'
import { recordInternal } from './record-internal.ts'
import { requiredText } from './text.ts'

export type AddNoteInput = { customerId: string; conversationId?: string | null; body: string }

export const MAX_NOTE = 20_000

/** A note that only staff sees: 1 to 20,000 characters. Throws ValidationError, NotFoundError. */
export async function addNote(deps: Pick<Deps, 'db' | 'bus'>, actor: Actor, input: AddNoteInput): Promise<Communication> {
  const body = requiredText(input.body, ['input', 'body'], MAX_NOTE)
  return recordInternal(deps, actor, input, { type: 'INTERNAL_NOTE', direction: 'INTERNAL', body })
}
