import { z } from 'zod'
import type { Part, RawRequest } from '../channel.ts'
import type { ConsentFact, Fact, ReceiptFact } from '../fact.ts'
import { identifyEmail, normalizeEmail } from './address.ts'

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i
const MAX_EVENTS = 10_000

const text = z.string().optional().catch(undefined)

/** What is read of an event; custom arguments are keys of their own. Source: https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/event */
const Event = z.object({
  event: z.string(),
  email: text,
  timestamp: z.coerce.number().optional().catch(undefined),
  sg_event_id: text,
  sg_message_id: text,
  'smtp-id': text,
  reason: text,
  response: text,
  status: text,
  type: text,
  sg_machine_open: z.boolean().optional().catch(undefined),
  communicationId: text,
})
type Event = z.output<typeof Event>

const BOTH = ['TRANSACTIONAL', 'MARKETING'] as const satisfies ConsentFact['purposes']

/** The events of one post, in their order; a wrong one is kept as unknown and takes no other with it. Never throws. */
export function parseEvents(request: RawRequest): Part[] {
  let items: unknown
  try {
    items = JSON.parse(request.body.toString('utf8'))
  } catch {
    return [{ to: null, facts: [{ kind: 'unknown', reason: 'the events are no JSON' }] }]
  }
  const events = Array.isArray(items) ? items : [items]
  const byMessage = new Map<string | null, Fact[]>()
  for (const item of events.slice(0, MAX_EVENTS)) {
    const { communicationId, facts } = factsOf(item)
    const known = byMessage.get(communicationId)
    if (known === undefined) byMessage.set(communicationId, facts)
    else known.push(...facts)
  }
  if (events.length > MAX_EVENTS) byMessage.get(null)?.push({ kind: 'unknown', reason: `more than ${MAX_EVENTS} events in one post` })
  return [...byMessage].map(([communicationId, facts]) => ({
    to: communicationId === null ? null : { channel: 'EMAIL', addresses: null, communicationId },
    facts,
  }))
}

function factsOf(item: unknown): { communicationId: string | null; facts: Fact[] } {
  const parsed = Event.safeParse(item)
  if (!parsed.success) return { communicationId: null, facts: [{ kind: 'unknown', reason: 'an item without the name of an event' }] }
  const event = parsed.data
  const communicationId = UUID.test(event.communicationId ?? '') ? (event.communicationId ?? '').toLowerCase() : null
  const receipt = receiptOf(event, communicationId)
  const consent = consentOf(event)
  const facts = [receipt, consent].filter((fact) => fact !== null)
  if (facts.length > 0) return { communicationId, facts }
  return {
    communicationId,
    facts: [{ kind: 'unknown', reason: `nothing to be done about the event ${JSON.stringify(event.event.slice(0, 100))}` }],
  }
}

function receiptOf(event: Event, communicationId: string | null): ReceiptFact | null {
  const status = statusOf(event)
  const externalMessageId = messageIdOf(event) ?? communicationId
  if (status === null || externalMessageId === null) return null
  return {
    kind: 'receipt',
    externalMessageId,
    communicationId,
    status,
    error: status === 'FAILED' ? errorOf(event) : null,
    // Both can come long after a "delivered".
    ...(((event.event === 'bounce' && event.type !== 'blocked') || event.event === 'spamreport') && { final: true }),
    ...(event.sg_event_id !== undefined && event.sg_event_id !== '' && { eventId: `${event.event} ${event.sg_event_id}`.slice(0, 200) }),
  }
}

/** `processed` says no more than the answer to the send did; `deferred` is tried again by SendGrid for three days. */
function statusOf({ event, sg_machine_open }: Event): ReceiptFact['status'] | null {
  switch (event) {
    case 'processed':
      return 'SENT'
    case 'deferred':
      return 'PENDING'
    case 'delivered':
      return 'DELIVERED'
    case 'open':
      // Some mail programs fetch every picture on arrival, seen or not.
      return sg_machine_open === true ? 'DELIVERED' : 'READ'
    case 'click':
      return 'READ'
    case 'bounce':
    case 'blocked':
    case 'dropped':
    case 'spamreport':
      return 'FAILED'
    default:
      return null
  }
}

