import {
  AlreadyExistsError,
  BodyTooLongError,
  ChannelNotConnectedError,
  IdempotencyConflictError,
  MessagingWindowClosedError,
  NotFoundError,
  RecipientOptedOutError,
  type UserError,
  type UserErrorCode,
  ValidationError,
} from '../src/domain/errors.ts'
import { builder } from './builder.ts'
import { TextLimitUnit } from './enums.ts'

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
    IDEMPOTENCY_CONFLICT: {},
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
  description: 'The customer wrote STOP on this channel; only they can opt in again.',
  interfaces,
})
builder.objectType(IdempotencyConflictError, {
  name: 'IdempotencyConflictError',
  description: 'The key was used before with another input.',
  interfaces,
})
builder.objectType(MessagingWindowClosedError, {
  name: 'MessagingWindowClosedError',
  description: 'Free text is allowed only for some time after the customer wrote; now only an approved template can be sent.',
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
