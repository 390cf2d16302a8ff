import type { MessageFact } from '../channel.ts'
import type { Form } from './form.ts'

type Section = Record<string, string | number>

/** What a message says beyond its text and media, by section; null where it says nothing. */
export function payloadOf(form: Form): MessageFact['payload'] {
  const sections: Record<string, Section | null> = {
    location: locationIn(form),
    button: section(form, { ButtonText: 'text', ButtonPayload: 'payload', ButtonType: 'type' }),
    list: section(form, { ListTitle: 'title', ListId: 'id', ListDescription: 'description' }),
    replyTo: section(form, { OriginalRepliedMessageSid: 'externalMessageId', OriginalRepliedMessageSender: 'sender' }),
    referral: referralIn(form),
  }
  const present = Object.entries(sections).filter(([, content]) => content !== null)
  return present.length === 0 ? null : Object.fromEntries(present)
}

/** The flat strings of `ChannelMetadata`, JSON whose `data.context` repeats and sometimes completes the parameters. */
export function metadataOf(form: Form): Form {
  const json = form.get('ChannelMetadata')
  if (json === undefined) return new Map()
  try {
    const context: unknown = JSON.parse(json)?.data?.context
    if (typeof context !== 'object' || context === null) return new Map()
    const strings = Object.entries(context).filter((entry): entry is [string, string] => typeof entry[1] === 'string' && entry[1] !== '')
    return new Map(strings.map(([name, value]) => [name, value.replaceAll('\0', '')]))
  } catch {
    // Not JSON: the parameters stand for themselves, and the raw request is kept whole.
    return new Map()
  }
}

function section(form: Form, names: Record<string, string>): Section | null {
  const entries = Object.entries(names).flatMap(([parameter, key]) => {
    const value = form.get(parameter)
    return value === undefined ? [] : [[key, value] as const]
  })
  return entries.length === 0 ? null : Object.fromEntries(entries)
}

function locationIn(form: Form): Section | null {
  const [latitude, longitude] = [Number(form.get('Latitude')), Number(form.get('Longitude'))]
  if (!Number.isFinite(latitude) || !Number.isFinite(longitude)) return null
  return { latitude, longitude, ...section(form, { Label: 'label', Address: 'address' }) }
}

/** Where a click on an advertisement led here: `ReferralSourceUrl` becomes `sourceUrl`, and so on. `ReferralNumMedia` comes with every message. */
function referralIn(form: Form): Section | null {
  const entries = [...form].flatMap(([name, value]) => {
    const [, first, rest] = /^Referral([A-Z])(\w*)$/.exec(name) ?? []
    return first === undefined || name === 'ReferralNumMedia' ? [] : [[`${first.toLowerCase()}${rest}`, value] as const]
  })
  return entries.length === 0 ? null : Object.fromEntries(entries)
}
