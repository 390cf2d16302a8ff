import type { MessageFact } from '../fact.ts'
import type { Form } from './form.ts'

/** What a message says beyond its content: the advertisement that led here, and whether it was forwarded; null where it says nothing. */
export function payloadOf(form: Form): MessageFact['payload'] {
  const referral = referralIn(form)
  const payload = {
    ...(referral === null ? {} : { referral }),
    ...(form.get('Forwarded') === 'true' && { forwarded: true }),
    ...(form.get('FrequentlyForwarded') === 'true' && { frequentlyForwarded: true }),
  }
  return Object.keys(payload).length === 0 ? null : payload
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

/** Where a click on an advertisement led here: `ReferralSourceUrl` becomes `sourceUrl`, and so on. `ReferralNumMedia` comes with every message. */
function referralIn(form: Form): Record<string, string> | null {
  const entries = [...form].flatMap(([name, value]) => {
    const [, first, rest] = /^Referral([A-Z])(\w*)$/.exec(name) ?? []
    return first === undefined || name === 'ReferralNumMedia' ? [] : [[`${first.toLowerCase()}${rest}`, value] as const]
  })
  return entries.length === 0 ? null : Object.fromEntries(entries)
}
