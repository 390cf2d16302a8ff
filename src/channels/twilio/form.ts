import { parse } from 'node:querystring'

/** A webhook's form parameters by name: empty ones are absent, of repeated ones the first counts, NUL characters are removed. */
export type Form = ReadonlyMap<string, string>

type Parameters = Readonly<Record<string, string | string[] | undefined>>

// One request is asked whose it is, whether it is signed and what it says: its body is parsed for all three at once.
const forms = new WeakMap<Buffer, { signed: Parameters; form: Form }>()

/** The parameters as they were signed: repeated keys stay arrays, nothing is cut off or cleaned. */
export const signedParameters = (body: Buffer): Parameters => read(body).signed

/** Reads form parameters; never throws, whatever the bytes. */
export const readForm = (body: Buffer): Form => read(body).form

function read(body: Buffer): { signed: Parameters; form: Form } {
  const known = forms.get(body)
  if (known !== undefined) return known
  const signed = parse(body.toString('utf8'), '&', '=', { maxKeys: 0 })
  const form = new Map<string, string>()
  for (const [name, value] of Object.entries(signed)) {
    // PostgreSQL's text holds every character but NUL.
    const first = (Array.isArray(value) ? value[0] : value)?.replaceAll('\0', '')
    if (first !== undefined && first !== '') form.set(name, first)
  }
  const both = { signed, form }
  forms.set(body, both)
  return both
}

/** The message's id, under the newest name that Twilio sent it. */
export const messageSidOf = (form: Form): string | undefined => form.get('MessageSid') ?? form.get('SmsMessageSid') ?? form.get('SmsSid')

/** The message's state in Twilio's words. */
export const messageStatusOf = (form: Form): string | undefined => form.get('MessageStatus') ?? form.get('SmsStatus')
