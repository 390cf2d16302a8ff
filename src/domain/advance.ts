import { type Communication, Prisma } from '../db/generated/client.ts'
import type { DeliveryStatus } from '../db/generated/enums.ts'
import type { Recorder, Tx } from '../events/transact.ts'
import { enqueue } from '../jobs/enqueue.ts'
import { advances, furthest, milestones } from './delivery-status.ts'
import { snakeCase } from './sql.ts'

/** Locks the row until the end of the transaction; null where there is none. */
export async function lockCommunication(tx: Tx, id: string): Promise<Communication | null> {
  const [row] = await tx.$queryRaw<Communication[]>`SELECT ${allColumns} FROM communication WHERE id = ${id}::uuid FOR NO KEY UPDATE`
  return row ?? null
}

/** The row as Prisma gives it. */
const allColumns = Prisma.raw(
  Object.values(Prisma.CommunicationScalarFieldEnum)
    .map((name) => `${snakeCase(name)} AS "${name}"`)
    .join(', '),
)

type Advance = {
  status: DeliveryStatus
  error: { code: string; message: string } | null
  externalMessageId: string | null
  /** A FAILED that is further than all else. */
  final?: boolean
}

/** Moves a locked communication to `to.status` where that is further, with its event; gives it as it is then. */
export async function advance(
  tx: Tx,
  recorder: Recorder,
  communication: Communication,
  to: Advance,
  actorId: string | null = null,
): Promise<Communication> {
  const previous = communication.deliveryStatus ?? 'PENDING'
  const final = to.final === true && to.status === 'FAILED'
  const status = final ? 'FAILED' : furthest(previous, to.status)
  const moved = !communication.failureIsFinal && (final || advances(previous, to.status))
  const learnedId = communication.externalMessageId === null && to.externalMessageId !== null
  if (!moved && !learnedId) return communication
  const now = await tx.communication.update({
    where: { id: communication.id },
    data: {
      deliveryStatus: status,
      externalMessageId: communication.externalMessageId ?? to.externalMessageId,
      ...(moved
        ? {
            failureCode: status === 'FAILED' ? (to.error?.code ?? null) : null,
            failureMessage: status === 'FAILED' ? (to.error?.message ?? 'The provider could not deliver the message.') : null,
            failureIsFinal: final,
            ...milestones(status, communication, new Date()),
          }
        : {}),
    },
  })
  if (!moved) return now
  // Another channel may do better.
  if (status === 'FAILED' && communication.automationRunId !== null)
    await enqueue(tx, 'follow-up-failure', { runId: communication.automationRunId })
  recorder.event({
    type: 'DELIVERY_STATUS_CHANGED',
    actorId,
    customerId: communication.customerId,
    conversationId: communication.conversationId,
    communicationId: communication.id,
    data: { deliveryStatus: status, previousStatus: previous },
  })
  return now
}
