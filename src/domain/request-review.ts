import type { AutomationRun } from '../db/generated/client.ts'
import type { Deps } from '../deps.ts'
import { type Tx, transact } from '../events/transact.ts'
import type { Actor } from './actor.ts'
import { planRun } from './automation-run.ts'
import { fillAutomation, missingNames, missingValues } from './compose-automation.ts'
import { lockCustomers } from './customers.ts'
import { IdempotencyConflictError, NotFoundError, ValidationError } from './errors.ts'
import { checkedKey } from './idempotency.ts'
import { newId } from './ids.ts'
import { readSettings, type Settings } from './notification-settings.ts'

export type RequestReviewInput = { customerId: string; idempotencyKey?: string | null }

/** Asks one customer for a review, by hand and at once. The same key gives the same run. Throws ValidationError, NotFoundError, IdempotencyConflictError. */
export async function requestReview(
  deps: Pick<Deps, 'db' | 'bus' | 'clock'>,
  actor: Actor,
  input: RequestReviewInput,
): Promise<AutomationRun> {
  const { organizationId, memberId } = actor
  const cause = `by-hand:${checkedKey(input.idempotencyKey) ?? newId()}`
  return transact(deps, organizationId, async (tx, recorder) => {
    const [customerId] = await lockCustomers(tx, organizationId, [input.customerId])
    if (customerId === undefined) throw new NotFoundError('customer', ['input', 'customerId'])
    const before = await madeBefore(tx, organizationId, customerId, cause)
    if (before !== null) return before
    const settings = await readSettings(tx, organizationId)
    if (!settings.automations.REVIEW_REQUEST.enabled)
      throw new ValidationError('Review requests are switched off: see notificationSettings.', ['input'])
    await refuseWithoutValues(tx, settings, customerId)
    const now = deps.clock()
    const about = { organizationId, customerId, kind: 'REVIEW_REQUEST' as const, cause, actorId: memberId }
    await planRun(tx, recorder, settings, { cause: about, dueAt: now }, now)
    const made = await madeBefore(tx, organizationId, customerId, cause)
    if (made === null) throw new Error('a run that was planned is not there')
    return made
  })
}

async function madeBefore(tx: Tx, organizationId: string, customerId: string, cause: string): Promise<AutomationRun | null> {
  const key = { organizationId, cause, kind: 'REVIEW_REQUEST' as const, step: 0 }
  const run = await tx.automationRun.findUnique({ where: { organizationId_cause_kind_step: key } })
  if (run !== null && run.customerId !== customerId) throw new IdempotencyConflictError()
  return run
}

/** Whoever asks by hand is told at once what is missing, rather than that it was skipped. */
async function refuseWithoutValues(tx: Tx, settings: Settings, customerId: string): Promise<void> {
  const customer = await tx.customer.findUniqueOrThrow({ where: { id: customerId } })
  const occasion = { kind: 'REVIEW_REQUEST' as const, settings, customer, appointment: null }
  const missing: string[] = []
  for (const channel of settings.automations.REVIEW_REQUEST.channels) {
    const names = missingNames(await fillAutomation(tx, occasion, channel))
    // By this channel it can be sent.
    if (names.length === 0) return
    missing.push(...names)
  }
  throw missingValues([...new Set(missing)], ['input'])
}
