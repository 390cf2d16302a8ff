import { parse } from 'node:querystring'

/** A webhook's form parameters by name: empty ones are absent, of repeated ones the first counts, NUL characters are removed. */
export type Form = ReadonlyMap<string, string>

/** The parameters as they were signed: repeated keys stay arrays, nothing is cut off or cleaned. */
export const signedParameters = (body: Buffer): Record<string, string | string[] | undefined> =>
  parse(body.toString('utf8'), '&', '=', { maxKeys: 0 })

/** Reads form parameters; never throws, whatever the bytes. */
export function readForm(body: Buffer): Form {
  const form = new Map<string, string>()
  for (const [name, value] of Object.entries(signedParameters(body))) {
    // PostgreSQL's text holds every character but NUL.
    const first = (Array.isArray(value) ? value[0] : value)?.replaceAll('\0', '')
    if (first !== undefined && first !== '') form.set(name, first)
  }
  return form
}

/** The message's id, under the newest name that Twilio sent it. */
export const messageSidOf = (form: Form): string | undefined => form.get('MessageSid') ?? form.get('SmsMessageSid') ?? form.get('SmsSid')

/** The message's state in Twilio's words. */
export const messageStatusOf = (form: Form): string | undefined => form.get('MessageStatus') ?? form.get('SmsStatus')
