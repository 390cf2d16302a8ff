import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { InboxEventsDocument, type InboxEventsSubscription } from '../generated/graphql.ts'
import {
  type Call,
  CHANGED,
  CREATED,
  callLog,
  callLogs,
  dialed,
  ELSEWHERE,
  ENDED,
  eventsOf,
  inboundFrom,
  newCaller,
  OURS,
  status,
  webhookStatuses,
} from '../support/calls.ts'
import { type ContractServer, startContractServer, twilioCredentials } from '../support/contract-files.ts'
import { eventually } from '../support/eventually.ts'
import { newSid } from '../support/fake-twilio.ts'
import { followers, overSocket } from '../support/live.ts'
import { present } from '../support/result.ts'

let server: ContractServer
let smsAccount: string

beforeAll(async () => {
  server = await startContractServer()
  smsAccount = await server.account('TWILIO', 'SMS', OURS, twilioCredentials)
})
afterAll(() => server?.app.close())
beforeEach(() => server.clear())

const post = (params: Record<string, string>) => server.twilio('voice', params)

describe('a call', () => {
  test('becomes a CALL_LOG in the conversation on its number, and Twilio is told to do nothing', async () => {
    const call = inboundFrom(newCaller())
    const answer = await post(status(call, 'no-answer'))
    expect(await answer.text()).toBe('<?xml version="1.0" encoding="UTF-8"?><Response/>')
    expect(answer.headers.get('content-type')).toBe('text/xml')
    const log = await callLog(server, call.CallSid)
    const expected = { type: 'CALL_LOG', direction: 'INBOUND', body: '', isRead: true, callOutcome: 'NO_ANSWER', callSeconds: 0 }
    expect(log).toMatchObject({ ...expected, callStartedAt: new Date(ENDED), channelAccountId: smsAccount })
    expect(log.payload).toEqual({ callStatus: 'no-answer' })
    const { identities, conversations } = log.customer
    expect(identities).toMatchObject([{ kind: 'PHONE', scope: '', value: call.From, verified: true }])
    expect(conversations).toMatchObject([{ id: log.conversationId, address: call.From, lastCommunicationId: log.id, unreadCount: 0 }])
    expect(await eventsOf(server, log.id)).toEqual([CREATED])
  })

  test('is told of live', async () => {
    const token = await server.app.token({ organization: 'contracts' })
    const subscriber = overSocket<InboxEventsSubscription, object>(server.app, { document: InboxEventsDocument, token })
    await eventually(async () => expect(await followers(server.app)).toBe(1))
    const call = inboundFrom(newCaller())
    await post(status(call, 'completed'))
    await post(dialed(call, 'busy'))
    await eventually(() =>
      expect(subscriber.data().map(({ inboxEvents }) => inboxEvents.__typename)).toEqual([
        'CustomerChangedEvent',
        'ConversationChangedEvent',
        'CommunicationCreatedEvent',
        'CommunicationChangedEvent',
      ]),
    )
    const created = subscriber.data()[2]?.inboxEvents
    expect(created).toMatchObject({ communication: { type: 'CALL_LOG', direction: 'INBOUND' } })
    subscriber.stop()
  })

  test('that is answered lasts as long as Twilio says, and began before', async () => {
    const call = inboundFrom(newCaller())
    await post(status(call, 'completed'))
    const log = await callLog(server, call.CallSid)
    expect(log).toMatchObject({ callOutcome: 'ANSWERED', callSeconds: 40, callStartedAt: new Date(ENDED - 40_000) })
  })

  test('by the business is with whom it calls; a machine is voicemail', async () => {
    const customer = newCaller()
    const calls = [1, 2].map(() => ({ ...inboundFrom(OURS), Direction: 'outbound-api', To: customer }))
    await post(status(present(calls[0]), 'completed', { AnsweredBy: 'human' }))
    await post(status(present(calls[1]), 'completed', { AnsweredBy: 'machine_end_beep' }))
    const [spoken, recorded] = await Promise.all(calls.map(({ CallSid }) => callLog(server, CallSid)))
    expect(spoken).toMatchObject({ direction: 'OUTBOUND', callOutcome: 'ANSWERED', customer: { identities: [{ value: customer }] } })
    expect(recorded).toMatchObject({ direction: 'OUTBOUND', callOutcome: 'VOICEMAIL', conversationId: spoken?.conversationId })
  })

  test('that is going on, or is a leg of another, is kept as a webhook and nothing else', async () => {
    const call = inboundFrom(newCaller())
    for (const CallStatus of ['queued', 'initiated', 'ringing', 'in-progress']) await post(status(call, CallStatus))
    await post(status({ ...call, Direction: 'outbound-dial' }, 'no-answer', { ParentCallSid: newSid('CA') }))
    await post(status({ ...call, From: 'client:alice' }, 'completed'))
    expect(await callLogs(server, call.CallSid)).toEqual([])
    expect(await webhookStatuses(server)).toEqual(Array(6).fill('UNPARSED'))
  })
})

