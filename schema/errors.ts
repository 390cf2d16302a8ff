import {
  AlreadyExistsError,
  AttachmentTooLargeError,
  BodyTooLongError,
  ChannelNotConnectedError,
  ContentNotSupportedError,
  IdempotencyConflictError,
  MessagingWindowClosedError,
  NotFoundError,
  RateLimitedError,
  RecipientOptedOutError,
  TemplateNotApprovedError,
  type UserError,
  type UserErrorCode,
  ValidationError,
} from '../src/domain/errors.ts'
import { builder } from './builder.ts'
import { TemplateStatus, TextLimitUnit } from './enums.ts'

const UserErrorCodeEnum = builder.enumType('UserErrorCode', {
  description: 'One for each error type, for programs.',
  values: {
    INVALID_INPUT: {},
    NOT_FOUND: {},
    ALREADY_EXISTS: {},
    CHANNEL_NOT_CONNECTED: {},
    RECIPIENT_OPTED_OUT: {},
    MESSAGING_WINDOW_CLOSED: {},
    BODY_TOO_LONG: {},
    CONTENT_NOT_SUPPORTED: {},
    ATTACHMENT_TOO_LARGE: {},
    TEMPLATE_NOT_APPROVED: {},
    IDEMPOTENCY_CONFLICT: {},
    RATE_LIMITED: {},
  } satisfies Record<UserErrorCode, object>,
})

const UserErrorInterface = builder.interfaceRef<UserError>('UserError').implement({
  description: 'What went wrong, in a way that the caller can act on.',
  fields: (t) => ({
    code: t.field({ type: UserErrorCodeEnum, resolve: (error) => error.code }),
    message: t.exposeString('message', { description: 'A sentence for people.' }),
    path: t.exposeStringList('path', { description: 'The input field that it is about, e.g. `["input", "content", "text"]`.' }),
  }),
})

const interfaces = [UserErrorInterface]

builder.objectType(ValidationError, { name: 'ValidationError', description: 'A value is not allowed; `path` names it.', interfaces })
builder.objectType(NotFoundError, { name: 'NotFoundError', description: 'No such thing in this organization.', interfaces })
builder.objectType(AlreadyExistsError, { name: 'AlreadyExistsError', interfaces })
builder.objectType(ChannelNotConnectedError, {
  name: 'ChannelNotConnectedError',
  description: 'No connected channel account can do this.',
  interfaces,
})
builder.objectType(RecipientOptedOutError, {
  name: 'RecipientOptedOutError',
  description:
    'The customer does not want messages of this purpose on this channel: they wrote STOP or unsubscribed, the provider says so, or staff noted it.',
  interfaces,
})
builder.objectType(IdempotencyConflictError, {
  name: 'IdempotencyConflictError',
  description: 'The key was used before with another input.',
  interfaces,
})
builder.objectType(MessagingWindowClosedError, {
  name: 'MessagingWindowClosedError',
  description:
    'Free text is allowed only for some time after the customer wrote; `message` says what can be sent now: an approved template, the answer of a person, or nothing.',
  interfaces,
  fields: (t) => ({
    expiredAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'null: the customer has never written on this channel.',
      resolve: (error) => error.expiredAt,
    }),
  }),
})
builder.objectType(BodyTooLongError, {
  name: 'BodyTooLongError',
  interfaces,
  fields: (t) => ({
    limit: t.exposeInt('limit'),
    length: t.exposeInt('length'),
    unit: t.field({ type: TextLimitUnit, resolve: (error) => error.unit }),
  }),
})
builder.objectType(RateLimitedError, {
  name: 'RateLimitedError',
  description: 'Too often in a short time. Nothing was done.',
  interfaces,
  fields: (t) => ({ retryAfterSeconds: t.exposeInt('retryAfterSeconds', { description: 'After that it may be tried again.' }) }),
})
builder.objectType(ContentNotSupportedError, {
  name: 'ContentNotSupportedError',
  description: 'The channel cannot carry this kind of content or file: see `capabilities`.',
  interfaces,
})
builder.objectType(AttachmentTooLargeError, {
  name: 'AttachmentTooLargeError',
  description:
    'The file is larger than the channel takes for its kind, or the message with all its files is larger than it takes (`maxMessageBytes`); `path` names it.',
  interfaces,
  fields: (t) => ({
    limit: t.exposeInt('limit', { description: 'Bytes.' }),
    size: t.exposeInt('size', { description: 'Bytes.' }),
  }),
})
builder.objectType(TemplateNotApprovedError, {
  name: 'TemplateNotApprovedError',
  description: "A template of the provider's can be sent while it is APPROVED, not before and not when that was taken back.",
  interfaces,
  fields: (t) => ({ status: t.field({ type: TemplateStatus, nullable: true, resolve: (error) => error.status }) }),
})

/** Why a message is not taken: of every mutation that writes one of any kind. */
export const refusals = [
  ValidationError,
  NotFoundError,
  ChannelNotConnectedError,
  RecipientOptedOutError,
  MessagingWindowClosedError,
  BodyTooLongError,
  ContentNotSupportedError,
  AttachmentTooLargeError,
  TemplateNotApprovedError,
]
