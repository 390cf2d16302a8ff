import type { Capabilities } from '../../channel.ts'

const MEGABYTE = 1_000_000
const FILE = 25 * MEGABYTE

const shared = {
  messagingWindowHours: 24,
  humanAgentHours: 168,
  businessInitiated: false,
  templatesNeedApproval: false,
  maxAttachments: 1,
  captionLimit: 0,
  quotedReplies: false,
  // Of texts; 10 a second with sound or video. https://developers.facebook.com/documentation/business-messaging/messenger-platform/overview/rate-limiting
  messagesPerSecond: 300,
  inbound: true,
} satisfies Partial<Capabilities>

/**
 * Sources: https://developers.facebook.com/docs/messenger-platform/reference/send-api (text),
 * https://developers.facebook.com/docs/messenger-platform/send-messages/quick-replies (13 of 20 characters), and the attachment upload reference.
 */
export const messengerCapabilities: Capabilities = {
  ...shared,
  textLimit: 2000,
  textLimitUnit: 'CHARACTERS',
  content: ['TEXT', 'MEDIA', 'INTERACTIVE'],
  media: {
    IMAGE: { maxBytes: FILE, types: [] },
    AUDIO: { maxBytes: FILE, types: [] },
    VOICE: { maxBytes: FILE, types: [] },
    VIDEO: { maxBytes: FILE, types: [] },
    DOCUMENT: { maxBytes: FILE, types: [] },
  },
  interactive: { maxButtons: 13, maxRows: 0, maxTitle: 20, maxRowTitle: 0, maxBody: 2000 },
  deliveryReceipts: true,
  readReceipts: true,
}

const INSTAGRAM_AUDIO = ['audio/aac', 'audio/mp4', 'audio/m4a', 'audio/x-m4a', 'audio/wav', 'audio/x-wav', 'audio/vnd.wave']

/** Source: https://developers.facebook.com/docs/messenger-platform/instagram/features/send-message. Instagram says when a message was seen, never that it arrived. */
export const instagramCapabilities: Capabilities = {
  ...shared,
  textLimit: 1000,
  textLimitUnit: 'BYTES',
  content: ['TEXT', 'MEDIA', 'INTERACTIVE', 'REACTION'],
  media: {
    IMAGE: { maxBytes: 8 * MEGABYTE, types: ['image/png', 'image/jpeg', 'image/gif'] },
    AUDIO: { maxBytes: FILE, types: INSTAGRAM_AUDIO },
    VOICE: { maxBytes: FILE, types: INSTAGRAM_AUDIO },
    VIDEO: { maxBytes: FILE, types: ['video/mp4', 'video/ogg', 'video/x-msvideo', 'video/avi', 'video/quicktime', 'video/webm'] },
    DOCUMENT: { maxBytes: FILE, types: ['application/pdf'] },
  },
  interactive: { maxButtons: 13, maxRows: 0, maxTitle: 20, maxRowTitle: 0, maxBody: 1000 },
  deliveryReceipts: false,
  readReceipts: true,
}