describe('a forwarded call', () => {
  const told = {
    status: (call: Call) => status(call, 'completed'),
    dial: (call: Call) => dialed(call, 'no-answer', { DialCallDuration: '0' }),
  }

  test.each([
    ['status', 'dial'],
    ['dial', 'status'],
  ] as const)('that nobody takes is a miss: %s first', async (first, second) => {
    const call = inboundFrom(newCaller())
    await post(told[first](call))
    expect((await callLog(server, call.CallSid)).callOutcome).toBe(first === 'dial' ? 'NO_ANSWER' : 'ANSWERED')
    await post(told[second](call))
    const log = await callLog(server, call.CallSid)
    expect(log).toMatchObject({ callOutcome: 'NO_ANSWER', callSeconds: 0, callStartedAt: new Date(ENDED - 40_000) })
    expect(log.payload).toEqual({ callStatus: 'completed', dialCallStatus: 'no-answer' })
    for (const webhook of [told.status, told.dial, told.dial, told.status]) await post(webhook(call))
    expect(await callLog(server, call.CallSid)).toEqual(log)
    expect(await eventsOf(server, log.id)).toEqual([CREATED, CHANGED])
    expect(await webhookStatuses(server)).toEqual(['APPLIED', 'APPLIED', 'DUPLICATE', 'DUPLICATE', 'DUPLICATE', 'DUPLICATE'])
  })

  test('is one record, however often and however simultaneously it is told', async () => {
    const call = inboundFrom(newCaller())
    const answers = await Promise.all(Array.from({ length: 12 }, (_, n) => post((n % 2 === 0 ? told.status : told.dial)(call))))
    expect(answers.map((answer) => answer.status)).toEqual(Array(12).fill(200))
    const log = await callLog(server, call.CallSid)
    expect(log).toMatchObject({ callOutcome: 'NO_ANSWER', callStartedAt: new Date(ENDED - 40_000) })
    expect(log.customer.conversations).toHaveLength(1)
    expect(await eventsOf(server, log.id)).toEqual([CREATED, CHANGED])
    expect(await webhookStatuses(server)).toEqual(['APPLIED', 'APPLIED', ...Array(10).fill('DUPLICATE')])
  })

  test('that somebody takes lasts as long as they speak; without a time it ended as its webhook came', async () => {
    const call = inboundFrom(newCaller())
    const before = Date.now()
    await post(dialed(call, 'completed', { DialCallDuration: '30', CallDuration: '40' }))
    const after = Date.now()
    const log = await callLog(server, call.CallSid)
    expect(log).toMatchObject({ callOutcome: 'ANSWERED', callSeconds: 30 })
    const ended = (log.callStartedAt?.getTime() ?? 0) + 30_000
    expect([before <= ended, ended <= after]).toEqual([true, true])
  })

  test('told of in the future has ended by now', async () => {
    const call = inboundFrom(newCaller())
    await post(status(call, 'busy', { Timestamp: 'Fri, 21 Dec 2091 15:19:52 +0000' }))
    expect((await callLog(server, call.CallSid)).callStartedAt?.getTime()).toBeGreaterThan(Date.now() - 60_000)
    expect((await callLog(server, call.CallSid)).callStartedAt?.getTime()).toBeLessThanOrEqual(Date.now())
  })
})

describe('a withheld number', () => {
  test('is one customer for all, who cannot be answered', async () => {
    const calls = ['anonymous', '+266696687', 'Restricted', '+7378742833', '+86282452253'].map((from) => inboundFrom(from))
    await Promise.all(calls.map((call) => post(status(call, 'no-answer'))))
    const all = await Promise.all(calls.map(({ CallSid }) => callLog(server, CallSid)))
    expect(new Set(all.map(({ customerId }) => customerId)).size).toBe(1)
    expect(all[0]).toMatchObject({ conversationId: null, channelAccountId: smsAccount, callOutcome: 'NO_ANSWER' })
    expect(all[0]?.customer).toMatchObject({
      name: 'Withheld number',
      conversations: [],
      identities: [{ kind: 'EXTERNAL', scope: 'withheld', value: 'withheld number', verified: true }],
    })
  })
})

describe('a number for calls alone', () => {
  test('is taken in without a conversation, and stays one record when it becomes an account', async () => {
    const call = { ...inboundFrom(newCaller()), To: ELSEWHERE }
    await post(status(call, 'completed'))
    const log = await callLog(server, call.CallSid)
    expect(log).toMatchObject({ conversationId: null, channelAccountId: smsAccount })
    const account = await server.account('TWILIO', 'SMS', ELSEWHERE, twilioCredentials)
    await post(dialed(call, 'no-answer'))
    expect(await callLog(server, call.CallSid)).toMatchObject({ id: log.id, callOutcome: 'NO_ANSWER', conversationId: null })
    const next = { ...inboundFrom(call.From), To: ELSEWHERE }
    await post(dialed(next, 'no-answer'))
    expect(await callLog(server, next.CallSid)).toMatchObject({ channelAccountId: account, conversationId: expect.any(String) })
    await server.app.deps.db.channelAccount.update({ where: { id: account }, data: { status: 'DISCONNECTED' } })
  })

  test('prefers the account for SMS, and takes another where there is none', async () => {
    const whatsapp = await server.account('TWILIO', 'WHATSAPP', OURS, twilioCredentials)
    const call = inboundFrom(newCaller())
    await post(status(call, 'busy'))
    expect(await callLog(server, call.CallSid)).toMatchObject({ channelAccountId: smsAccount })
    await server.app.deps.db.channelAccount.update({ where: { id: smsAccount }, data: { status: 'PENDING' } })
    const next = inboundFrom(newCaller())
    await post(status(next, 'busy'))
    await server.app.deps.db.channelAccount.update({ where: { id: smsAccount }, data: { status: 'ACTIVE' } })
    expect(await callLog(server, next.CallSid)).toMatchObject({ channelAccountId: whatsapp, conversationId: expect.any(String) })
    await server.app.deps.db.channelAccount.update({ where: { id: whatsapp }, data: { status: 'DISCONNECTED' } })
  })
})
