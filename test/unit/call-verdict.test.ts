import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { CallFact } from '../../src/channels/fact.ts'
import { corrected, type Verdict, verdictOf } from '../../src/domain/call-verdict.ts'

type Told = Pick<CallFact, 'outcome' | 'startedAt' | 'seconds' | 'words'>

const ARRIVED = new Date('2026-11-21T12:00:00Z')
const START = new Date('2026-11-21T11:59:00Z')
const ended: Told = { outcome: 'ANSWERED', startedAt: START, seconds: 40, words: { callStatus: 'completed' } }
const missed: Told = { outcome: 'NO_ANSWER', startedAt: null, seconds: 0, words: { dialCallStatus: 'no-answer' } }
const taken: Told = { outcome: 'ANSWERED', startedAt: null, seconds: 15, words: { dialCallStatus: 'completed' } }

/** What the webhooks come to in this order. */
function comesTo(...told: Told[]): Verdict {
  const [first, ...others] = told
  if (first === undefined) throw new Error('nothing was told')
  return others.reduce((known, each) => corrected(known, each, ARRIVED) ?? known, verdictOf(first, ARRIVED))
}

describe('a forwarded call', () => {
  test('that nobody took is a miss in both orders, and began when it came in', () => {
    const payload = { callStatus: 'completed', dialCallStatus: 'no-answer' }
    const verdict = { callOutcome: 'NO_ANSWER', callStartedAt: START, callSeconds: 0, payload }
    expect(comesTo(ended, missed)).toEqual(verdict)
    expect(comesTo(missed, ended)).toEqual(verdict)
    expect(comesTo(missed)).toEqual({ ...verdict, callStartedAt: ARRIVED, payload: { dialCallStatus: 'no-answer' } })
  })

  test('that somebody took lasts as long as they spoke', () => {
    expect(comesTo(ended, taken)).toEqual(comesTo(taken, ended))
    expect(comesTo(ended, taken)).toMatchObject({ callOutcome: 'ANSWERED', callSeconds: 15, callStartedAt: START })
    expect(comesTo(taken).callStartedAt).toEqual(new Date('2026-11-21T11:59:45Z'))
  })

  test('to one after the other is answered where one of them was', () => {
    expect(comesTo(missed, taken, ended)).toEqual(comesTo(ended, taken, missed))
    expect(comesTo(taken, missed).callOutcome).toBe('ANSWERED')
  })

  test('comes to the same in any order, however often each is told', () => {
    const told = fc.array(fc.constantFrom(ended, missed, taken), { minLength: 1, maxLength: 8 })
    fc.assert(
      fc.property(told, (webhooks) => {
        const { callOutcome, callSeconds } = comesTo(...webhooks)
        const whole = webhooks.includes(taken) ? taken : webhooks.includes(missed) ? missed : ended
        expect({ callOutcome, callSeconds }).toEqual({ callOutcome: whole.outcome, callSeconds: whole.seconds })
        for (const each of webhooks) expect(corrected(comesTo(...webhooks), each, ARRIVED)).toBeNull()
      }),
    )
  })
})

describe('the start', () => {
  test('is not in the future', () => {
    const late = { ...ended, startedAt: new Date('2026-11-21T11:59:21Z') }
    expect(comesTo(late).callStartedAt).toEqual(new Date('2026-11-21T11:59:20Z'))
    expect(comesTo(missed, late).callStartedAt).toEqual(ARRIVED)
  })

  test('is as it was told where one webhook says all, also if that is nothing', () => {
    const whole: Told = { outcome: 'ANSWERED', startedAt: null, seconds: null }
    expect(comesTo(whole)).toEqual({ callOutcome: 'ANSWERED', callStartedAt: null, callSeconds: null, payload: {} })
    expect(corrected(comesTo(whole), whole, ARRIVED)).toBeNull()
  })
})
