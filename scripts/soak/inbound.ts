import { randomBytes } from 'node:crypto'
import { anyOrganization, type Organization } from './organizations.ts'
import type { Random } from './random.ts'
import type { Tally } from './tally.ts'
import { metaWebhook, type Post, twilioWebhook, type Webhook } from './webhooks.ts'

/** Each message that a provider has told of, by the provider's id. */
export type Inbound = Map<string, { organization: Organization; acknowledged: boolean }>

type Deps = { organizations: Organization[]; random: Random; post: Post; tally: Tally; inbound: Inbound }

const SENDERS = 150
/** Of each hundred: posted twice at the same time; once more after the acknowledgement, which the provider did not hear. */
const AT_ONCE = 0.05
const AFTERWARDS = 0.05
/** Of Meta's: one POST for several organizations. */
const TOGETHER = 0.1

const texts = [
  'Hello, is my permit ready? I was told to ask today.',
  'Can I still change the appointment to Thursday afternoon?',
  'Thank you, that answers my question!',
  'I have sent the form twice now and nobody has called me back yet. What else do you need from me?',
]

/** One webhook of a customer who writes, until it is acknowledged. */
export async function receive(deps: Deps): Promise<void> {
  const { random, inbound, tally, post } = deps
  const { webhook, ids } = random.chance(0.5) ? sms(deps) : whatsapp(deps)
  for (const [id, organization] of ids) inbound.set(id, { organization, acknowledged: false })
  if (random.chance(AT_ONCE)) await Promise.all([post(tally, webhook), post(tally, webhook)])
  else await post(tally, webhook)
  for (const id of ids.keys()) acknowledge(inbound, id)
  if (random.chance(AFTERWARDS)) await post(tally, webhook)
}

function acknowledge(inbound: Inbound, id: string): void {
  const message = inbound.get(id)
  if (message !== undefined) message.acknowledged = true
}

type Message = { webhook: Webhook; ids: Map<string, Organization> }

const customer = (random: Random): string => `90555${String(random.below(SENDERS)).padStart(7, '0')}`

function sms({ organizations, random }: Deps): Message {
  const organization = anyOrganization(random, organizations)
  const sid = `SM${randomBytes(16).toString('hex')}`
  const webhook = twilioWebhook(`/webhooks/twilio/${organization.slug}/sms`, {
    MessageSid: sid,
    SmsSid: sid,
    SmsMessageSid: sid,
    SmsStatus: 'received',
    NumMedia: '0',
    NumSegments: '1',
    To: organization.number,
    From: `+${customer(random)}`,
    Body: random.pick(texts),
  })
  return { webhook, ids: new Map([[sid, organization]]) }
}

function whatsapp({ organizations, random }: Deps): Message {
  const ids = new Map<string, Organization>()
  const values = Array.from({ length: random.chance(TOGETHER) ? 3 : 1 }, () => {
    const organization = anyOrganization(random, organizations)
    const from = customer(random)
    const id = `wamid.${randomBytes(16).toString('hex')}`
    ids.set(id, organization)
    const message = { id, from, timestamp: String(Math.floor(Date.now() / 1000)), type: 'text', text: { body: random.pick(texts) } }
    const contact = { wa_id: from, profile: { name: `Customer ${from.slice(-3)}` } }
    return { phoneNumberId: organization.phoneNumberId, value: { contacts: [contact], messages: [message] } }
  })
  return { webhook: metaWebhook(values), ids }
}
