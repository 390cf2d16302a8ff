import { createHash } from 'node:crypto'
import type { Identity, MessageFact } from '../../fact.ts'
import { idIn, type Json, objectIn, timeIn } from '../json.ts'

export type MessagingChannel = 'MESSENGER' | 'INSTAGRAM'

/** What every item of `entry[].messaging[]` says: who with whom, in which direction, and when. */
export type Occasion = {
  channel: MessagingChannel
  /** The page, or the Instagram account: ids of customers mean something only there. */
  account: string
  customer: string
  direction: 'INBOUND' | 'OUTBOUND'
  /** By Meta's clock; null where the item bears no time. */
  at: Date | null
}

/**
 * null where the item names no customer. Customer and account are `sender` and `recipient`, the other way round in an echo;
 * old receipts come from the page too, so the account's own id decides.
 */
export function occasionOf(channel: MessagingChannel, account: string, item: Json): Occasion | null {
  const sender = idIn(objectIn(item.sender)?.id)
  const recipient = idIn(objectIn(item.recipient)?.id)
  const echo = objectIn(item.message)?.is_echo === true
  const outbound = echo || (sender === account && recipient !== null && recipient !== account)
  const customer = outbound ? recipient : sender
  if (customer === null) return null
  return { channel, account, customer, direction: outbound ? 'OUTBOUND' : 'INBOUND', at: timeIn(item.timestamp) }
}

/** Meta vouches for it: nobody else can write under this id. */
export const identityOf = ({ channel, account, customer }: Occasion): Identity => ({
  kind: channel,
  scope: account,
  value: customer,
  verified: true,
})

/** An id for what Meta gives none: the same for the same event, however often it is delivered. */
export const madeId = (what: string, parts: readonly unknown[]): string =>
  `${what}:${createHash('sha256').update(JSON.stringify(parts)).digest('base64url')}`

/** The message without its content. */
export function messageBase(occasion: Occasion, externalMessageId: string) {
  const { customer, direction, at } = occasion
  return {
    kind: 'message',
    externalMessageId,
    direction,
    address: customer,
    identities: [identityOf(occasion)],
    profileName: null,
    attachments: [],
    payload: null,
    consent: null,
    ...(at !== null && { sentAt: at }),
  } satisfies Partial<MessageFact>
}
