import type { Communication } from '../db/generated/client.ts'
import type { Deps } from '../deps.ts'
import type { Tx } from '../events/transact.ts'
import { conversationQueue, enqueueAll, type NewJob } from '../jobs/enqueue.ts'
import { ValidationError } from './errors.ts'

const MAX_AHEAD_DAYS = 366

/** The time as it may be asked for; null: now. Throws ValidationError. */
export function checkedSendAt(sendAt: Date | null | undefined, now: Date): Date | null {
  if (sendAt === null || sendAt === undefined) return null
  const ahead = sendAt.getTime() - now.getTime()
  if (ahead > 0 && ahead <= MAX_AHEAD_DAYS * 86_400_000) return sendAt
  throw new ValidationError(`sendAt must be in the future, at most ${MAX_AHEAD_DAYS} days ahead.`, ['input', 'sendAt'])
}

type Delivery = Pick<Communication, 'id' | 'conversationId' | 'channelAccountId' | 'sendAt'>

/** The job that sends a communication, by default at its `sendAt`. One that was scheduled has a single job: to enqueue it again moves it. */
export const enqueueDelivery = (tx: Tx, delivery: Delivery, runAt: Date | null = delivery.sendAt): Promise<void> =>
  enqueueAll(tx, [jobOf(delivery, runAt)])

/** Those of one conversation are sent in this order. */
export const enqueueDeliveries = (tx: Tx, deliveries: readonly Delivery[]): Promise<void> =>
  enqueueAll(
    tx,
    deliveries.map((delivery) => jobOf(delivery, delivery.sendAt)),
  )

const jobOf = ({ id, conversationId, channelAccountId, sendAt }: Delivery, runAt: Date | null): NewJob<'deliver'> => ({
  name: 'deliver',
  payload: { communicationId: id },
  options: {
    ...(conversationId === null ? {} : { queue: conversationQueue('deliver', conversationId) }),
    account: channelAccountId,
    ...(runAt === null ? {} : { runAt }),
    ...(sendAt === null ? {} : { key: `deliver:${id}` }),
  },
})

/**
 * True where the locked communication is to be sent later: its job has been moved there. A job may run before its message is due, because
 * the message was moved while the job was being taken up, or because the clock of the database, which jobs go by, is ahead of this process's.
 */
export async function putOff(deps: Pick<Deps, 'clock'>, tx: Tx, communication: Communication): Promise<boolean> {
  const { deliveryStatus, sendAt } = communication
  if (deliveryStatus !== 'SCHEDULED' || sendAt === null || sendAt <= deps.clock()) return false
  await enqueueDelivery(tx, communication, await jobTime(deps, tx, sendAt))
  return true
}

/**
 * When a job for a time that has not come is to run: by the database's clock too, or it would be due at once, over and over, until this
 * process's clock gets there.
 */
export async function jobTime(deps: Pick<Deps, 'clock'>, tx: Tx, at: Date): Promise<Date> {
  const [database] = await tx.$queryRaw<{ now: Date }[]>`SELECT clock_timestamp() AS now`
  const left = at.getTime() - deps.clock().getTime()
  return new Date(Math.max(at.getTime(), (database?.now.getTime() ?? 0) + left))
}
