import type { MessageFact } from '../channels/channel.ts'
import type { ChannelType } from '../db/generated/enums.ts'
import type { Deps } from '../deps.ts'
import { organizationTopic } from '../events/bus.ts'
import { newId, timeOfId } from './ids.ts'
import { receiveMessageSql } from './receive-message.sql.ts'
import { cleanText, optionalText } from './text.ts'

export type ReceivingAccount = { id: string; organizationId: string; channel: ChannelType }

/** The request that carried the message, stored as it came. */
export type RawWebhook = { url: string; headers: Readonly<Record<string, string>>; body: Buffer }

export type Received = { communicationId: string; conversationId: string; customerId: string }

/**
 * An inbound message becomes customer, conversation, communication, counters, events and jobs in one statement, together
 * with the raw webhook. null: this message was received before, and nothing changed.
 *
 * One statement, because it is one round trip inside the organization's lock; see docs/adr/0002.
 */
export async function receiveMessage(
  deps: Pick<Deps, 'pool' | 'bus' | 'clock'>,
  account: ReceivingAccount,
  windowHours: number | null,
  raw: RawWebhook,
  fact: MessageFact,
): Promise<Received | null> {
  const communicationId = newId()
  const now = timeOfId(communicationId)
  const hours = fact.windowHours ?? windowHours
  const values = {
    webhookId: newId(),
    organizationId: account.organizationId,
    accountId: account.id,
    externalMessageId: fact.externalMessageId,
    url: raw.url,
    headers: JSON.stringify(raw.headers),
    rawBody: raw.body,
    now,
    kinds: fact.identities.map((identity) => identity.kind),
    scopes: fact.identities.map((identity) => identity.scope),
    identityValues: fact.identities.map((identity) => identity.value),
    verified: fact.identities.map((identity) => identity.verified),
    identityIds: fact.identities.map(newId),
    newCustomerId: newId(),
    name: optionalText(fact.profileName?.slice(0, 200), ['profileName'], 200),
    newConversationId: newId(),
    channel: account.channel,
    address: fact.address,
    windowExpiresAt: hours === null ? null : new Date(now.getTime() + hours * 3_600_000),
    communicationId,
    subject: fact.subject === undefined ? null : cleanText(fact.subject),
    body: cleanText(fact.body),
    payload: fact.payload === null ? null : cleanJson(fact.payload),
    attachmentIds: fact.attachments.map(newId),
    attachmentUrls: fact.attachments.map((attachment) => attachment.url),
    attachmentTypes: fact.attachments.map((attachment) => attachment.contentType),
    attachmentNames: fact.attachments.map((attachment) => attachment.filename ?? null),
    consent: fact.consent,
    optOutId: newId(),
  }
  const { text, parameters } = receiveMessageSql
  const result = await deps.pool.query<Received>({ name: 'receive-message', text, values: parameters.map((name) => values[name]) })
  const received = result.rows[0] ?? null
  if (received !== null) deps.bus.ring(organizationTopic(account.organizationId))
  return received
}

// jsonb refuses \u0000 and lone surrogates, like text does.
const cleanJson = (value: unknown): string =>
  JSON.stringify(value, (_key, part: unknown) => (typeof part === 'string' ? cleanText(part) : part))
