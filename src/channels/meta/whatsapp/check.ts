import type { HealthCheck } from '../../channel.ts'
import type { MetaApp } from '../app.ts'
import { checkApp } from '../check-app.ts'
import { asked } from '../check-outcome.ts'
import { graphRequest } from '../graph.ts'
import { idIn, type Json, objectIn, objectsIn, textIn } from '../json.ts'
import { addressIn } from './correspondent.ts'
import type { WhatsappCredentials } from './credentials.ts'

type Account = { address: string; webhookUrl: string }

/** Does the token work, is the number the business account's and this channel's, is it in good health, and does Meta post to us what happens? */
export async function checkWhatsapp(app: MetaApp, account: Account, credentials: WhatsappCredentials): Promise<HealthCheck[]> {
  const { accessToken: token, phoneNumberId, businessAccountId } = credentials
  const works = await asked({ name: 'credentials', required: true }, 'about this phone number', async () => {
    const found = await graphRequest(app, token, { method: 'GET', path: phoneNumberId, query: { fields: 'id' }, effect: 'none' })
    return idIn(found.id) === phoneNumberId ? null : `Meta does not know ${phoneNumberId} as the id of a phone number.`
  })
  if (!works.ok) return [works]
  let number: Json | null = null
  const belongs = await asked({ name: 'number', required: true }, 'whose number this is', async () => {
    number = await numberOf(app, credentials)
    if (number === null)
      return `The phone number ${phoneNumberId} is not one of the business account ${businessAccountId}: check both ids in WhatsApp Manager.`
    const shown = addressIn(textIn(number.display_phone_number)?.replace(/^(?!\+)/, '+'))
    if (shown === account.address) return null
    return `At WhatsApp the number is ${shown ?? 'unknown'}, here it is ${account.address}: enter the same number here.`
  })
  if (!belongs.ok || number === null) return [works, belongs]
  return [
    works,
    belongs,
    ...numberChecks(number),
    await checkSubscription(app, credentials),
    ...(await checkApp(app, 'whatsapp_business_account', token, account.webhookUrl)),
  ]
}

const FIELDS = 'id,display_phone_number,verified_name,code_verification_status,quality_rating,throughput,status,name_status'

/** Asked of the business account, so that the number is known to belong to it. */
async function numberOf(app: MetaApp, { accessToken, phoneNumberId, businessAccountId }: WhatsappCredentials): Promise<Json | null> {
  const path = `${businessAccountId}/phone_numbers`
  const { data } = await graphRequest(app, accessToken, { method: 'GET', path, query: { fields: FIELDS, limit: '500' }, effect: 'none' })
  return objectsIn(data).find(({ id }) => idIn(id) === phoneNumberId) ?? null
}

/** Source: https://developers.facebook.com/docs/graph-api/reference/whats-app-business-account-to-number-current-status */
function numberChecks(number: Json): HealthCheck[] {
  const status = textIn(number.status)
  const verification = textIn(number.code_verification_status)
  const quality = textIn(number.quality_rating)
  const level = textIn(objectIn(number.throughput)?.level)
  const connected = status === null || status === 'CONNECTED'
  return [
    {
      name: 'connection',
      ok: connected,
      message: connected ? null : `WhatsApp reports the number as ${status}: register it with the Cloud API in WhatsApp Manager.`,
    },
    {
      name: 'verification',
      // An expired code matters only when a number is registered anew.
      ok: verification !== 'NOT_VERIFIED',
      message: verification === 'NOT_VERIFIED' ? 'The number has not been verified: do so with a code in WhatsApp Manager.' : null,
    },
    { name: 'quality', ok: quality !== 'RED', message: QUALITY[quality ?? ''] ?? null },
    {
      name: 'throughput',
      ok: level !== 'NOT_APPLICABLE',
      message: level === 'NOT_APPLICABLE' ? 'WhatsApp lets this number send nothing now: look at it in WhatsApp Manager.' : null,
    },
  ]
}

const QUALITY: Readonly<Record<string, string>> = {
  YELLOW: 'Some people blocked or reported messages of this number: send fewer marketing messages.',
  RED: 'Many people blocked or reported messages of this number: WhatsApp may restrict it. Stop marketing messages for a while.',
}

/** Source: https://developers.facebook.com/docs/graph-api/reference/whats-app-business-account/subscribed_apps */
const checkSubscription = (app: MetaApp, { accessToken, businessAccountId }: WhatsappCredentials): Promise<HealthCheck> =>
  asked({ name: 'subscription' }, 'what the business account sends to this app', async () => {
    const { data } = await graphRequest(app, accessToken, { method: 'GET', path: `${businessAccountId}/subscribed_apps`, effect: 'none' })
    const apps = objectsIn(data).map((entry) => idIn(objectIn(entry.whatsapp_business_api_data)?.id))
    if (app.appId === null ? apps.length > 0 : apps.includes(app.appId)) return null
    return 'The business account sends nothing to this app: subscribe the app to it (POST /{business account id}/subscribed_apps, or in Meta’s app dashboard).'
  })
