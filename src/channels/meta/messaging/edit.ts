import type { Fact } from '../../fact.ts'
import { idIn, type Json } from '../json.ts'
import { madeId, type Occasion } from './occasion.ts'

/** `messaging[].message_edit`: the new text, and how many times the message has been edited. */
export function parseEdit({ at }: Occasion, edit: Json): Fact {
  const mid = idIn(edit.mid)
  if (mid === null || typeof edit.text !== 'string') return { kind: 'unknown', reason: 'an edit without the message’s id or text' }
  const revision = idIn(edit.num_edit) ?? (at === null ? madeId('edit', [edit.text]) : String(at.getTime()))
  return { kind: 'edit', externalMessageId: mid, revision, body: edit.text, content: { kind: 'TEXT' }, at: at ?? new Date() }
}
