import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { globalId } from '../../schema/global-id.ts'
import {
  InboxDocument,
  LogCallDocument,
  SendMessageDocument,
  type SendMessageInput,
  SetConversationStatusDocument,
} from '../generated/graphql.ts'
import { automating, bodies, brief } from '../support/automations.ts'
import { type Call, dialed, inboundFrom, newCaller, status } from '../support/calls.ts'
import { member, present } from '../support/result.ts'
import { type SimulatedClock, simulateClock } from '../support/simulated-clock.ts'
import { startTwilioOrganization, type TwilioOrganization } from '../support/twilio-organization.ts'

const MINUTE = 60_000
const SENT = ['MISSED_CALL_FOLLOW_UP SMS SENT']
const REACHED = ['MISSED_CALL_FOLLOW_UP SMS SKIPPED ALREADY_REACHED']

let twilio: TwilioOrganization
let clock: SimulatedClock
let on: ReturnType<typeof automating>
let ended: number

beforeAll(async () => {
  twilio = await startTwilioOrganization('salon')
  on = automating(twilio.app, twilio.org.ask)
})
afterAll(() => twilio?.close())
beforeEach(async () => {
  // A call that would end in the future has ended when its webhook came, by the real time.
  clock = simulateClock(twilio.app, new Date(Date.now() + 1000))
  ended = Math.floor(Date.now() / 1000) * 1000
  const setting = { kind: 'MISSED_CALL_FOLLOW_UP' as const, enabled: true, channels: ['SMS' as const], delayMinutes: 15 }
  await on.set({ automations: [setting] })
})

const post = async (params: Record<string, string>) => {
  const answer = await twilio.fake.post(`${twilio.app.deps.config.PUBLIC_URL}/webhooks/twilio/salon/voice`, params)
  expect(answer.status).toBe(200)
}
const timed = (at: number) => ({ Timestamp: new Date(at).toUTCString() })
const missed = (call: Call, at = ended) => post(status(call, 'no-answer', timed(at)))

const callOf = (call: Call) => twilio.app.deps.db.communication.findFirstOrThrow({ where: { externalMessageId: call.CallSid } })

/** Of one call. */
async function followUps(call: Call) {
  const log = await callOf(call)
  const runs = await on.runs({ kinds: ['MISSED_CALL_FOLLOW_UP'], customerId: globalId('Customer', log.customerId) })
  return runs.filter((run) => run.call?.id === globalId('Communication', log.id))
}

async function staffSends(call: Call, more: Partial<SendMessageInput> = {}) {
  const input = {
    to: { customerId: globalId('Customer', (await callOf(call)).customerId) },
    channel: 'SMS' as const,
    content: { text: 'Hi' },
    ...more,
  }
  member((await twilio.org.ask(SendMessageDocument, { input })).sendMessage, 'SendMessageSuccess')
}

