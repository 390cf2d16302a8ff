import type { AutomationRun } from '../db/generated/client.ts'
import type { AutomationKind, AutomationReason, AutomationRunStatus } from '../db/generated/enums.ts'
import type { Recorder, Tx } from '../events/transact.ts'
import { enqueue } from '../jobs/enqueue.ts'
import { newId, timeOfId } from './ids.ts'
import type { Settings } from './notification-settings.ts'

/** What gave rise to a message, and what it is about. */
export type Cause = {
  organizationId: string
  customerId: string
  kind: AutomationKind
  /** Unique together with the kind and the step: what sends it once. */
  cause: string
  appointmentId?: string | null
  revision?: number | null
  minutesBefore?: number | null
  callId?: string | null
  actorId?: string | null
}

/** `verdict`: it is not sent at all, and why. */
export type Planned = { cause: Cause; dueAt: Date; verdict?: Explanation }

/** Why a message is not sent, for programs and for people. */
export type Explanation = { reason: AutomationReason; detail: string }

/** Writes the run of the first step, with its job, in the caller's transaction; a cause that has one already keeps it. */
export async function planRun(
  tx: Tx,
  recorder: Recorder,
  settings: Settings,
  { cause, dueAt, verdict }: Planned,
  now: Date,
): Promise<void> {
  const [channel] = settings.automations[cause.kind].channels
  if (channel === undefined) return
  const run = await makeRun(tx, { ...cause, step: 0, channel, dueAt, fallbackOfId: null })
  if (run === null) return
  if (verdict === undefined) await enqueueRun(tx, run.id, dueAt)
  else await settleRun(tx, recorder, run, { status: 'SKIPPED', verdict, at: now })
}

type NewRun = Cause & Pick<AutomationRun, 'step' | 'channel' | 'dueAt' | 'fallbackOfId'>

/** null: there is one of this cause, kind and step already. */
export async function makeRun(tx: Tx, run: NewRun): Promise<AutomationRun | null> {
  const id = newId()
  const data = { ...run, id, createdAt: timeOfId(id) }
  const [made] = await tx.automationRun.createManyAndReturn({ data: [data], skipDuplicates: true })
  return made ?? null
}

/** Tried again for somewhat more than an hour. */
const ATTEMPTS = 8

/** A run has one job: to enqueue it again moves it. */
export const enqueueRun = (tx: Tx, runId: string, at: Date): Promise<void> =>
  enqueue(tx, 'run-automation', { runId }, { runAt: at, key: `run-automation:${runId}`, maxAttempts: ATTEMPTS })

/** Locks the row until the end of the transaction; null where there is none. */
export async function lockRun(tx: Tx, id: string): Promise<AutomationRun | null> {
  await tx.$queryRaw`SELECT FROM automation_run WHERE id = ${id}::uuid FOR NO KEY UPDATE`
  return tx.automationRun.findUnique({ where: { id } })
}

type Settled = {
  status: Exclude<AutomationRunStatus, 'SCHEDULED'>
  verdict: Explanation | null
  at: Date
  communicationId?: string
}

/** Writes down what became of a run, for the timeline too. */
export async function settleRun(tx: Tx, recorder: Recorder, run: AutomationRun, settled: Settled): Promise<AutomationRun> {
  const { id, customerId, kind, channel, appointmentId, fallbackOfId, actorId } = run
  const { status, verdict, at, communicationId = null } = settled
  const { reason, detail } = verdict ?? { reason: null, detail: null }
  const data = { automationRunId: id, appointmentId, kind, channel, status, reason, detail, fallbackOfId }
  recorder.event({ type: 'AUTOMATION_RUN_CHANGED', actorId, customerId, communicationId, data })
  return tx.automationRun.update({ where: { id }, data: { status, reason, detail, settledAt: at, heldUntil: null } })
}
