import type { AutomationRun } from '../db/generated/client.ts'
import type { ChannelType } from '../db/generated/enums.ts'
import type { Deps } from '../deps.ts'
import { type Recorder, type Tx, transact } from '../events/transact.ts'
import { lockCommunication } from './advance.ts'
import { explanationOf, lockAppointment, overtaken } from './automation-reasons.ts'
import { type Explanation, enqueueRun, lockRun, makeRun, settleRun } from './automation-run.ts'
import { composeAutomation, fillAutomation, type Occasion } from './compose-automation.ts'
import { messageOf } from './compose-message.ts'
import { lockOwner } from './customers.ts'
import { checkPolicy } from './draft-message.ts'
import { UserError } from './errors.ts'
import { customerWithIdentities, quietEnd, readSettings, type Settings } from './notification-settings.ts'
import { lookupsIn } from './recipient-lookups.ts'
import { resolveRecipient } from './resolve-recipient.ts'
import { jobTime } from './schedule.ts'
import { storeMessages } from './store-messages.ts'

type RunDeps = Pick<Deps, 'db' | 'bus' | 'channels' | 'clock' | 'log'>

/**
 * One automated message at its time: asks reality whether it still holds, then writes the communication with its job, or why not; where this
 * channel cannot be used, the next one is tried, as a run of its own. Whoever comes second finds it done. `last`: it is not tried again, so an
 * error of ours is written down as the reason.
 */
export async function runAutomation(deps: RunDeps, runId: string, last = false): Promise<void> {
  try {
    await withRun(deps, runId, async (tx, recorder, run) => {
      if (run.status === 'SCHEDULED') await attempt(deps, tx, recorder, run)
    })
  } catch (error) {
    if (!last) throw error
    deps.log.error({ err: error, runId }, 'an automated message could not be written; the next channel is tried')
    await withRun(deps, runId, async (tx, recorder, run) => {
      if (run.status === 'SCHEDULED') await skip(deps, tx, recorder, run, await readSettings(tx, run.organizationId), ourError)
    })
  }
}

const ourError: Explanation = {
  reason: 'INTERNAL_ERROR',
  detail: 'Something went wrong on our side, several times: the server’s log says what.',
}

/** The message of a run has FAILED: the next channel is tried, unless it had arrived before. */
export async function followUpFailure(deps: RunDeps, runId: string): Promise<void> {
  await withRun(deps, runId, async (tx, recorder, run) => {
    const found = await tx.communication.findFirst({ where: { automationRunId: runId }, select: { id: true } })
    const message = found === null ? null : await lockCommunication(tx, found.id)
    if (run.status !== 'SENT' || message?.deliveryStatus !== 'FAILED' || message.deliveredAt !== null) return
    const verdict = { reason: 'DELIVERY_FAILED' as const, detail: message.failureMessage ?? 'The message was not delivered.' }
    await settleRun(tx, recorder, run, { status: 'FAILED', verdict, at: deps.clock(), communicationId: message.id })
    await fallBack(deps, tx, run, await readSettings(tx, run.organizationId))
  })
}

/** Locks in the order of `transact`: customer, appointment, run. */
async function withRun(
  deps: RunDeps,
  runId: string,
  work: (tx: Tx, recorder: Recorder, run: AutomationRun) => Promise<void>,
): Promise<void> {
  const found = await deps.db.automationRun.findUnique({ where: { id: runId }, select: { organizationId: true, appointmentId: true } })
  if (found === null) return
  await transact(deps, found.organizationId, async (tx, recorder) => {
    await lockOwner(tx, found.organizationId, () => tx.automationRun.findUnique({ where: { id: runId }, select: { customerId: true } }))
    if (found.appointmentId !== null) await lockAppointment(tx, found.appointmentId)
    const run = await lockRun(tx, runId)
    if (run !== null) await work(tx, recorder, run)
  })
}

