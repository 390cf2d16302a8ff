import type { MessagePurpose } from '../db/generated/enums.ts'

/** The provider refused for good: `code` is the provider's, `explanation` a sentence a business owner understands. */
export class Rejected extends Error {
  override readonly name = 'Rejected'
  readonly code: string
  readonly explanation: string
  /** The refusal says that the recipient has opted out: that is then recorded. */
  readonly recipientOptedOut: boolean
  /** What of, where `recipientOptedOut`. */
  readonly optedOutOf: readonly MessagePurpose[]
  constructor(code: string, explanation: string, options: { recipientOptedOut?: boolean; optedOutOf?: readonly MessagePurpose[] } = {}) {
    super(`${code}: ${explanation}`)
    this.code = code
    this.explanation = explanation
    this.recipientOptedOut = options.recipientOptedOut ?? false
    this.optedOutOf = options.optedOutOf ?? ['TRANSACTIONAL', 'MARKETING']
  }
}

/** The provider surely did not take the message; trying again is safe. `retryAfterMs` is the provider's own wish. */
export class Unavailable extends Error {
  override readonly name = 'Unavailable'
  readonly retryAfterMs: number | null
  constructor(message: string, retryAfterMs: number | null = null) {
    super(message)
    this.retryAfterMs = retryAfterMs
  }
}

/** The provider may or may not have taken the message. Only its own receipt can tell. */
export class Uncertain extends Error {
  override readonly name = 'Uncertain'
}
