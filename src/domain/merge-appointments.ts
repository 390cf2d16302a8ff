import type { Tx } from '../events/transact.ts'
import type { Moved } from './merge-record.ts'

/** The merged customer's appointments and automated messages become the survivor's; before their communications are locked, as whoever delivers does. */
export async function moveAppointments(
  tx: Tx,
  survivorId: string,
  mergedId: string,
): Promise<Pick<Moved, 'appointments' | 'automationRuns'>> {
  const appointments = await tx.$queryRaw<{ id: string }[]>`
    UPDATE appointment SET customer_id = ${survivorId}::uuid WHERE customer_id = ${mergedId}::uuid RETURNING id`
  const runs = await tx.$queryRaw<{ id: string }[]>`
    UPDATE automation_run SET customer_id = ${survivorId}::uuid WHERE customer_id = ${mergedId}::uuid RETURNING id`
  return { appointments: appointments.map(({ id }) => id), automationRuns: runs.map(({ id }) => id) }
}

/** The way back; messages that were planned since for an appointment go with it. Merges of before there were any have no such lists. */
export async function partAppointments(tx: Tx, survivorId: string, mergedId: string, moved: Moved): Promise<void> {
  const { appointments = [], automationRuns = [] } = moved
  await tx.appointment.updateMany({ where: { id: { in: appointments }, customerId: survivorId }, data: { customerId: mergedId } })
  await tx.automationRun.updateMany({
    where: { customerId: survivorId, OR: [{ id: { in: automationRuns } }, { appointmentId: { in: appointments } }] },
    data: { customerId: mergedId },
  })
}