const noChannel: Explanation = { reason: 'SETTINGS_CHANGED', detail: 'Its channel is not among the settings any more.' }

async function attempt(deps: RunDeps, tx: Tx, recorder: Recorder, planned: AutomationRun): Promise<void> {
  const now = deps.clock()
  if (planned.dueAt > now) return enqueueRun(tx, planned.id, await jobTime(deps, tx, planned.dueAt))
  const settings = await readSettings(tx, planned.organizationId)
  const verdict = await overtaken(tx, settings, planned, now)
  const channel = await nextChannel(tx, settings, planned)
  if (verdict !== null || channel === undefined) {
    await settleRun(tx, recorder, planned, { status: 'SKIPPED', verdict: verdict ?? noChannel, at: now })
    return
  }
  // It was planned by the order of that time.
  const run = channel === planned.channel ? planned : await tx.automationRun.update({ where: { id: planned.id }, data: { channel } })
  const customer = await customerWithIdentities(tx, run.customerId)
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
    await skip(deps, tx, recorder, run, settings, explanationOf(error))
  }
}

async function skip(
  deps: RunDeps,
  tx: Tx,
  recorder: Recorder,
  run: AutomationRun,
  settings: Settings,
  verdict: Explanation,
): Promise<void> {
  await settleRun(tx, recorder, run, { status: 'SKIPPED', verdict, at: deps.clock() })
  await fallBack(deps, tx, run, settings)
}

/** Throws UserErrors before it writes anything. */
async function write(deps: RunDeps, tx: Tx, recorder: Recorder, run: AutomationRun, occasion: Occasion): Promise<string> {
  const { organizationId, customerId, channel } = run
  const actor = { organizationId, memberId: null }
  const filled = await fillAutomation(tx, occasion, channel)
  const way = { channel, channelAccountId: filled.template?.channelAccountId ?? null }
  const recipient = await resolveRecipient(deps, lookupsIn(tx, organizationId), { to: { customerId }, ...way })
  const composed = composeAutomation(occasion, filled, recipient)
  await checkPolicy(tx, { ...recipient, customerId }, messageOf(composed, false), composed.purpose, deps.clock())
  const request = { sendAt: null, key: null, hash: '', automationRunId: run.id }
  const conversationId = recipient.conversation?.id ?? null
  const [message] = await storeMessages(tx, recorder, [{ actor, recipient, customerId, conversationId, composed, ...request }])
  if (message === undefined) throw new Error(`the message of run ${run.id} was not stored`)
  return message.id
}

/** The next channel, at once, and by a job of its own: what goes wrong there does not undo what is known here. */
async function fallBack(deps: RunDeps, tx: Tx, run: AutomationRun, settings: Settings): Promise<void> {
  const { organizationId, cause, kind } = run
  const step = run.step + 1
  const channel = await nextChannel(tx, settings, { organizationId, cause, kind, step })
  if (channel === undefined) return
  const { customerId, appointmentId, revision, minutesBefore, callId, actorId } = run
  const about = { organizationId, customerId, kind, cause, appointmentId, revision, minutesBefore, callId, actorId }
  const next = await makeRun(tx, { ...about, step, channel, dueAt: deps.clock(), fallbackOfId: run.id })
  if (next !== null) await enqueueRun(tx, next.id, next.dueAt)
}

type Step = Pick<AutomationRun, 'organizationId' | 'cause' | 'kind' | 'step'>

/** The first of the order, as it is now, that no step before this one has tried for the same cause. */
async function nextChannel(tx: Tx, settings: Settings, { organizationId, cause, kind, step }: Step): Promise<ChannelType | undefined> {
  const { channels } = settings.automations[kind]
  if (step === 0) return channels[0]
  const tried = await tx.automationRun.findMany({ where: { organizationId, cause, kind, step: { lt: step } }, select: { channel: true } })
  return channels.find((one) => !tried.some(({ channel }) => channel === one))
}
