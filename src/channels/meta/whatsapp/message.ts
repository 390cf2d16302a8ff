import { consentOf, consentOfButton } from '../../consent.ts'
import type { ConsentWord, Fact, MessageFact } from '../../fact.ts'
import type { MetaApp } from '../app.ts'
import { idIn, type Json, objectIn, textIn, timeIn } from '../json.ts'
import { readContent } from './content.ts'
import { type Contacts, type Correspondent, correspondentOf } from './correspondent.ts'
import { systemFact } from './system.ts'
import { unknown } from './unknown.ts'

/** `at`: when the change happened, for items that bear no time of their own. */
export type Occasion = { app: MetaApp; contacts: Contacts; at: Date }

/** What a customer wrote, changed or took back. */
export function inboundFact(occasion: Occasion, message: Json): Fact {
  const { from, from_user_id, from_parent_user_id } = message
  if (message.type === 'system') return systemFact(occasion, message)
  return factOf(occasion, message, 'INBOUND', correspondentOf(occasion.contacts, from, from_user_id, from_parent_user_id))
}

/** What the business wrote, changed or took back with WhatsApp's own app. */
export function echoFact(occasion: Occasion, message: Json): Fact {
  const { to, to_user_id, to_parent_user_id } = message
  return factOf(occasion, message, 'OUTBOUND', correspondentOf(occasion.contacts, to, to_user_id, to_parent_user_id))
}

function factOf(occasion: Occasion, message: Json, direction: 'INBOUND' | 'OUTBOUND', customer: Correspondent | null): Fact {
  const externalMessageId = idIn(message.id)
  const sentAt = timeIn(message.timestamp)
  if (message.type === 'revoke') {
    const original = idIn(objectIn(message.revoke)?.original_message_id)
    if (original === null) return unknown('a message is taken back, but not said which')
    return { kind: 'revoke', externalMessageId: original, at: sentAt ?? occasion.at }
  }
  if (externalMessageId === null) return unknown('a message without an id')
  if (message.type === 'edit') return editFact(occasion, message, externalMessageId, sentAt ?? occasion.at)
  if (customer === null) return unknown('a message whose customer is neither a phone number nor a user id')
  const read = readContent(occasion.app, message)
  return {
    kind: 'message',
    externalMessageId,
    direction,
    address: customer.address,
    identities: customer.identities,
    profileName: customer.profileName,
    ...read,
    payload: payloadOf(message, customer),
    inReplyTo: read.content.kind === 'REACTION' ? read.content.target : idIn(objectIn(message.context)?.id),
    consent: direction === 'INBOUND' ? consentIn(read) : null,
    ...(sentAt !== null && { sentAt }),
  }
}

/** Source: https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/messages/edit */
function editFact(occasion: Occasion, message: Json, revision: string, at: Date): Fact {
  const edit = objectIn(message.edit)
  const original = idIn(edit?.original_message_id)
  const changed = objectIn(edit?.message)
  if (original === null || changed === null) return unknown('a message is changed, but not said which or how')
  const { body, content } = readContent(occasion.app, changed)
  return { kind: 'edit', externalMessageId: original, revision, body, content, at }
}

/** A text counts, and the button of a template, which is how marketing messages let people say "Unsubscribe". */
function consentIn({ content, body }: Pick<MessageFact, 'content' | 'body'>): ConsentWord | null {
  if (content.kind === 'TEXT') return consentOf(body)
  return content.kind === 'INTERACTIVE_REPLY' && content.reply === 'QUICK_REPLY' ? consentOfButton(content.title) : null
}

/** Referral, forwarded marks, product asked about, user name and group, under names as other channels have them. */
function payloadOf(message: Json, { username }: Correspondent): MessageFact['payload'] {
  const context = objectIn(message.context)
  const entries: [string, unknown][] = [
    ['referral', camelCased(message.referral)],
    ['forwarded', context?.forwarded === true || context?.frequently_forwarded === true ? true : null],
    ['frequentlyForwarded', context?.frequently_forwarded === true ? true : null],
    ['referredProduct', camelCased(context?.referred_product)],
    ['username', username],
    ['groupId', textIn(message.group_id)],
  ]
  const present = entries.filter(([, value]) => value !== null)
  return present.length === 0 ? null : Object.fromEntries(present)
}

function camelCased(value: unknown): Json | null {
  const object = objectIn(value)
  if (object === null) return null
  return Object.fromEntries(
    Object.entries(object).map(([name, part]) => [name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()), part]),
  )
}
