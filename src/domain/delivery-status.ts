import type { DeliveryStatus } from '../db/generated/enums.ts'

// Receipts come late, twice and out of order: the furthest state wins, whatever the order. A message that was delivered
// after a "failed" was delivered; a "failed" after "delivered" changes nothing.
const rank = {
  SCHEDULED: 0,
  PENDING: 1,
  UNKNOWN: 2,
  SENT: 3,
  CANCELED: 4,
  FAILED: 5,
  DELIVERED: 6,
  READ: 7,
} as const satisfies Record<DeliveryStatus, number>

/** True where `next` is further than `current`. */
export const advances = (current: DeliveryStatus, next: DeliveryStatus): boolean => rank[next] > rank[current]

/** The furthest of both. */
export const furthest = (a: DeliveryStatus, b: DeliveryStatus): DeliveryStatus => (advances(a, b) ? b : a)

const reached = (status: DeliveryStatus, milestone: 'SENT' | 'DELIVERED' | 'READ'): boolean =>
  status !== 'FAILED' && status !== 'CANCELED' && rank[status] >= rank[milestone]

/** The times that a communication has at least when it reaches `status`: a READ without a DELIVERED was delivered too. */
export function milestones(
  status: DeliveryStatus,
  before: { sentAt: Date | null; deliveredAt: Date | null; readAt: Date | null },
  now: Date,
) {
  return {
    sentAt: before.sentAt ?? (reached(status, 'SENT') ? now : null),
    deliveredAt: before.deliveredAt ?? (reached(status, 'DELIVERED') ? now : null),
    readAt: before.readAt ?? (reached(status, 'READ') ? now : null),
  }
}
