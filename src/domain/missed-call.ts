import type { AutomationRun, Communication } from '../db/generated/client.ts'
import type { CallOutcome } from '../db/generated/enums.ts'
import type { Recorder, Tx } from '../events/transact.ts'
import { planRun } from './automation-run.ts'
import { firstIdAt } from './ids.ts'
import { readSettings } from './notification-settings.ts'

const MISSED: ReadonlySet<CallOutcome | null> = new Set<CallOutcome>(['NO_ANSWER', 'BUSY', 'FAILED', 'CANCELED'])

/** Nobody spoke with the other side, and no machine did. */
export const isMissed = (outcome: CallOutcome | null): boolean => MISSED.has(outcome)

/** Of a call whose webhook came at `arrivedAt`. */
export const endOf = ({ callStartedAt, callSeconds }: Pick<Communication, 'callStartedAt' | 'callSeconds'>, arrivedAt: Date): Date =>
  callStartedAt === null ? arrivedAt : new Date(callStartedAt.getTime() + (callSeconds ?? 0) * 1000)

/**
 * Plans the follow-up of an INBOUND call that nobody took, in the transaction in which that became known: when the call was recorded, or when
 * another outcome was corrected to this. The customer and the call are locked.
 */
export async function planMissedCall(tx: Tx, recorder: Recorder, call: Communication, endedAt: Date): Promise<void> {
  const { id, organizationId, customerId } = call
  const settings = await readSettings(tx, organizationId)
  const { enabled, delayMinutes } = settings.automations.MISSED_CALL_FOLLOW_UP
  if (!enabled) return
  const cause = { organizationId, customerId, kind: 'MISSED_CALL_FOLLOW_UP' as const, cause: `call:${id}`, callId: id }
  await planRun(tx, recorder, settings, { cause, dueAt: new Date(endedAt.getTime() + delayMinutes * 60_000) }, endedAt)
}

/**
 * Nothing is left to follow up: the call was answered after all, or the customer was since then called, written to by a person or a program,
 * or followed up for another of their calls.
 */
export async function wasReached(
  tx: Tx,
  { id, customerId, callId }: Pick<AutomationRun, 'id' | 'customerId' | 'callId'>,
): Promise<boolean> {
  const call = callId === null ? null : await tx.communication.findUnique({ where: { id: callId } })
  if (call === null || !isMissed(call.callOutcome)) return true
  // Its webhook may have come later than our answer.
  const endedAt = endOf(call, call.createdAt)
  const since = firstIdAt(endedAt)
  const [row] = await tx.$queryRaw<{ reached: boolean }[]>`
    SELECT EXISTS (
      SELECT FROM communication c LEFT JOIN automation_run r ON r.id = c.automation_run_id
      WHERE c.customer_id = ${customerId}::uuid AND c.id > ${since}::uuid AND (
        (c.type = 'CALL_LOG' AND coalesce(c.call_started_at + make_interval(secs => coalesce(c.call_seconds, 0)), c.created_at) >= ${endedAt}::timestamptz AND (c.call_outcome = 'ANSWERED' OR (c.direction = 'OUTBOUND' AND c.call_outcome IS NULL)))
        OR (c.direction = 'OUTBOUND' AND c.delivery_status IN ('PENDING', 'SENT', 'DELIVERED', 'READ', 'UNKNOWN')
          AND (r.id IS NULL OR (r.kind = 'MISSED_CALL_FOLLOW_UP' AND r.id <> ${id}::uuid)))
      )
    ) AS reached`
  return row?.reached === true
}
