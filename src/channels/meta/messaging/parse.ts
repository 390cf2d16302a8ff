import type { Fact, UnknownFact } from '../../fact.ts'
import type { MetaApp } from '../app.ts'
import { type Json, objectIn, textIn } from '../json.ts'
import { parseOptIn } from './consent.ts'
import { parseEdit } from './edit.ts'
import { parseMessage } from './message.ts'
import { type Occasion, occasionOf } from './occasion.ts'
import { parsePolicy } from './policy.ts'
import { parsePostback } from './postback.ts'
import { parseReaction } from './reaction.ts'
import { parseDelivery, parseRead } from './receipts.ts'
import { parseReferral } from './referral.ts'

type MetaObject = 'page' | 'instagram'

const EVENTS: Readonly<Record<string, (occasion: Occasion, event: Json, app: MetaApp) => Fact | Fact[]>> = {
  message: parseMessage,
  message_edit: parseEdit,
  postback: parsePostback,
  reaction: parseReaction,
  referral: parseReferral,
  optin: parseOptIn,
  delivery: parseDelivery,
  read: parseRead,
}

/** One item of `entry[].messaging[]`; `entryId` is the page or the Instagram account. Never throws; what is not understood is an UnknownFact. */
export function parseMessaging(object: MetaObject, entryId: string, item: Json, app: MetaApp): Fact[] {
  const policy = objectIn(item.policy_enforcement ?? item['policy-enforcement'])
  if (policy !== null) return [parsePolicy(policy)]
  const name = Object.keys(EVENTS).find((key) => objectIn(item[key]) !== null)
  const parse = name === undefined ? undefined : EVENTS[name]
  const event = name === undefined ? null : objectIn(item[name])
  if (parse === undefined || event === null) return [unknown(object, eventsIn(item))]
  const occasion = occasionOf(object === 'page' ? 'MESSENGER' : 'INSTAGRAM', entryId, item)
  return occasion === null ? [unknown(object, `${name} that names no customer`)] : [parse(occasion, event, app)].flat()
}

/**
 * One item of `entry[].changes[]`. Where its value is shaped like an item of `messaging` (so the samples of Meta's app dashboard
 * come) it is read as one; all else is about posts and comments.
 */
export function parseMessagingChange(object: MetaObject, entryId: string, change: Json, app: MetaApp): Fact[] {
  const value = objectIn(change.value)
  const isItem = value !== null && (objectIn(value.sender) !== null || objectIn(value.recipient) !== null)
  return isItem
    ? parseMessaging(object, entryId, value, app)
    : [unknown(object, `a change of ${textIn(change.field)?.slice(0, 100) ?? 'no named field'}`)]
}

const unknown = (object: MetaObject, what: string): UnknownFact => ({
  kind: 'unknown',
  reason: `${object === 'page' ? 'Messenger' : 'Instagram'}: ${what}`,
})

const FRAME = new Set(['sender', 'recipient', 'timestamp'])

/** The names of an item's events, e.g. pass_thread_control. */
function eventsIn(item: Json): string {
  const names = Object.keys(item).filter((key) => !FRAME.has(key))
  return names.length === 0 ? 'no event' : names.join(', ').slice(0, 200)
}
