import type { Identity, MediaReference, MessageFact } from '../channels/fact.ts'
import { type ChannelType, MessagePurpose } from '../db/generated/enums.ts'
import type { Deps } from '../deps.ts'
import { organizationTopic } from '../events/bus.ts'
import { trueContentType } from './content-type.ts'
import { emailParents } from './email-threading.ts'
import { newId, timeOfId } from './ids.ts'
import { type Message, type Received, storeReceived } from './store-received.ts'
import type { RawReceipt } from './store-webhook.ts'
import { cleanJson, cleanText, optionalText } from './text.ts'

export type ReceivingAccount = { id: string; organizationId: string; channel: ChannelType }

type ReceiveDeps = Pick<Deps, 'db' | 'pool' | 'bus' | 'storage' | 'config'>

type Item = { account: ReceivingAccount; windowHours: number | null; fact: MessageFact }

/**
 * Messages become customers, conversations, communications, counters, events and jobs, together with the raw webhook, durably when this
 * resolves. For each: what it became, or null where it was received before and nothing changed, or why it could not be stored.
 *
 * Messages that wait for each other share one statement and one commit. See docs/adr/0002.
 */
export async function receiveMessages(
  deps: ReceiveDeps,
  raw: RawReceipt | null,
  items: readonly Item[],
): Promise<PromiseSettledResult<Received | null>[]> {
  return Promise.allSettled(
    items.map(async (item) => {
      const received = await storeReceived(deps.pool, { message: await incoming(deps, item), raw })
      if (received !== null) deps.bus.ring(organizationTopic(item.account.organizationId))
      return received
    }),
  )
}

/** A message as the statements take it; all new ids are given, used or not. */
async function incoming(deps: ReceiveDeps, { account, windowHours, fact }: Item): Promise<Message> {
  const communicationId = newId()
  const at = timeOfId(communicationId)
  const inbound = fact.direction !== 'OUTBOUND'
  const hours = inbound ? (fact.window?.hours ?? windowHours) : null
  const [first, ...others] = fact.identities.map((identity) => ({ ...identity, value: cleanText(identity.value) }))
  if (first === undefined) throw new Error(`the message ${fact.externalMessageId} names no sender`)
  return {
    plain: {
      organization_id: account.organizationId,
      account_id: account.id,
      channel: account.channel,
      inbound,
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
      ...first,
      identity_id: newId(),
    },
    whole: await whole(deps, account, fact, others),
  }
}

/** null: it is plain. */
async function whole(
  deps: ReceiveDeps,
  account: ReceivingAccount,
  fact: MessageFact,
  others: readonly Identity[],
): Promise<Message['whole']> {
  const { email, attachments, consent, content } = fact
  if (others.length + attachments.length === 0 && email === undefined && consent === null && content.kind !== 'REACTION') return null
  const named = email === undefined ? null : await emailParents(deps, deps.db, account, cleanJson(email))
  return {
    others: others.map((identity) => ({ ...identity, id: newId(), suggestion_id: newId() })),
    consent,
    consent_ids: consent === null ? null : Object.values(MessagePurpose).map(() => newId()),
    email: email === undefined ? null : cleanJson(email),
    parents: named?.parents ?? [],
    token_customer_id: named?.tokenCustomerId ?? null,
    token_suggestion_id: named === null ? null : newId(),
    attachments: await Promise.all(attachments.map((attachment) => file(deps, account.organizationId, attachment))),
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
