import type { Capabilities } from '../channel.ts'

/** The whole message, attachments in base64 included. Source: https://www.twilio.com/docs/sendgrid/api-reference/mail-send/limitations */
export const MAX_MESSAGE_BYTES = 30_000_000

const anyType = { maxBytes: 20_000_000, types: [] }

export const emailCapabilities: Capabilities = {
  textLimit: 100_000,
  textLimitUnit: 'CHARACTERS',
  messagingWindowHours: null,
  humanAgentHours: null,
  businessInitiated: true,
  templatesNeedApproval: false,
  content: ['TEXT', 'EMAIL', 'TEMPLATE', 'MEDIA'],
  media: { IMAGE: anyType, AUDIO: anyType, VOICE: anyType, VIDEO: anyType, DOCUMENT: anyType, STICKER: anyType },
  maxAttachments: 20,
  maxMessage: { bytes: MAX_MESSAGE_BYTES, base64: true },
  interactive: null,
  quotedReplies: true,
  messagesPerSecond: null,
  inbound: true,
  deliveryReceipts: true,
  readReceipts: true,
}
