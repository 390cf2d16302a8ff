import type { MediaKind as MediaKindName } from '../src/channels/content.ts'
import * as db from '../src/db/generated/enums.ts'
import { builder } from './builder.ts'

export const described = <const Names extends Record<string, string>>(values: { [Name in keyof Names]: string }) =>
  Object.fromEntries(Object.entries(values).map(([name, description]) => [name, { value: name, description }])) as {
    [Name in keyof Names]: { value: Name; description: string }
  }

export const Role = builder.enumType('Role', {
  description: 'What a member or an API key may do; each role includes the ones before it.',
  values: described<typeof db.Role>({
    VIEWER: 'Reads.',
    AGENT: 'Also sends, uploads, notes, logs calls, marks read, assigns, changes and merges customers, and enters consent.',
    ADMIN: 'Also manages channel accounts, templates and API keys, and sees and replays webhooks.',
  }),
})

export const Provider = builder.enumType('Provider', {
  description: 'Who carries the messages of a channel account.',
  values: described<typeof db.Provider>({
    TWILIO: 'Twilio: SMS, WhatsApp and RCS.',
    SANDBOX: 'A simulation: nothing leaves the machine, and messages walk to READ by themselves.',
    META: 'Meta: WhatsApp Cloud, Messenger and Instagram.',
    SENDGRID: 'SendGrid: e-mail.',
    PARLEY: 'Our own: the web chat.',
  }),
})

export const ChannelType = builder.enumType('ChannelType', {
  description: 'A way on which customers and the organization write to each other.',
  values: Object.values(db.ChannelType),
})

export const CommunicationType = builder.enumType('CommunicationType', {
  description: 'The channels, and what staff writes down without anything being sent.',
  values: Object.values(db.CommunicationType),
})

export const Direction = builder.enumType('Direction', {
  description: 'Who writes to whom.',
  values: described<typeof db.Direction>({
    INBOUND: 'From the customer.',
    OUTBOUND: 'To the customer.',
    INTERNAL: 'Among staff.',
  }),
})

export const DeliveryStatus = builder.enumType('DeliveryStatus', {
  description: 'How far an outbound message has come. It moves forward only; late and repeated receipts change nothing.',
  values: described<typeof db.DeliveryStatus>({
    SCHEDULED: 'Waits for its `sendAt`.',
    PENDING: 'Will be handed to the provider, or is being handed over now; an unreachable provider is tried again.',
    SENT: 'Accepted by the provider.',
    DELIVERED: "Arrived on the customer's device.",
    READ: 'Seen by the customer, where the channel tells.',
    FAILED: 'Not sent or not delivered: see `failure`.',
    UNKNOWN: 'It may have been sent: the answer got lost. It is never sent again by itself; a late receipt settles it.',
    CANCELED: 'Withdrawn before it was sent.',
  }),
})

export const ConversationStatus = builder.enumType('ConversationStatus', {
  description: 'An inbound message reopens a closed or snoozed conversation, and so does a missed call.',
  values: Object.values(db.ConversationStatus),
})

export const ChannelAccountStatus = builder.enumType('ChannelAccountStatus', {
  description: 'Only an active account sends and receives; the conversations of a disconnected one stay.',
  values: described<typeof db.ChannelAccountStatus>({
    PENDING:
      'Stored, but the provider has not confirmed the credentials: nothing is sent or received. `health` says why; `checkChannelAccount` asks again, `updateChannelAccount` takes other credentials.',
    ACTIVE: 'Confirmed by the provider.',
    DISCONNECTED: 'Switched off by staff, its credentials erased. `connectChannelAccount` takes it up again.',
  }),
})

export const IdentityKind = builder.enumType('IdentityKind', {
  description: 'What kind of address an identity is.',
  values: described<typeof db.IdentityKind>({
    PHONE: 'A phone number in E.164, e.g. +905551112233; SMS, RCS, calls and most WhatsApp users.',
    WHATSAPP: 'A WhatsApp user id that is not a phone number.',
    EMAIL: 'An e-mail address, in lower case.',
    MESSENGER: 'A page-scoped id.',
    INSTAGRAM: 'An account-scoped id.',
    WEBCHAT: 'A visitor of the web chat.',
    EXTERNAL: "The id of the customer in the organization's own systems.",
  }),
})

export const CallOutcome = builder.enumType('CallOutcome', { description: 'How a call ended.', values: Object.values(db.CallOutcome) })

export const TemplatePurpose = builder.enumType('TemplatePurpose', {
  description: 'What a template is for; the names are those of WhatsApp’s categories, and GENERAL for none of them.',
  values: Object.values(db.TemplatePurpose),
})

export const TemplateStatus = builder.enumType('TemplateStatus', {
  description: "The provider's word on a template.",
  values: described<typeof db.TemplateStatus>({
    PENDING: 'Being reviewed.',
    APPROVED: 'Can be sent.',
    REJECTED: 'Refused: see `statusReason`.',
    PAUSED: 'Stopped for a while, because customers did not like it.',
    DISABLED: 'Stopped for good.',
  }),
})

