import type { Part, RawRequest } from '../channel.ts'
import { identifyEmail, normalizeEmail } from './address.ts'
import { isSame, unsubscribeSignature } from './signature.ts'

/**
 * The address in a marketing message's List-Unsubscribe header, to which mail programs post when somebody presses "unsubscribe" (RFC 8058).
 * `statusCallbackUrl`: another address of the same wire and organization, which has the communication's id.
 */
export function unsubscribeUrl(statusCallbackUrl: string, communicationId: string, address: string, secret: string): string {
  const url = new URL(statusCallbackUrl)
  url.pathname = url.pathname.replace(/[^/]*$/, 'unsubscribe')
  url.hash = ''
  const signature = unsubscribeSignature(secret, communicationId, address)
  url.search = new URLSearchParams({ communicationId, address, signature }).toString()
  return url.href
}

type Link = { communicationId: string; address: string; signature: string }

/** The message and recipient of an unsubscribe link; null where it is none. */
export function unsubscribeLink(request: Pick<RawRequest, 'url'>): Link | null {
  const query = URL.parse(request.url)?.searchParams
  const [communicationId = '', address, signature = ''] = [
    query?.get('communicationId') ?? '',
    normalizeEmail(query?.get('address') ?? ''),
    query?.get('signature') ?? '',
  ]
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(communicationId) || address === null) return null
  return { communicationId, address, signature }
}

export function isOurLink(request: Pick<RawRequest, 'url'>, secret: string): boolean {
  const link = unsubscribeLink(request)
  return link !== null && isSame(link.signature, unsubscribeSignature(secret, link.communicationId, link.address))
}

/** The recipient wants no more marketing messages. */
export function parseUnsubscribe(request: RawRequest): Part[] {
  const link = unsubscribeLink(request)
  if (link === null) return [{ to: null, facts: [{ kind: 'unknown', reason: 'not an unsubscribe link' }] }]
  const { communicationId, address } = link
  return [
    {
      to: { channel: 'EMAIL', addresses: null, communicationId },
      facts: [
        {
          kind: 'consent',
          identity: { ...identifyEmail(address), verified: true },
          purposes: ['MARKETING'],
          state: 'OPTED_OUT',
          source: 'UNSUBSCRIBE',
          evidence: `One-click unsubscribe of message ${communicationId}`,
          at: new Date(),
        },
      ],
    },
  ]
}
