import type { Expectation } from './expectation.ts'

/** What each recorded webhook of Instagram becomes; read against the files. */
export const instagram: Record<string, Expectation> = {
  'instagram/chatwoot.seen.json': {
    known: [{ id: 'message-id-1', direction: 'OUTBOUND', address: 'ig' }],
    becomes: ['message-id-1: status SENT → READ', 'receipt READ for message-id-1', 'webhook APPLIED'],
    again: ['receipt READ for message-id-1', 'webhook APPLIED'],
  },
  'instagram/chatwoot.unsend.json': {
    known: [{ id: 'message-id-to-delete', direction: 'INBOUND', address: 'ig' }],
    becomes: ['message-id-to-delete: body before → , revoked', 'webhook APPLIED'],
  },
  'instagram/vercelchat.echo.json': {
    becomes: ['OUTBOUND INSTAGRAM TEXT "Your order is on the way." of INSTAGRAM:200000000000001', 'webhook APPLIED'],
  },
  'instagram/vercelchat.image_attachment.json': {
    becomes: ['INBOUND INSTAGRAM MEDIA files=1 of INSTAGRAM:200000000000001', 'webhook APPLIED'],
  },
  'instagram/vercelchat.postback.json': {
    becomes: ['INBOUND INSTAGRAM INTERACTIVE_REPLY "Track order" of INSTAGRAM:200000000000001', 'webhook APPLIED'],
  },
  'instagram/vercelchat.quick_reply.json': {
    becomes: ['INBOUND INSTAGRAM INTERACTIVE_REPLY "Yes" of INSTAGRAM:200000000000001', 'webhook APPLIED'],
  },
  'instagram/vercelchat.reaction.json': {
    becomes: ['INBOUND INSTAGRAM REACTION "❤️" re=mid.sent.1 of INSTAGRAM:200000000000001', 'webhook APPLIED'],
  },
  'instagram/vercelchat.story_mention.json': {
    becomes: ['INBOUND INSTAGRAM MEDIA files=1 of INSTAGRAM:200000000000001', 'webhook APPLIED'],
  },
  'instagram/vercelchat.story_reply.json': {
    becomes: ['INBOUND INSTAGRAM TEXT "Is this still available?" of INSTAGRAM:200000000000001', 'webhook APPLIED'],
  },
  'instagram/vercelchat.text_dm.json': {
    becomes: ['INBOUND INSTAGRAM TEXT "Do you ship to Córdoba?" of INSTAGRAM:200000000000001', 'webhook APPLIED'],
  },
}
