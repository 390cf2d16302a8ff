import { validateRequest, validateRequestWithBody } from 'twilio/lib/webhooks/webhooks.js'
import type { ChannelType } from '../../db/generated/enums.ts'
import type { Locator, Part, RawRequest, Wire } from '../channel.ts'
import { channelOf, normalizeRcs, normalizeSms, normalizeWhatsapp, type TwilioChannel } from './address.ts'
import { parseCall } from './call.ts'
import { readForm, signedParameters } from './form.ts'
import { parseInbound } from './inbound.ts'
import { parseStatus, type StatusQuery } from './status.ts'

const SEGMENTS: Readonly<Record<TwilioChannel, string>> = { SMS: 'sms', WHATSAPP: 'whatsapp', RCS: 'rcs' }
const CHANNELS = new Map(Object.entries(SEGMENTS).map(([channel, segment]) => [segment, channel as TwilioChannel]))
const VOICE = 'voice'
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/**
 * Twilio's webhooks: `sms`, `whatsapp` and `rcs` for what customers write, `status` for receipts, `voice` for calls. Forms, one fact each.
 * Source: https://www.twilio.com/docs/messaging/guides/webhook-request and https://www.twilio.com/docs/voice/twiml#request-parameters
 */
export const twilioWire = {
  path: 'twilio',
  reach: 'organization',
  inboundSegment(channel: ChannelType): string {
    const segment = channel in SEGMENTS ? SEGMENTS[channel as TwilioChannel] : undefined
    if (segment === undefined) throw new Error(`Twilio's webhooks carry no ${channel} messages`)
    return segment
  },
  callsSegment: (channel: ChannelType): string | null => (channel === 'SMS' ? VOICE : null),
  locate(segment: string, request: RawRequest): Locator | null {
    // A number for calls alone is no channel account: any account of the organization's may have signed.
    if (segment === VOICE) return { channel: null, addresses: null, communicationId: null }
    const form = readForm(request.body)
    const [from, to, service] = [form.get('From'), form.get('To'), form.get('MessagingServiceSid')]
    if (segment === 'status') {
      const { communicationId, intended } = queryOf(request)
      // After a fallback the addresses are those of SMS, but the receipt is for the account that sent.
      return { channel: intended ?? channelOf(from, to), addresses: stored(from, to, service), communicationId }
    }
    const expected = CHANNELS.get(segment)
    const spoken = channelOf(from, to)
    if (expected === undefined || spoken === null) return null
    // One number can serve several channels: the prefix tells them apart also where the wrong URL was configured.
    return { channel: expected === 'SMS' ? spoken : expected, addresses: stored(to, service), communicationId: null }
  },
  verify: (request: RawRequest, credentials: { authToken: string }): boolean => isSigned(request, credentials.authToken),
  parse(segment: string, request: RawRequest): Part[] {
    const form = readForm(request.body)
    const expected = CHANNELS.get(segment)
    if (segment === 'status') return [{ to: null, facts: [parseStatus(form, queryOf(request))] }]
    if (segment === VOICE) return [{ to: null, facts: [parseCall(form)] }]
    if (expected !== undefined) return [{ to: null, facts: [parseInbound(expected, form)] }]
    const reason = `Twilio posts nothing to the segment ${JSON.stringify(segment)}`
    return [{ to: null, facts: [{ kind: 'unknown', reason }] }]
  },
  acknowledgement: { contentType: 'text/xml', body: '<?xml version="1.0" encoding="UTF-8"?><Response/>' },
} satisfies Wire<{ authToken: string }>

/** A status callback's URL that says: this was meant to go by RCS. */
export function namingRcs(statusCallbackUrl: string): string {
  const url = new URL(statusCallbackUrl)
  url.searchParams.set('channel', 'rcs')
  return url.href
}

const stored = (...candidates: (string | undefined)[]): string[] =>
  candidates.filter((candidate) => candidate !== undefined).flatMap((candidate) => normalized(candidate) ?? [])

function normalized(candidate: string): string | null {
  const channel = channelOf(candidate)
  if (channel === 'WHATSAPP') return normalizeWhatsapp(candidate)
  return channel === 'RCS' ? normalizeRcs(candidate) : (normalizeSms(candidate) ?? candidate)
}

function queryOf(request: RawRequest): StatusQuery {
  const query = URL.parse(request.url)?.searchParams
  const id = query?.get('communicationId')
  return {
    communicationId: id !== null && id !== undefined && UUID.test(id) ? id.toLowerCase() : null,
    intended: query?.get('channel') === 'rcs' ? 'RCS' : null,
  }
}

/** Source: https://www.twilio.com/docs/usage/webhooks/webhooks-security; bodies other than forms are signed by a hash in the URL. */
function isSigned(request: RawRequest, authToken: string): boolean {
  const signature = request.headers['x-twilio-signature']
  const url = URL.parse(request.url)
  if (signature === undefined || signature === '' || authToken === '' || url === null) return false
  if (url.searchParams.has('bodySHA256')) return validateRequestWithBody(authToken, signature, request.url, request.body.toString('utf8'))
  return validateRequest(authToken, signature, request.url, signedParameters(request.body))
}
