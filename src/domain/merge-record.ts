import type { ConversationStatus, MergeSuggestionStatus, WindowReason } from '../db/generated/enums.ts'

/** A conversation's state of before, so that it can be put back. Times are ISO 8601. */
export type ConversationState = {
  address: string
  status: ConversationStatus
  snoozedUntil: string | null
  statusChangedAt: string
  assigneeId: string | null
  windowExpiresAt: string | null
  windowReason: WindowReason | null
  lastInboundAt: string | null
  lastActivityAt: string
}

/** `from`'s communications were put into `into`. `before` and `after` are states of `into`. */
export type Joined = { from: string; into: string; communications: string[]; before: ConversationState; after: ConversationState }

/** What a merge did, by ids: `customer_merge.moved`. JSON-serializable. */
export type Moved = {
  /** The survivor had no name and took this one. */
  name: string | null
  /** Customers merged into the merged one before, who lead to the survivor now. */
  customers: string[]
  identities: string[]
  communications: string[]
  /** Conversations that changed hands as they were. */
  conversations: { id: string; lastActivityAt: string }[]
  joined: Joined[]
  /** Conversations that led to one of `joined.from` and lead to its `into` now. */
  redirected: { id: string; from: string }[]
  consents: string[]
  appointments?: string[]
  automationRuns?: string[]
  suggestions: { id: string; column: 'customerId' | 'otherCustomerId' }[]
  settled: { id: string; status: MergeSuggestionStatus }[]
}
