import type { AutomationRun, Communication } from '../db/generated/client.ts'
import type { Deps } from '../deps.ts'
import type { Recorder, Tx } from '../events/transact.ts'
import { advance } from './advance.ts'
import { overtaken } from './automation-reasons.ts'
import { type Explanation, lockRun, settleRun } from './automation-run.ts'
import { customerWithIdentities, quietEnd, readSettings, type Settings } from './notification-settings.ts'
import { enqueueDelivery, jobTime } from './schedule.ts'

type Draft = Pick<Communication, 'organizationId' | 'automationRunId' | 'sendAt'>

/** The settings that a message goes by which nobody is there to send; null: a person sends it now. */
export const settingsFor = async (tx: Tx, { organizationId, automationRunId, sendAt }: Draft): Promise<Settings | null> =>
  automationRunId === null && sendAt === null ? null : readSettings(tx, organizationId)

type Overtaken = { run: AutomationRun; verdict: Explanation }

/** An automated message whose reason is gone, or null; asked before its communication is locked. Locks the run and what it is about. */
export async function reconsider(
  deps: Pick<Deps, 'clock'>,
  tx: Tx,
  settings: Settings | null,
  runId: string | null,
): Promise<Overtaken | null> {
  const found = runId === null ? null : await tx.automationRun.findUnique({ where: { id: runId } })
  if (found === null || settings === null) return null
  const verdict = await overtaken(tx, settings, found, deps.clock())
  const run = await lockRun(tx, found.id)
  return run === null || verdict === null ? null : { run, verdict }
}

/** Takes back an automated message that reality has overtaken before the provider was asked. */
export async function withdraw(
  deps: Pick<Deps, 'clock'>,
  tx: Tx,
  recorder: Recorder,
  message: Communication,
  { run, verdict }: Overtaken,
): Promise<void> {
  await advance(tx, recorder, message, { status: 'CANCELED', error: null, externalMessageId: null })
  await settleRun(tx, recorder, run, { status: 'SKIPPED', verdict, at: deps.clock(), communicationId: message.id })
}

/** True where the recipient's quiet hours hold: the job of the message has been moved to their end, and its `sendAt` says so. */
export async function holdInQuietHours(
  deps: Pick<Deps, 'clock'>,
  tx: Tx,
  recorder: Recorder,
  settings: Settings | null,
  message: Communication,
): Promise<boolean> {
  if (settings === null || settings.quietHours === null) return false
  const { id, customerId, conversationId, deliveryStatus } = message
  const end = quietEnd(settings, await customerWithIdentities(tx, customerId), deps.clock())
  if (end === null) return false
  if (deliveryStatus === 'SCHEDULED') {
    await tx.communication.update({ where: { id }, data: { sendAt: end } })
    recorder.event({ type: 'COMMUNICATION_CHANGED', customerId, conversationId, communicationId: id, data: { change: 'schedule' } })
  }
  if (message.automationRunId !== null) await tx.automationRun.update({ where: { id: message.automationRunId }, data: { heldUntil: end } })
  await enqueueDelivery(tx, message, await jobTime(deps, tx, end))
  return true
}
