import type { MessageFact } from '../channels/channel.ts'
import type { ChannelType } from '../db/generated/enums.ts'
import type { Deps } from '../deps.ts'
import { organizationTopic } from '../events/bus.ts'
import { newId, timeOfId } from './ids.ts'
import { joinBatch } from './receive-batches.ts'
import { receiveMessagesSql } from './receive-messages.sql.ts'
import type { RawWebhook } from './store-webhook.ts'
import { cleanText, optionalText } from './text.ts'

export type ReceivingAccount = { id: string; organizationId: string; channel: ChannelType }

export type Received = { communicationId: string; conversationId: string; customerId: string }

/** A message as the statement takes it; all new ids are given, used or not. */
type Incoming = ReturnType<typeof incoming>

/**
 * An inbound message becomes customer, conversation, communication, counters, events and jobs, together with the raw webhook, durably when
 * this resolves. null: this message was received before, and nothing changed.
 *
 * Messages of one organization queue for its log; those that wait share one statement and one commit. See docs/adr/0002.
 */
export async function receiveMessage(
  deps: Pick<Deps, 'pool' | 'bus'>,
  account: ReceivingAccount,
  windowHours: number | null,
  raw: RawWebhook,
  fact: MessageFact,
): Promise<Received | null> {
  const { organizationId } = account
  const message = incoming(account, windowHours, raw, fact)
  return joinBatch(deps.pool, organizationId, message, async (messages) => {
    const received = await store(deps, organizationId, messages)
    if (received.some((row) => row !== null)) deps.bus.ring(organizationTopic(organizationId))
    return received
  })
}

async function store(deps: Pick<Deps, 'pool'>, organizationId: string, messages: Incoming[]): Promise<(Received | null)[]> {
  const numbered = messages.map((message, n) => ({ n, ...message }))
  const { rows } = await deps.pool.query<Received & { n: number }>({
    name: 'receive-messages',
    text: receiveMessagesSql,
    values: [organizationId, JSON.stringify(numbered)],
  })
  return messages.map((_message, n) => rows.find((row) => row.n === n) ?? null)
}

function incoming(account: ReceivingAccount, windowHours: number | null, raw: RawWebhook, fact: MessageFact) {
  const communicationId = newId()
  const at = timeOfId(communicationId)
  const hours = fact.windowHours ?? windowHours
  return {
    webhook_id: newId(),
    account_id: account.id,
    channel: account.channel,
    external_id: cleanText(fact.externalMessageId),
    url: cleanText(raw.url),
    headers: cleanJson(raw.headers),
    raw_body: raw.body.toString('base64'),
    at,
    new_customer_id: newId(),
    name: optionalText(fact.profileName?.slice(0, 200), ['profileName'], 200),
    new_conversation_id: newId(),
    address: cleanText(fact.address),
    window_expires_at: hours === null ? null : new Date(at.getTime() + hours * 3_600_000),
    communication_id: communicationId,
    subject: fact.subject === undefined ? null : cleanText(fact.subject),
    body: cleanText(fact.body),
    payload: fact.payload === null ? null : cleanJson(fact.payload),
    consent: fact.consent,
    opt_out_id: newId(),
    identities: fact.identities.map((identity) => ({ ...identity, id: newId(), value: cleanText(identity.value) })),
    attachments: fact.attachments.map((attachment) => ({ ...attachment, id: newId() })),
  }
}

// jsonb refuses \u0000 and lone surrogates, like text does.
const cleanJson = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value), (_key, part: unknown) => (typeof part === 'string' ? cleanText(part) : part))
