import { z } from 'zod'
import type { HealthCheck } from '../channel.ts'
import { Rejected } from '../failures.ts'
import { domainOf } from './address.ts'
import type { SendgridCredentials } from './credentials.ts'
import { getFromSendgrid, type SendgridApi } from './http.ts'

type Account = { address: string; webhookUrl: string }
type Ask = (path: string) => Promise<unknown>

const Scopes = z.object({ scopes: z.array(z.string()) })
const Domains = z.array(z.object({ domain: z.string(), valid: z.boolean().catch(false) }))
const Senders = z.object({ results: z.array(z.object({ from_email: z.string().catch(''), verified: z.boolean().catch(false) })) })
const ParseSettings = z.object({ result: z.array(z.object({ url: z.string().catch(''), hostname: z.string().catch('') })) })
const EventSetting = z.object({
  enabled: z.boolean().catch(false),
  url: z.string().catch(''),
  delivered: z.boolean().catch(false),
  bounce: z.boolean().catch(false),
})
const EventSettings = z.object({ webhooks: z.array(EventSetting) })

/** Does the key work, may it send from this address, and do answers and events arrive? `webhookUrl` holds a secret: no sentence repeats it. */
export async function checkSendgrid(api: SendgridApi, account: Account, credentials: SendgridCredentials): Promise<HealthCheck[]> {
  const ask: Ask = (path) => getFromSendgrid(api, credentials.apiKey, path)
  const key = await keyCheck(ask)
  if (!key.ok) return [key]
  return [key, await senderCheck(ask, account), await inboundCheck(ask, account, credentials), await eventsCheck(ask, account, credentials)]
}

async function keyCheck(ask: Ask): Promise<HealthCheck> {
  const base = { name: 'credentials', required: true }
  try {
    const ok = Scopes.parse(await ask('/v3/scopes')).scopes.includes('mail.send')
    return { ...base, ok, message: ok ? null : 'The API key may not send: give it the permission "Mail Send" in SendGrid.' }
  } catch (error) {
    if (error instanceof Rejected) return { ...base, ok: false, message: error.explanation }
    const message = 'SendGrid could not be asked: it does not answer as expected. Try again later.'
    return { ...base, ok: false, unanswered: true, message }
  }
}

const senderCheck = (ask: Ask, { address }: Account): Promise<HealthCheck> =>
  advisory('sender', 'Sender Authentication', async () => {
    const domain = domainOf(address)
    const domains = Domains.parse(await ask('/v3/whitelabel/domains?limit=500'))
    if (domains.some((each) => each.valid && (domain === each.domain.toLowerCase() || domain.endsWith(`.${each.domain.toLowerCase()}`))))
      return null
    const { results } = Senders.parse(await ask('/v3/verified_senders?limit=500'))
    if (results.some((each) => each.verified && each.from_email.toLowerCase() === address)) return null
    return `SendGrid will not send from ${address}: authenticate the domain ${domain}, or verify the sender, under Settings → Sender Authentication.`
  })

const inboundCheck = (ask: Ask, { address, webhookUrl }: Account, credentials: SendgridCredentials): Promise<HealthCheck> =>
  advisory('inbound', 'Inbound Parse', async () => {
    const { result } = ParseSettings.parse(await ask('/v3/user/webhooks/parse/settings'))
    const host = domainOf(credentials.inboundAddress ?? address)
    const setting = result.find(({ hostname }) => hostname.toLowerCase() === host)
    const where = 'under Settings → Inbound Parse in SendGrid'
    if (setting === undefined)
      return `Answers do not arrive: add the host ${host} ${where}, with this channel’s webhook address as its URL.`
    if (!leadsTo(setting.url, webhookUrl))
      return `Answers go elsewhere: set the URL of the host ${host} to this channel’s webhook address ${where}.`
    const proven = credentials.parsePublicKey !== undefined || URL.parse(setting.url)?.searchParams.get('key') === credentials.inboundSecret
    return proven
      ? null
      : `Answers are refused: the URL of the host ${host} ends in another key than this channel’s webhook address. Enter it again ${where}.`
  })

const eventsCheck = (ask: Ask, { webhookUrl }: Account, credentials: SendgridCredentials): Promise<HealthCheck> =>
  advisory('events', 'Event Webhook', async () => {
    const { webhooks } = EventSettings.parse(await ask('/v3/user/webhooks/event/settings/all'))
    const url = webhookUrl.replace(/\/inbound(\?.*)?$/, '/events')
    const setting = webhooks.find((each) => each.enabled && leadsTo(each.url, url))
    const where = 'under Settings → Mail Settings → Event Webhooks in SendGrid'
    if (setting === undefined)
      return `Nothing is known about delivery: add an event webhook ${where} that posts to this channel’s address for events.`
    if (!setting.delivered || !setting.bounce)
      return `Nothing is known about delivery: let the event webhook post deliveries and bounces, ${where}.`
    const key = URL.parse(setting.url)?.searchParams.get('key')
    if (credentials.webhookPublicKey !== undefined || key === credentials.inboundSecret) return null
    return `Events are refused: enable the signature verification of the event webhook ${where} and give its verification key to this channel.`
  })

/** Whether it is this address, whatever its query. */
function leadsTo(url: string, wanted: string): boolean {
  const [one, other] = [URL.parse(url), URL.parse(wanted)]
  return one !== null && other !== null && one.origin === other.origin && one.pathname === other.pathname
}

/** A problem is a sentence of `find`; a key that may not ask is none. */
async function advisory(name: string, page: string, find: () => Promise<string | null>): Promise<HealthCheck> {
  try {
    const message = await find()
    return { name, ok: message === null, message }
  } catch (error) {
    if (error instanceof Rejected) return { name, ok: true, message: `Not checked: the API key may not read "${page}".` }
    const message = `SendGrid could not be asked about "${page}": it does not answer as expected. Try again later.`
    return { name, ok: false, unanswered: true, message }
  }
}
