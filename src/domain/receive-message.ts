import pg from 'pg'
import type { MediaReference, MessageFact } from '../channels/fact.ts'
import { type ChannelType, MessagePurpose } from '../db/generated/enums.ts'
import type { Deps } from '../deps.ts'
import { organizationTopic } from '../events/bus.ts'
import { trueContentType } from './content-type.ts'
import { emailParents } from './email-threading.ts'
import { newId, timeOfId } from './ids.ts'
import { joinBatch } from './receive-batches.ts'
import { receiveMessagesSql } from './receive-messages.sql.ts'
import type { RawReceipt } from './store-webhook.ts'
import { cleanJson, cleanText, optionalText } from './text.ts'

export type ReceivingAccount = { id: string; organizationId: string; channel: ChannelType }

export type Received = { communicationId: string; conversationId: string; customerId: string }

type ReceiveDeps = Pick<Deps, 'db' | 'pool' | 'bus' | 'storage' | 'config'>

type Item = { account: ReceivingAccount; windowHours: number | null; fact: MessageFact }

type Incoming = { message: Awaited<ReturnType<typeof incoming>>; raw: RawReceipt | null }

/**
 * Messages become customers, conversations, communications, counters, events and jobs, together with the raw webhook, durably when this
 * resolves. For each: what it became, or null where it was received before and nothing changed, or why it could not be stored.
 *
 * Messages of one organization queue for its log; those that wait share one statement and one commit. See docs/adr/0002.
 */
export async function receiveMessages(
  deps: ReceiveDeps,
  organizationId: string,
  raw: RawReceipt | null,
  items: readonly Item[],
): Promise<PromiseSettledResult<Received | null>[]> {
  return Promise.allSettled(
    items.map(async (item) => {
      const message = await incoming(deps, item, raw?.id ?? null)
      return joinBatch(deps.pool, organizationId, { message, raw }, async (batch: Incoming[]) => {
        const received = await storeWithSurvivors(deps, organizationId, batch)
        if (received.some((row) => row !== null)) deps.bus.ring(organizationTopic(organizationId))
        return received
      })
    }),
  )
}

const MAX_TRIES = 10

/** A customer may be merged between the statement's snapshot and its turn at their row: run again, it finds the survivor. */
async function storeWithSurvivors(deps: Pick<Deps, 'pool'>, organizationId: string, batch: Incoming[]): Promise<(Received | null)[]> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await store(deps, organizationId, batch)
    } catch (error) {
      if (!isMergedMeanwhile(error) || tries === MAX_TRIES) throw error
    }
  }
}

const isMergedMeanwhile = (error: unknown): boolean =>
  error instanceof pg.DatabaseError && error.code === '23502' && error.table === 'customer' && error.column === 'unread_count'

async function store(deps: Pick<Deps, 'pool'>, organizationId: string, batch: Incoming[]): Promise<(Received | null)[]> {
  const messages = batch.map(({ message }, n) => ({ n, ...message }))
  const raws = [...new Set(batch.map(({ raw }) => raw))].filter((raw) => raw !== null)
  const { rows } = await deps.pool.query<Received & { n: number }>({
    name: 'receive-messages',
    text: receiveMessagesSql,
    values: [organizationId, JSON.stringify(messages), JSON.stringify(raws.map(rowOf))],
  })
  const received = new Map(
    rows.map(({ n, communicationId, conversationId, customerId }) => [n, { communicationId, conversationId, customerId }]),
  )
  return messages.map(({ n }) => received.get(n) ?? null)
}

const rowOf = ({ id, channelAccountId, wire, segment, url, headers, body, storageKey, size }: RawReceipt) => ({
  id,
  account_id: channelAccountId,
  wire,
  segment,
  url,
  headers,
  body: body?.toString('base64') ?? null,
  storage_key: storageKey,
  size,
})

/** A message as the statement takes it; all new ids are given, used or not. */
async function incoming(deps: ReceiveDeps, { account, windowHours, fact }: Item, receiptId: string | null) {
  const communicationId = newId()
  const at = timeOfId(communicationId)
  const direction = fact.direction ?? 'INBOUND'
  const named = fact.email === undefined ? null : await emailParents(deps, deps.db, account, cleanJson(fact.email))
  const hours = direction === 'INBOUND' ? (fact.window?.hours ?? windowHours) : null
  return {
    receipt_id: receiptId,
    account_id: account.id,
    channel: account.channel,
    direction,
    external_id: cleanText(fact.externalMessageId),
    at,
    sent_at: fact.sentAt ?? null,
    new_customer_id: newId(),
    name: optionalText(fact.profileName?.slice(0, 200), ['profileName'], 200),
    new_conversation_id: newId(),
    address: cleanText(fact.address),
    window_expires_at: hours === null ? null : new Date(at.getTime() + hours * 3_600_000),
    window_reason: fact.window?.reason ?? 'CUSTOMER_MESSAGE',
    communication_id: communicationId,
    subject: fact.subject === undefined ? null : cleanText(fact.subject),
    body: cleanText(fact.body),
    content: fact.content.kind === 'TEXT' ? null : cleanJson(fact.content),
    payload: fact.payload === null ? null : cleanJson(fact.payload),
    in_reply_to: fact.inReplyTo === undefined || fact.inReplyTo === null ? null : cleanText(fact.inReplyTo),
    consent: fact.consent,
    consent_ids: fact.consent === null ? null : Object.values(MessagePurpose).map(() => newId()),
    email: fact.email === undefined ? null : cleanJson(fact.email),
    parents: named?.parents ?? [],
    token_customer_id: named?.tokenCustomerId ?? null,
    token_suggestion_id: newId(),
    identities: fact.identities.map((identity) => ({ ...identity, id: newId(), suggestion_id: newId(), value: cleanText(identity.value) })),
    attachments: await Promise.all(fact.attachments.map((attachment) => file(deps, account.organizationId, attachment))),
  }
}

/** Bytes that came with the message are in the storage before any row names them. */
async function file({ storage }: Pick<Deps, 'storage'>, organizationId: string, { bytes, ...reference }: MediaReference) {
  const id = newId()
  const common = { ...cleanJson(reference), id }
  if (bytes === undefined) return { ...common, storage_key: null, size: null }
  const contentType = await trueContentType(bytes, reference.contentType)
  const storageKey = `attachments/${organizationId}/${id}`
  await storage.put(storageKey, bytes)
  return { ...common, contentType, storage_key: storageKey, size: bytes.byteLength }
}
