import type { AutomationRun } from '../db/generated/client.ts'
import type { Deps } from '../deps.ts'
import { transact } from '../events/transact.ts'
import type { Actor } from './actor.ts'
import { planRuns } from './automation-run.ts'
import { lockCustomers } from './customers.ts'
import { IdempotencyConflictError, NotFoundError, ValidationError } from './errors.ts'
import { checkedKey } from './idempotency.ts'
import { newId } from './ids.ts'
import { readSettings } from './notification-settings.ts'

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
    const settings = await readSettings(tx, organizationId)
    if (!settings.automations.REVIEW_REQUEST.enabled)
      throw new ValidationError('Review requests are switched off: see notificationSettings.', ['input'])
    const now = deps.clock()
    const about = { organizationId, customerId, kind: 'REVIEW_REQUEST' as const, cause, actorId: memberId }
    await planRuns(tx, recorder, settings, [{ cause: about, dueAt: now }], now)
    const key = { organizationId, cause, kind: about.kind, step: 0 }
    const run = await tx.automationRun.findUniqueOrThrow({ where: { organizationId_cause_kind_step: key } })
    if (run.customerId === customerId) return run
    throw new IdempotencyConflictError()
  })
}
