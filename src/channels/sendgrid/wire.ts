import type { Wire } from '../channel.ts'
import type { SendgridCredentials } from './credentials.ts'
import { parseEvents } from './events.ts'
import { parseInbound } from './inbound.ts'
import { hasSecret, isSigned } from './signature.ts'
import { isOurLink, parseUnsubscribe, unsubscribeLink } from './unsubscribe.ts'

const ANY_ACCOUNT = { channel: 'EMAIL', addresses: null, communicationId: null } as const

/**
 * SendGrid's webhooks: `inbound` (Inbound Parse), `events` (Event Webhook), and `unsubscribe`, which is ours, for mail programs. Signed where
 * the account has the key; elsewhere the address has to have the account's secret. `maxEmailBytes` bounds a request.
 */
export function sendgridWire(maxEmailBytes: number): Wire<SendgridCredentials> {
  return {
    path: 'sendgrid',
    reach: 'organization',
    inboundSegment: () => 'inbound',
    eventsSegment: 'events',
    inboundQuery: ({ inboundSecret }) => `key=${encodeURIComponent(inboundSecret)}`,
    locate(segment, request) {
      // Whose e-mail it is stands in the multipart body, which is read after somebody has vouched for it.
      if (segment === 'inbound' || segment === 'events') return ANY_ACCOUNT
      const link = segment === 'unsubscribe' ? unsubscribeLink(request) : null
      return link === null ? null : { ...ANY_ACCOUNT, communicationId: link.communicationId }
    },
    verify(request, { webhookPublicKey, parsePublicKey, inboundSecret }) {
      const segment = URL.parse(request.url)?.pathname.split('/').at(-1)
      if (segment === 'unsubscribe') return isOurLink(request, inboundSecret)
      const publicKey = segment === 'events' ? webhookPublicKey : parsePublicKey
      return publicKey === undefined ? hasSecret(request, inboundSecret) : isSigned(request, publicKey)
    },
    parse(segment, request) {
      if (segment === 'inbound') return parseInbound(request, maxEmailBytes)
      if (segment === 'events') return parseEvents(request)
      if (segment === 'unsubscribe') return parseUnsubscribe(request)
      return [{ to: null, facts: [{ kind: 'unknown', reason: `SendGrid posts nothing to the segment ${JSON.stringify(segment)}` }] }]
    },
    acknowledgement: { contentType: 'text/plain', body: '' },
    maxBodyBytes: maxEmailBytes,
  }
}
