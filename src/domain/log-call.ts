import type { Communication } from '../db/generated/client.ts'
import type { CallOutcome, Direction } from '../db/generated/enums.ts'
import type { Deps } from '../deps.ts'
import type { Actor } from './actor.ts'
import { MAX_NOTE } from './add-note.ts'
import { ValidationError } from './errors.ts'
import { recordInternal } from './record-internal.ts'
import { optionalText, requiredText } from './text.ts'

export type LogCallInput = {
  customerId: string
  conversationId?: string | null
  subject?: string | null
  body: string
  /** Absent: OUTBOUND. */
  direction?: Direction | null
  outcome?: CallOutcome | null
  startedAt?: Date | null
  durationSeconds?: number | null
}

const MAX_CALL_SECONDS = 24 * 3600

/** A call that staff made or took, logged by hand: it is read from the start. Throws ValidationError, NotFoundError. */
export async function logCall(deps: Pick<Deps, 'db' | 'bus' | 'clock'>, actor: Actor, input: LogCallInput): Promise<Communication> {
  const direction = input.direction ?? 'OUTBOUND'
  if (direction === 'INTERNAL') throw new ValidationError('direction of a call must be INBOUND or OUTBOUND.', ['input', 'direction'])
  const seconds = input.durationSeconds ?? null
  if (seconds !== null && (seconds < 0 || seconds > MAX_CALL_SECONDS)) {
    throw new ValidationError(`durationSeconds must be from 0 to ${MAX_CALL_SECONDS}.`, ['input', 'durationSeconds'])
  }
  const startedAt = input.startedAt ?? null
  if (startedAt !== null && startedAt > deps.clock())
    throw new ValidationError('startedAt must not be in the future.', ['input', 'startedAt'])
  return recordInternal(deps, actor, input, {
    type: 'CALL_LOG',
    direction,
    subject: optionalText(input.subject, ['input', 'subject'], 200),
    body: requiredText(input.body, ['input', 'body'], MAX_NOTE),
    callOutcome: input.outcome ?? null,
    callStartedAt: startedAt,
    callSeconds: seconds,
  })
}
