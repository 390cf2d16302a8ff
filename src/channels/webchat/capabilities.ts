import type { Capabilities } from '../channel.ts'

const MEGABYTE = 1024 * 1024
const file = { maxBytes: 20 * MEGABYTE, types: [] }

/** Ours to say. A visitor without a conversation cannot be written to: nobody would be there to read it. */
export const webchatCapabilities: Capabilities = {
  textLimit: 4096,
  textLimitUnit: 'CHARACTERS',
  messagingWindowHours: null,
  humanAgentHours: null,
  businessInitiated: false,
  templatesNeedApproval: false,
  content: ['TEXT', 'MEDIA', 'INTERACTIVE'],
  media: { IMAGE: file, AUDIO: file, VOICE: file, VIDEO: file, DOCUMENT: file, STICKER: file },
  maxAttachments: 10,
  interactive: { maxButtons: 10, maxRows: 10, maxTitle: 40, maxRowTitle: 40, maxBody: 4096 },
  quotedReplies: false,
  messagesPerSecond: null,
  inbound: true,
  deliveryReceipts: true,
  readReceipts: true,
}