export const AttachmentStatus = builder.enumType('AttachmentStatus', {
  description: 'Where the bytes of an attachment are.',
  values: described<typeof db.AttachmentStatus>({
    PENDING: 'Being fetched from the provider, or waiting for its bytes to be uploaded.',
    STORED: 'Ready: see `url`.',
    FAILED: 'Could not be fetched: see `failure`.',
  }),
})

export const TextLimitUnit = builder.enumType('TextLimitUnit', {
  description: 'What a text limit counts: Unicode code points, or bytes of UTF-8.',
  values: ['CHARACTERS', 'BYTES'] as const,
})

export const MessagePurpose = builder.enumType('MessagePurpose', {
  description: 'What consent is asked for.',
  values: described<typeof db.MessagePurpose>({
    TRANSACTIONAL: 'About something the customer does with the organization.',
    MARKETING: 'Advertisement.',
  }),
})

export const MediaKind = builder.enumType('MediaKind', {
  description: 'What a file is for the one who gets it.',
  values: described<{ [Kind in MediaKindName]: Kind }>({
    IMAGE: 'A picture.',
    AUDIO: 'Sound.',
    VOICE: 'Recorded speech, played in place.',
    VIDEO: 'A film.',
    DOCUMENT: 'A file to be opened or saved.',
    STICKER: 'A picture without a frame.',
  }),
})

export const WindowReason = builder.enumType('MessagingWindowReason', {
  description: 'What has opened a messaging window.',
  values: described<typeof db.WindowReason>({
    CUSTOMER_MESSAGE: 'The customer wrote.',
    AD_REFERRAL: 'The customer came from an advertisement, which opens it for longer.',
  }),
})

export const AppointmentStatus = builder.enumType('AppointmentStatus', {
  description: 'Where an appointment is in its life.',
  values: described<typeof db.AppointmentStatus>({
    BOOKED: 'It is to take place, or took place and nobody has said so yet.',
    COMPLETED: 'The customer was there.',
    CANCELED: 'It does not take place.',
  }),
})

export const AutomationKind = builder.enumType('AutomationKind', {
  description: 'The messages that go out by themselves.',
  values: described<typeof db.AutomationKind>({
    BOOKING_CONFIRMATION: 'An appointment was made: at once, or after `delayMinutes`.',
    RESCHEDULE_NOTICE: 'It has another time.',
    CANCELLATION_NOTICE: 'It was canceled.',
    APPOINTMENT_REMINDER: 'It is near: once for each of `reminderMinutes`.',
    MISSED_CALL_FOLLOW_UP: 'A call of the customer was missed, and we have not reached them since.',
    REVIEW_REQUEST:
      'By hand (`requestReview`), and after a completed appointment where `afterCompletion` says so. It asks for the consent to MARKETING.',
  }),
})

export const AutomationRunStatus = builder.enumType('AutomationRunStatus', {
  description: 'What has become of an automated message.',
  values: described<typeof db.AutomationRunStatus>({
    SCHEDULED: 'Waits for its `dueAt`, or for the end of the quiet hours (`heldUntil`).',
    SENT: 'Its message was written: see `communication` and its `deliveryStatus`.',
    SKIPPED: 'Not sent: see `reason` and `detail`.',
    FAILED: 'Its message could not be delivered: see `detail`.',
  }),
})

export const AutomationReason = builder.enumType('AutomationReason', {
  description: 'Why an automated message was not sent on a channel. After one of the last nine the next channel is tried.',
  values: described<typeof db.AutomationReason>({
    AUTOMATION_OFF: 'It is switched off.',
    SETTINGS_CHANGED: 'A reminder at this time, or the channel, is not among the settings any more.',
    APPOINTMENT_CANCELED: 'The appointment was canceled.',
    APPOINTMENT_RESCHEDULED: 'The appointment has another time now, and its own messages.',
    APPOINTMENT_COMPLETED: 'The appointment is over.',
    APPOINTMENT_PASSED: 'The appointment had already begun.',
    TOO_LATE: 'Its time had passed: see `detail`.',
    ALREADY_REACHED: 'The customer was called, written to or answered since their call.',
    CHANNEL_NOT_CONNECTED: 'No active channel account of this channel.',
    NO_ADDRESS: 'The customer has no address on this channel.',
    OPTED_OUT: 'The customer does not want messages on this channel.',
    MESSAGING_WINDOW_CLOSED: 'Only an approved template could be sent, and none is chosen; or the customer never wrote.',
    TEMPLATE_NOT_APPROVED: 'The provider has not approved the chosen template.',
    MISSING_VALUE: 'A variable of the text has no value, e.g. no review link is set.',
    CONTENT_REFUSED: 'The channel cannot carry the text, e.g. because it is too long.',
    DELIVERY_FAILED: 'It was sent and could not be delivered.',
    INTERNAL_ERROR: 'Something went wrong on our side: the server’s log says what.',
  }),
})

export const LateReminder = builder.enumType('LateReminder', {
  description: 'What becomes of a reminder whose time had passed when the appointment was made or moved.',
  values: described<typeof db.LateReminder>({
    SEND_NOW: 'It goes out at once; of several, only the one nearest to the appointment.',
    SKIP: 'It is never sent, and the run says so.',
  }),
})
