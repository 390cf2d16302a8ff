import type { Communication } from '../db/generated/client.ts'
import type { CallOutcome } from '../db/generated/enums.ts'
import type { Recorder, Tx } from '../events/transact.ts'
import { planRuns } from './automation-run.ts'
import { readSettings } from './notification-settings.ts'

const MISSED: ReadonlySet<CallOutcome | null> = new Set<CallOutcome>(['NO_ANSWER', 'BUSY', 'FAILED', 'CANCELED'])

/** Nobody spoke with the other side, and no machine did. */
export const isMissed = (outcome: CallOutcome | null): boolean => MISSED.has(outcome)

/**
 * Plans the follow-up of an INBOUND call that nobody took, in the transaction in which that became known: when the call was recorded, or when
 * another outcome was corrected to this. The customer and the call are locked. The number may be withheld.
 */
export async function planMissedCall(tx: Tx, recorder: Recorder, call: Communication, arrivedAt: Date): Promise<void> {
  const { id, organizationId, customerId, callStartedAt, callSeconds } = call
  const settings = await readSettings(tx, organizationId)
  const { enabled, delayMinutes } = settings.automations.MISSED_CALL_FOLLOW_UP
  if (!enabled) return
  const endedAt = callStartedAt === null ? arrivedAt.getTime() : callStartedAt.getTime() + (callSeconds ?? 0) * 1000
  const cause = { organizationId, customerId, kind: 'MISSED_CALL_FOLLOW_UP' as const, cause: `call:${id}`, callId: id }
  await planRuns(tx, recorder, settings, [{ cause, dueAt: new Date(endedAt + delayMinutes * 60_000) }], arrivedAt)
}
