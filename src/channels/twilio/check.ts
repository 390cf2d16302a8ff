import type { HealthCheck } from '../channel.ts'
import { Rejected } from '../failures.ts'
import { withoutSecrets } from '../without-secrets.ts'
import type { TwilioCredentials } from './credentials.ts'
import { type TwilioApi, twilioClient } from './http.ts'

/** The one check without which an account cannot be used. */
const CREDENTIALS = { name: 'credentials', required: true } as const

/** Do the credentials work, and is the Twilio account active? */
export async function checkAccount(api: TwilioApi, credentials: TwilioCredentials): Promise<HealthCheck[]> {
  return failing(CREDENTIALS, async () => {
    const { status } = await (await twilioClient(api, credentials)).api.v2010.accounts(credentials.accountSid).fetch()
    const ok = status === 'active'
    return [{ ...CREDENTIALS, ok, message: ok ? null : `The Twilio account is ${status}: reactivate it in Twilio.` }]
  })
}

/** Is the number the account's, and do its messages arrive at `webhookUrl`? */
export async function checkNumber(
  api: TwilioApi,
  account: { address: string; webhookUrl: string },
  credentials: TwilioCredentials,
): Promise<HealthCheck[]> {
  const { address, webhookUrl } = account
  if (!address.startsWith('+'))
    return [{ name: 'number', ok: true, message: `${address} is no phone number: Twilio cannot be asked about it.` }]
  return failing({ name: 'number' }, async () => {
    const listed = await (await twilioClient(api, credentials)).incomingPhoneNumbers.list({ phoneNumber: address, limit: 1 })
    const number = listed.find(({ phoneNumber }) => phoneNumber === address)
    if (number === undefined) return [{ name: 'number', ok: false, message: `${address} does not belong to this Twilio account.` }]
    return [{ name: 'number', ok: true, message: null }, webhookCheck(number, webhookUrl, credentials)]
  })
}

function webhookCheck(number: { smsUrl: string; smsMethod: string }, webhookUrl: string, credentials: TwilioCredentials): HealthCheck {
  const name = 'webhook'
  if (number.smsUrl === webhookUrl) {
    const ok = number.smsMethod.toUpperCase() === 'POST'
    return { name, ok, message: ok ? null : 'Twilio calls the webhook with GET: set the method for incoming messages to POST.' }
  }
  if (credentials.messagingServiceSid !== undefined) {
    return { name, ok: true, message: `Not checked: the messaging service decides where messages go. It should post to ${webhookUrl}.` }
  }
  const current = number.smsUrl === '' ? 'nowhere' : `to ${withoutSecrets(number.smsUrl)}`
  return { name, ok: false, message: `Twilio posts incoming messages ${current}: set the number’s messaging webhook to ${webhookUrl}.` }
}

/** Do the credentials work, and can a message fall back to SMS? */
export async function checkRcs(api: TwilioApi, credentials: TwilioCredentials): Promise<HealthCheck[]> {
  const checks = await checkAccount(api, credentials)
  if (!checks.every(({ ok }) => ok)) return checks
  const message =
    credentials.messagingServiceSid === undefined
      ? 'Without a messaging service, messages to phones without RCS fail: add the messagingServiceSid that has this sender and an SMS number.'
      : null
  return [...checks, { name: 'fallback', ok: true, message }]
}

async function failing(what: Pick<HealthCheck, 'name' | 'required'>, check: () => Promise<HealthCheck[]>): Promise<HealthCheck[]> {
  try {
    return await check()
  } catch (error) {
    if (error instanceof Rejected) return [{ ...what, ok: false, message: error.explanation }]
    const message = 'Twilio could not be asked: it does not answer as expected. Try again later.'
    return [{ ...what, ok: false, unanswered: true, message }]
  }
}
