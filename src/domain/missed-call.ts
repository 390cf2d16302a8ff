import type { Communication } from '../db/generated/client.ts'
import type { CallOutcome } from '../db/generated/enums.ts'
import type { Recorder, Tx } from '../events/transact.ts'

const MISSED: ReadonlySet<CallOutcome | null> = new Set<CallOutcome>(['NO_ANSWER', 'BUSY', 'FAILED', 'CANCELED'])

/** Nobody spoke with the other side, and no machine did. */
export const isMissed = (outcome: CallOutcome | null): boolean => MISSED.has(outcome)

/**
 * Plans what follows an INBOUND call that nobody took, in the transaction in which that became known: when the call was recorded, or when
 * another outcome was corrected to this. Once for each time; the customer and the call are locked. The number may be withheld.
 */
export async function planMissedCall(_tx: Tx, _recorder: Recorder, _call: Communication): Promise<void> {}
