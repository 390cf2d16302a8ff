import type { CallFact, CallWords } from '../channels/fact.ts'
import type { Communication } from '../db/generated/client.ts'

/** What a CALL_LOG says of its call. */
export type Verdict = Pick<Communication, 'callOutcome' | 'callStartedAt' | 'callSeconds'> & { payload: CallWords }

type Told = Pick<CallFact, 'outcome' | 'startedAt' | 'seconds' | 'words'>

/** How the call went by one webhook alone, which came at `arrivedAt`. */
export function verdictOf(told: Told, arrivedAt: Date): Verdict {
  const { outcome, seconds, words = {} } = told
  const startedAt = told.words === undefined ? told.startedAt : (toldStart(told, arrivedAt) ?? before(arrivedAt, seconds))
  return { callOutcome: outcome, callStartedAt: startedAt, callSeconds: seconds, payload: words }
}

/**
 * How the call went with what a further webhook tells of it, whichever came first; null: nothing new. Whoever a call was forwarded to
 * decides it, and of several forwardings the one that was answered; the start is best told by the call itself.
 */
export function corrected(known: Verdict, told: Told, arrivedAt: Date): Verdict | null {
  const { callOutcome, callStartedAt, callSeconds, payload } = known
  const { callStatus, dialCallStatus } = told.words ?? {}
  if (dialCallStatus !== undefined) {
    const decided = payload.dialCallStatus !== undefined && (told.outcome !== 'ANSWERED' || callOutcome === 'ANSWERED')
    if (decided) return null
    const seconds = told.seconds ?? callSeconds
    return { callOutcome: told.outcome, callStartedAt, callSeconds: seconds, payload: { ...payload, dialCallStatus } }
  }
  if (callStatus === undefined || payload.callStatus !== undefined) return null
  return {
    callOutcome,
    callStartedAt: toldStart(told, arrivedAt) ?? callStartedAt,
    callSeconds: callSeconds ?? told.seconds,
    payload: { ...payload, callStatus },
  }
}

/** null: not told, or a time whose call would end in the future. */
function toldStart({ startedAt, seconds }: Told, arrivedAt: Date): Date | null {
  return startedAt === null || startedAt > before(arrivedAt, seconds) ? null : startedAt
}

const before = (end: Date, seconds: number | null): Date => new Date(end.getTime() - (seconds ?? 0) * 1000)
