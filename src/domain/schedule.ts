import type { Communication } from '../db/generated/client.ts'
import type { Tx } from '../events/transact.ts'
import { enqueue } from '../jobs/enqueue.ts'
import { ValidationError } from './errors.ts'

const MAX_AHEAD_DAYS = 366

/** The time as it may be asked for; null: now. Throws ValidationError. */
export function checkedSendAt(sendAt: Date | null | undefined, now: Date): Date | null {
  if (sendAt === null || sendAt === undefined) return null
  const ahead = sendAt.getTime() - now.getTime()
  if (ahead > 0 && ahead <= MAX_AHEAD_DAYS * 86_400_000) return sendAt
  throw new ValidationError(`sendAt must be in the future, at most ${MAX_AHEAD_DAYS} days ahead.`, ['input', 'sendAt'])
}

type Delivery = Pick<Communication, 'id' | 'conversationId' | 'sendAt'>

/** The job that sends a communication, by default at its `sendAt`. */
export async function enqueueDelivery(tx: Tx, { id, conversationId, sendAt }: Delivery, runAt: Date | null = sendAt): Promise<void> {
  await enqueue(
    tx,
    'deliver',
    { communicationId: id },
    {
      queue: `conversation:${conversationId}`,
      ...(runAt === null ? {} : { runAt }),
    },
  )
}
