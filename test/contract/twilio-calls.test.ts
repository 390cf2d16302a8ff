import { stringify } from 'node:querystring'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { CallFact } from '../../src/channels/fact.ts'
import { twilioWire } from '../../src/channels/twilio/wire.ts'

const OURS = '+15017122661'
const THEIRS = '+905551112233'
const TIMESTAMP = 'Mon, 21 Dec 2020 15:19:52 +0000'
const inbound = { CallSid: 'CA9c1f259a39bcf0e773bbbb2c4c736c9f', Direction: 'inbound', From: THEIRS, To: OURS, CallStatus: 'completed' }
const outbound = { ...inbound, Direction: 'outbound-api', From: OURS, To: THEIRS }

const read = (params: Record<string, string>) => {
  const url = 'https://inbox.test/webhooks/twilio/demo/voice'
  return twilioWire.parse('voice', { method: 'POST', url, headers: {}, body: Buffer.from(stringify(params)) })[0]?.facts[0]
}
const call = (params: Record<string, string>): CallFact => {
  const fact = read(params)
  if (fact?.kind !== 'call') throw new Error(`no call: ${JSON.stringify(fact)}`)
  return fact
}

describe('a call that has ended', () => {
  test('is one between the customer and our line, in both directions', () => {
    const customer = { address: THEIRS, identities: [{ kind: 'PHONE', scope: '', value: THEIRS, verified: true }] }
    const line = { channel: 'SMS', address: OURS }
    const expected = { kind: 'call', externalMessageId: inbound.CallSid, profileName: null, line, ...customer }
    expect(call(inbound)).toMatchObject({ ...expected, direction: 'INBOUND' })
    expect(call(outbound)).toMatchObject({ ...expected, direction: 'OUTBOUND' })
    expect(call({ ...outbound, Direction: 'outbound-dial' })).toMatchObject({ ...expected, direction: 'OUTBOUND' })
  })

  test('of WhatsApp is on the account for WhatsApp', () => {
    const fact = call({ ...inbound, From: `whatsapp:${THEIRS}`, To: `whatsapp:${OURS}` })
    expect(fact).toMatchObject({ address: THEIRS, line: { channel: 'WHATSAPP', address: OURS } })
  })

  test.each([
    ['completed', {}, 'ANSWERED', 35],
    ['no-answer', {}, 'NO_ANSWER', 0],
    ['busy', {}, 'BUSY', 0],
    ['failed', {}, 'FAILED', 0],
    ['canceled', {}, 'CANCELED', 0],
    ['completed', { AnsweredBy: 'human' }, 'ANSWERED', 35],
    ['completed', { AnsweredBy: 'machine_end_beep' }, 'VOICEMAIL', 35],
    ['completed', { AnsweredBy: 'machine_start' }, 'VOICEMAIL', 35],
    ['completed', { AnsweredBy: 'fax' }, 'VOICEMAIL', 35],
    ['completed', { AnsweredBy: 'unknown' }, 'ANSWERED', 35],
    ['busy', { AnsweredBy: 'machine_start' }, 'BUSY', 0],
  ])('%s %o is %s', (CallStatus, params, outcome, seconds) => {
    const fact = call({ ...outbound, CallStatus, CallDuration: '35', Duration: '1', ...params })
    expect(fact).toMatchObject({ outcome, seconds, words: { callStatus: CallStatus } })
  })

  test('that somebody called is not voicemail, whatever a machine thinks', () => {
    expect(call({ ...inbound, AnsweredBy: 'machine_start' }).outcome).toBe('ANSWERED')
  })

  test.each([
    ['completed', 'ANSWERED', 20],
    ['answered', 'ANSWERED', 20],
    ['no-answer', 'NO_ANSWER', 0],
    ['busy', 'BUSY', 0],
    ['failed', 'FAILED', 0],
    ['canceled', 'CANCELED', 0],
  ])('and was forwarded: %s is %s, whatever its own status', (DialCallStatus, outcome, seconds) => {
    for (const CallStatus of ['in-progress', 'completed', 'no-answer']) {
      const fact = call({ ...inbound, CallStatus, CallDuration: '35', DialCallStatus, DialCallDuration: '20' })
      expect(fact).toMatchObject({ outcome, seconds, startedAt: null, words: { dialCallStatus: DialCallStatus } })
    }
  })

  test.each([
    ['35', 35],
    ['0', 0],
    ['-0', null],
    ['-1', null],
    ['1e309', null],
    ['99999999999999999999', null],
    ['86400', 86_400],
    ['86401', null],
    ['1.5', null],
    ['NaN', null],
    ['', null],
  ])('lasts %j: %s seconds', (CallDuration, seconds) => {
    expect(call({ ...inbound, CallDuration }).seconds).toBe(seconds)
    expect(call({ ...inbound, DialCallStatus: 'completed', DialCallDuration: CallDuration }).seconds).toBe(seconds)
  })

  test('began before its end by as much as it lasted', () => {
    expect(call({ ...inbound, Timestamp: TIMESTAMP, CallDuration: '52' }).startedAt).toEqual(new Date('2020-12-21T15:19:00Z'))
    expect(call({ ...inbound, Timestamp: TIMESTAMP, CallStatus: 'busy' }).startedAt).toEqual(new Date('2020-12-21T15:19:52Z'))
    expect(call({ ...inbound, Timestamp: '1 Jan 2026 00:00:00 +0200', CallStatus: 'busy' }).startedAt).toEqual(
      new Date('2025-12-31T22:00:00Z'),
    )
  })

  test.each([
    '',
    'yesterday',
    '1',
    '2020',
    'Mon, 99 Dec 2020 15:19:52 +0000',
    'Mon, 21 Dec 9999 15:19:52 +0000',
    '1e309',
    'x'.repeat(9999),
  ])('has no time where Twilio says %j', (Timestamp) => expect(call({ ...inbound, Timestamp }).startedAt).toBeNull())
})

