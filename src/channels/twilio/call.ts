import type { CallOutcome } from '../../db/generated/enums.ts'
import type { CallFact, UnknownFact } from '../fact.ts'
import { normalizePhone } from '../phone.ts'
import { channelOf, identifySms, identifyWhatsapp, normalizeWhatsapp } from './address.ts'
import { isWithheld, withheldCaller } from './caller.ts'
import type { Form } from './form.ts'

const unknown = (reason: string): UnknownFact => ({ kind: 'unknown', reason })

const CALL_SID = /^CA[0-9a-zA-Z]{1,62}$/

/** Those that are final. Source: https://www.twilio.com/docs/voice/api/call-resource#call-status-values */
const OUTCOMES = new Map<string, CallOutcome>([
  ['completed', 'ANSWERED'],
  ['no-answer', 'NO_ANSWER'],
  ['busy', 'BUSY'],
  ['failed', 'FAILED'],
  ['canceled', 'CANCELED'],
])
const UNFINISHED = new Set(['queued', 'initiated', 'ringing', 'in-progress', 'answered'])
/** Source: https://www.twilio.com/docs/voice/twiml/dial#dialcallstatus-values */
const DIALED = new Map<string, CallOutcome>([...OUTCOMES, ['answered', 'ANSWERED']])

const DIRECTIONS = new Map<string, CallFact['direction']>([
  ['inbound', 'INBOUND'],
  ['outbound-api', 'OUTBOUND'],
  ['outbound-dial', 'OUTBOUND'],
])

/**
 * A call that has ended, by its status callback or by the action request of its `<Dial>`: the parameters of
 * https://www.twilio.com/docs/voice/twiml#request-parameters.
 */
export function parseCall(form: Form): CallFact | UnknownFact {
  const externalMessageId = form.get('CallSid')
  if (externalMessageId === undefined || !CALL_SID.test(externalMessageId)) return unknown('no CallSid: not about a call')
  if (form.has('ParentCallSid')) return unknown('a leg of another call: the <Dial> action of that call tells how it went')
  const direction = DIRECTIONS.get(form.get('Direction') ?? '')
  if (direction === undefined) return unknown(`no direction of a call is called ${quoted(form.get('Direction'))}`)
  const ending = endingOf(form, direction)
  if ('kind' in ending) return ending
  const parties = partiesOf(form, direction)
  if ('kind' in parties) return parties
  const startedAt = startOf(form.get('Timestamp'), ending.seconds)
  return { kind: 'call', externalMessageId, direction, ...parties, ...ending, startedAt }
}

type Ending = Pick<CallFact, 'outcome' | 'seconds' | 'words'>

/** Whoever is dialed by a forwarded call decides it; the call itself only tells then that Twilio has answered. */
function endingOf(form: Form, direction: CallFact['direction']): Ending | UnknownFact {
  const [callStatus, dialCallStatus] = [form.get('CallStatus'), form.get('DialCallStatus')]
  if (dialCallStatus !== undefined) {
    const outcome = DIALED.get(dialCallStatus)
    if (outcome === undefined) return unknown(`no DialCallStatus is called ${quoted(dialCallStatus)}`)
    const seconds = secondsIn(form.get('DialCallDuration')) ?? secondsIn(form.get('CallDuration'))
    return { outcome, seconds: outcome === 'ANSWERED' ? seconds : 0, words: { dialCallStatus } }
  }
  if (callStatus !== undefined && UNFINISHED.has(callStatus))
    return unknown(`the call is ${callStatus}: nothing needs doing before it has ended`)
  const outcome = OUTCOMES.get(callStatus ?? '')
  if (callStatus === undefined || outcome === undefined) return unknown(`no CallStatus is called ${quoted(callStatus)}`)
  const seconds = outcome === 'ANSWERED' ? secondsIn(form.get('CallDuration')) : 0
  return { outcome: outcome === 'ANSWERED' && isMachine(form, direction) ? 'VOICEMAIL' : outcome, seconds, words: { callStatus } }
}

/** Source: https://www.twilio.com/docs/voice/answering-machine-detection */
const isMachine = (form: Form, direction: CallFact['direction']): boolean =>
  direction === 'OUTBOUND' && /^(machine_|fax)/.test(form.get('AnsweredBy') ?? '')

type Parties = Pick<CallFact, 'address' | 'identities' | 'profileName' | 'line'>

function partiesOf(form: Form, direction: CallFact['direction']): Parties | UnknownFact {
  const [from, to] = [form.get('From'), form.get('To')]
  const channel = channelOf(from, to)
  if (channel !== 'SMS' && channel !== 'WHATSAPP')
    return unknown('a call from or to something that is no phone number, e.g. client: or sip:')
  const normalize = channel === 'WHATSAPP' ? normalizeWhatsapp : normalizePhone
  const [customer, ours] = direction === 'INBOUND' ? [from, to] : [to, from]
  const line = normalize(ours ?? '')
  if (line === null) return unknown(`${direction === 'INBOUND' ? 'To' : 'From'} is no phone number`)
  if (direction === 'INBOUND' && isWithheld(from)) return { ...withheldCaller, line: { channel, address: line } }
  const address = normalize(customer ?? '')
  if (address === null) return unknown(`${direction === 'INBOUND' ? 'From' : 'To'} is no phone number`)
  const identity = channel === 'WHATSAPP' ? identifyWhatsapp(address) : identifySms(address)
  return { address, identities: [{ ...identity, verified: true }], profileName: null, line: { channel, address: line } }
}

/** No call of Twilio's lasts longer. Source: https://www.twilio.com/docs/voice/twiml/dial#timelimit */
const MAX_SECONDS = 24 * 3600

/** `Duration` beside it is in minutes. */
function secondsIn(duration: string | undefined): number | null {
  if (duration === undefined || !/^\d{1,5}$/.test(duration)) return null
  const seconds = Number(duration)
  return seconds <= MAX_SECONDS ? seconds : null
}

const RFC_2822 = /^([A-Z][a-z]{2}, )?\d{1,2} [A-Z][a-z]{2} 20\d{2} \d{2}:\d{2}:\d{2} ([+-]\d{4}|GMT|UTC)$/

/** `Timestamp` is that of the event, the end of the call; a `<Dial>` action has none. */
function startOf(timestamp: string | undefined, seconds: number | null): Date | null {
  const ended = timestamp !== undefined && RFC_2822.test(timestamp) ? Date.parse(timestamp) : Number.NaN
  return Number.isNaN(ended) ? null : new Date(ended - (seconds ?? 0) * 1000)
}

const quoted = (word = ''): string => JSON.stringify(word.slice(0, 50))
