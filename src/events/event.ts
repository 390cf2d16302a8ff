import type { Prisma } from '../db/generated/client.ts'
import type { EventType } from '../db/generated/enums.ts'

/** One row of the log. `seq` counts 1, 2, 3, … in each organization. Shared by all followers of a process: never changed. */
export type LoggedEvent = {
  readonly organizationId: string
  readonly seq: bigint
  readonly type: EventType
  readonly occurredAt: Date
  readonly actorId: string | null
  readonly customerId: string | null
  readonly conversationId: string | null
  readonly communicationId: string | null
  readonly data: Prisma.JsonObject
}

/**
 * What a follower is given: events without a gap, or the word that they cannot be given.
 * After `resync` the reader must read its state anew; the next event is `position` + 1.
 */
export type LogEntry = { kind: 'event'; event: LoggedEvent } | { kind: 'resync'; reason: string; position: bigint }