describe('a call that nobody took', () => {
  test('is followed up 15 minutes after it ended, once', async () => {
    const call = inboundFrom(newCaller())
    await missed(call)
    const dueAt = new Date(ended + 15 * MINUTE).toISOString()
    await clock.advanceTo(new Date(ended + 15 * MINUTE - 1))
    expect(await followUps(call)).toMatchObject([{ status: 'SCHEDULED', dueAt }])
    await clock.advanceTo(dueAt)
    const runs = await followUps(call)
    expect(brief(runs)).toEqual(SENT)
    expect(runs).toMatchObject([{ dueAt, settledAt: dueAt, appointment: null }])
    expect(bodies(runs)).toEqual(['Hi there, sorry that we missed your call. How can we help? Just answer this message. Salon Mavi'])
    expect(twilio.acceptedOf(present(runs[0]?.communication).id).map(({ params }) => params.To)).toEqual([call.From])
  })

  test.each(['status', 'dial'])('by whom it was forwarded to is followed up 15 minutes after it ended: %s first', async (first) => {
    const call = inboundFrom(newCaller())
    const webhooks = [status(call, 'completed', timed(ended)), dialed(call, 'no-answer')]
    if (first === 'dial') webhooks.reverse()
    const before = Date.now()
    for (const webhook of webhooks) await post(webhook)
    const [run, ...more] = await followUps(call)
    expect(more).toEqual([])
    const due = Date.parse(present(run).dueAt) - 15 * MINUTE
    // An action request says no time: the call has then ended when it came.
    if (first === 'status') expect(due).toBe(ended)
    else expect([due >= before, due <= Date.now()]).toEqual([true, true])
  })

  test('is told of as often as Twilio likes: one record, one run, one message', async () => {
    const call = inboundFrom(newCaller())
    await Promise.all(Array.from({ length: 5 }, () => missed(call)))
    await clock.pass({ minutes: 16 })
    await missed(call)
    await clock.pass({ minutes: 16 })
    expect(brief(await followUps(call))).toEqual(SENT)
  })

  test('three times in ten minutes is followed up once', async () => {
    const from = newCaller()
    const calls = [10, 5, 0].map((minutes) => ({ call: inboundFrom(from), at: ended - minutes * MINUTE }))
    for (const { call, at } of calls) await missed(call, at)
    await clock.pass({ minutes: 20 })
    const each = await Promise.all(calls.map(({ call }) => followUps(call)))
    expect(each.map(brief)).toEqual([SENT, REACHED, REACHED])
    expect(each[1]?.[0]?.detail).toBe('We have reached the customer since they called.')
    expect(twilio.fake.messages.filter(({ params }) => params.To === from)).toHaveLength(1)
  })

  test('is followed up at once where its webhook comes late, and not any more after a day', async () => {
    const [late, tooLate] = [inboundFrom(newCaller()), inboundFrom(newCaller())]
    await missed(late, ended - 60 * MINUTE)
    await missed(tooLate)
    await clock.settle()
    expect(brief(await followUps(late))).toEqual(SENT)
    await clock.jumpTo(new Date(ended + (24 * 60 + 16) * MINUTE))
    expect(await followUps(tooLate)).toMatchObject([
      { reason: 'TOO_LATE', detail: 'It could not be sent within 24 hours of its time, and after that it would be out of place.' },
    ])
  })

  test('is not followed up where that is switched off: then, or since', async () => {
    const [before, then] = [inboundFrom(newCaller()), inboundFrom(newCaller())]
    await missed(before)
    await on.set({ automations: [{ kind: 'MISSED_CALL_FOLLOW_UP', enabled: false }] })
    await missed(then)
    await clock.pass({ minutes: 16 })
    expect([brief(await followUps(before)), await followUps(then)]).toEqual([['MISSED_CALL_FOLLOW_UP SMS SKIPPED AUTOMATION_OFF'], []])
  })

  test('by the customer, whom we called, is nothing to follow up', async () => {
    const customer = newCaller()
    const call = { ...inboundFrom(customer), Direction: 'outbound-api', From: inboundFrom(customer).To, To: customer }
    await post(status(call, 'no-answer', timed(ended)))
    expect(await followUps(call)).toEqual([])
  })

  test('from a withheld number is recorded, and nothing is planned for whom nobody can answer', async () => {
    for (const [first, second] of [
      [status, dialed],
      [dialed, status],
    ] as const) {
      const call = inboundFrom('anonymous')
      await post(first(call, 'no-answer', timed(ended)))
      await post(second(call, 'no-answer', timed(ended)))
      expect(await callOf(call)).toMatchObject({ callOutcome: 'NO_ANSWER', conversationId: null })
      expect(await followUps(call)).toEqual([])
    }
  })
})

