import type { Deps } from '../deps.ts'
import { transact } from '../events/transact.ts'
import { enqueue, type Jobs } from '../jobs/enqueue.ts'
import { lockCustomers } from './customers.ts'
import { readSettings } from './notification-settings.ts'
import { planReminders } from './plan-appointment.ts'

/** As many customers are locked at a time; their messages wait for it. */
const BATCH = 20

/**
 * Gives the appointments that were booked before the settings changed the reminders that are new, where their time is still to come: a page of
 * them, and a job for the next. Those that the settings do not name any more are skipped when they are due.
 */
export async function planNewReminders(
  deps: Pick<Deps, 'db' | 'bus' | 'clock'>,
  { organizationId, after }: Jobs['plan-reminders'],
): Promise<void> {
  const startsAt = after === undefined ? deps.clock() : new Date(after.startsAt)
  const page = await deps.db.appointment.findMany({
    where: {
      organizationId,
      status: 'BOOKED',
      startsAt: { gte: startsAt },
      ...(after === undefined ? {} : { OR: [{ startsAt: { gt: startsAt } }, { id: { gt: after.id } }] }),
    },
    orderBy: [{ startsAt: 'asc' }, { id: 'asc' }],
    take: BATCH,
    select: { id: true, startsAt: true, customerId: true },
  })
  const last = page.at(-1)
  if (last === undefined) return
  await transact(deps, organizationId, async (tx, recorder) => {
    await lockCustomers(
      tx,
      organizationId,
      page.map(({ customerId }) => customerId),
    )
    const ids = page.map(({ id }) => id)
    await tx.$queryRaw`SELECT FROM appointment WHERE id = ANY(${ids}::uuid[]) ORDER BY id FOR SHARE`
    const appointments = await tx.appointment.findMany({ where: { id: { in: ids }, status: 'BOOKED' }, orderBy: { id: 'asc' } })
    const settings = await readSettings(tx, organizationId)
    for (const appointment of appointments) await planReminders(tx, recorder, settings, appointment, deps.clock(), { onlyLater: true })
    if (page.length < BATCH) return
    await enqueue(tx, 'plan-reminders', { organizationId, after: { startsAt: last.startsAt.toISOString(), id: last.id } })
  })
}
