import type { HealthCheck } from '../channel.ts'
import { Rejected } from '../failures.ts'
import { withoutSecrets } from '../without-secrets.ts'
import type { MetaApp } from './app.ts'
import { asked } from './check-outcome.ts'
import { graphRequest } from './graph.ts'
import { type Json, objectIn, objectsIn, textIn } from './json.ts'

type MetaObject = 'page' | 'instagram' | 'whatsapp_business_account'

/** Without the first of these nothing can be sent or read; the others are for reading about the page and the account. */
const PERMISSIONS: Readonly<Record<MetaObject, readonly string[]>> = {
  page: ['pages_messaging', 'pages_manage_metadata'],
  instagram: ['instagram_manage_messages', 'pages_manage_metadata'],
  whatsapp_business_account: ['whatsapp_business_messaging', 'whatsapp_business_management'],
}

const NAMES: Readonly<Record<MetaObject, string>> = {
  page: 'Page',
  instagram: 'Instagram',
  whatsapp_business_account: 'WhatsApp Business Account',
}

/** The webhook fields that the inbox cannot do without; it also reads edits, which not every app is offered. */
const FIELDS: Readonly<Record<MetaObject, readonly string[]>> = {
  page: [
    'messages',
    'messaging_postbacks',
    'message_deliveries',
    'message_reads',
    'message_reactions',
    'message_echoes',
    'messaging_referrals',
    'messaging_optins',
  ],
  instagram: ['messages', 'messaging_postbacks', 'messaging_seen', 'message_reactions', 'messaging_referral'],
  whatsapp_business_account: [
    'messages',
    'message_template_status_update',
    'message_template_quality_update',
    'account_update',
    'phone_number_quality_update',
    'user_preferences',
  ],
}

const NO_SECRET: HealthCheck = {
  name: 'webhook',
  ok: false,
  message: 'This server has no META_APP_SECRET, so it believes no webhook of Meta’s: whoever runs the server has to set it.',
}

/**
 * What only the app itself may ask: the token's permissions, and where the app's webhooks go. It cannot ask without its id; without its
 * secret no webhook is believed either.
 */
export async function checkApp(app: MetaApp, object: MetaObject, token: string, webhookUrl: string): Promise<HealthCheck[]> {
  if (app.appSecret === null) return [NO_SECRET]
  if (app.appId === null) return []
  return [await checkPermissions(app, object, token), await checkWebhook(app, object, webhookUrl)]
}

async function askAsApp(app: MetaApp, path: string, query: Record<string, string> = {}): Promise<Json> {
  try {
    return await graphRequest(app, `${app.appId}|${app.appSecret}`, { method: 'GET', path, query, effect: 'none' })
  } catch (error) {
    if (!(error instanceof Rejected) || error.code !== '190') throw error
    throw new Rejected('190', 'Meta does not accept the id and secret of this server’s app: whoever runs the server has to correct them.')
  }
}

/** Source: https://developers.facebook.com/docs/graph-api/reference/debug_token */
const checkPermissions = (app: MetaApp, object: MetaObject, token: string): Promise<HealthCheck> =>
  asked({ name: 'permissions' }, 'what the access token may do', async () => {
    const answer = await askAsApp(app, 'debug_token', { input_token: token })
    const scopes = objectIn(answer.data)?.scopes
    const granted: unknown[] = Array.isArray(scopes) ? scopes : []
    const missing = PERMISSIONS[object].filter((permission) => !granted.includes(permission))
    if (missing.length === 0) return null
    return `The access token lacks ${missing.join(' and ')}: grant this in Meta’s Business settings and make a new token.`
  })

/** Source: https://developers.facebook.com/docs/graph-api/reference/app/subscriptions */
const checkWebhook = (app: MetaApp, object: MetaObject, webhookUrl: string): Promise<HealthCheck> =>
  asked({ name: 'webhook' }, 'where it posts webhooks', async () => {
    const { data } = await askAsApp(app, `${app.appId}/subscriptions`)
    const subscription = objectsIn(data).find((entry) => entry.object === object)
    if (subscription === undefined) return `Meta posts nothing about this kind of account: ${advice(app, object, webhookUrl)}`
    return faultOf(app, subscription, object, webhookUrl)
  })

function faultOf(app: MetaApp, subscription: Json, object: MetaObject, webhookUrl: string): string | null {
  const current = textIn(subscription.callback_url) ?? 'nowhere'
  if (current !== webhookUrl) return `Meta posts webhooks to ${withoutSecrets(current)}: ${advice(app, object, webhookUrl)}`
  if (subscription.active === false)
    return `Meta has switched the webhook off, probably because it failed for long: ${advice(app, object, webhookUrl)}`
  const fields = objectsIn(subscription.fields).map((field) => field.name)
  const missing = FIELDS[object].filter((field) => !fields.includes(field))
  if (missing.length === 0) return null
  return `Meta does not post everything: in Meta’s app dashboard, under Webhooks, subscribe to ${missing.join(', ')}.`
}

function advice({ verifyToken }: MetaApp, object: MetaObject, webhookUrl: string): string {
  const first =
    verifyToken === null ? ' Whoever runs this server has to set META_VERIFY_TOKEN first, and it goes there as the verify token.' : ''
  return `in Meta’s app dashboard, under Webhooks, enter ${webhookUrl} for “${NAMES[object]}”.${first}`
}
