import type { Capabilities } from '../channel.ts'

const MB = 1_000_000
const IMAGES = ['image/jpeg', 'image/png', 'image/gif'] as const
const AUDIO = ['audio/mpeg', 'audio/mp4', 'audio/ogg', 'audio/amr', 'audio/3gpp', 'audio/webm', 'audio/basic', 'audio/ac3'] as const
const VIDEO = ['video/mp4', 'video/mpeg', 'video/quicktime', 'video/webm', 'video/3gpp'] as const
const DOCUMENTS = ['application/pdf', 'text/vcard', 'text/x-vcard', 'text/csv', 'text/rtf', 'text/calendar'] as const

/**
 * Source of the text's limit: error 21617, https://www.twilio.com/docs/api/errors/21617; of the media's (MMS):
 * https://www.twilio.com/docs/messaging/guides/accepted-mime-types. Twilio takes messages faster than a number may send them (1 a second for
 * a US long code, 3 toll-free, 100 for a short code) and queues them by itself, for hours: the limit is that of the fastest sender. Source:
 * https://help.twilio.com/articles/115002943027
 */
export const smsCapabilities: Capabilities = {
  textLimit: 1600,
  textLimitUnit: 'CHARACTERS',
  messagingWindowHours: null,
  humanAgentHours: null,
  businessInitiated: true,
  templatesNeedApproval: false,
  content: ['TEXT', 'TEMPLATE', 'MEDIA'],
  // Carriers keep one too. Source: https://www.twilio.com/docs/api/errors/21610
  keepsOptOuts: true,
  media: {
    IMAGE: { maxBytes: 5 * MB, types: IMAGES },
    AUDIO: { maxBytes: 5 * MB, types: AUDIO },
    VOICE: { maxBytes: 5 * MB, types: AUDIO },
    VIDEO: { maxBytes: 5 * MB, types: VIDEO },
    DOCUMENT: { maxBytes: 5 * MB, types: DOCUMENTS },
  },
  maxAttachments: 10,
  maxMessage: { bytes: 5 * MB, base64: false },
  interactive: null,
  quotedReplies: false,
  messagesPerSecond: 100,
  inbound: true,
  deliveryReceipts: true,
  readReceipts: false,
}

const OFFICE = [
  'application/msword',
  'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
  'application/vnd.ms-excel',
  'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
  'application/vnd.ms-powerpoint',
  'application/vnd.openxmlformats-officedocument.presentationml.presentation',
] as const

/**
 * Source of the window: https://www.twilio.com/docs/whatsapp/key-concepts#customer-service-windows; of the media:
 * https://www.twilio.com/docs/whatsapp/guidance-whatsapp-media-messages (one item a message); of the pace:
 * https://www.twilio.com/docs/whatsapp/best-practices-and-faqs (80 a second for each sender by default, beyond which Twilio queues).
 */
export const whatsappCapabilities: Capabilities = {
  ...smsCapabilities,
  messagingWindowHours: 24,
  templatesNeedApproval: true,
  keepsOptOuts: false,
  media: {
    IMAGE: { maxBytes: 5 * MB, types: ['image/jpeg', 'image/png'] },
    AUDIO: { maxBytes: 16 * MB, types: ['audio/mpeg', 'audio/ogg', 'audio/amr', 'audio/mp4', 'audio/aac'], captions: false },
    VOICE: { maxBytes: 16 * MB, types: ['audio/ogg'], captions: false },
    VIDEO: { maxBytes: 16 * MB, types: ['video/mp4'] },
    DOCUMENT: { maxBytes: 16 * MB, types: ['application/pdf', 'text/vcard', ...OFFICE] },
    STICKER: { maxBytes: 100_000, types: ['image/webp'], captions: false },
  },
  maxAttachments: 1,
  maxMessage: { bytes: 16 * MB, base64: false },
  messagesPerSecond: 80,
  readReceipts: true,
}

/**
 * Source of the text's limit: https://www.twilio.com/docs/rcs; of the media's:
 * https://www.twilio.com/docs/messaging/guides/accepted-mime-types (where it falls back to MMS, Twilio refuses more than 5 MB).
 */
export const rcsCapabilities: Capabilities = {
  ...smsCapabilities,
  textLimit: 3072,
  media: {
    IMAGE: { maxBytes: 16 * MB, types: IMAGES },
    AUDIO: { maxBytes: 16 * MB, types: AUDIO },
    VOICE: { maxBytes: 16 * MB, types: AUDIO },
    VIDEO: { maxBytes: 16 * MB, types: VIDEO },
    DOCUMENT: { maxBytes: 16 * MB, types: DOCUMENTS },
  },
  maxAttachments: 1,
  maxMessage: { bytes: 16 * MB, base64: false },
  readReceipts: true,
}
