import type { AutomationRun } from '../db/generated/client.ts'
import type { ChannelType } from '../db/generated/enums.ts'
import type { Deps } from '../deps.ts'
import { type Recorder, type Tx, transact } from '../events/transact.ts'
import { overtaken, verdictOf } from './automation-reasons.ts'
import { enqueueRun, lockRun, makeRun, settleRun, type Verdict } from './automation-run.ts'
import { composeAutomation, fillAutomation, type Occasion } from './compose-automation.ts'
import { messageOf } from './compose-message.ts'
import { lockOwner } from './customers.ts'
import { checkPolicy } from './draft-message.ts'
import { UserError } from './errors.ts'
import { quietEnd, readSettings, recipientOf, type Settings } from './notification-settings.ts'
import { resolveRecipient } from './resolve-recipient.ts'
import { jobTime } from './schedule.ts'
import { storeMessage } from './send-message.ts'

type RunDeps = Pick<Deps, 'db' | 'bus' | 'channels' | 'clock'>

/**
 * One automated message at its time: asks reality whether it still holds, then writes the communication with its job, or why not; where this
 * channel cannot be used, the next one is tried, as a run of its own. Whoever comes second finds it done.
 */
export async function runAutomation(deps: RunDeps, runId: string): Promise<void> {
  await withRun(deps, runId, async (tx, recorder, run) => {
    if (run.status === 'SCHEDULED') await attempt(deps, tx, recorder, run)
  })
}

/** The message of a run has FAILED: the next channel is tried, unless it had arrived before. */
export async function followUpFailure(deps: RunDeps, runId: string): Promise<void> {
  await withRun(deps, runId, async (tx, recorder, run) => {
    const message = await tx.communication.findFirst({ where: { automationRunId: runId } })
    if (run.status !== 'SENT' || message?.deliveryStatus !== 'FAILED' || message.deliveredAt !== null) return
    const verdict = { reason: 'DELIVERY_FAILED' as const, detail: message.failureMessage ?? 'The message was not delivered.' }
    await settleRun(tx, recorder, run, { status: 'FAILED', verdict, at: deps.clock(), communicationId: message.id })
    await fallBack(deps, tx, recorder, run)
  })
}

/** Locks in the order of `transact`: the customer first. */
async function withRun(
  deps: RunDeps,
  runId: string,
  work: (tx: Tx, recorder: Recorder, run: AutomationRun) => Promise<void>,
): Promise<void> {
  const found = await deps.db.automationRun.findUnique({ where: { id: runId }, select: { organizationId: true } })
  if (found === null) return
  await transact(deps, found.organizationId, async (tx, recorder) => {
    await lockOwner(tx, found.organizationId, () => tx.automationRun.findUnique({ where: { id: runId }, select: { customerId: true } }))
    const run = await lockRun(tx, runId)
    if (run !== null) await work(tx, recorder, run)
  })
}

const noChannel: Verdict = { reason: 'SETTINGS_CHANGED', detail: 'Its channel is not among the settings any more.' }

async function attempt(deps: RunDeps, tx: Tx, recorder: Recorder, run: AutomationRun): Promise<void> {
  const now = deps.clock()
  if (run.dueAt > now) return enqueueRun(tx, run.id, await jobTime(deps, tx, run.dueAt))
  const settings = await readSettings(tx, run.organizationId)
  const channel = await nextChannel(tx, settings, run)
  const verdict = (await overtaken(tx, settings, run, now)) ?? (channel === undefined ? noChannel : null)
  if (verdict !== null) {
    await settleRun(tx, recorder, run, { status: 'SKIPPED', verdict, at: now })
    return
  }
  // It was planned by the order of that time.
  if (channel !== undefined && channel !== run.channel)
    return attempt(deps, tx, recorder, await tx.automationRun.update({ where: { id: run.id }, data: { channel } }))
  const customer = await recipientOf(tx, run.customerId)
  const heldUntil = quietEnd(settings, customer, now)
  if (heldUntil !== null) {
    await tx.automationRun.update({ where: { id: run.id }, data: { heldUntil } })
    return enqueueRun(tx, run.id, await jobTime(deps, tx, heldUntil))
  }
  const appointment = run.appointmentId === null ? null : await tx.appointment.findUnique({ where: { id: run.appointmentId } })
  try {
    const communicationId = await write(deps, tx, recorder, run, { kind: run.kind, settings, customer, appointment })
    await settleRun(tx, recorder, run, { status: 'SENT', verdict: null, at: now, communicationId })
  } catch (error) {
    if (!(error instanceof UserError)) throw error
    await settleRun(tx, recorder, run, { status: 'SKIPPED', verdict: verdictOf(error), at: now })
    await fallBack(deps, tx, recorder, run, settings)
  }
}

/** Throws UserErrors before it writes anything. */
async function write(deps: RunDeps, tx: Tx, recorder: Recorder, run: AutomationRun, occasion: Occasion): Promise<string> {
  const { organizationId, customerId, channel } = run
  const actor = { organizationId, memberId: null }
  const filled = await fillAutomation(tx, occasion, channel)
  const way = { channel, channelAccountId: filled.template?.channelAccountId ?? null }
  const recipient = await resolveRecipient({ db: tx, channels: deps.channels }, organizationId, { to: { customerId }, ...way })
  const composed = composeAutomation(occasion, filled, recipient)
  await checkPolicy(tx, { ...recipient, customerId }, messageOf(composed, false), composed.purpose, deps.clock())
  const request = { sendAt: null, key: null, hash: '', automationRunId: run.id }
  return (await storeMessage(tx, recorder, actor, recipient, customerId, composed, request)).id
}

/** The next channel, at once. */
async function fallBack(deps: RunDeps, tx: Tx, recorder: Recorder, run: AutomationRun, known?: Settings): Promise<void> {
  const { organizationId, cause, kind } = run
  const settings = known ?? (await readSettings(tx, organizationId))
  const step = run.step + 1
  const channel = await nextChannel(tx, settings, { organizationId, cause, kind, step })
  if (channel === undefined) return
  const { customerId, appointmentId, revision, minutesBefore, callId, actorId } = run
  const about = { organizationId, customerId, kind, cause, appointmentId, revision, minutesBefore, callId, actorId }
  const next = await makeRun(tx, { ...about, step, channel, dueAt: deps.clock(), fallbackOfId: run.id })
  if (next !== null) await attempt(deps, tx, recorder, next)
}

type Step = Pick<AutomationRun, 'organizationId' | 'cause' | 'kind' | 'step'>

/** The first of the order, as it is now, that no step before this one has tried for the same cause. */
async function nextChannel(tx: Tx, settings: Settings, { organizationId, cause, kind, step }: Step): Promise<ChannelType | undefined> {
  const { channels } = settings.automations[kind]
  if (step === 0) return channels[0]
  const tried = await tx.automationRun.findMany({ where: { organizationId, cause, kind, step: { lt: step } }, select: { channel: true } })
  return channels.find((one) => !tried.some(({ channel }) => channel === one))
}
