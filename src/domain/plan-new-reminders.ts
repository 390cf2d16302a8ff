import type { Deps } from '../deps.ts'
import { transact } from '../events/transact.ts'
import { lockCustomers } from './customers.ts'
import { readSettings } from './notification-settings.ts'
import { planReminders } from './plan-appointment.ts'

const BATCH = 100

/**
 * Gives the appointments that were booked before the settings changed the reminders that are new, where their time is still to come. Those that
 * the settings do not name any more are skipped when they are due.
 */
export async function planNewReminders(deps: Pick<Deps, 'db' | 'bus' | 'clock'>, organizationId: string): Promise<void> {
  for (let after = ''; ; ) {
    const page = await deps.db.appointment.findMany({
      where: { organizationId, status: 'BOOKED', startsAt: { gt: deps.clock() }, ...(after === '' ? {} : { id: { gt: after } }) },
      orderBy: { id: 'asc' },
      take: BATCH,
      select: { id: true, customerId: true },
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
    })
    after = last.id
  }
}
