import type { CallOutcome } from '../../../db/generated/enums.ts'
import type { Fact } from '../../fact.ts'
import { idIn, type Json, timeIn } from '../json.ts'
import { correspondentOf } from './correspondent.ts'
import type { Occasion } from './message.ts'
import { unknown } from './unknown.ts'

const DIRECTIONS = new Map<unknown, 'INBOUND' | 'OUTBOUND'>([
  ['USER_INITIATED', 'INBOUND'],
  ['BUSINESS_INITIATED', 'OUTBOUND'],
])

/** A call that has ended. Source: https://developers.facebook.com/docs/whatsapp/cloud-api/calling/reference#call-terminate-webhook */
export function callFact({ contacts }: Pick<Occasion, 'contacts'>, call: Json): Fact {
  if (call.event !== 'terminate') return unknown('a call that is still going on')
  const externalMessageId = idIn(call.id)
  const direction = DIRECTIONS.get(call.direction)
  if (externalMessageId === null || direction === undefined) return unknown('a call without an id or a direction')
  const customer =
    direction === 'INBOUND'
      ? correspondentOf(contacts, call.from, call.from_user_id, call.from_parent_user_id)
      : correspondentOf(contacts, call.to, call.to_user_id, call.to_parent_user_id)
  if (customer === null) return unknown('a call whose customer is neither a phone number nor a user id')
  const { address, identities, profileName } = customer
  const seconds = secondsIn(call.duration)
  return {
    kind: 'call',
    externalMessageId,
    direction,
    address,
    identities,
    profileName,
    outcome: outcomeOf(call.status, seconds),
    startedAt: timeIn(call.start_time) ?? timeIn(call.timestamp),
    seconds,
  }
}

/** What the database holds. */
const MAX_SECONDS = 2 ** 31

/** A number; like Meta's times it may come as a string. */
function secondsIn(duration: unknown): number | null {
  const seconds = typeof duration === 'string' && /^\d+$/.test(duration) ? Number(duration) : duration
  return typeof seconds === 'number' && seconds >= 0 && seconds < MAX_SECONDS ? Math.round(seconds) : null
}

/** Start and duration are there only where somebody picked up. */
function outcomeOf(status: unknown, seconds: number | null): CallOutcome {
  if (status === 'FAILED') return 'FAILED'
  if (status === 'REJECTED') return 'BUSY'
  if (status === 'CANCELED') return 'CANCELED'
  return seconds === null ? 'NO_ANSWER' : 'ANSWERED'
}