/** The id that the send was answered with (X-Message-Id) is the first part of `sg_message_id`; where that is a filter's name, of `smtp-id`. */
function messageIdOf(event: Event): string | null {
  const [first = ''] = (event.sg_message_id ?? '').split('.')
  const [local = ''] = (event['smtp-id'] ?? '').replace(/^</, '').split('@')
  const id = first === '' || (/^filter/.test(first) && local !== '') ? local : first
  return id === '' || id.length > 250 ? null : id
}

const DROPS: [RegExp, string][] = [
  [/unsubscribed/i, 'SendGrid did not send it: the recipient has unsubscribed.'],
  [
    /bounced/i,
    'SendGrid did not send it: an earlier e-mail to this address came back. If the address is right, remove it from the bounces in SendGrid.',
  ],
  [/spam report/i, 'SendGrid did not send it: the recipient has reported an earlier e-mail as spam.'],
  [/invalid/i, 'SendGrid did not send it: this is not an address that can receive e-mail.'],
]

function errorOf({ event, reason, response, status, type }: Event): NonNullable<ReceiptFact['error']> {
  const said = (reason ?? response ?? '').trim().slice(0, 500)
  const because = said === '' ? 'no reason was given.' : said
  if (event === 'spamreport') return { code: 'spamreport', message: 'The recipient reported the e-mail as spam.' }
  if (event === 'dropped') {
    const known = DROPS.find(([pattern]) => pattern.test(said))?.[1]
    return { code: 'dropped', message: known ?? `SendGrid did not send it: ${because}` }
  }
  const code = status === undefined || status === '' ? event : status.slice(0, 50)
  if (event === 'blocked' || type === 'blocked')
    return { code, message: `The recipient’s mail server refused the e-mail for now: ${because}` }
  return { code, message: `The e-mail came back, because the address cannot receive it: ${because}` }
}

/** What the event says about consent: SendGrid itself sends nothing more to addresses that bounce, complain or unsubscribe. */
function consentOf(event: Event): ConsentFact | null {
  const address = normalizeEmail(event.email ?? '')
  const change = changeIn(event)
  if (address === null || change === null) return null
  const { reason, sg_event_id, timestamp } = event
  const what = event.event === 'dropped' ? `dropped, ${reason ?? ''}` : event.event
  const at = timestamp === undefined ? Number.NaN : timestamp * 1000
  return {
    kind: 'consent',
    identity: { ...identifyEmail(address), verified: true },
    ...change,
    evidence: `SendGrid: ${what}${sg_event_id === undefined ? '' : ` (event ${sg_event_id})`}`.slice(0, 500),
    at: Math.abs(at) < 8e15 ? new Date(at) : new Date(),
  }
}

function changeIn({ event, type, reason = '' }: Event): Pick<ConsentFact, 'purposes' | 'state' | 'source'> | null {
  const out = (source: ConsentFact['source'], purposes: ConsentFact['purposes']) => ({ state: 'OPTED_OUT' as const, source, purposes })
  switch (event) {
    case 'spamreport':
      return out('SPAM_REPORT', [...BOTH])
    case 'bounce':
      return type === 'blocked' ? null : out('BOUNCE', [...BOTH])
    case 'unsubscribe':
    case 'group_unsubscribe':
      return out('UNSUBSCRIBE', ['MARKETING'])
    case 'group_resubscribe':
      return { state: 'OPTED_IN', source: 'PROVIDER', purposes: ['MARKETING'] }
    case 'dropped':
      if (/unsubscribed/i.test(reason)) return out('UNSUBSCRIBE', ['MARKETING'])
      if (/spam report/i.test(reason)) return out('SPAM_REPORT', [...BOTH])
      return /bounced/i.test(reason) ? out('BOUNCE', [...BOTH]) : null
    default:
      return null
  }
}