describe('a customer who was reached since', () => {
  const ways: Record<string, (call: Call) => Promise<unknown>> = {
    'they called again, and somebody took it': (call) => post(status(inboundFrom(call.From), 'completed', timed(Date.now()))),
    'we called them, and they took it': (call) =>
      post(status({ ...inboundFrom(call.From), Direction: 'outbound-api', From: call.To, To: call.From }, 'completed', timed(Date.now()))),
    'somebody wrote to them': (call) => staffSends(call),
    'somebody logged that they called': async (call) => {
      const input = { customerId: globalId('Customer', (await callOf(call)).customerId), body: 'Spoke with her.' }
      member((await twilio.org.ask(LogCallDocument, { input })).logCall, 'LogCallSuccess')
    },
  }

  test.each(Object.keys(ways))('is left alone: %s', async (way) => {
    const call = inboundFrom(newCaller())
    await missed(call)
    await clock.pass({ minutes: 5 })
    await ways[way]?.(call)
    await clock.pass({ minutes: 11 })
    expect(brief(await followUps(call))).toEqual(REACHED)
  })

  test('before the webhook of the call came is left alone', async () => {
    const from = newCaller()
    await post(status(inboundFrom(from), 'no-answer', timed(ended - 2 * 24 * 60 * MINUTE)))
    const call = inboundFrom(from)
    await twilio.org.ask(SendMessageDocument, { input: { to: { address: from }, channel: 'SMS', content: { text: 'Hi' } } })
    await missed(call, ended - 10 * MINUTE)
    await clock.pass({ minutes: 6 })
    expect(brief(await followUps(call))).toEqual(REACHED)
  })

  test('because the call was taken after all is left alone', async () => {
    const call = inboundFrom(newCaller())
    await post(dialed(call, 'no-answer'))
    await post(dialed(call, 'completed', { DialCallDuration: '30' }))
    await clock.pass({ minutes: 16 })
    expect(brief(await followUps(call))).toEqual(REACHED)
  })
})

describe('a customer who was not reached', () => {
  const ways: Record<string, (call: Call) => Promise<unknown>> = {
    'an automated message went out': async (call) => {
      const { id } = await on.book({ phone: call.From })
      await clock.settle()
      expect(brief(await on.runsOf(id))).toContain('BOOKING_CONFIRMATION SMS SENT')
    },
    'they wrote themselves': (call) => twilio.org.sms.inbound(call.From, 'Are you open today?'),
    'they called again, and nobody took it': (call) => post(status(inboundFrom(call.From), 'busy', timed(Date.now()))),
    'we called them, and they did not take it': (call) =>
      post(status({ ...inboundFrom(call.From), Direction: 'outbound-api', From: call.To, To: call.From }, 'no-answer', timed(Date.now()))),
    'somebody logged that they did not take it': async (call) => {
      const customerId = globalId('Customer', (await callOf(call)).customerId)
      await twilio.org.ask(LogCallDocument, { input: { customerId, body: 'No luck.', outcome: 'NO_ANSWER' } })
    },
    'somebody wrote, and it could not be delivered': (call) => {
      twilio.fake.next({ status: 400, code: 21211 })
      return staffSends(call)
    },
    'somebody is to write tomorrow': (call) => staffSends(call, { sendAt: new Date(clock.now().getTime() + 86_400_000).toISOString() }),
  }

  test.each(Object.keys(ways))('is followed up: %s', async (way) => {
    const call = inboundFrom(newCaller())
    await missed(call, ended - MINUTE)
    await clock.pass({ minutes: 5 })
    await ways[way]?.(call)
    await clock.settle()
    await clock.pass({ minutes: 11 })
    expect(brief(await followUps(call))).toEqual(SENT)
  })
})

test('a closed or snoozed conversation is open again when its customer called and nobody answered, and no other', async () => {
  const [missing, talking] = [newCaller(), newCaller()]
  for (const caller of [missing, talking]) await twilio.org.sms.inbound(caller, 'Hello')
  const conversationOf = async (caller: string) =>
    present((await twilio.org.ask(InboxDocument, { filter: { search: caller } })).conversations.nodes[0])
  for (const caller of [missing, talking]) {
    const input = { conversationId: (await conversationOf(caller)).id, status: 'CLOSED' as const }
    await twilio.org.ask(SetConversationStatusDocument, { input })
  }
  await missed(inboundFrom(missing))
  await post(status(inboundFrom(talking), 'completed', timed(ended)))
  expect([(await conversationOf(missing)).status, (await conversationOf(talking)).status]).toEqual(['OPEN', 'CLOSED'])
})
