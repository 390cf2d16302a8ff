import type { Capabilities } from '../channels/channel.ts'
import type { TemplateStatus } from '../db/generated/enums.ts'

export type UserErrorCode =
  | 'INVALID_INPUT'
  | 'NOT_FOUND'
  | 'ALREADY_EXISTS'
  | 'CHANNEL_NOT_CONNECTED'
  | 'RECIPIENT_OPTED_OUT'
  | 'MESSAGING_WINDOW_CLOSED'
  | 'BODY_TOO_LONG'
  | 'CONTENT_NOT_SUPPORTED'
  | 'ATTACHMENT_TOO_LARGE'
  | 'TEMPLATE_NOT_APPROVED'
  | 'IDEMPOTENCY_CONFLICT'
  | 'RATE_LIMITED'

/** Something the caller can act on: a type in the graph. `path` names the input field, e.g. ["input", "body"]. */
export abstract class UserError extends Error {
  abstract readonly code: UserErrorCode
  readonly path: string[]
  constructor(message: string, path: string[]) {
    super(message)
    this.path = path
  }
}

export class ValidationError extends UserError {
  override readonly name = 'ValidationError'
  readonly code = 'INVALID_INPUT'
}

/** The customer has none on any of the channels in question. */
export class NoAddressError extends ValidationError {}

export class NotFoundError extends UserError {
  override readonly name = 'NotFoundError'
  readonly code = 'NOT_FOUND'
  constructor(noun: string, path: string[]) {
    super(`There is no such ${noun}.`, path)
  }
}

export class AlreadyExistsError extends UserError {
  override readonly name = 'AlreadyExistsError'
  readonly code = 'ALREADY_EXISTS'
  /** The customer who has it, where it is an identity. */
  readonly customerId: string | null
  constructor(message: string, path: string[], customerId: string | null = null) {
    super(message, path)
    this.customerId = customerId
  }
}

export class ChannelNotConnectedError extends UserError {
  override readonly name = 'ChannelNotConnectedError'
  readonly code = 'CHANNEL_NOT_CONNECTED'
}

export class RecipientOptedOutError extends UserError {
  override readonly name = 'RecipientOptedOutError'
  readonly code = 'RECIPIENT_OPTED_OUT'
  constructor(path: string[] = ['input', 'to']) {
    const why = 'they wrote STOP, unsubscribed, reported spam or told staff, or the address does not work (see the customer’s consents)'
    super(`The customer has opted out of such messages on this channel: ${why}. They can opt in again, e.g. by writing START.`, path)
  }
}

export class MessagingWindowClosedError extends UserError {
  override readonly name = 'MessagingWindowClosedError'
  readonly code = 'MESSAGING_WINDOW_CLOSED'
  /** null: the customer has never written on this channel. */
  readonly expiredAt: Date | null
  constructor(message: string, expiredAt: Date | null, path: string[] = ['input', 'content']) {
    super(message, path)
    this.expiredAt = expiredAt
  }
}

export class BodyTooLongError extends UserError {
  override readonly name = 'BodyTooLongError'
  readonly code = 'BODY_TOO_LONG'
  readonly limit: number
  readonly length: number
  readonly unit: Capabilities['textLimitUnit']
  constructor(limit: number, length: number, unit: Capabilities['textLimitUnit'], path: string[]) {
    super(`The text has ${length} ${unit.toLowerCase()}; this channel allows ${limit}.`, path)
    this.limit = limit
    this.length = length
    this.unit = unit
  }
}

/** The channel cannot carry this kind of message at all, or not this variant of it. */
export class ContentNotSupportedError extends UserError {
  override readonly name = 'ContentNotSupportedError'
  readonly code = 'CONTENT_NOT_SUPPORTED'
}

export class AttachmentTooLargeError extends UserError {
  override readonly name = 'AttachmentTooLargeError'
  readonly code = 'ATTACHMENT_TOO_LARGE'
  /** Bytes, as the next. */
  readonly limit: number
  readonly size: number
  constructor(limit: number, size: number, path: string[], what = 'The file') {
    super(`${what} has ${size} bytes; this channel allows ${limit}.`, path)
    this.limit = limit
    this.size = size
  }
}

export class TemplateNotApprovedError extends UserError {
  override readonly name = 'TemplateNotApprovedError'
  readonly code = 'TEMPLATE_NOT_APPROVED'
  readonly status: TemplateStatus | null
  constructor(status: TemplateStatus | null, path: string[]) {
    super(
      `The provider has not approved the template${status === null ? '' : `: it is ${status}`}. Only an approved one can be sent.`,
      path,
    )
    this.status = status
  }
}

export class IdempotencyConflictError extends UserError {
  override readonly name = 'IdempotencyConflictError'
  readonly code = 'IDEMPOTENCY_CONFLICT'
  constructor(message = 'This idempotency key was used before with another input.', path = ['input', 'idempotencyKey']) {
    super(message, path)
  }
}

export class RateLimitedError extends UserError {
  override readonly name = 'RateLimitedError'
  readonly code = 'RATE_LIMITED'
  readonly retryAfterSeconds: number
  constructor(retryAfterMs: number) {
    const seconds = Math.max(1, Math.ceil(retryAfterMs / 1000))
    super(`That was too often. Try again in ${seconds} seconds.`, ['input'])
    this.retryAfterSeconds = seconds
  }
}
