import type { Identity, MessageFact, UnknownFact } from '../channel.ts'
import { consentOf } from '../consent.ts'
import { channelOf, identifySms, identifyWhatsapp, normalizeSms, normalizeWhatsapp } from './address.ts'
import { type Form, messageSidOf, messageStatusOf } from './form.ts'
import { metadataOf, payloadOf } from './payload.ts'

const unknown = (reason: string): UnknownFact => ({ kind: 'unknown', reason })

/** What a customer wrote: the parameters of https://www.twilio.com/docs/messaging/guides/webhook-request. */
export function parseInbound(segment: 'sms' | 'whatsapp', form: Form): MessageFact | UnknownFact {
  const externalMessageId = messageSidOf(form)
  if (externalMessageId === undefined) return unknown('no MessageSid, SmsMessageSid or SmsSid: not a message')
  const status = messageStatusOf(form)
  if (status !== undefined && status !== 'received' && status !== 'receiving')
    return unknown(`a status callback (${status}) at the address of inbound messages`)
  const from = form.get('From')
  if (from === undefined) return unknown('no From')
  const whatsapp = segment === 'whatsapp' || channelOf(from) === 'WHATSAPP'
  const address = whatsapp ? normalizeWhatsapp(from) : normalizeSms(from)
  if (address === null) return unknown(`From is no address of ${whatsapp ? 'WhatsApp' : 'SMS'}`)
  const metadata = metadataOf(form)
  const body = form.get('Body') ?? ''
  return {
    kind: 'message',
    externalMessageId,
    address,
    identities: whatsapp ? whatsappIdentities(address, form, metadata) : [proven(identifySms(address))],
    profileName: form.get('ProfileName') ?? metadata.get('ProfileName') ?? null,
    body,
    attachments: attachmentsOf(form),
    payload: payloadOf(form),
    consent: consentIn(form, body),
  }
}

const proven = (identity: Identity): Identity => ({ ...identity, verified: true })

/** A sender may come with the number, with the business-scoped id, or with both; `WaId` is a number without its `+`. */
function whatsappIdentities(address: string, form: Form, metadata: Form): Identity[] {
  const numbers = [form.get('WaId'), metadata.get('WaId')].map((id) => (id !== undefined && /^\d+$/.test(id) ? `+${id}` : id))
  const others = [...numbers, form.get('ExternalUserIdentifier'), metadata.get('ExternalUserIdentifier')]
  const values = [address, ...others.map((value) => (value === undefined ? null : normalizeWhatsapp(value)))].filter(
    (value) => value !== null,
  )
  return [...new Set(values)].map((value) => proven(identifyWhatsapp(value)))
}

function attachmentsOf(form: Form): MessageFact['attachments'] {
  const attachments: MessageFact['attachments'] = []
  for (let index = 0; ; index++) {
    const url = form.get(`MediaUrl${index}`)
    if (url === undefined) return attachments
    attachments.push({ url, contentType: form.get(`MediaContentType${index}`) ?? null })
  }
}

/** `OptOutType` is Advanced Opt-Out's own verdict, also over words that a business added; HELP changes nothing. */
function consentIn(form: Form, body: string): MessageFact['consent'] {
  const verdict = form.get('OptOutType')?.toUpperCase()
  if (verdict === undefined) return consentOf(body)
  if (verdict === 'STOP') return 'OPT_OUT'
  return verdict === 'START' ? 'OPT_IN' : null
}
