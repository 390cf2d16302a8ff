import { consentOf, consentOfButton } from '../consent.ts'
import { type Content, plainText } from '../content.ts'
import type { Identity, MediaReference, MessageFact, UnknownFact } from '../fact.ts'
import { channelOf, identifyRcs, identifySms, identifyWhatsapp, normalizers, normalizeWhatsapp, type TwilioChannel } from './address.ts'
import { contentOf } from './content.ts'
import { type Form, messageSidOf, messageStatusOf } from './form.ts'
import { metadataOf, payloadOf } from './payload.ts'

const unknown = (reason: string): UnknownFact => ({ kind: 'unknown', reason })

const NAMES: Record<TwilioChannel, string> = { SMS: 'SMS', WHATSAPP: 'WhatsApp', RCS: 'RCS' }

/**
 * What a customer wrote to an address of `expected`: the parameters of https://www.twilio.com/docs/messaging/guides/webhook-request. One
 * number can serve several channels: the prefix tells them apart also where the wrong URL was configured.
 */
export function parseInbound(expected: TwilioChannel, form: Form): MessageFact | UnknownFact {
  const externalMessageId = messageSidOf(form)
  if (externalMessageId === undefined) return unknown('no MessageSid, SmsMessageSid or SmsSid: not a message')
  const status = messageStatusOf(form)
  if (status !== undefined && status !== 'received' && status !== 'receiving')
    return unknown(`a status callback (${status}) at the address of inbound messages`)
  const from = form.get('From')
  if (from === undefined) return unknown('no From')
  const channel = expected === 'SMS' ? (channelOf(from) ?? 'SMS') : expected
  const address = normalizers[channel](from)
  if (address === null) return unknown(`From is no address of ${NAMES[channel]}`)
  const metadata = metadataOf(form)
  const body = form.get('Body') ?? ''
  const attachments = attachmentsOf(form)
  const content = contentOf(form, attachments, body)
  return {
    kind: 'message',
    externalMessageId,
    address,
    identities: identitiesOf(channel, address, form, metadata),
    profileName: form.get('ProfileName') ?? metadata.get('ProfileName') ?? null,
    body: body === '' ? plainText(content) : body,
    content,
    attachments,
    payload: payloadOf(form),
    inReplyTo: form.get('OriginalRepliedMessageSid') ?? null,
    consent: consentIn(form, body, content),
  }
}

const proven = (identity: Identity): Identity => ({ ...identity, verified: true })

function identitiesOf(channel: TwilioChannel, address: string, form: Form, metadata: Form): Identity[] {
  if (channel === 'WHATSAPP') return whatsappIdentities(address, form, metadata)
  return [proven(channel === 'RCS' ? identifyRcs(address) : identifySms(address))]
}

/** A sender may come with the number, with the business-scoped id, or with both; `WaId` is a number without its `+`. */
function whatsappIdentities(address: string, form: Form, metadata: Form): Identity[] {
  const numbers = [form.get('WaId'), metadata.get('WaId')].map((id) => (id !== undefined && /^\d+$/.test(id) ? `+${id}` : id))
  const others = [...numbers, form.get('ExternalUserIdentifier'), metadata.get('ExternalUserIdentifier')]
  const values = [address, ...others.map((value) => (value === undefined ? null : normalizeWhatsapp(value)))].filter(
    (value) => value !== null,
  )
  return [...new Set(values)].map((value) => proven(identifyWhatsapp(value)))
}

function attachmentsOf(form: Form): MediaReference[] {
  const attachments: MediaReference[] = []
  for (let index = 0; ; index++) {
    const url = form.get(`MediaUrl${index}`)
    if (url === undefined) return attachments
    attachments.push({ url, contentType: form.get(`MediaContentType${index}`) ?? null })
  }
}

/** `OptOutType` is Advanced Opt-Out's own verdict, also over words that a business added; HELP changes nothing. A choice is no word of its own. */
function consentIn(form: Form, body: string, content: Content): MessageFact['consent'] {
  const verdict = form.get('OptOutType')?.toUpperCase()
  if (verdict === undefined) {
    if (content.kind !== 'INTERACTIVE_REPLY') return consentOf(body)
    return content.reply === 'BUTTON' ? consentOfButton(content.title) : null
  }
  if (verdict === 'STOP') return { state: 'OPTED_OUT', source: 'PROVIDER' }
  return verdict === 'START' ? { state: 'OPTED_IN', source: 'PROVIDER' } : null
}