/** A word as it is typed on a telephone's keys. */
const onKeypad = (word: string): string =>
  [...word.toLowerCase()].map((letter) => '22233344455566677778889999'[letter.charCodeAt(0) - 97]).join('')

describe('a withheld number', () => {
  const withheld = {
    address: null,
    profileName: 'Withheld number',
    identities: [{ kind: 'EXTERNAL', scope: 'withheld', value: 'withheld number', verified: true }],
    line: { channel: 'SMS', address: OURS },
  }

  test.each(['anonymous', 'restricted', 'unknown', 'unavailable', 'blocked'])('%s, as a word and as its digits', (word) => {
    const spellings = [word, word.toUpperCase(), `+${word}`, onKeypad(word), `+${onKeypad(word)}`]
    for (const From of spellings) expect(call({ ...inbound, From })).toMatchObject(withheld)
  })

  test('by other words, or by none', () => {
    for (const From of ['Private', '+7378742883', '']) expect(call({ ...inbound, From })).toMatchObject(withheld)
  })

  test('is not withheld where somebody is called, nor a number that only begins so', () => {
    expect(read({ ...outbound, To: 'anonymous' })).toEqual({ kind: 'unknown', reason: 'To is no phone number' })
    expect(call({ ...inbound, From: '+17378742833' }).address).toBe('+17378742833')
  })
})

describe('nothing is made of', () => {
  test.each([
    ['a call that is going on', { CallStatus: 'in-progress' }, 'the call is in-progress: nothing needs doing before it has ended'],
    ['a call that waits', { CallStatus: 'queued' }, 'the call is queued: nothing needs doing before it has ended'],
    [
      'a leg of another call',
      { ParentCallSid: 'CA1', Direction: 'outbound-dial' },
      'a leg of another call: the <Dial> action of that call tells how it went',
    ],
    ['a call by Voice SDK', { From: 'client:alice' }, 'a call from or to something that is no phone number, e.g. client: or sip:'],
    ['a call to SIP', { To: 'sip:a@b.example' }, 'a call from or to something that is no phone number, e.g. client: or sip:'],
    ['a call by RCS', { From: 'rcs:acme_agent' }, 'a call from or to something that is no phone number, e.g. client: or sip:'],
    ['a caller who is none', { From: '12' }, 'From is no phone number'],
    ['a line that is none', { To: '' }, 'To is no phone number'],
    ['a strange direction', { Direction: 'trunking-terminating' }, 'no direction of a call is called "trunking-terminating"'],
    ['no direction', { Direction: '' }, 'no direction of a call is called ""'],
    ['a strange status', { CallStatus: 'lost' }, 'no CallStatus is called "lost"'],
    ['no status', { CallStatus: '' }, 'no CallStatus is called ""'],
    ['a strange verdict', { DialCallStatus: 'x'.repeat(500) }, `no DialCallStatus is called "${'x'.repeat(50)}"`],
    ['no call', { CallSid: '' }, 'no CallSid: not about a call'],
    ['the id of something else', { CallSid: 'SM1' }, 'no CallSid: not about a call'],
    ['an endless id', { CallSid: `CA${'0'.repeat(5000)}` }, 'no CallSid: not about a call'],
  ])('%s', (_what, params, reason) => expect(read({ ...inbound, ...params })).toEqual({ kind: 'unknown', reason }))
})

test('whatever is said, it is one fact that the database can hold', () => {
  const names = fc.constantFrom(
    ...[
      'CallSid',
      'CallStatus',
      'DialCallStatus',
      'DialCallDuration',
      'CallDuration',
      'Direction',
      'From',
      'To',
      'Timestamp',
      'AnsweredBy',
    ],
    ...['ParentCallSid', '__proto__'],
  )
  const values = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom('\0', '1e309', '-1', '-0', 'completed', 'no-answer', 'anonymous', 'inbound', TIMESTAMP, 'x'.repeat(70_000)),
  )
  fc.assert(
    fc.property(fc.dictionary(names, values), (params) => {
      const fact = read({ ...inbound, ...params })
      if (fact?.kind === 'call') {
        expect(fact.seconds ?? 0).toBeLessThanOrEqual(86_400)
        expect(Number.isNaN(fact.startedAt?.getTime())).toBe(false)
      } else {
        expect(fact).toEqual({ kind: 'unknown', reason: expect.any(String) })
      }
    }),
  )
})

test('any account of the organization may have signed', () => {
  const request = { method: 'POST', url: 'https://inbox.test', headers: {}, body: Buffer.from(stringify(inbound)) }
  expect(twilioWire.locate('voice', request)).toEqual({ channel: null, addresses: null, communicationId: null })
})
