import type { Capabilities } from '../../channel.ts'

const MB = 1024 * 1024
const AUDIO = ['audio/aac', 'audio/amr', 'audio/mp4', 'audio/mpeg', 'audio/ogg']
/** An upload of any other type is refused (error 100). */
const DOCUMENTS = [
  'application/pdf',
  'text/plain',
  'application/msword',
  'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
  'application/vnd.ms-excel',
  'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
  'application/vnd.ms-powerpoint',
  'application/vnd.openxmlformats-officedocument.presentationml.presentation',
]

/**
 * Sources: https://developers.facebook.com/docs/whatsapp/cloud-api/reference/media#supported-media-types (sizes), …/messages/text-messages,
 * …/messages/interactive-reply-buttons-messages and …/interactive-list-messages (lengths). The window stays 24 hours after an ad click too:
 * the 72 hours of a free entry point are about the price. Throughput: https://developers.facebook.com/docs/whatsapp/throughput (80 messages a
 * second for each number by default, 1,000 after an automatic upgrade, 20 where the WhatsApp Business app uses the number too).
 */
export const whatsappCapabilities: Capabilities = {
  textLimit: 4096,
  textLimitUnit: 'CHARACTERS',
  messagingWindowHours: 24,
  humanAgentHours: null,
  businessInitiated: true,
  templatesNeedApproval: true,
  content: ['TEXT', 'TEMPLATE', 'MEDIA', 'INTERACTIVE', 'REACTION'],
  media: {
    IMAGE: { maxBytes: 5 * MB, types: ['image/jpeg', 'image/png'] },
    AUDIO: { maxBytes: 16 * MB, types: AUDIO, captions: false },
    VOICE: { maxBytes: 16 * MB, types: ['audio/ogg'], captions: false },
    VIDEO: { maxBytes: 16 * MB, types: ['video/mp4', 'video/3gpp'] },
    DOCUMENT: { maxBytes: 100 * MB, types: DOCUMENTS },
    STICKER: { maxBytes: 500 * 1024, types: ['image/webp'], captions: false },
  },
  maxAttachments: 1,
  captionLimit: 1024,
  interactive: { maxButtons: 3, maxRows: 10, maxTitle: 20, maxRowTitle: 24, maxBody: 1024 },
  quotedReplies: true,
  messagesPerSecond: 80,
  inbound: true,
  deliveryReceipts: true,
  readReceipts: true,
}
