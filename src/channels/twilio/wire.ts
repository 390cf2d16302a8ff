import twilio from 'twilio'
import type { ChannelType } from '../../db/generated/enums.ts'
import type { Locator, RawRequest, Wire } from '../channel.ts'
import { channelOf, normalizeSms, normalizeWhatsapp } from './address.ts'
import { readForm, signedParameters } from './form.ts'
import { parseInbound } from './inbound.ts'
import { parseStatus } from './status.ts'

const INBOUND_SEGMENTS: Partial<Record<ChannelType, string>> = { SMS: 'sms', WHATSAPP: 'whatsapp' }
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/**
 * Twilio's messaging webhooks: `sms` and `whatsapp` for what customers write, `status` for receipts. Forms, one fact each.
 * Source: https://www.twilio.com/docs/messaging/guides/webhook-request
 */
export const twilioWire: Wire<{ authToken: string }> = {
  path: 'twilio',
  inboundSegment(channel) {
    const segment = INBOUND_SEGMENTS[channel]
    if (segment === undefined) throw new Error(`Twilio's webhooks carry no ${channel} messages`)
    return segment
  },
  locate(segment, request) {
    const form = readForm(request.body)
    const [from, to, service] = [form.get('From'), form.get('To'), form.get('MessagingServiceSid')]
    if (segment === 'status') {
      return { channel: channelOf(from, to), addresses: stored(from, to, service), communicationId: communicationIdOf(request) }
    }
    if (segment !== 'sms' && segment !== 'whatsapp') return null
    const spoken = channelOf(from, to)
    if (spoken === null) return null
    // One number can serve SMS and WhatsApp: the prefix tells them apart also where the wrong URL was configured.
    return {
      channel: segment === 'whatsapp' ? 'WHATSAPP' : spoken,
      addresses: stored(to, service),
      communicationId: null,
    } satisfies Locator
  },
  verify: (request, credentials) => isSigned(request, credentials.authToken),
  parse(segment, request) {
    const form = readForm(request.body)
    if (segment === 'status') return [parseStatus(form, communicationIdOf(request))]
    if (segment === 'sms' || segment === 'whatsapp') return [parseInbound(segment, form)]
    return [{ kind: 'unknown', reason: `Twilio posts nothing to the segment ${JSON.stringify(segment)}` }]
  },
  acknowledgement: { contentType: 'text/xml', body: '<?xml version="1.0" encoding="UTF-8"?><Response/>' },
}

const stored = (...candidates: (string | undefined)[]): string[] =>
  candidates
    .filter((candidate) => candidate !== undefined)
    .map((candidate) => (channelOf(candidate) === 'WHATSAPP' ? normalizeWhatsapp(candidate) : (normalizeSms(candidate) ?? candidate)))
    .filter((candidate) => candidate !== null)

function communicationIdOf(request: RawRequest): string | null {
  const id = URL.parse(request.url)?.searchParams.get('communicationId')
  return id !== null && id !== undefined && UUID.test(id) ? id.toLowerCase() : null
}

/** Source: https://www.twilio.com/docs/usage/webhooks/webhooks-security; bodies other than forms are signed by a hash in the URL. */
function isSigned(request: RawRequest, authToken: string): boolean {
  const signature = request.headers['x-twilio-signature']
  const url = URL.parse(request.url)
  if (signature === undefined || signature === '' || authToken === '' || url === null) return false
  if (url.searchParams.has('bodySHA256'))
    return twilio.validateRequestWithBody(authToken, signature, request.url, request.body.toString('utf8'))
  return twilio.validateRequest(authToken, signature, request.url, signedParameters(request.body))
}
