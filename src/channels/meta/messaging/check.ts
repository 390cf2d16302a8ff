import type { HealthCheck } from '../../channel.ts'
import type { MetaApp } from '../app.ts'
import { checkApp } from '../check-app.ts'
import { asked, outcome } from '../check-outcome.ts'
import { graphRequest } from '../graph.ts'
import { idIn, type Json, objectIn, objectsIn, textIn } from '../json.ts'
import type { InstagramCredentials, MessengerCredentials } from './credentials.ts'

type Account = { address: string; webhookUrl: string }

const CREDENTIALS = { name: 'credentials', required: true } as const

/** Does the token work, is it the page's own, may it be used for messages, and does Meta post to us what happens? */
export async function checkMessenger(app: MetaApp, account: Account, credentials: MessengerCredentials): Promise<HealthCheck[]> {
  const { pageAccessToken: token, pageId } = credentials
  if (account.address !== pageId) {
    return [outcome(CREDENTIALS, `The page id of the credentials (${pageId}) is not the address of this channel (${account.address}).`)]
  }
  const works = await checkToken(app, token, pageId, 'page')
  if (!works.ok) return [works]
  return [
    works,
    await checkOwner(app, token, 'id', (page) =>
      idIn(page.id) === pageId ? null : 'The access token is not this page’s own: enter the page’s access token, not a person’s.',
    ),
    await checkSubscription(app, token, pageId, true),
    ...(await checkApp(app, 'page', token, account.webhookUrl)),
  ]
}

/** As for Messenger: the Instagram account speaks through its page. */
export async function checkInstagram(app: MetaApp, account: Account, credentials: InstagramCredentials): Promise<HealthCheck[]> {
  const { accessToken: token, instagramAccountId, pageId } = credentials
  if (account.address !== instagramAccountId) {
    const fault = `The Instagram account id of the credentials (${instagramAccountId}) is not the address of this channel (${account.address}).`
    return [outcome(CREDENTIALS, fault)]
  }
  const works = await checkToken(app, token, instagramAccountId, 'Instagram account')
  if (!works.ok) return [works]
  return [
    works,
    await checkOwner(app, token, 'id,instagram_business_account', (page) => {
      if (pageId !== undefined && idIn(page.id) !== pageId) {
        return 'The access token is not that of the page of these credentials: enter the page’s access token.'
      }
      if (idIn(objectIn(page.instagram_business_account)?.id) === instagramAccountId) return null
      return 'The page is not linked to this Instagram account: link them in the page’s settings, and enter that page’s access token.'
    }),
    await checkSubscription(app, token, pageId ?? 'me', false),
    ...(await checkApp(app, 'instagram', token, account.webhookUrl)),
  ]
}

const checkToken = (app: MetaApp, token: string, id: string, what: string): Promise<HealthCheck> =>
  asked(CREDENTIALS, `about this ${what}`, async () => {
    const found = await graphRequest(app, token, { method: 'GET', path: id, query: { fields: 'id' }, effect: 'none' })
    return idIn(found.id) === id ? null : `Meta does not know ${id} as the id of a ${what}.`
  })

/**
 * Whom the token speaks for: with a person's token, or another page's, much can be read but nothing sent. Required, also where Meta does not
 * say: anybody can read the id of a page, and whoever connects it here gets what people write to it.
 */
const checkOwner = (app: MetaApp, token: string, fields: string, faultOf: (owner: Json) => string | null): Promise<HealthCheck> =>
  asked({ name: 'page', required: true }, 'whose access token this is', async () =>
    faultOf(await graphRequest(app, token, { method: 'GET', path: 'me', query: { fields }, effect: 'none' })),
  )

/**
 * What the page tells the app; for Instagram's messages any field will do.
 * Sources: https://developers.facebook.com/docs/graph-api/reference/page/subscribed_apps and
 * https://developers.facebook.com/docs/messenger-platform/instagram/features/webhook
 */
const checkSubscription = (app: MetaApp, token: string, page: string, messages: boolean): Promise<HealthCheck> =>
  asked({ name: 'subscription' }, 'what the page sends to this app', async () => {
    const { data } = await graphRequest(app, token, { method: 'GET', path: `${page}/subscribed_apps`, effect: 'none' })
    const subscribed = objectsIn(data).find(({ id }) => app.appId === null || idIn(id) === app.appId)
    if (subscribed === undefined) return 'The page sends nothing to this app: in Meta’s app dashboard, subscribe the app to the page.'
    if (!messages) return null
    const fields = Array.isArray(subscribed.subscribed_fields) ? subscribed.subscribed_fields.map(textIn) : []
    if (fields.includes('messages')) return null
    return 'The page does not send its messages to this app: in Meta’s app dashboard, subscribe the app to the page’s field “messages”.'
  })
