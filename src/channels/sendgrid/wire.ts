import type { RawRequest, Wire } from '../channel.ts'
import type { SendgridCredentials } from './credentials.ts'
import { parseEvents } from './events.ts'
import { parseInbound } from './inbound.ts'
import { hasSecret, hasSignature, isSigned } from './signature.ts'
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
    verify(request, credentials) {
      const publicKey = signingKey(request, credentials)
      return admits(request, credentials) && (publicKey === undefined || isSigned(request, publicKey))
    },
    admits,
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

type Head = Omit<RawRequest, 'body'>

const segmentOf = ({ url }: Head): string | undefined => URL.parse(url)?.pathname.split('/').at(-1)

/** undefined: SendGrid signs nothing there, as far as the account says. */
function signingKey(head: Head, { webhookPublicKey, parsePublicKey }: SendgridCredentials): string | undefined {
  const segment = segmentOf(head)
  if (segment === 'unsubscribe') return undefined
  return segment === 'events' ? webhookPublicKey : parsePublicKey
}

function admits(head: Head, credentials: SendgridCredentials): boolean {
  if (segmentOf(head) === 'unsubscribe') return isOurLink(head, credentials.inboundSecret)
  return signingKey(head, credentials) === undefined ? hasSecret(head, credentials.inboundSecret) : hasSignature(head)
}
