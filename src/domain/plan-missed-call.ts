import type { Communication } from '../db/generated/client.ts'
import type { Recorder, Tx } from '../events/transact.ts'
import { planRuns } from './automation-run.ts'
import { readSettings } from './notification-settings.ts'

/** Plans the follow-up of a call that was missed, some time after it ended; the customer must be locked. */
export async function planMissedCall(tx: Tx, recorder: Recorder, call: Communication, now: Date): Promise<void> {
  const { id, organizationId, customerId, callStartedAt, callSeconds } = call
  const settings = await readSettings(tx, organizationId)
  const { enabled, delayMinutes } = settings.automations.MISSED_CALL_FOLLOW_UP
  if (!enabled) return
  const endedAt = (callStartedAt ?? now).getTime() + (callSeconds ?? 0) * 1000
  const cause = { organizationId, customerId, kind: 'MISSED_CALL_FOLLOW_UP' as const, cause: `call:${id}`, callId: id }
  await planRuns(tx, recorder, settings, [{ cause, dueAt: new Date(endedAt + delayMinutes * 60_000) }], now)
}
